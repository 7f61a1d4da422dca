//! How relay and sweeper reach Postgres: with a login that sees jobs of every brand, and nothing else.

use backplane::store::StoreConfig;
use clap::Args;
use secrecy::SecretString;

use super::Problems;

/// A turn of the relay, a sweep and a reading of gauges may run at once.
const CONNECTIONS: u32 = 4;

/// Relay and sweeper.
#[derive(Debug, Args)]
#[command(next_help_heading = "Relay and sweeper")]
pub struct RelayArguments {
    /// postgres://user:password@host:port/name, with the login `reelmill_relay`.
    #[arg(long, env = "RELAY_DATABASE_URL", hide_env_values = true)]
    relay_database_url: Option<SecretString>,
}

impl RelayArguments {
    /// Whether a login was given at all.
    pub fn given(&self) -> bool {
        self.relay_database_url.is_some()
    }

    /// The section's settings, or a note of every problem.
    pub fn read(&self, problems: &mut Problems) -> Option<StoreConfig> {
        let url = problems.need("RELAY_DATABASE_URL", self.relay_database_url.as_ref())?;
        problems.take("RELAY_DATABASE_URL", StoreConfig::parse(url, CONNECTIONS))
    }
}
