//! The harness of the stories: a world of its own for each, made of the executables and services that users run.
//!
//! Postgres and RabbitMQ come from `make test`. A world has its own database, its own queues, an object store,
//! the simulated networks, and control plane and workers as real processes, which may be killed and stopped.
#![expect(clippy::unwrap_used, reason = "a story stops at the first surprise")]

pub mod agency;
pub mod api;
pub mod brand;
pub mod database;
pub mod estate;
pub mod files;
pub mod firehose;
pub mod judge;
pub mod mutations;
pub mod networks;
pub mod process;
pub mod schema;
pub mod secrets;
pub mod services;
pub mod socket;
pub mod upload;
pub mod wait;
pub mod world;

pub use agency::Agency;
pub use api::{Answer, Api};
pub use brand::{Brand, Job};
pub use estate::Estate;
pub use firehose::Firehose;
pub use networks::Networks;
pub use schema::Schema;
pub use wait::eventually;
pub use world::{World, WorldOptions};
