//! The GraphQL control plane: tenants, accounts, assets and publish jobs, over HTTP.
//!
//! It accepts work in one transaction and does none of it: workers do, and they meet in a row. It
//! never publishes and never reads a token.

pub mod admin;
pub mod auth;
pub mod config;
pub mod graphql;
pub mod http;
pub mod publishing;
pub mod relay;
pub mod sweeper;
pub mod system;

pub use config::{ApiConfig, ControlPlaneConfig};
pub use graphql::schema::sdl as schema_sdl;
pub use http::router;
