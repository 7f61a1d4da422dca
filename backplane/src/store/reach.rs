//! Whether Postgres lets us in, told for the person who configured it. A pool only says that it waited in vain.

use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, PgConnection};
use tokio::time::timeout;

use super::Store;

/// How long Postgres may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Why Postgres cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    #[error("Postgres does not answer ({0}): is it running, and is its address right?")]
    NoAnswer(String),
    #[error(
        "Postgres refuses the login `{0}`: check its password; `reelmill migrate` sets those of Reelmill's roles"
    )]
    Refused(String),
    #[error("there is no database `{0}`: create it, then run `reelmill migrate`")]
    NoDatabase(String),
    #[error("the database has no tables of Reelmill: run `reelmill migrate`")]
    NotMigrated,
    #[error("Postgres cannot be used: {0}")]
    Other(String),
}

impl Store {
    /// Connects once, beside the pool, and looks whether there is anything of ours.
    ///
    /// # Errors
    /// [`Unreachable`], with what to do.
    pub async fn reach(&self) -> Result<(), Unreachable> {
        let options = self.pool.connect_options();
        let connected = timeout(LIMIT, options.connect()).await;
        let connected = connected.map_err(|_| Unreachable::NoAnswer(format!("not within {LIMIT:?}")))?;
        let mut connection: PgConnection = connected.map_err(|error| match &error {
            sqlx::Error::Io(error) => Unreachable::NoAnswer(error.to_string()),
            sqlx::Error::Database(refused) => match refused.code().as_deref() {
                Some("28P01" | "28000") => Unreachable::Refused(options.get_username().to_owned()),
                Some("3D000") => {
                    Unreachable::NoDatabase(options.get_database().unwrap_or_default().to_owned())
                }
                _ => Unreachable::Other(refused.message().to_owned()),
            },
            error => Unreachable::Other(error.to_string()),
        })?;
        let migrated =
            sqlx::query_scalar!(r#"select to_regclass('public.organizations') is not null as "there!""#)
                .fetch_one(&mut connection)
                .await;
        let migrated = migrated.map_err(|error| Unreachable::Other(error.to_string()))?;
        // What was asked is known: how the connection ends changes nothing.
        let _ = connection.close().await;
        if migrated { Ok(()) } else { Err(Unreachable::NotMigrated) }
    }
}
