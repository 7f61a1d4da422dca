//! The leases of every job that this process holds: renewed by one statement, and given up for a
//! job that shows no sign of life.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backplane::store::Store;
use backplane::store::jobs::{self, Claim, Leased};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::kinds::Job;

/// A third of the lease: two renewals may fail before it runs out.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// When a job last showed a sign of life.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    /// Frames moved, a step was done, a page came.
    pub(crate) fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn silent_for(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

#[derive(Debug)]
struct Held {
    leased: Leased,
    silence_max: Duration,
    progress: Progress,
    cancel: CancellationToken,
}

/// What this process holds, by job.
#[derive(Debug, Default)]
pub(crate) struct Leases(Mutex<HashMap<Uuid, Held>>);

impl Leases {
    fn held(&self) -> MutexGuard<'_, HashMap<Uuid, Held>> {
        // The map is whole between any two statements that touch it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renews `claims` from now on, as long as `job`, which works on them, shows signs of life.
    pub(crate) fn adopt(&self, claims: &[Claim], job: &Job) {
        let mut held = self.held();
        for claim in claims {
            let entry = Held {
                leased: Leased { job: claim.id, epoch: claim.epoch },
                silence_max: claim.kind.handling().progress_within,
                progress: job.progress.clone(),
                cancel: job.cancel.clone(),
            };
            held.insert(claim.id, entry);
        }
    }

    /// Renews these no longer.
    pub(crate) fn release(&self, claims: &[Claim]) {
        let mut held = self.held();
        for claim in claims {
            held.remove(&claim.id);
        }
    }

    /// Stops everything that is held: the process ends, and drained long enough.
    pub(crate) fn cancel_all(&self) {
        self.held().values().for_each(|held| held.cancel.cancel());
    }

    /// Renews until `stop`. A job that was given to another, or is silent, is cancelled.
    pub(crate) async fn keep(&self, store: &Store, holder: Uuid, stop: CancellationToken) {
        let mut tick = tokio::time::interval(RENEW_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = stop.cancelled() => return,
            }
            let mine = self.alive();
            match jobs::renew(store, holder, &mine).await {
                Ok(renewed) => self.cancel_lost(&mine, &renewed.into_iter().collect()),
                // The leases still run; the next tick tries again, and the fence guards the rest.
                Err(error) => tracing::warn!(%error, "leases were not renewed"),
            }
        }
    }

    fn alive(&self) -> Vec<Leased> {
        let mut alive = Vec::new();
        for held in self.held().values() {
            if held.progress.silent_for() > held.silence_max {
                tracing::warn!(job_id = %held.leased.job, "shows no progress and is given up");
                held.cancel.cancel();
            } else {
                alive.push(held.leased);
            }
        }
        alive
    }

    fn cancel_lost(&self, mine: &[Leased], renewed: &HashSet<Uuid>) {
        let held = self.held();
        for lost in mine.iter().filter(|leased| !renewed.contains(&leased.job)) {
            // One that settled meanwhile is gone from the map already, or about to go.
            if let Some(held) = held.get(&lost.job).filter(|held| held.leased.epoch == lost.epoch) {
                held.cancel.cancel();
                metrics::counter!("reelmill_leases_lost_total").increment(1);
            }
        }
    }
}
