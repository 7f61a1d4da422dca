//! Where the networks are, and who we are there.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

/// Everything the connectors need from outside.
#[derive(Clone, Debug)]
pub struct ConnectorsConfig {
    pub instagram: InstagramConfig,
    pub tiktok: TiktokConfig,
    pub telegram: TelegramConfig,
    /// Origins that the guarded fetcher may reach although they are private or not https.
    pub private_origins: Vec<Url>,
}

/// Instagram API with Instagram Login.
#[derive(Clone, Debug)]
pub struct InstagramConfig {
    /// Where people consent; default `https://www.instagram.com`.
    pub authorize: Url,
    /// Where a code becomes a token; default `https://api.instagram.com`.
    pub api: Url,
    /// Default `https://graph.instagram.com`.
    pub graph: Url,
    /// Of the Graph API, e.g. `v26.0`.
    pub version: String,
    pub client_id: String,
    pub client_secret: SecretString,
    /// How long a container may stay in the making before it is given up.
    pub media_wait: Duration,
}

/// TikTok Content Posting API.
#[derive(Clone, Debug)]
pub struct TiktokConfig {
    /// Where people consent; default `https://www.tiktok.com`.
    pub authorize: Url,
    /// Default `https://open.tiktokapis.com`.
    pub open: Url,
    pub client_key: String,
    pub client_secret: SecretString,
}

/// Telegram Bot API.
#[derive(Clone, Debug)]
pub struct TelegramConfig {
    /// Default `https://api.telegram.org`.
    pub api: Url,
}

impl ConnectorsConfig {
    /// The networks themselves, with app credentials that are still empty: OAuth stays refused by
    /// the network until they are set; Telegram needs none.
    #[must_use]
    pub fn production() -> Self {
        Self {
            instagram: InstagramConfig {
                authorize: fixed("https://www.instagram.com"),
                api: fixed("https://api.instagram.com"),
                graph: fixed("https://graph.instagram.com"),
                version: "v26.0".into(),
                client_id: String::new(),
                client_secret: SecretString::from(""),
                media_wait: Duration::from_secs(3600),
            },
            tiktok: TiktokConfig {
                authorize: fixed("https://www.tiktok.com"),
                open: fixed("https://open.tiktokapis.com"),
                client_key: String::new(),
                client_secret: SecretString::from(""),
            },
            telegram: TelegramConfig { api: fixed("https://api.telegram.org") },
            private_origins: Vec::new(),
        }
    }

    /// Every network in the sandbox at `base`, which is one process with a path for each host.
    #[must_use]
    pub fn sandbox(base: &Url) -> Self {
        let mut config = Self::production();
        config.instagram.authorize = below(base, &["www.instagram.com"]);
        config.instagram.api = below(base, &["api.instagram.com"]);
        config.instagram.graph = below(base, &["graph.instagram.com"]);
        config.instagram.client_id = "reelmill-sandbox".into();
        config.instagram.client_secret = SecretString::from("reelmill-sandbox-secret");
        config.tiktok.authorize = below(base, &["www.tiktok.com"]);
        config.tiktok.open = below(base, &["open.tiktokapis.com"]);
        config.tiktok.client_key = "reelmill-sandbox".into();
        config.tiktok.client_secret = SecretString::from("reelmill-sandbox-secret");
        config.telegram.api = below(base, &["api.telegram.org"]);
        config.private_origins = vec![base.clone()];
        config
    }
}

/// `base` with path segments appended, each percent-encoded: an id cannot climb out of its place.
pub(crate) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

fn fixed(url: &'static str) -> Url {
    Url::parse(url).expect("the literals above are URLs")
}
