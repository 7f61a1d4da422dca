//! Strict simulators of the networks, with a ledger and faults.
//!
//! One HTTP server speaks Instagram, TikTok and Telegram under a path prefix per host, checks the
//! media it gets with ffprobe, and keeps an fsynced ledger of every post that became real. Its
//! control API and its own rules are in `sandbox/README.md`.

mod account;
mod app;
mod clock;
mod config;
mod connection;
mod consent;
mod control;
mod drain;
mod faults;
mod feed;
mod fetch;
mod form;
mod grant;
mod instagram;
mod journal;
mod ledger;
mod media_store;
mod mp4;
mod pace;
mod probe;
mod requests;
mod router;
mod table;
mod telegram;
mod text;
mod tiktok;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

pub use crate::config::{Limits, SandboxConfig};
pub use crate::journal::StorageError;

/// How long [`RunningSandbox::shutdown`] waits for calls that are being answered.
const DRAIN: Duration = Duration::from_secs(5);

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the sandbox cannot listen on {address}: {source}; choose another address or port")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the sandbox cannot make its HTTP client: {0}")]
    Client(reqwest::Error),
    #[error("`ffprobe` did not run: {0}; install ffmpeg, so that it is on the PATH")]
    Probe(std::io::Error),
}

/// The way in.
pub struct Sandbox;

impl Sandbox {
    /// Loads the state under `config.data_dir` (made when missing), listens and serves.
    ///
    /// # Errors
    /// The address is taken, the state cannot be read or written, or there is no ffprobe.
    pub async fn start(config: SandboxConfig) -> Result<RunningSandbox, StartError> {
        let listen = config.listen;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|source| StartError::Listen { address: listen, source })?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: listen, source })?;
        let url = config.public_url.clone().unwrap_or_else(|| local_url(address));
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let app = app::App::open(config, url.clone(), stop.clone(), tasks.clone()).await?;
        tiktok::resume(&app);
        instagram::resume(&app);
        let router = router::router(Arc::clone(&app));
        tasks.spawn(connection::serve(listener, router, stop.clone(), tasks.clone()));
        tracing::info!(%url, "sandbox is listening");
        Ok(RunningSandbox { url, address, stop, tasks })
    }
}

/// A sandbox that serves until [`RunningSandbox::shutdown`]; dropping it stops it without waiting.
pub struct RunningSandbox {
    /// What clients and the sandbox's own links use, without a path.
    pub url: Url,
    /// Where it listens, with the port that port 0 became.
    pub address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl RunningSandbox {
    /// Stops accepting, lets running calls end for at most 5 s, and returns.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("the sandbox was stopped while calls were still being answered");
        }
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The address as a URL that a client on this machine can use.
fn local_url(address: SocketAddr) -> Url {
    let host = if address.ip().is_unspecified() { "127.0.0.1".into() } else { address.ip().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Url::parse(&format!("http://{host}:{}/", address.port())).expect("an IP address and a port make a URL")
}
