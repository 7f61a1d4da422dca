//! Rings doorbells for jobs that are due: a small window ahead, fairly by brand.
//!
//! Marks rows as rung, commits, and only then asks the broker; what is not confirmed is un-marked. A
//! crash in between costs a late or a doubled doorbell, both harmless.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use backplane::broker::Publisher;
use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::{Pass, pick, slots_by_kind, unring, waiting_queues};
use backplane::store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

/// A pause when nothing was due; a commit of this process wakes it at once.
const IDLE_PAUSE: Duration = Duration::from_millis(250);

/// A pause for as long as doorbells were rung a moment ago: a brand has a few in the queue at once, and the next ones
/// have to be there when workers have taken them.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// A pause after an error.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

/// How long the count of live slots is believed.
const SLOTS_GOOD_FOR: Duration = Duration::from_secs(2);

/// Passes over one queue before the others get their turn.
const PASSES_A_TURN: usize = 20;

/// Reads with the relay's role, publishes, and listens for commits of this process.
#[derive(Debug)]
pub struct Relay {
    store: Store,
    publisher: Publisher,
    wake: Arc<Notify>,
    cursors: HashMap<(JobKind, Lane), Uuid>,
    slots: HashMap<JobKind, i64>,
    slots_read_at: Option<Instant>,
}

impl Relay {
    /// `store` is of the relay's role; `wake` is notified after a commit that enqueued something.
    #[must_use]
    pub fn new(store: Store, publisher: Publisher, wake: Arc<Notify>) -> Self {
        Self { store, publisher, wake, cursors: HashMap::new(), slots: HashMap::new(), slots_read_at: None }
    }

    /// Rings until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        info!("relay.started");
        let mut busy_until = Instant::now();
        loop {
            let pause = match self.turn().await {
                Ok(rung) => {
                    if rung > 0 {
                        busy_until = Instant::now() + IDLE_PAUSE;
                    }
                    if Instant::now() < busy_until { BUSY_PAUSE } else { IDLE_PAUSE }
                }
                Err(error) => {
                    warn!(%error, "relay.turn_failed");
                    ERROR_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.wake.notified() => {}
                () = sleep(pause) => {}
            }
        }
        info!("relay.stopped");
    }

    /// Rings once for every queue that has something due, and returns how many doorbells.
    ///
    /// # Errors
    /// When the ledger cannot be asked.
    pub async fn turn(&mut self) -> Result<usize, StoreError> {
        if !self.publisher.is_up() {
            return Ok(0);
        }
        self.read_slots().await?;
        let mut rung = 0;
        for (kind, lane) in waiting_queues(&self.store).await? {
            rung += self.ring_queue(kind, lane).await?;
        }
        Ok(rung)
    }

    async fn read_slots(&mut self) -> Result<(), StoreError> {
        if self.slots_read_at.is_none_or(|at| at.elapsed() > SLOTS_GOOD_FOR) {
            self.slots = slots_by_kind(&self.store).await?;
            self.slots_read_at = Some(Instant::now());
        }
        Ok(())
    }

    async fn ring_queue(&mut self, kind: JobKind, lane: Lane) -> Result<usize, StoreError> {
        let slots = self.slots.get(&kind).copied().unwrap_or(0);
        let window = (2 * slots).clamp(32, 500);
        let mut rung = 0;
        for _ in 0..PASSES_A_TURN {
            let cursor = self.cursors.get(&(kind, lane)).copied().unwrap_or_default();
            let picked = pick(&self.store, &Pass { kind, lane, window, slots, cursor }).await?;
            self.cursors.insert((kind, lane), picked.cursor);
            if !picked.bells.is_empty() {
                let failed = self.publisher.ring(kind, lane, &picked.bells).await;
                let confirmed = picked.bells.len() - failed.len();
                metrics::counter!("reelmill_doorbells_rung_total").increment(confirmed as u64);
                rung += confirmed;
                if !failed.is_empty() {
                    metrics::counter!("reelmill_doorbells_failed_total").increment(failed.len() as u64);
                    unring(&self.store, &failed).await?;
                    break;
                }
            }
            if !picked.more {
                break;
            }
        }
        Ok(rung)
    }
}
