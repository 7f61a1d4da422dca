//! Puts right what crashed: expired leases, doorbells that nobody heard, targets that nothing moves.
//! Any number of processes may do it at once.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use backplane::store::jobs::{clear_stale_bells, job_gauges, prune, sweep, take_gauge_turn, target_gauges};
use backplane::store::{Scope, Store, StoreError, stuck};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

const SWEEP_EVERY: Duration = Duration::from_secs(5);
const GAUGES_EVERY: Duration = Duration::from_secs(15);
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Leases that one statement sweeps.
const SWEEP_BATCH: u64 = 200;

/// Batches of a thousand rows that one round of pruning removes.
const PRUNE_BATCHES: usize = 20;

/// Sweeps with the relay's role; what it finds of a brand is mended in that brand's scope.
#[derive(Debug)]
pub struct Sweeper {
    relay: Store,
    api: Store,
}

impl Sweeper {
    /// `relay` and `api` are of those roles.
    #[must_use]
    pub const fn new(relay: Store, api: Store) -> Self {
        Self { relay, api }
    }

    /// Sweeps until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        info!("sweeper.started");
        let mut sweeping = every(SWEEP_EVERY);
        let mut gauging = every(GAUGES_EVERY);
        let mut pruning = every(PRUNE_EVERY);
        loop {
            let (what, done) = tokio::select! {
                () = stop.cancelled() => break,
                _ = sweeping.tick() => ("sweep", self.sweep().await),
                _ = gauging.tick() => ("gauges", self.read_gauges().await),
                _ = pruning.tick() => ("prune", self.prune().await),
            };
            if let Err(error) = done {
                warn!(%error, what, "sweeper.failed");
            }
        }
        info!("sweeper.stopped");
    }

    /// One round: leases, doorbells, stuck targets.
    ///
    /// # Errors
    /// When the ledger cannot be asked.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        loop {
            let expired = sweep(&self.relay).await?;
            if expired > 0 {
                warn!(expired, "sweeper.leases_expired");
                metrics::counter!("reelmill_leases_expired_total").increment(expired);
            }
            if expired < SWEEP_BATCH {
                break;
            }
        }
        let cleared = clear_stale_bells(&self.relay).await?;
        metrics::counter!("reelmill_bells_cleared_total").increment(cleared);
        self.rescue_stuck().await
    }

    async fn rescue_stuck(&self) -> Result<(), StoreError> {
        let mut by_brand: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for suspect in stuck::suspects(&self.relay).await? {
            by_brand.entry(suspect.brand).or_default().push(suspect.target);
        }
        for (brand, suspects) in by_brand {
            let mut tx = self.api.begin(&Scope::brand(brand)).await?;
            let rescued = stuck::rescue(&mut tx, brand, &suspects).await?;
            tx.commit().await?;
            if rescued > 0 {
                error!(rescued, brand_id = %brand, "sweeper.targets_stuck");
                metrics::counter!("reelmill_stuck_total").increment(rescued);
            }
        }
        Ok(())
    }

    /// Reads the gauges over all rows, when it is this process's turn.
    ///
    /// # Errors
    /// When the ledger cannot be asked.
    pub async fn read_gauges(&self) -> Result<(), StoreError> {
        let Some(mut tx) = take_gauge_turn(&self.relay).await? else { return Ok(()) };
        for kind in job_gauges(&mut tx).await? {
            let set = |name: &'static str, value: f64| {
                metrics::gauge!(name, "kind" => kind.kind.clone()).set(value);
            };
            set("reelmill_jobs_due", count(kind.due));
            set("reelmill_jobs_later", count(kind.later));
            set("reelmill_jobs_running", count(kind.running));
            set("reelmill_jobs_failed", count(kind.failed));
            set("reelmill_doorbells_unsent", count(kind.unrung));
            set("reelmill_oldest_due_age_seconds", kind.oldest_due_seconds);
        }
        let targets = target_gauges(&mut tx).await?;
        metrics::gauge!("reelmill_publish_undecided").set(count(targets.unconfirmed));
        metrics::gauge!("reelmill_publish_undecided_oldest_age_seconds")
            .set(targets.oldest_undecided_seconds);
        metrics::gauge!("reelmill_needs_attention").set(count(targets.needs_attention));
        if let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) {
            metrics::gauge!("reelmill_gauges_read_timestamp_seconds").set(now.as_secs_f64());
        }
        tx.commit().await
    }

    async fn prune(&self) -> Result<(), StoreError> {
        for _ in 0..PRUNE_BATCHES {
            if prune(&self.relay).await? < 1000 {
                break;
            }
        }
        Ok(())
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Counts of rows are far below 2^52, where a float stops being exact.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn count(rows: i64) -> f64 {
    rows as f64
}
