//! What every handler shares.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::platform::Platform;
use hmac::{Hmac, Mac};
use rand::RngCore;
use sha2::Sha256;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::clock::Clock;
use crate::config::SandboxConfig;
use crate::faults::Trouble;
use crate::fetch::Fetcher;
use crate::journal::{self, StorageError};
use crate::media_store::MediaStore;
use crate::probe::Prober;
use crate::requests::RequestLog;
use crate::world::World;
use crate::{StartError, instagram, telegram, tiktok};

/// The sandbox's parts, made once at start.
pub struct App {
    pub config: SandboxConfig,
    pub clock: Clock,
    pub media: MediaStore,
    pub prober: Prober,
    pub fetcher: Fetcher,
    pub requests: RequestLog,
    /// Work that goes on after its call was answered.
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
    url: Url,
    secret: [u8; 32],
    world: Mutex<World>,
}

impl App {
    pub async fn open(
        config: SandboxConfig,
        url: Url,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Result<Arc<Self>, StartError> {
        let dir = config.data_dir.clone();
        std::fs::create_dir_all(&dir).map_err(StorageError::at(&dir))?;
        let clock = Clock::open(dir.join("clock"))?;
        let now = clock.now();
        Ok(Arc::new(Self {
            clock,
            media: MediaStore::open(&dir)?,
            prober: Prober::open().await.map_err(StartError::Probe)?,
            fetcher: Fetcher::open().map_err(StartError::Client)?,
            requests: RequestLog::default(),
            secret: secret(&dir.join("secret"))?,
            world: Mutex::new(World::open(&dir, now)?),
            config,
            url,
            stop,
            tasks,
        }))
    }

    /// The networks' state. Keep the guard within a block: no await while it is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every post that was appended is on the disk; only then may it be answered for.
    pub async fn ledger_synced(&self) -> Result<(), StorageError> {
        let file = self.world().ledger.handle();
        journal::sync(file).await
    }

    /// An address of this sandbox; `path` begins with `/`.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.url.as_str().trim_end_matches('/'))
    }

    /// A signature that only this sandbox makes, 43 letters, safe in an address.
    pub fn sign(&self, what: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(what.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// Whether the network's quotas hold.
    pub fn limited(&self, platform: Platform) -> bool {
        !self.world().lifted.contains(&platform)
    }

    /// A refusal in the words of one network.
    pub fn trouble(&self, platform: Platform, trouble: &Trouble) -> Response {
        match platform {
            Platform::Tiktok => tiktok::trouble(trouble),
            Platform::Telegram => telegram::trouble(trouble),
            _ => instagram::trouble(trouble),
        }
    }

    /// The answer when the sandbox itself, not the network it plays, is broken.
    pub fn broken(&self, error: &StorageError) -> Response {
        tracing::error!(%error, "the sandbox cannot store its state");
        (StatusCode::INSUFFICIENT_STORAGE, error.to_string()).into_response()
    }
}

/// The key for signatures and bot tokens, made at the first start and readable by its owner only.
fn secret(path: &Path) -> Result<[u8; 32], StorageError> {
    let at = || StorageError::at(path);
    match std::fs::read(path) {
        Ok(bytes) => bytes.try_into().map_err(|_| at()(std::io::Error::other("it should hold 32 bytes"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            rand::rng().fill_bytes(&mut bytes);
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(at())?;
            file.write_all(&bytes).map_err(at())?;
            Ok(bytes)
        }
        Err(error) => Err(at()(error)),
    }
}
