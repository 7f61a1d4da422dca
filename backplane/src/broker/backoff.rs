//! Pauses between attempts to connect: doubling, capped, and jittered so that a restarted broker is
//! not met by everyone at once.

use std::time::Duration;

use rand::Rng;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);

/// How long to wait before the next attempt.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It worked: the next failure starts from the shortest pause.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next pause: between half and all of 200 ms, 400 ms … 10 s.
    pub(super) fn pause(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = self.failures.saturating_add(1).min(16);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_start_over_after_success() {
        let mut backoff = Backoff::default();
        assert!(backoff.pause() <= FIRST);
        for _ in 0..40 {
            assert!(backoff.pause() <= LONGEST);
        }
        assert!(backoff.pause() >= LONGEST / 2);
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }
}
