//! What changed, told to every control plane after the commit. A lost message is only late: the
//! control planes read what changed from the database as well.

use std::sync::Arc;

use domain::id::{GlobalId, Noun};
use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use tokio::sync::{broadcast, watch};
use tokio::time::{Duration, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::backoff::Backoff;
use super::{BrokerConfig, BrokerError, link};

/// Changes that a slow listener may be behind before it misses some.
const BEHIND_MAX: usize = 4096;

/// One row that changed. Says nothing of what is in it: each listener reads that in its own scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    pub brand: Uuid,
    pub object: GlobalId,
}

impl Change {
    pub(super) fn to_body(self) -> String {
        format!("{} {}", GlobalId::new(Noun::Brand, self.brand), self.object)
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let (brand, object) = std::str::from_utf8(body).ok()?.split_once(' ')?;
        let brand = GlobalId::parse_as(Noun::Brand, brand).ok()?;
        Some(Self { brand, object: GlobalId::parse(object).ok()? })
    }
}

/// Changes as they arrive, over a connection of its own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LiveFeed {
    changes: broadcast::Sender<Change>,
    up: watch::Receiver<bool>,
}

impl LiveFeed {
    /// Starts the task that listens until `stop`.
    #[must_use]
    pub fn start(config: BrokerConfig, stop: CancellationToken) -> Self {
        let (changes, _) = broadcast::channel(BEHIND_MAX);
        let (state, up) = watch::channel(false);
        tokio::spawn(listen(Arc::new(config), changes.clone(), state, stop));
        Self { changes, up }
    }

    /// Changes from now on. One that falls behind is told that it missed some.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Whether changes arrive right now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Waits until changes arrive.
    pub async fn ready(&self) {
        // Fails only when the task is gone, and then waiting is over as well.
        let _ = self.up.clone().wait_for(|up| *up).await;
    }
}

async fn listen(
    config: Arc<BrokerConfig>,
    changes: broadcast::Sender<Change>,
    state: watch::Sender<bool>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::default();
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => break,
            ended = session(&config, &changes, &state, &mut backoff) => ended,
        };
        state.send_replace(false);
        if let Err(error) = ended {
            warn!(%error, "broker.live_down");
        }
        metrics::gauge!("reelmill_amqp_up", "purpose" => "live").set(0);
        metrics::counter!("reelmill_amqp_reconnects_total", "purpose" => "live").increment(1);
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(backoff.pause()) => {}
        }
    }
    state.send_replace(false);
}

async fn session(
    config: &BrokerConfig,
    changes: &broadcast::Sender<Change>,
    state: &watch::Sender<bool>,
    backoff: &mut Backoff,
) -> Result<(), BrokerError> {
    let connection = link::connect(config, "live").await?;
    let channel = link::answer("a channel", connection.create_channel()).await?;
    link::declare_live(&channel, config).await?;
    // Named by the server, for this connection only: it is gone with it.
    let own = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = link::answer("a queue", channel.queue_declare("".into(), own, FieldTable::default())).await?;
    let exchange = config.live_exchange();
    let bound = channel.queue_bind(
        queue.name().clone(),
        exchange.as_str().into(),
        "".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    link::answer("a binding", bound).await?;
    let options = BasicConsumeOptions { no_ack: true, exclusive: true, ..BasicConsumeOptions::default() };
    let consumed = channel.basic_consume(queue.name().clone(), "".into(), options, FieldTable::default());
    let mut consumer = link::answer("a consumer", consumed).await?;
    state.send_replace(true);
    backoff.reset();
    metrics::gauge!("reelmill_amqp_up", "purpose" => "live").set(1);
    info!("broker.live_up");
    let mut tick = interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            delivery = consumer.next() => {
                let delivery = delivery.ok_or(BrokerError::Ended)??;
                if let Some(change) = Change::parse(&delivery.data) {
                    // Nobody listens: fine.
                    let _ = changes.send(change);
                }
            }
            _ = tick.tick() => {
                if !channel.status().connected() {
                    return Err(BrokerError::Ended);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reads_back_and_nothing_else_reads_as_one() {
        let object = GlobalId::new(Noun::PublishTarget, Uuid::from_u128(5));
        let change = Change { brand: Uuid::from_u128(7), object };
        assert_eq!(Change::parse(change.to_body().as_bytes()), Some(change));
        assert_eq!(Change::parse(b"target_1 brand_2"), None);
        assert_eq!(Change::parse(b""), None);
    }
}
