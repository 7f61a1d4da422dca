//! A database of its own for each test, copied from one that was migrated once for all of them.
//!
//! Postgres comes from `make test`, which names it in `TEST_DATABASE_URL`, as a superuser.
#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

use std::time::Duration;

use backplane::migrate::{Role, migrate};
use backplane::store::{Store, StoreConfig};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;

/// How long a test waits for a connection, and for a statement: a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(20);

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// One database. Dropping it removes it, whoever is still connected.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    options: PgConnectOptions,
}

impl TestDatabase {
    /// Copies the migrated one.
    ///
    /// # Panics
    /// When Postgres is not named, or refuses.
    pub async fn create() -> Self {
        let name = format!("reelmill_test_{}", Uuid::now_v7().simple());
        let template = TEMPLATE.get_or_init(make_template).await;
        let mut cluster = cluster().connect().await.unwrap();
        let copy = format!("create database {name} template {template}");
        cluster.execute(copy.as_str()).await.unwrap();
        cluster.close().await.unwrap();
        // Its statements are logged: there are tests that count them.
        let options: PgConnectOptions = url().as_str().parse().unwrap();
        Self { options: options.database(&name), name }
    }

    /// How to connect as a superuser, past all policies.
    #[must_use]
    pub const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// A connection as a superuser, past all policies.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn connect(&self) -> PgConnection {
        self.options.connect().await.unwrap()
    }

    /// A pool's settings. The superuser takes the role on at once: what it may do is the role's, not its own.
    #[must_use]
    pub fn store_config(&self, role: Role, connections_max: u32) -> StoreConfig {
        StoreConfig {
            options: self.options.clone().options([("role", role.name())]),
            connections_max,
            acquire_timeout: PATIENCE,
            statement_timeout: PATIENCE,
        }
    }

    /// A pool of connections of a role.
    #[must_use]
    pub fn store(&self, role: Role, connections_max: u32) -> Store {
        Store::connect(self.store_config(role, connections_max))
    }

    /// Does what no role may: what a test finds given.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn sql(&self, statements: &str) {
        self.connect().await.execute(statements).await.unwrap();
    }

    /// One number.
    ///
    /// # Panics
    /// When the question does not give one.
    pub async fn count(&self, question: &str) -> i64 {
        sqlx::query_scalar(question).fetch_one(&mut self.connect().await).await.unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = self.name.clone();
        // Dropping is not asynchronous; a thread of its own may wait.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut cluster = cluster().connect().await.unwrap();
                let _ = cluster.execute(format!("drop database {name} with (force)").as_str()).await;
            });
        });
        let _ = dropped.join();
    }
}

fn url() -> Url {
    let url = std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "TEST_DATABASE_URL is not set: run the tests with `make test`, or as `reelmill dev-services -- cargo test …`"
        )
    });
    url.parse().unwrap()
}

fn cluster() -> PgConnectOptions {
    url().as_str().parse::<PgConnectOptions>().unwrap().disable_statement_logging()
}

/// A migrated database, made once for each set of migrations and then copied.
async fn make_template() -> String {
    let name = format!("reelmill_template_{}", fingerprint());
    let mut connection = cluster().connect().await.unwrap();
    // Other test processes may want the same one now.
    connection.execute("select pg_advisory_lock(7265656)").await.unwrap();
    let there = "select exists (select from pg_database where datname = $1)";
    let there: bool = sqlx::query_scalar(there).bind(&name).fetch_one(&mut connection).await.unwrap();
    if !there {
        // Under another name until it is whole, for the case that this process is stopped.
        let draft = format!("reelmill_draft_{}", Uuid::now_v7().simple());
        connection.execute(format!("create database {draft}").as_str()).await.unwrap();
        let mut address = url();
        address.set_path(&draft);
        migrate(&SecretString::from(address.to_string()), &[]).await.unwrap();
        let rename = format!("alter database {draft} rename to {name}");
        connection.execute(rename.as_str()).await.unwrap();
    }
    connection.close().await.unwrap();
    name
}

/// Of all migrations: others mean another template.
fn fingerprint() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(std::fs::read(file).unwrap());
    }
    hex::encode(&hash.finalize()[..8])
}
