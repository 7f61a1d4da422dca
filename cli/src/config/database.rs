//! Where Postgres is.

use backplane::store::StoreConfig;
use clap::Args;
use secrecy::SecretString;

use super::Problems;

/// Postgres.
#[derive(Debug, Args)]
#[command(next_help_heading = "Postgres")]
pub struct DatabaseArguments {
    /// postgres://user:password@host:port/name, with a login that owns nothing (see `reelmill migrate`).
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<SecretString>,
    /// The most connections that this process opens.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value = "16")]
    database_connections: String,
}

impl DatabaseArguments {
    /// The section's settings, or a note of every problem.
    pub fn read(&self, problems: &mut Problems) -> Option<StoreConfig> {
        let connections = problems.number("DATABASE_CONNECTIONS", &self.database_connections, 2..=500);
        let url = problems.need("DATABASE_URL", self.database_url.as_ref())?;
        problems.take("DATABASE_URL", StoreConfig::parse(url, connections.unwrap_or(2)))
    }
}
