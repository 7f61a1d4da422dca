//! How far all lanes are, told while they work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::events::Events;

/// The parent wants to hear it twice a second.
const INTERVAL: Duration = Duration::from_millis(250);
/// Up to here it is the pass over the source; the rest is verifying.
const PASS_SHARE: f64 = 0.95;

/// Work that is counted while it is done, by frames.
pub struct Progress(Vec<Counter>);

struct Counter {
    done: AtomicU64,
    all: u64,
}

impl Progress {
    /// For pieces of work of so many frames each.
    #[must_use]
    pub fn of(frames: impl IntoIterator<Item = u64>) -> Self {
        Self(frames.into_iter().map(|all| Counter { done: AtomicU64::new(0), all: all.max(1) }).collect())
    }

    /// One more frame of a piece is done.
    pub fn step(&self, piece: usize) {
        self.0[piece].done.fetch_add(1, Ordering::Relaxed);
    }

    /// A piece came to its end, or will not.
    pub fn end(&self, piece: usize) {
        self.0[piece].done.store(self.0[piece].all, Ordering::Relaxed);
    }

    /// Tells how far the slowest piece is until the other end of `stop` is dropped.
    pub fn tell(&self, events: &mut Events, stop: &Receiver<()>) {
        while stop.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
            events.progress(self.share() * PASS_SHARE);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of frames stays below 2^53")]
    fn share(&self) -> f64 {
        let share = |counter: &Counter| counter.done.load(Ordering::Relaxed) as f64 / counter.all as f64;
        self.0.iter().map(share).fold(1.0, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn the_slowest_piece_counts() {
        let progress = Progress::of([4, 10]);
        (0..4).for_each(|_| progress.step(0));
        progress.step(1);
        assert!((progress.share() - 0.1).abs() < 1e-9);
        progress.end(1);
        assert!((progress.share() - 1.0).abs() < 1e-9);
    }
}
