//! How often somebody may try to sign in: a bucket for each address of mail and of origin.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Tries that may come at once after a rest.
const BURST: u32 = 10;
/// Afterwards one try in this time.
const EVERY: Duration = Duration::from_secs(6);
/// Keys that are remembered; past it those at rest are forgotten, then new keys share one bucket.
const KEYS_MAX: usize = 10_000;

/// Counts tries, in memory of this process.
#[derive(Debug, Default)]
pub struct Attempts {
    /// When a key's bucket is whole again (GCRA).
    whole_at: Mutex<HashMap<String, Instant>>,
}

impl Attempts {
    /// Takes one try of `key`.
    ///
    /// # Errors
    /// How long to wait, when there is none left.
    pub fn take(&self, key: &str, now: Instant) -> Result<(), Duration> {
        // A panic while it is held cannot leave it half written: every change is one insert.
        let mut buckets = self.whole_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if buckets.len() >= KEYS_MAX {
            buckets.retain(|_, whole_at| *whole_at > now);
        }
        let key = if buckets.len() < KEYS_MAX || buckets.contains_key(key) { key } else { "" };
        let whole_at = buckets.get(key).copied().unwrap_or(now).max(now) + EVERY;
        let wait = whole_at.saturating_duration_since(now + EVERY * BURST);
        if wait > Duration::ZERO {
            return Err(wait);
        }
        buckets.insert(key.to_owned(), whole_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_then_one_every_six_seconds() {
        let attempts = Attempts::default();
        let start = Instant::now();
        for _ in 0..BURST {
            assert_eq!(attempts.take("a@b.example", start), Ok(()));
        }
        assert_eq!(attempts.take("a@b.example", start), Err(EVERY));
        assert_eq!(attempts.take("other@b.example", start), Ok(()));
        assert_eq!(attempts.take("a@b.example", start + EVERY), Ok(()));
        assert!(attempts.take("a@b.example", start + EVERY).is_err());
    }
}
