//! RabbitMQ, the doorbell: it tells workers that there is work, and control planes that something
//! changed. Nothing of value is in it; wiping its disk loses nothing.
//!
//! Each user of the broker has a connection of its own and one task that supervises it. Any error,
//! closed channel or ended stream drops everything and builds it anew after a jittered pause.

mod backoff;
mod config;
mod consumer;
mod link;
mod live;
mod publisher;

pub use config::{BrokerConfig, BrokerConfigError};
pub use consumer::{Bell, Consumer, Delivery, Slot};
pub use live::{Change, LiveFeed};
pub use publisher::Publisher;

/// Why a connection was given up. Holds no address and no password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    #[error("the broker did not answer {what} within {seconds} s")]
    Timeout { what: &'static str, seconds: u64 },
    #[error("the broker failed: {0}")]
    Amqp(#[from] lapin::Error),
    #[error("a channel or consumer of the broker ended")]
    Ended,
    #[error("a doorbell was not confirmed")]
    Unconfirmed,
}
