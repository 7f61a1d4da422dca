//! What every job kind may use, made once for the process.

use std::path::Path;

use backplane::blobs::Blobs;
use backplane::broker::{Change, Publisher};
use backplane::job_kind::JobKind;
use backplane::store::jobs::{self, Claim, Fence};
use backplane::store::transcode_work::Watched;
use backplane::store::{Scope, Store, StoreError, Tx};
use connectors::Connectors;
use domain::engine::InputLimits;
use domain::id::{GlobalId, Noun};
use tokio::time::Instant;
use uuid::Uuid;

use crate::author::Author;
use crate::jail::Engine;
use crate::kinds::{Job, JobError};
use crate::lease::Leases;
use crate::metrics::Metrics;
use crate::secrets::Secrets;

/// Shared by all jobs of a process.
#[derive(Debug)]
pub(crate) struct Context {
    /// Under this name the process holds its jobs.
    pub(crate) holder: Uuid,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) publisher: Publisher,
    pub(crate) connectors: Connectors,
    pub(crate) secrets: Secrets,
    pub(crate) engine: Engine,
    pub(crate) author: Box<dyn Author>,
    pub(crate) leases: Leases,
    pub(crate) metrics: Metrics,
    /// Benches alone: networks' rates are not kept.
    pub(crate) budgets_lifted: bool,
}

impl Context {
    /// A transaction in one brand.
    pub(crate) async fn begin(&self, brand: Uuid) -> Result<Tx, StoreError> {
        self.store.begin(&Scope::brand(brand)).await
    }

    /// A transaction that the job holds; an error when somebody else has it now.
    pub(crate) async fn fenced(&self, claim: &Claim) -> Result<(Tx, Fence), JobError> {
        jobs::begin_fenced(&self.store, claim).await?.ok_or(JobError::Fenced)
    }

    /// Writes a stored file to a new one at `path`.
    pub(crate) async fn download(&self, key: &str, path: &Path) -> Result<(), JobError> {
        let begun = Instant::now();
        let limit = InputLimits::default().bytes;
        self.blobs.download(key, path, limit).await.map_err(JobError::retry)?;
        self.metrics.transferred("download", begun.elapsed());
        Ok(())
    }

    /// Stores the file at `path` under `key`.
    pub(crate) async fn upload(&self, path: &Path, key: &str, content_type: &str) -> Result<(), JobError> {
        let begun = Instant::now();
        self.blobs.upload(path, key, content_type).await.map_err(JobError::retry)?;
        self.metrics.transferred("upload", begun.elapsed());
        Ok(())
    }

    /// Tells watchers that a row changed, after the commit. A lost word is made good by their own
    /// re-reading.
    pub(crate) fn changed(&self, brand: Uuid, noun: Noun, id: Uuid) {
        self.publisher.announce(Change { brand, object: GlobalId::new(noun, id) });
    }

    /// The same for several rows.
    pub(crate) fn changed_all(&self, brand: Uuid, noun: Noun, ids: &[Uuid]) {
        for id in ids {
            self.changed(brand, noun, *id);
        }
    }

    /// Files are watched with the targets that wait for them, and with the assets that they are made of.
    pub(crate) fn files_changed(&self, brand: Uuid, watched: &Watched) {
        self.changed_all(brand, Noun::PublishTarget, &watched.targets);
        self.changed_all(brand, Noun::MediaAsset, &watched.assets);
    }

    /// Tells watchers that the subject of a job changed.
    pub(crate) fn told(&self, job: &Job) {
        if let Some(noun) = subject_noun(job.claim.kind) {
            self.changed(job.claim.brand, noun, job.claim.subject);
        }
    }
}

/// What a kind's subject is called in the public API; `None`: watchers do not see it.
const fn subject_noun(kind: JobKind) -> Option<Noun> {
    match kind {
        JobKind::Probe | JobKind::Fetch => Some(Noun::MediaAsset),
        JobKind::Caption | JobKind::Publish => Some(Noun::PublishTarget),
        JobKind::Ingest | JobKind::Refresh | JobKind::Revoke => Some(Noun::SocialAccount),
        JobKind::Transcode | JobKind::Part | JobKind::Housekeeping => None,
    }
}

/// The media type under which a container is served.
pub(crate) fn content_type(container: &str) -> &'static str {
    match container {
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "matroska" => "video/x-matroska",
        "avi" => "video/x-msvideo",
        "mpegps" | "mpegts" => "video/mpeg",
        "3gp" => "video/3gpp",
        "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "tiff" => "image/tiff",
        _ => "application/octet-stream",
    }
}
