//! The public API: one noun a file, each with its type, queries, mutations and payloads.

pub mod audit;
pub mod brand;
pub mod connection;
pub mod failure;
pub mod format_profile;
pub mod id;
pub mod idempotency;
pub mod loaders;
pub mod media_info;
pub mod node;
pub mod organization;
pub mod platform;
pub mod problem;
pub mod scalars;
pub mod schema;
pub mod scope;
pub mod session;
pub mod user;
pub mod user_error;
pub mod viewer;
