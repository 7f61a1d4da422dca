//! Hearing doorbells: a slot first, then a delivery.
//!
//! One task holds a free slot and only then takes the next delivery of any of its queues, *now*
//! before *bulk*; of two or more slots one never takes *bulk*. Deliveries that wait 5 s without a
//! slot are given back, and the queues are left alone until a slot is free.

mod queues;

use std::sync::Arc;
use std::time::Duration;

use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::queues::{Heard, Queues};
use super::backoff::Backoff;
use super::{BrokerConfig, BrokerError, link};
use crate::job_kind::{JobKind, Lane};
use crate::store::jobs::Doorbell;

/// How long deliveries may wait for a slot before they are given back.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often channels are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// How long a stopping consumer waits for the deliveries it handed out.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Hears doorbells of some kinds, over a connection of its own.
#[derive(Debug)]
pub struct Consumer {
    deliveries: Mutex<mpsc::Receiver<Delivery>>,
    up: watch::Receiver<bool>,
    slots: Arc<Semaphore>,
    slot_count: u32,
}

/// A doorbell, and the slot that was free for it.
#[derive(Debug)]
pub struct Delivery {
    pub doorbell: Doorbell,
    pub kind: JobKind,
    pub lane: Lane,
    /// Hold it for as long as the job runs.
    pub slot: Slot,
    pub bell: Bell,
}

/// Room for one job, free again when dropped.
#[derive(Debug)]
pub struct Slot {
    _any: OwnedSemaphorePermit,
    _bulk: Option<OwnedSemaphorePermit>,
}

/// The message itself. It has to be answered: one that is not holds up its queue's prefetch.
#[derive(Debug)]
pub struct Bell {
    acker: Acker,
}

impl Bell {
    /// Acknowledges it, right after the claim. `false`: its channel died meanwhile, and somebody
    /// else will hear it as well, which the ledger sorts out.
    pub async fn ack(self) -> bool {
        let answered = timeout(link::ANSWER_LIMIT, self.acker.ack(BasicAckOptions::default())).await;
        matches!(answered, Ok(Ok(true)))
    }

    /// Lets it ring elsewhere: nothing could be found out about its job.
    pub async fn give_back(self) -> bool {
        let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
        matches!(timeout(link::ANSWER_LIMIT, self.acker.nack(options)).await, Ok(Ok(true)))
    }
}

impl Consumer {
    /// Starts the task that listens for `kinds` until `stop`, with `slots` (at least 1) among them.
    #[must_use]
    pub fn start(config: BrokerConfig, kinds: &[JobKind], slots: u32, stop: CancellationToken) -> Self {
        let count = slots.max(1);
        let slots = Arc::new(Semaphore::new(count as usize));
        let (out, deliveries) = mpsc::channel(count as usize);
        let (state, up) = watch::channel(false);
        let supervisor = Supervisor {
            config,
            kinds: kinds.to_vec(),
            slots: Arc::clone(&slots),
            slot_count: count,
            bulk: Arc::new(Semaphore::new((count.max(2) - 1) as usize)),
            out,
            state,
            stop,
        };
        tokio::spawn(supervisor.run());
        Self { deliveries: Mutex::new(deliveries), up, slots, slot_count: count }
    }

    /// The next doorbell with a slot for it; `None` after it was stopped and drained.
    pub async fn next(&self) -> Option<Delivery> {
        self.deliveries.lock().await.recv().await
    }

    /// Whether doorbells are heard right now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Waits until doorbells are heard.
    pub async fn ready(&self) {
        // Fails only when the task is gone, and then waiting is over as well.
        let _ = self.up.clone().wait_for(|up| *up).await;
    }

    /// Slots in all, and how many of them are busy (one is held while listening).
    #[must_use]
    pub fn slots(&self) -> (u32, u32) {
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        (self.slot_count, self.slot_count.saturating_sub(free))
    }
}

struct Supervisor {
    config: BrokerConfig,
    kinds: Vec<JobKind>,
    slots: Arc<Semaphore>,
    slot_count: u32,
    bulk: Arc<Semaphore>,
    out: mpsc::Sender<Delivery>,
    state: watch::Sender<bool>,
    stop: CancellationToken,
}

impl Supervisor {
    async fn run(self) {
        let mut backoff = Backoff::default();
        loop {
            let ended = self.session(&mut backoff).await;
            self.state.send_replace(false);
            match ended {
                Ok(()) => break,
                Err(error) => warn!(%error, "broker.consumer_down"),
            }
            metrics::gauge!("reelmill_amqp_up", "purpose" => "consume").set(0);
            metrics::counter!("reelmill_amqp_reconnects_total", "purpose" => "consume").increment(1);
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = sleep(backoff.pause()) => {}
            }
        }
    }

    /// One connection, from its start to its end; `Ok` when it was asked to stop.
    async fn session(&self, backoff: &mut Backoff) -> Result<(), BrokerError> {
        let connection = tokio::select! {
            () = self.stop.cancelled() => return Ok(()),
            connection = link::connect(&self.config, "consumer") => connection?,
        };
        let mut queues = Queues::open(&connection, &self.config, &self.kinds, self.slot_count).await?;
        self.state.send_replace(true);
        backoff.reset();
        metrics::gauge!("reelmill_amqp_up", "purpose" => "consume").set(1);
        info!(kinds = self.kinds.len(), slots = self.slot_count, "broker.consumer_up");
        while let Some(slot) = self.free_slot(&mut queues).await? {
            let Some(delivery) = self.hear(&mut queues, slot).await? else { break };
            if self.out.send(delivery).await.is_err() {
                break;
            }
        }
        queues.pause(None).await?;
        self.state.send_replace(false);
        // What was handed out is still to be acknowledged over this connection.
        let _ = timeout(DRAIN_LIMIT, self.slots.acquire_many(self.slot_count)).await;
        // A goodbye; without it the broker notices by the closed socket.
        let _ = link::answer("closing", connection.close(200, "stopping".into())).await;
        Ok(())
    }

    /// Waits for a free slot; `None` when asked to stop. After 5 s without one, what was prefetched
    /// goes back to be heard elsewhere.
    async fn free_slot(&self, queues: &mut Queues) -> Result<Option<OwnedSemaphorePermit>, BrokerError> {
        let mut tick = interval(WATCH_EVERY);
        let patience = sleep(PATIENCE);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(None),
                // The semaphore is never closed.
                slot = Arc::clone(&self.slots).acquire_owned() => return slot.map(Some).map_err(|_| BrokerError::Ended),
                () = &mut patience, if queues.any_open() => queues.pause(None).await?,
                _ = tick.tick() => queues.check()?,
            }
        }
    }

    /// Takes the next doorbell for `slot`; `None` when asked to stop.
    async fn hear(
        &self,
        queues: &mut Queues,
        slot: OwnedSemaphorePermit,
    ) -> Result<Option<Delivery>, BrokerError> {
        let mut bulk = Arc::clone(&self.bulk).try_acquire_owned().ok();
        queues.resume(Lane::Now).await?;
        let mut tick = interval(WATCH_EVERY);
        let patience = sleep(PATIENCE);
        tokio::pin!(patience);
        loop {
            if bulk.is_some() {
                queues.resume(Lane::Bulk).await?;
            }
            let heard = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(None),
                heard = queues.next(bulk.is_some()) => heard?,
                permit = Arc::clone(&self.bulk).acquire_owned(), if bulk.is_none() => {
                    bulk = permit.ok();
                    continue;
                }
                () = &mut patience, if bulk.is_none() => {
                    queues.pause(Some(Lane::Bulk)).await?;
                    patience.as_mut().reset(Instant::now() + PATIENCE);
                    continue;
                }
                _ = tick.tick() => {
                    queues.check()?;
                    continue;
                }
            };
            let Heard { kind, lane, doorbell, acker } = heard;
            let bulk = if lane == Lane::Bulk { bulk } else { None };
            let slot = Slot { _any: slot, _bulk: bulk };
            return Ok(Some(Delivery { doorbell, kind, lane, slot, bell: Bell { acker } }));
        }
    }
}
