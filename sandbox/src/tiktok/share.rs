//! A share: what `init` begins, `PUT` fills and processing turns into a post.

use chrono::{DateTime, TimeDelta, Utc};
use domain::platform::Platform;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::world::World;

/// How long an upload address is good for.
pub const UPLOAD_LIFE: TimeDelta = TimeDelta::hours(1);

/// One direct post on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Share {
    pub upload_id: String,
    pub account: String,
    pub title: String,
    pub privacy: String,
    /// Bytes of the whole file, of a chunk, and how many chunks there are.
    pub size: u64,
    pub chunk: u64,
    pub chunks: u64,
    pub uploaded: u64,
    pub created_at: DateTime<Utc>,
    /// Set with the last byte: not done before.
    pub ready_at: Option<DateTime<Utc>>,
    /// Set by a fault that fails the processing.
    pub doomed: Option<String>,
    /// `fail_reason`, once the network has refused the file.
    pub failed: Option<String>,
    /// A status that lags shows PUBLISH_COMPLETE from here on only.
    pub status_lags_until: Option<DateTime<Utc>>,
}

impl Share {
    pub fn publish_id(&self) -> String {
        format!("{PREFIX}{}", self.upload_id)
    }

    pub fn is_uploaded(&self) -> bool {
        self.uploaded == self.size
    }

    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        now >= self.created_at + UPLOAD_LIFE
    }

    /// Counts as a share that was begun and not finished.
    pub fn is_pending(&self, now: DateTime<Utc>) -> bool {
        !self.is_uploaded() && self.failed.is_none() && !self.has_expired(now)
    }

    pub fn is_published(&self, world: &World) -> bool {
        world.ledger.of_handle(Platform::Tiktok, &self.publish_id()).is_some()
    }

    /// Bytes that the chunk beginning at `first` has; the last one takes the remainder.
    pub fn chunk_len(&self, first: u64) -> u64 {
        let last = first / self.chunk + 1 >= self.chunks;
        if last { self.size - first } else { self.chunk }
    }

    /// The proof in its upload address; derived, so that none is stored.
    pub fn upload_token(app: &App, upload_id: &str) -> String {
        app.sign(&format!("upload {upload_id}"))
    }
}

const PREFIX: &str = "v_pub_file~v2-1.";

/// The upload id within a publish id.
pub fn upload_id(publish_id: &str) -> Option<&str> {
    publish_id.strip_prefix(PREFIX)
}
