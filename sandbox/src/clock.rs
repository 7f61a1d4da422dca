//! The sandbox's clock: the machine's, plus what `POST /sandbox/clock` moved it ahead.
//!
//! Every rule with a time in it (expiry, quotas, processing) reads this clock and no other.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use crate::journal::StorageError;

/// A clock that only moves forward, across restarts too.
pub struct Clock {
    offset_ms: AtomicI64,
    moved: Notify,
    file: PathBuf,
}

impl Clock {
    /// Continues with the offset stored in `file`.
    pub fn open(file: PathBuf) -> Result<Self, StorageError> {
        let offset = match std::fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().unwrap_or(0),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(StorageError::at(&file)(error)),
        };
        Ok(Self { offset_ms: AtomicI64::new(offset), moved: Notify::new(), file })
    }

    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.offset_ms.load(Ordering::Acquire))
    }

    /// Moves the clock ahead and wakes whoever waits on it.
    pub fn advance(&self, by_ms: u32) -> Result<(), StorageError> {
        let offset = self.offset_ms.fetch_add(i64::from(by_ms), Ordering::AcqRel) + i64::from(by_ms);
        std::fs::write(&self.file, offset.to_string()).map_err(StorageError::at(&self.file))?;
        self.moved.notify_waiters();
        Ok(())
    }

    /// Sleeps until this clock shows `time`.
    pub async fn sleep_until(&self, time: DateTime<Utc>) {
        loop {
            // Enabled before the clock is read: a move between the two is not missed.
            let mut moved = std::pin::pin!(self.moved.notified());
            moved.as_mut().enable();
            let left = (time - self.now()).num_milliseconds();
            let Ok(left) = u64::try_from(left) else { return };
            if left == 0 {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
                () = moved => {}
            }
        }
    }
}
