//! Opening a connection, and declaring what every process may rely on.

use std::future::Future;
use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use tokio::time::timeout;

use super::{BrokerConfig, BrokerError};
use crate::job_kind::{JobKind, Lane};

/// How long the broker may take to answer one request.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// A doorbell that nobody heard for this long is void: the ledger is what lasts.
const BELL_LIFETIME_MS: i32 = 60_000;

/// A queue never holds more: far above the relay's window, so it is never reached in order.
const BELLS_MAX: i32 = 10_000;

/// Waits for an answer of the broker, but not for ever.
pub(super) async fn answer<T>(
    what: &'static str,
    request: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BrokerError> {
    let late = |_| BrokerError::Timeout { what, seconds: ANSWER_LIMIT.as_secs() };
    Ok(timeout(ANSWER_LIMIT, request).await.map_err(late)??)
}

/// Opens a connection that shows up under `purpose` in the broker's own tools. It never recovers by
/// itself: after a loss its consumers would wait for ever without a word.
pub(super) async fn connect(config: &BrokerConfig, purpose: &str) -> Result<Connection, BrokerError> {
    let properties =
        ConnectionProperties::default().with_connection_name(format!("reelmill {purpose}").into());
    answer("connecting", Connection::connect_uri(config.uri.clone(), properties)).await
}

/// Declares the queue of `kind` and `lane`: quorum, durable, without dead letters, since a doorbell
/// that is lost is rung again.
pub(super) async fn declare_queue(
    channel: &Channel,
    config: &BrokerConfig,
    kind: JobKind,
    lane: Lane,
) -> Result<String, BrokerError> {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-message-ttl".into(), AMQPValue::LongInt(BELL_LIFETIME_MS));
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(BELLS_MAX));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    let name = config.queue(kind, lane);
    let declared = channel.queue_declare(name.as_str().into(), QueueDeclareOptions::durable(), arguments);
    answer("a queue's declaration", declared).await?;
    Ok(name)
}

/// Declares the exchange of live changes.
pub(super) async fn declare_live(channel: &Channel, config: &BrokerConfig) -> Result<(), BrokerError> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared = channel.exchange_declare(
        config.live_exchange().as_str().into(),
        ExchangeKind::Fanout,
        options,
        FieldTable::default(),
    );
    answer("an exchange's declaration", declared).await
}
