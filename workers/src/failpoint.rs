//! Places where a worker can be made to die, for tests of what happens then.
//!
//! `REELMILL_CRASH_AT=send.committed` aborts the process the first time it passes that label, and
//! `REELMILL_STOP_AT=…` stops it there once (as SIGSTOP does). Unset, which is always outside of tests, a
//! failpoint is one load of a static.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

struct Plan {
    crash_at: Option<String>,
    stop_at: Option<String>,
    has_stopped: AtomicBool,
}

static PLAN: OnceLock<Plan> = OnceLock::new();

/// Reads the environment once, before any job runs.
pub(crate) fn arm(crash_at: Option<String>, stop_at: Option<String>) {
    // A second call comes from a second pool in one process, with the same environment.
    let _ = PLAN.set(Plan { crash_at, stop_at, has_stopped: AtomicBool::new(false) });
}

/// Dies or stops here when told to.
pub(crate) fn failpoint(label: &str) {
    let Some(plan) = PLAN.get() else { return };
    if plan.crash_at.as_deref() == Some(label) {
        std::process::abort();
    }
    if plan.stop_at.as_deref() == Some(label) && !plan.has_stopped.swap(true, Ordering::Relaxed) {
        let own = rustix::process::getpid();
        // A test stops us here and continues us later; failing to stop only makes that test fail.
        let _ = rustix::process::kill_process(own, rustix::process::Signal::STOP);
    }
}
