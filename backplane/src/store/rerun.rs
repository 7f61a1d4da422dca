//! Running a transaction again that was not written.
//!
//! Rows are locked in one order (see `ARCHITECTURE.md`), so that a deadlock is rare; it is never an answer to
//! anybody, nor a failure of a job.

use std::time::Duration;

use rand::Rng as _;

use super::{StoreError, StoreErrorKind};

/// How often a transaction runs in all. Postgres looks for a deadlock after a second of waiting, so this ends
/// before a request's limit of 10 s.
const RUNS_MAX: u32 = 5;
/// The longest pause before the next run, chosen by chance, so that those who met do not meet again.
const PAUSE_MAX: Duration = Duration::from_millis(50);
/// The pause after a failed write that must not be lost, doubling from the one to the other.
const PATIENCE_MIN: Duration = Duration::from_millis(100);
const PATIENCE_MAX: Duration = Duration::from_secs(2);

/// An error that may have come from Postgres.
pub trait FromStore {
    /// What Postgres said, if it did.
    fn store_error(&self) -> Option<&StoreError>;
}

impl FromStore for StoreError {
    fn store_error(&self) -> Option<&Self> {
        Some(self)
    }
}

/// Runs `transaction`, and again while Postgres takes it back for the sake of another one, up to five times in all.
/// It has to begin its own transaction, and to tell nobody of what it did before that is committed.
///
/// # Errors
/// The first error of another kind, or the last one.
pub async fn rerun<T, E, F>(transaction: impl Fn() -> F) -> Result<T, E>
where
    E: FromStore,
    F: Future<Output = Result<T, E>>,
{
    for _ in 1..RUNS_MAX {
        // Boxed: the compiler gives up on the layout of futures that lie in each other this deep.
        match Box::pin(transaction()).await {
            Err(error) if error.store_error().is_some_and(StoreError::is_rolled_back) => {
                metrics::counter!("reelmill_transactions_rerun_total").increment(1);
                let pause = rand::rng().random_range(Duration::ZERO..=PAUSE_MAX);
                tokio::time::sleep(pause).await;
            }
            ended => return ended,
        }
    }
    Box::pin(transaction()).await
}

/// Runs `write` until it is known to be written, however long Postgres is away: for what nobody could learn again.
/// A repeat of one that was written has to change nothing.
///
/// # Errors
/// What no repeat mends.
pub async fn until_written<T, E, F>(write: impl Fn() -> F) -> Result<T, E>
where
    E: FromStore,
    F: Future<Output = Result<T, E>>,
{
    let mut pause = PATIENCE_MIN;
    loop {
        match write().await {
            Err(error) if error.store_error().is_some_and(may_pass) => {
                let kind = error.store_error().map(|error| &error.kind);
                tracing::warn!(?kind, "what must not be lost is not written yet");
                tokio::time::sleep(pause).await;
                pause = PATIENCE_MAX.min(pause * 2);
            }
            ended => return ended,
        }
    }
}

fn may_pass(error: &StoreError) -> bool {
    match error.kind {
        StoreErrorKind::Transient | StoreErrorKind::RolledBack | StoreErrorKind::CommitUnknown => true,
        StoreErrorKind::Constraint(_) | StoreErrorKind::Fatal => false,
    }
}
