//! The list of job kinds, one file each, and what they all answer.

mod caption;
mod fetch;
mod housekeeping;
mod ingest;
mod part;
mod probe;
mod publish;
mod refresh;
mod revoke;
mod together;
mod transcode;

use std::fmt::Display;
use std::sync::Arc;

use backplane::job_kind::JobKind;
use backplane::store::jobs::{Claim, Fence};
use backplane::store::{FromStore, StoreError, StoreErrorKind, Tx};
use chrono::{DateTime, Duration, Utc};
use domain::problem::{Problem, Remedy};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::context::Context;

/// A claimed job, and the sign that it is no longer ours.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) claim: Claim,
    /// Cancelled when the lease is lost or the process stops for good: drop everything.
    pub(crate) cancel: CancellationToken,
    /// Told of every sign of life, so that a job which hangs is not renewed for ever.
    pub(crate) progress: crate::lease::Progress,
    /// Held while something is written that must not be lost: the job is not dropped meanwhile.
    pub(crate) unfenced: Arc<Mutex<()>>,
}

impl Job {
    pub(crate) fn new(claim: Claim) -> Self {
        Self {
            claim,
            cancel: CancellationToken::new(),
            progress: crate::lease::Progress::new(),
            unfenced: Arc::default(),
        }
    }

    /// Does `write` to its end, even if the lease is lost meanwhile: the outcome of an attempt, and a rotated token.
    pub(crate) async fn unfenced<T>(&self, write: impl Future<Output = T>) -> T {
        let _held = self.unfenced.lock().await;
        write.await
    }

    /// Waits until the job is to be dropped, and may be.
    pub(crate) async fn dropped(&self) {
        self.cancel.cancelled().await;
        drop(self.unfenced.lock().await);
    }
}

/// How a run of a job ended well.
#[derive(Debug)]
pub(crate) enum Done {
    /// The kind settled its row in the transaction that wrote the results.
    Settled,
    /// To be looked at again; nothing failed.
    Snooze { until: DateTime<Utc>, note: String },
    /// The same, by a wait from now on.
    SnoozeFor { wait: Duration, note: String },
}

/// How it ended badly, and what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// May work later: counted, and tried again after a while.
    #[error("{0}")]
    Retry(String),
    /// Will not work: the kind's `give_up` tells the subject.
    #[error("{}", .0.message)]
    GiveUp(Problem),
    /// The jailed child died: three deaths on one file end the job.
    #[error("{0}")]
    Crashed(String),
    /// Somebody else has the job now: leave nothing.
    #[error("the lease was lost")]
    Fenced,
    /// Postgres took a transaction back that met another one: not counted, and begun anew at once.
    #[error("met another change of the same rows")]
    RolledBack(#[source] StoreError),
}

impl FromStore for JobError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::RolledBack(error) => Some(error),
            _ => None,
        }
    }
}

impl JobError {
    /// Something that time may heal.
    pub(crate) fn retry(error: impl Display) -> Self {
        Self::Retry(error.to_string())
    }

    /// Stored data that this release cannot read: a person has to look at the log.
    pub(crate) fn broken(error: impl Display) -> Self {
        tracing::error!(%error, "stored data cannot be used");
        Self::GiveUp(Problem::new(
            "internal.broken_data",
            "Reelmill stored something here that it cannot use. Try again; if it stays, tell your operator.",
            Remedy::Retry,
        ))
    }
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        match &error.kind {
            StoreErrorKind::RolledBack => Self::RolledBack(error),
            StoreErrorKind::Transient | StoreErrorKind::CommitUnknown => Self::retry(&error),
            StoreErrorKind::Constraint(name) => Self::Retry(format!("constraint {name}")),
            StoreErrorKind::Fatal => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                Self::Retry(format!("{error}: {}", cause.unwrap_or_default()))
            }
        }
    }
}

/// Runs a job of any kind.
pub(crate) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    match job.claim.kind {
        JobKind::Probe => probe::run(context, job).await,
        JobKind::Transcode => transcode::run(context, job).await,
        JobKind::Part => part::run(context, job).await,
        JobKind::Caption => caption::run(context, job).await,
        JobKind::Publish => publish::run(context, job).await,
        JobKind::Ingest => ingest::run(context, job).await,
        JobKind::Fetch => fetch::run(context, job).await,
        JobKind::Refresh => refresh::run(context, job).await,
        JobKind::Revoke => revoke::run(context, job).await,
        JobKind::Housekeeping => housekeeping::run(context, job).await,
    }
}

/// Tells the subject of a job that ended badly, in the transaction that ends it: nothing waits
/// behind a failed job.
pub(crate) async fn give_up(
    kind: JobKind,
    tx: &mut Tx,
    fence: &Fence,
    problem: &Problem,
) -> Result<(), StoreError> {
    match kind {
        JobKind::Probe => probe::give_up(tx, fence, problem).await,
        JobKind::Transcode => transcode::give_up(tx, fence, problem).await,
        JobKind::Part => part::give_up(tx, fence, problem).await,
        JobKind::Caption => caption::give_up(tx, fence, problem).await,
        JobKind::Publish => publish::give_up(tx, fence, problem).await,
        JobKind::Ingest => ingest::give_up(tx, fence, problem).await,
        JobKind::Fetch => fetch::give_up(tx, fence, problem).await,
        JobKind::Refresh => refresh::give_up(tx, fence, problem).await,
        JobKind::Revoke => revoke::give_up(tx, fence, problem).await,
        JobKind::Housekeeping => housekeeping::give_up(tx, fence).await,
    }
}
