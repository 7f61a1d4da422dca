//! What the parent hears: one JSON event a line on standard output.

use std::io::{Stdout, Write};
use std::time::{Duration, Instant};

use domain::engine::Event;
use serde::Serialize;

/// Progress is sent at most this often; the parent wants to hear it twice a second.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// The parent is gone: nobody wants the work, and nobody sees this code.
const ORPHANED: i32 = 3;

/// Writes events. When the parent is gone, so are we: a killed worker's encode would go on for an hour for nobody,
/// beside the one that took its place.
pub struct Events {
    out: Stdout,
    progress_at: Option<Instant>,
}

impl Events {
    /// The parent is at standard output.
    #[must_use]
    pub fn to_stdout() -> Self {
        Self { out: std::io::stdout(), progress_at: None }
    }

    /// Sends one event at once.
    pub fn send(&mut self, event: &impl Serialize) {
        let Ok(mut line) = serde_json::to_vec(event) else { return };
        line.push(b'\n');
        let mut out = self.out.lock();
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            std::process::exit(ORPHANED);
        }
    }

    /// Sends a share of the work done, 0 to 1, unless one was sent a moment ago.
    pub fn progress(&mut self, done: f64) {
        if self.progress_at.is_some_and(|at| at.elapsed() < PROGRESS_INTERVAL) {
            return;
        }
        self.progress_at = Some(Instant::now());
        self.send(&Event::Progress { done: done.clamp(0.0, 1.0) });
    }
}
