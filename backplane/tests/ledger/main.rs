//! The ledger, its guards and the doorbells, told against a real Postgres and a real RabbitMQ.
//!
//! `TEST_DATABASE_URL` is a superuser's, `TEST_AMQP_URL` a user's that may declare queues. Each test
//! has a database and a queue prefix of its own.
#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

mod attempts;
mod bells;
mod budgets;
mod claims;
mod fairness;
mod isolation;
mod lists;
mod plans;
mod posts;
mod race;
mod tokens;
mod world;
