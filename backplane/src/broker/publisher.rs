//! Ringing doorbells with confirms, and telling what changed.

use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, interval, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::backoff::Backoff;
use super::live::Change;
use super::{BrokerConfig, BrokerError, link};
use crate::job_kind::{JobKind, Lane};
use crate::store::jobs::Doorbell;

/// How long a batch of doorbells may take to be confirmed.
const CONFIRM_LIMIT: Duration = Duration::from_secs(5);

/// How often the connection is looked at when nothing is sent.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Changes that wait to be told; more are dropped, and the control planes read them a little later.
const CHANGES_WAITING_MAX: usize = 4096;

/// Publishes over a connection of its own, which one task keeps up. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Publisher {
    config: Arc<BrokerConfig>,
    links: watch::Receiver<Option<Arc<Links>>>,
    suspect: Arc<Notify>,
    changes: mpsc::Sender<Change>,
}

/// The channels of one connection; they end with it.
#[derive(Debug)]
struct Links {
    /// In confirm mode.
    confirmed: Channel,
    /// Without confirms, for what may be lost.
    plain: Channel,
}

impl Publisher {
    /// Starts the task that connects and stays connected until `stop`.
    #[must_use]
    pub fn start(config: BrokerConfig, stop: CancellationToken) -> Self {
        let config = Arc::new(config);
        let (up, links) = watch::channel(None);
        let (changes, waiting) = mpsc::channel(CHANGES_WAITING_MAX);
        let suspect = Arc::new(Notify::new());
        let supervisor =
            Supervisor { config: Arc::clone(&config), up, suspect: Arc::clone(&suspect), waiting, stop };
        tokio::spawn(supervisor.run());
        Self { config, links, suspect, changes }
    }

    /// Whether doorbells can be rung right now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.links.borrow().as_ref().is_some_and(|links| links.confirmed.status().connected())
    }

    /// Waits until doorbells can be rung.
    pub async fn ready(&self) {
        // Fails only when the task is gone, and then waiting is over as well.
        let _ = self.links.clone().wait_for(Option::is_some).await;
    }

    /// Rings for jobs, each with the trace context of who asked, and returns those that the broker
    /// did not confirm within 5 s: un-mark them, so that they are rung again.
    pub async fn ring(&self, kind: JobKind, lane: Lane, bells: &[(Doorbell, Option<String>)]) -> Vec<Uuid> {
        let current = self.links.borrow().clone();
        let Some(links) = current else {
            return bells.iter().map(|(bell, _)| bell.job).collect();
        };
        let deadline = Instant::now() + CONFIRM_LIMIT;
        let queue: ShortString = self.config.queue(kind, lane).as_str().into();
        let mut failed = Vec::new();
        let mut confirms = Vec::with_capacity(bells.len());
        for (bell, traceparent) in bells {
            let sent = send_bell(&links.confirmed, &queue, bell, traceparent.as_deref());
            match timeout_at(deadline, sent).await {
                Ok(Ok(confirm)) => confirms.push((bell.job, confirm)),
                Ok(Err(_)) | Err(_) => failed.push(bell.job),
            }
        }
        for (job, confirm) in confirms {
            // A returned message is acknowledged, too: its queue does not exist.
            if !matches!(timeout_at(deadline, confirm).await, Ok(Ok(Confirmation::Ack(None)))) {
                failed.push(job);
            }
        }
        if !failed.is_empty() {
            self.suspect.notify_one();
        }
        failed
    }

    /// Tells every control plane that a row changed, after its commit. Never waits; when too many
    /// wait already, this one is dropped and is seen a little later.
    pub fn announce(&self, change: Change) {
        if self.changes.try_send(change).is_err() {
            metrics::counter!("reelmill_live_changes_dropped_total").increment(1);
        }
    }
}

async fn send_bell(
    channel: &Channel,
    queue: &ShortString,
    bell: &Doorbell,
    traceparent: Option<&str>,
) -> Result<PublisherConfirm, lapin::Error> {
    // Two UUIDs always serialise.
    let body = serde_json::to_vec(bell).unwrap_or_default();
    let mut properties = BasicProperties::default().with_delivery_mode(2);
    if let Some(traceparent) = traceparent {
        let mut headers = FieldTable::default();
        headers.insert("traceparent".into(), AMQPValue::LongString(traceparent.into()));
        properties = properties.with_headers(headers);
    }
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    channel.basic_publish("".into(), queue.clone(), options, &body, properties).await
}

struct Supervisor {
    config: Arc<BrokerConfig>,
    up: watch::Sender<Option<Arc<Links>>>,
    suspect: Arc<Notify>,
    waiting: mpsc::Receiver<Change>,
    stop: CancellationToken,
}

impl Supervisor {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let ended = self.session(&mut backoff).await;
            self.up.send_replace(None);
            match ended {
                Ok(()) => break,
                Err(error) => warn!(%error, "broker.publisher_down"),
            }
            metrics::gauge!("reelmill_amqp_up", "purpose" => "publish").set(0);
            metrics::counter!("reelmill_amqp_reconnects_total", "purpose" => "publish").increment(1);
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = sleep(backoff.pause()) => {}
            }
        }
    }

    /// One connection, from its start to its end; `Ok` when it was asked to stop.
    async fn session(&mut self, backoff: &mut Backoff) -> Result<(), BrokerError> {
        let connection = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            connection = link::connect(&self.config, "publisher") => connection?,
        };
        let confirmed = link::answer("a channel", connection.create_channel()).await?;
        let plain = link::answer("a channel", connection.create_channel()).await?;
        link::answer("confirm mode", confirmed.confirm_select(ConfirmSelectOptions::default())).await?;
        for kind in JobKind::ALL {
            for lane in Lane::ALL {
                link::declare_queue(&confirmed, &self.config, kind, lane).await?;
            }
        }
        link::declare_live(&plain, &self.config).await?;
        let links = Arc::new(Links { confirmed, plain });
        self.up.send_replace(Some(Arc::clone(&links)));
        backoff.reset();
        metrics::gauge!("reelmill_amqp_up", "purpose" => "publish").set(1);
        info!("broker.publisher_up");
        self.watch(&links).await?;
        // A goodbye; without it the broker notices by the closed socket.
        let _ = link::answer("closing", connection.close(200, "stopping".into())).await;
        Ok(())
    }

    async fn watch(&mut self, links: &Links) -> Result<(), BrokerError> {
        let exchange: ShortString = self.config.live_exchange().as_str().into();
        let mut tick = interval(WATCH_EVERY);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = self.suspect.notified() => return Err(BrokerError::Unconfirmed),
                _ = tick.tick() => {
                    if !links.confirmed.status().connected() || !links.plain.status().connected() {
                        return Err(BrokerError::Ended);
                    }
                }
                change = self.waiting.recv() => match change {
                    Some(change) => tell(&links.plain, &exchange, &change).await?,
                    // Every handle is gone: nobody will publish any more.
                    None => return Ok(()),
                }
            }
        }
    }
}

async fn tell(channel: &Channel, exchange: &ShortString, change: &Change) -> Result<(), BrokerError> {
    let body = change.to_body();
    let sent = channel.basic_publish(
        exchange.clone(),
        "".into(),
        BasicPublishOptions::default(),
        body.as_bytes(),
        BasicProperties::default().with_delivery_mode(1),
    );
    link::answer("a change", sent).await?;
    Ok(())
}
