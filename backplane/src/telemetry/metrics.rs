//! The Prometheus recorder, and the metrics that every process shares.
//!
//! Names have one prefix, base units and the usual suffixes. No label holds the id of a tenant,
//! user or post. Counters are there with 0 from the start, so that a first increase is seen.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// From a fast claim to an hour of encoding, s.
const DURATION_BUCKETS: [f64; 15] =
    [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 180.0, 600.0, 1800.0, 3600.0];

/// Counters without labels.
const COUNTERS: [(&str, &str); 8] = [
    ("reelmill_doorbells_rung_total", "Doorbells that the broker confirmed."),
    ("reelmill_doorbells_failed_total", "Doorbells that were not confirmed and are rung again."),
    ("reelmill_leases_expired_total", "Jobs whose worker stopped without a word."),
    ("reelmill_bells_cleared_total", "Doorbells that nobody answered in time."),
    ("reelmill_live_changes_dropped_total", "Changes that were not told at once."),
    ("reelmill_transactions_rerun_total", "Transactions that met another one and were run again."),
    ("reelmill_stuck_total", "Targets found waiting with nothing live behind them. Must stay 0."),
    ("reelmill_ledger_mismatch_total", "Posts at a network that contradict the ledger. Must stay 0."),
];

/// Gauges without labels.
const GAUGES: [(&str, &str); 4] = [
    ("reelmill_publish_undecided", "Targets whose outcome is being looked up."),
    ("reelmill_publish_undecided_oldest_age_seconds", "Age of the longest undecided target."),
    ("reelmill_needs_attention", "Targets that wait for a person's answer."),
    ("reelmill_gauges_read_timestamp_seconds", "When the gauges over all rows were last read."),
];

/// Gauges with the label `kind`.
const KIND_GAUGES: [(&str, &str); 6] = [
    ("reelmill_jobs_due", "Jobs that are due and not running."),
    ("reelmill_jobs_later", "Jobs that wait for their time."),
    ("reelmill_jobs_running", "Jobs that are running."),
    ("reelmill_jobs_failed", "Jobs that ended badly and were not replayed."),
    ("reelmill_doorbells_unsent", "Due jobs for which no doorbell was rung."),
    ("reelmill_oldest_due_age_seconds", "Age of the oldest job that is due."),
];

/// Why metrics were not started.
#[derive(Debug, thiserror::Error)]
#[error("metrics could not be started: {0}")]
pub struct MetricsError(#[from] BuildError);

/// What this process counted so far. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Starts counting. Once a process.
    ///
    /// # Errors
    /// When a recorder was installed before.
    pub fn install() -> Result<Self, MetricsError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)?
            .install_recorder()?;
        describe();
        Ok(Self { handle })
    }

    /// Everything, in Prometheus's text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

fn describe() {
    for (name, help) in COUNTERS {
        metrics::describe_counter!(name, help);
        metrics::counter!(name).increment(0);
    }
    for (name, help) in GAUGES {
        metrics::describe_gauge!(name, help);
    }
    for (name, help) in KIND_GAUGES {
        metrics::describe_gauge!(name, help);
    }
    metrics::describe_counter!("reelmill_jobs_started_total", "Jobs that were claimed.");
    metrics::describe_counter!("reelmill_jobs_finished_total", "Runs of jobs by how they ended.");
    metrics::describe_histogram!("reelmill_job_duration_seconds", "How long runs of jobs took.");
    metrics::describe_histogram!("reelmill_job_start_delay_seconds", "From due to claimed.");
    metrics::describe_histogram!("reelmill_transfer_seconds", "Files to and from storage.");
    metrics::describe_counter!("reelmill_amqp_reconnects_total", "Connections to the broker built anew.");
    metrics::describe_gauge!("reelmill_amqp_up", "Whether this connection to the broker is up.");
    for purpose in ["publish", "consume", "live"] {
        metrics::counter!("reelmill_amqp_reconnects_total", "purpose" => purpose).increment(0);
    }
}
