//! The ledger of jobs: queue, outbox and lease in one table.
//!
//! Inserting a row in the transaction that needs the work is the enqueue. Whatever moves a row back
//! to `ready` clears `rung_at` in the same statement, so that the relay rings for it again. State
//! names are literals in the SQL text: as bind parameters they would hide the partial indexes.

mod claim;
mod enqueue;
mod fence;
mod gauges;
mod lease;
mod relay;
mod sweep;

pub use claim::{Claim, Doorbell, claim, claim_more};
pub use enqueue::{NewJob, enqueue, ensure, hold, reschedule, wake, withdraw};
pub use fence::{Fence, Retry, begin_fenced, died, fail, fence_more, give_up, release, settle, snooze};
pub use gauges::{KindGauges, TargetGauges, job_gauges, take_gauge_turn, target_gauges};
pub use lease::{Leased, forget_worker, renew, report_slots};
pub use relay::{Pass, Pick, pick, slots_by_kind, unring, waiting_queues};
pub use sweep::{clear_stale_bells, prune, replay, sweep};

/// Leases that expired before a job ends: 10 crashes of its workers.
pub const CRASHES_MAX: i32 = 10;

/// Deaths of the jailed child on one file before its job ends.
pub const DEATHS_MAX: i32 = 3;
