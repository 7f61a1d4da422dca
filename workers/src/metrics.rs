//! What operations watch of workers. Names follow Prometheus; no label holds an id.

use std::time::Duration;

use backplane::job_kind::JobKind;
use backplane::store::jobs::Claim;
use domain::platform::Platform;
use domain::publishing::SendOutcome;

/// How a run of a job ended, as a label.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    Done,
    Snoozed,
    Retried,
    Failed,
    Fenced,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Done, Self::Snoozed, Self::Retried, Self::Failed, Self::Fenced];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Snoozed => "snoozed",
            Self::Retried => "retried",
            Self::Failed => "failed",
            Self::Fenced => "fenced",
        }
    }
}

/// Counts; the recorder is the process's own.
#[derive(Debug)]
pub(crate) struct Metrics;

impl Metrics {
    /// Shows every series from the start: a counter that appears with its first failure hides it.
    pub(crate) fn new(kinds: &[JobKind]) -> Self {
        metrics::counter!("reelmill_leases_lost_total").increment(0);
        metrics::counter!("reelmill_ledger_mismatch_total").increment(0);
        for kind in kinds {
            metrics::counter!("reelmill_jobs_started_total", "kind" => kind.as_str()).increment(0);
            for outcome in Outcome::ALL {
                metrics::counter!("reelmill_jobs_finished_total", "kind" => kind.as_str(), "outcome" => outcome.as_str())
                    .increment(0);
            }
        }
        Self
    }

    /// A job was claimed.
    #[expect(clippy::unused_self, reason = "callers count through the context, not through globals")]
    pub(crate) fn started(&self, claim: &Claim) {
        metrics::counter!("reelmill_jobs_started_total", "kind" => claim.kind.as_str()).increment(1);
        metrics::histogram!("reelmill_job_start_delay_seconds", "kind" => claim.kind.as_str())
            .record(claim.delay.as_secs_f64());
    }

    /// A run of a job ended.
    #[expect(clippy::unused_self, reason = "callers count through the context, not through globals")]
    pub(crate) fn finished(&self, kind: JobKind, outcome: Outcome, took: Duration) {
        metrics::counter!("reelmill_jobs_finished_total", "kind" => kind.as_str(), "outcome" => outcome.as_str())
            .increment(1);
        metrics::histogram!("reelmill_job_duration_seconds", "kind" => kind.as_str())
            .record(took.as_secs_f64());
    }

    /// A file came from storage or went there.
    #[expect(clippy::unused_self, reason = "callers count through the context, not through globals")]
    pub(crate) fn transferred(&self, direction: &'static str, took: Duration) {
        metrics::histogram!("reelmill_transfer_seconds", "direction" => direction).record(took.as_secs_f64());
    }

    /// A call that creates a post ended.
    #[expect(clippy::unused_self, reason = "callers count through the context, not through globals")]
    pub(crate) fn sent(&self, platform: Platform, outcome: &SendOutcome) {
        let outcome = match outcome {
            SendOutcome::Created(_) => "created",
            SendOutcome::Refused(_) => "refused",
            SendOutcome::AccountRefused(_) => "account_refused",
            SendOutcome::RefusedForNow { .. } => "refused_for_now",
            SendOutcome::NotSent { .. } => "not_sent",
            SendOutcome::Pending { .. } => "pending",
            SendOutcome::Unknown { .. } => "unknown",
        };
        metrics::counter!("reelmill_sends_total", "platform" => platform.as_str(), "outcome" => outcome)
            .increment(1);
    }

    /// A target came to its end, or before a person.
    #[expect(clippy::unused_self, reason = "callers count through the context, not through globals")]
    pub(crate) fn target_ended(&self, platform: Platform, state: &'static str) {
        metrics::counter!("reelmill_targets_ended_total", "platform" => platform.as_str(), "state" => state)
            .increment(1);
    }

    /// The network shows a post that a person said is not there.
    #[expect(clippy::unused_self, reason = "callers count through the context, not through globals")]
    pub(crate) fn ledger_mismatch(&self) {
        metrics::counter!("reelmill_ledger_mismatch_total").increment(1);
    }
}
