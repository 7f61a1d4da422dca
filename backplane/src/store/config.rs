//! How a process reaches Postgres.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

/// How long a caller waits for a free connection, unless configured otherwise.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// After how long Postgres ends a statement, unless configured otherwise.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Where Postgres is, and how much of it one process may take.
#[derive(Clone)]
pub struct StoreConfig {
    pub options: PgConnectOptions,
    pub connections_max: u32,
    /// How long a caller waits for a free connection.
    pub acquire_timeout: Duration,
    /// Postgres ends a statement that takes longer.
    pub statement_timeout: Duration,
}

/// The `Debug` of sqlx's options shows the password, so it is not used.
impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("host", &self.options.get_host())
            .field("port", &self.options.get_port())
            .field("user", &self.options.get_username())
            .field("database", &self.options.get_database())
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}

/// The address does not read as one. Its text is not repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database's address is not of the form postgres://user:password@host:port/name")]
pub struct StoreConfigError;

impl StoreConfig {
    /// Reads `url`, of the form `postgres://user:password@host:port/name`, with a pool of at most
    /// `connections_max`.
    ///
    /// # Errors
    /// [`StoreConfigError`] when it does not read as one.
    pub fn parse(url: &SecretString, connections_max: u32) -> Result<Self, StoreConfigError> {
        let text = url.expose_secret();
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(StoreConfigError);
        }
        let options = PgConnectOptions::from_str(text).map_err(|_| StoreConfigError)?;
        Ok(Self {
            options,
            connections_max,
            acquire_timeout: ACQUIRE_TIMEOUT,
            statement_timeout: STATEMENT_TIMEOUT,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{StoreConfig, StoreConfigError};

    #[test]
    fn neither_debug_nor_an_error_shows_the_password() {
        let config = StoreConfig::parse(&"postgres://mill:hush@localhost:5432/reelmill".into(), 4).unwrap();
        assert!(!format!("{config:?}").contains("hush"));
        let error = StoreConfig::parse(&"mysql://mill:hush@localhost/reelmill".into(), 4).unwrap_err();
        assert_eq!(error, StoreConfigError);
        assert!(!format!("{error:?} {error}").contains("hush"));
    }
}
