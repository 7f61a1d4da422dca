//! What a sandbox is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use url::Url;

/// Settings of one sandbox; [`SandboxConfig::new`] has defaults for all but place and address.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Holds ledger, state and media; a restart on the same directory continues.
    pub data_dir: PathBuf,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What clients see, when it is not the address listened on.
    pub public_url: Option<Url>,
    /// The app's id on every network with OAuth (TikTok calls it `client_key`).
    pub client_id: String,
    /// The app's secret on every network with OAuth.
    pub client_secret: SecretString,
    /// How long a network works on a video before it is ready or refused.
    pub processing: Duration,
    /// TikTok: how long after completion the public post id is known.
    pub moderation: Duration,
    /// How long a signed CDN address is good for.
    pub cdn_ttl: Duration,
    /// Quotas that are met until lifted by `POST /sandbox/limits`.
    pub limits: Limits,
}

/// The quotas, each as the network's documents have it (PLATFORMS, 2026-11-20).
#[derive(Clone, Debug)]
pub struct Limits {
    /// Instagram: posts by API in 24 h (`content_publishing_limit`).
    pub instagram_posts: u64,
    /// Instagram: containers in 24 h.
    pub instagram_containers: u64,
    /// TikTok: direct posts of a creator in 24 h.
    pub tiktok_posts: u64,
    /// TikTok: shares that were begun and not finished.
    pub tiktok_pending: usize,
    /// Telegram: messages a minute into one chat.
    pub telegram_chat_per_minute: u64,
    /// Telegram: messages a second by one bot.
    pub telegram_bot_per_second: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instagram_posts: 50,
            instagram_containers: 400,
            tiktok_posts: 15,
            tiktok_pending: 5,
            telegram_chat_per_minute: 20,
            telegram_bot_per_second: 30,
        }
    }
}

impl SandboxConfig {
    /// The defaults: app `reelmill-sandbox` with secret `reelmill-sandbox-secret`, 1 s of
    /// processing and of moderation, CDN addresses good for an hour.
    #[must_use]
    pub fn new(data_dir: PathBuf, listen: SocketAddr) -> Self {
        Self {
            data_dir,
            listen,
            public_url: None,
            client_id: "reelmill-sandbox".to_owned(),
            client_secret: SecretString::from("reelmill-sandbox-secret".to_owned()),
            processing: Duration::from_secs(1),
            moderation: Duration::from_secs(1),
            cdn_ttl: Duration::from_secs(3600),
            limits: Limits::default(),
        }
    }
}
