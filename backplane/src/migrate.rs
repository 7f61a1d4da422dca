//! Bringing a database up to date, and letting the roles of the processes log in to it.
//!
//! Migrations run as the owner of the database. The processes log in as roles that own nothing.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, PgConnection, migrate::Migrator};
use tokio::time::{sleep, timeout};
use url::Url;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// The login that owns the tables of a database made by [`create_database`].
const OWNER: &str = "reelmill_owner";
/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long all migrations together may take.
const MIGRATE_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How often a statement on a role is tried when another session changes the same role.
const ROLE_TRIES: u32 = 20;

/// A role that a process logs in as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The control plane's API.
    Api,
    /// Workers without a job kind that needs tokens.
    Worker,
    /// Workers that publish, refresh and revoke.
    Publisher,
    /// The control plane's relay and sweeper.
    Relay,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Api, Self::Worker, Self::Publisher, Self::Relay];

    /// Its name in Postgres.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "reelmill_api",
            Self::Worker => "reelmill_worker",
            Self::Publisher => "reelmill_publisher",
            Self::Relay => "reelmill_relay",
        }
    }

    /// A password for this role that follows from `seed`, so that everyone who may administer a cluster
    /// arrives at the same one. For the local default and tests; a deployment sets passwords of its own.
    #[must_use]
    pub fn password(self, seed: &SecretString) -> SecretString {
        let mut hash = Sha256::new();
        hash.update(b"reelmill role password\0");
        hash.update(self.name());
        hash.update([0]);
        hash.update(seed.expose_secret());
        hex::encode(hash.finalize()).into()
    }

    /// `database_url` with this role as its user.
    ///
    /// # Errors
    /// `database_url` is not the address of a Postgres database.
    pub fn url(
        self,
        database_url: &SecretString,
        password: &SecretString,
    ) -> Result<SecretString, MigrateError> {
        with_user(database_url, self.name(), password)
    }
}

/// Why a database was not brought up to date. None of these hold an address or a password.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("the address of the database is not of the form postgres://user:password@host:port/name")]
    Address,
    #[error("Postgres could not be reached in {} s: is it running, and is the address right?", CONNECT_LIMIT.as_secs())]
    Unreachable,
    #[error("the migrations were not done within {} minutes: does another session hold a lock?", MIGRATE_LIMIT.as_secs() / 60)]
    TooSlow,
    #[error("a migration failed; the ones before it are in place")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("Postgres refused: may the owner's login create roles?")]
    Refused(#[from] sqlx::Error),
}

/// Makes the owner's login and a database `name` that belongs to it, unless they exist; returns the owner's address.
///
/// # Errors
/// `admin_url` is not a superuser's, or the cluster is not reachable.
pub async fn create_database(
    admin_url: &SecretString,
    name: &str,
    owner_password: &SecretString,
) -> Result<SecretString, MigrateError> {
    let mut admin = connect(admin_url).await?;
    if !exists(&mut admin, "select exists (select from pg_roles where rolname = $1)", OWNER).await? {
        run_formatted(&mut admin, "select format('create role %I login createrole', $1)", &[OWNER]).await?;
    }
    let password = owner_password.expose_secret();
    run_formatted(&mut admin, "select format('alter role %I password %L', $1, $2)", &[OWNER, password])
        .await?;
    if !exists(&mut admin, "select exists (select from pg_database where datname = $1)", name).await? {
        run_formatted(&mut admin, "select format('create database %I owner %I', $1, $2)", &[name, OWNER])
            .await?;
    }
    admin.close().await?;
    let mut url = Url::parse(with_user(admin_url, OWNER, owner_password)?.expose_secret())
        .map_err(|_| MigrateError::Address)?;
    url.set_path(name);
    Ok(url.to_string().into())
}

/// Applies every migration that the database of `owner_url` does not have yet, then lets each role log in with
/// its password.
///
/// # Errors
/// The database is not reachable, a migration fails, or the login may not create roles.
pub async fn migrate(owner_url: &SecretString, logins: &[(Role, SecretString)]) -> Result<(), MigrateError> {
    let mut owner = connect(owner_url).await?;
    timeout(MIGRATE_LIMIT, MIGRATIONS.run(&mut owner)).await.map_err(|_| MigrateError::TooSlow)??;
    for (role, password) in logins {
        let values = [role.name(), password.expose_secret()];
        run_formatted(&mut owner, "select format('alter role %I login password %L', $1, $2)", &values)
            .await?;
    }
    Ok(owner.close().await?)
}

async fn connect(url: &SecretString) -> Result<PgConnection, MigrateError> {
    let connecting = PgConnection::connect(url.expose_secret());
    match timeout(CONNECT_LIMIT, connecting).await {
        Err(_) | Ok(Err(sqlx::Error::Io(_))) => Err(MigrateError::Unreachable),
        Ok(connection) => Ok(connection?),
    }
}

async fn exists(connection: &mut PgConnection, question: &str, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(question).bind(name).fetch_one(connection).await
}

/// Lets Postgres quote `values` into a statement that takes no parameters, and runs it. Roles belong to the whole
/// cluster and have no lock of their own: a session that changes the same one meanwhile makes this try again.
async fn run_formatted(
    connection: &mut PgConnection,
    format: &str,
    values: &[&str],
) -> Result<(), sqlx::Error> {
    let statement = values.iter().fold(sqlx::query_scalar(format), |query, value| query.bind(*value));
    let statement: String = statement.fetch_one(&mut *connection).await?;
    for attempt in 1.. {
        match sqlx::raw_sql(&statement).execute(&mut *connection).await {
            Err(error) if attempt < ROLE_TRIES && changed_meanwhile(&error) => {
                sleep(Duration::from_millis(50)).await
            }
            result => return result.map(drop),
        }
    }
    Ok(())
}

/// XX000 is "tuple concurrently updated".
fn changed_meanwhile(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "XX000")
}

fn with_user(url: &SecretString, user: &str, password: &SecretString) -> Result<SecretString, MigrateError> {
    let mut url = Url::parse(url.expose_secret()).map_err(|_| MigrateError::Address)?;
    if !url.scheme().starts_with("postgres") {
        return Err(MigrateError::Address);
    }
    url.set_username(user).map_err(|()| MigrateError::Address)?;
    url.set_password(Some(password.expose_secret())).map_err(|()| MigrateError::Address)?;
    Ok(url.to_string().into())
}
