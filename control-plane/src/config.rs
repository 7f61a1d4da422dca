//! What the control plane is told at its start.

use std::net::SocketAddr;
use std::time::Duration;

use backplane::blobs::BlobConfig;
use backplane::broker::BrokerConfig;
use backplane::store::StoreConfig;
use connectors::ConnectorsConfig;
use secrecy::SecretString;
use url::Url;

/// The whole of it. The command line reads and checks it before anything opens.
#[derive(Clone, Debug)]
pub struct ControlPlaneConfig {
    pub api: ApiConfig,
    /// Logs in as `reelmill_api`.
    pub store: StoreConfig,
    pub broker: BrokerConfig,
    pub blobs: BlobConfig,
    pub connectors: ConnectorsConfig,
    /// The master keys as [`backplane::vault::Vault::parse`] reads them.
    pub master_keys: SecretString,
}

/// The HTTP side.
#[derive(Clone, Debug)]
pub struct ApiConfig {
    pub listen: SocketAddr,
    /// Where people reach this server: cookies are `Secure` when it is https.
    pub public_url: Url,
    /// Where people open the dashboard; invitations lead there.
    pub dashboard_url: Url,
    /// Origins whose pages may use sessions in cookies, e.g. `https://app.example.com`.
    pub dashboard_origins: Vec<String>,
    /// Where networks may send users back to after OAuth.
    pub redirect_urls: Vec<Url>,
    /// GraphiQL, and introspection for everybody.
    pub local: bool,
    /// Passwords that are hashed at once, 19 MiB each.
    pub passwords_at_once: usize,
}

/// How long a request may take, start to end.
pub const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// Largest body of somebody who is not signed in, bytes.
pub const BODY_MAX_ANONYMOUS: usize = 128 * 1024;
/// Largest body of somebody who is, bytes (the floor that the contract gives).
pub const BODY_MAX: usize = 2 * 1024 * 1024;

impl ApiConfig {
    /// Whether people reach this server over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The session's cookie. The prefix, where browsers allow it, forbids other hosts to set it.
    #[must_use]
    pub fn cookie_name(&self) -> &'static str {
        if self.is_https() { "__Host-reelmill" } else { "reelmill" }
    }

    /// Whether pages of `origin` may act for the people who opened them.
    #[must_use]
    pub fn trusts_origin(&self, origin: &str) -> bool {
        origin == self.public_url.origin().ascii_serialization()
            || self.dashboard_origins.iter().any(|trusted| trusted == origin)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::ApiConfig;

    /// A server on this machine with a dashboard on port 5173.
    pub(crate) fn local() -> ApiConfig {
        let url = |text: &str| text.parse().expect("is an address");
        ApiConfig {
            listen: "127.0.0.1:0".parse().expect("is an address"),
            public_url: url("http://127.0.0.1:8080"),
            dashboard_url: url("http://127.0.0.1:5173"),
            dashboard_origins: vec!["http://127.0.0.1:5173".to_owned()],
            redirect_urls: vec![url("http://127.0.0.1:5173/connect")],
            local: true,
            passwords_at_once: 2,
        }
    }

    #[test]
    fn over_tls_the_cookie_is_bound_to_the_host() {
        let mut config = local();
        assert_eq!(config.cookie_name(), "reelmill");
        config.public_url = "https://reelmill.example".parse().expect("is an address");
        assert_eq!(config.cookie_name(), "__Host-reelmill");
        assert!(config.trusts_origin("https://reelmill.example"));
        assert!(!config.trusts_origin("https://reelmill.example.evil.example"));
    }
}
