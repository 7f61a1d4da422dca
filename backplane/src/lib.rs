//! Postgres, RabbitMQ, object storage and telemetry: the only crate that speaks SQL, AMQP and S3.

pub mod blobs;
pub mod broker;
pub mod job_kind;
pub mod migrate;
pub mod store;
pub mod telemetry;
pub mod vault;
