//! Where the broker is, and what its queues are called.

use std::fmt;
use std::str::FromStr;

use lapin::uri::AMQPUri;
use secrecy::{ExposeSecret, SecretString};

use crate::job_kind::{JobKind, Lane};

/// Seconds between heartbeats: a dead peer is noticed after two of them.
const HEARTBEAT_S: u16 = 10;

/// How a process reaches the broker. `Debug` shows neither user nor password.
#[derive(Clone)]
pub struct BrokerConfig {
    pub(super) uri: AMQPUri,
    /// Stands before every name, e.g. `reelmill.`: two installations may share one broker.
    pub(super) prefix: String,
}

/// The address does not read as one. Its text is not repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the broker's address is not of the form amqp://user:password@host:port/vhost")]
pub struct BrokerConfigError;

impl BrokerConfig {
    /// Reads `url`, of the form `amqp://user:password@host:port/vhost` (`%2f` is the default vhost).
    ///
    /// # Errors
    /// [`BrokerConfigError`] when it does not read as one.
    pub fn parse(url: &SecretString, prefix: &str) -> Result<Self, BrokerConfigError> {
        let mut uri = AMQPUri::from_str(url.expose_secret()).map_err(|_| BrokerConfigError)?;
        uri.query.heartbeat = Some(HEARTBEAT_S);
        Ok(Self { uri, prefix: prefix.to_owned() })
    }

    /// The queue that rings for jobs of `kind` in `lane`.
    pub(super) fn queue(&self, kind: JobKind, lane: Lane) -> String {
        format!("{}{}.{}", self.prefix, kind.as_str(), lane.as_str())
    }

    /// The exchange that tells every control plane what changed.
    pub(super) fn live_exchange(&self) -> String {
        format!("{}live", self.prefix)
    }
}

impl fmt::Debug for BrokerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrokerConfig")
            .field("host", &self.uri.authority.host)
            .field("port", &self.uri.authority.port)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn neither_debug_nor_an_error_shows_the_password() {
        let url = SecretString::from("amqp://mill:hush@localhost:5673/%2f");
        let config = BrokerConfig::parse(&url, "reelmill.").unwrap();
        assert_eq!(config.queue(JobKind::Probe, Lane::Bulk), "reelmill.probe.bulk");
        let shown = format!("{config:?}");
        assert!(shown.contains("localhost") && !shown.contains("hush") && !shown.contains("mill:"));
        let error = BrokerConfig::parse(&SecretString::from("http://mill:hush@x"), "").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hush"));
    }
}
