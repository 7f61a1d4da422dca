//! The visible list of the networks that Reelmill can speak to.

use std::sync::Arc;

use domain::platform::Platform;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};

use crate::config::ConnectorsConfig;
use crate::connector::Connector;
use crate::fetch::Fetcher;
use crate::http::Http;
use crate::instagram::Instagram;
use crate::telegram::Telegram;
use crate::tiktok::Tiktok;
use crate::wire::Wire;

/// One connector for each network, and the fetcher for what they find. Share it in an `Arc`.
#[derive(Debug)]
pub struct Connectors {
    instagram: Instagram,
    tiktok: Tiktok,
    telegram: Telegram,
    fetcher: Fetcher,
    configured: Vec<Platform>,
}

/// The two ways of calling a network.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    /// For what may be repeated.
    pub(crate) read: Http,
    /// For what may not.
    pub(crate) send: Wire,
}

impl Connectors {
    /// Networks that have a connector, in the order of the public enum.
    pub const SUPPORTED: [Platform; 3] = [Platform::Instagram, Platform::Tiktok, Platform::Telegram];

    /// Opens no connection.
    #[must_use]
    pub fn new(config: ConnectorsConfig) -> Self {
        let tls = tls();
        let clients = Clients { read: Http::new(&tls), send: Wire::new(tls) };
        Self {
            configured: configured(&config),
            fetcher: Fetcher::new(clients.send.clone(), &config.private_origins),
            instagram: Instagram::new(config.instagram, clients.clone()),
            tiktok: Tiktok::new(config.tiktok, clients.clone()),
            telegram: Telegram::new(config.telegram, clients),
        }
    }

    /// The connector of a network; `None`: this release has none.
    #[must_use]
    pub fn get(&self, platform: Platform) -> Option<&dyn Connector> {
        match platform {
            Platform::Instagram => Some(&self.instagram),
            Platform::Tiktok => Some(&self.tiktok),
            Platform::Telegram => Some(&self.telegram),
            _ => None,
        }
    }

    /// Whether this server has what the network wants of it: an app's id and secret, where it has apps.
    #[must_use]
    pub fn is_configured(&self, platform: Platform) -> bool {
        self.configured.contains(&platform)
    }

    /// Downloads what a connector found, guarded.
    #[must_use]
    pub const fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }
}

fn configured(config: &ConnectorsConfig) -> Vec<Platform> {
    let app = |id: &str, secret: &SecretString| !id.is_empty() && !secret.expose_secret().is_empty();
    let has_app = |platform: &Platform| match platform {
        Platform::Instagram => app(&config.instagram.client_id, &config.instagram.client_secret),
        Platform::Tiktok => app(&config.tiktok.client_key, &config.tiktok.client_secret),
        // A bot is a person's own.
        Platform::Telegram => true,
        _ => false,
    };
    Connectors::SUPPORTED.into_iter().filter(has_app).collect()
}

/// HTTP/1.1 over TLS 1.2 or 1.3 with the roots that Mozilla trusts.
fn tls() -> Arc<ClientConfig> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}
