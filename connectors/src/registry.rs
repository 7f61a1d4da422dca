//! The visible list of the networks that Reelmill can speak to.

use std::sync::Arc;

use domain::platform::Platform;
use rustls::{ClientConfig, RootCertStore};

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

    /// Downloads what a connector found, guarded.
    #[must_use]
    pub const fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }
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
