//! A story's own database, and what only a look behind the API can tell.

use std::time::Duration;

use backplane::migrate::Role;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Row as _, Transaction, postgres::PgPoolOptions};
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use crate::services::Services;
use crate::wait::eventually;

/// How long it may take until a process comes to a row that somebody else has locked.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// Copies of the template are made one after the other.
static COPYING: Mutex<()> = Mutex::const_new(());

/// One database, seen by a superuser.
pub struct Database {
    url: Url,
    logins: Vec<(Role, SecretString)>,
    pub pool: PgPool,
}

impl Database {
    /// Copies the migrated template.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn create(services: &Services) -> Self {
        let name = format!("story_{}", Uuid::now_v7().simple());
        let mut url: Url = services.admin_url.expose_secret().parse().unwrap();
        {
            let _one_at_a_time = COPYING.lock().await;
            let mut admin = PgConnection::connect(url.as_str()).await.unwrap();
            let statement =
                format!("create database \"{name}\" template \"{}\" owner reelmill_owner", services.template);
            sqlx::raw_sql(&statement).execute(&mut admin).await.unwrap();
            admin.close().await.unwrap();
        }
        url.set_path(&name);
        let pool = PgPoolOptions::new().max_connections(4).connect_lazy(url.as_str()).unwrap();
        Self { url, logins: services.logins.clone(), pool }
    }

    /// The address for one role.
    ///
    /// # Panics
    /// Never: every role has a password.
    #[must_use]
    pub fn url(&self, role: Role) -> String {
        let (_, password) = self.logins.iter().find(|(known, _)| *known == role).unwrap();
        role.url(&self.url.to_string().into(), password).unwrap().expose_secret().to_owned()
    }

    /// One number.
    ///
    /// # Panics
    /// When the question does not give one.
    pub async fn count(&self, question: &str) -> i64 {
        sqlx::query_scalar(question).fetch_one(&self.pool).await.unwrap()
    }

    /// Does something to the rows that no caller of the API could.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn run(&self, statement: &str) {
        sqlx::raw_sql(statement).execute(&self.pool).await.unwrap();
    }

    /// Somebody else who locks rows.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn rival(&self) -> Rival {
        let mut transaction = self.pool.begin().await.unwrap();
        sqlx::raw_sql("set local deadlock_timeout = '1h'").execute(&mut *transaction).await.unwrap();
        Rival(transaction)
    }

    /// Waits until somebody waits for a row.
    pub async fn until_somebody_waits(&self) {
        let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        eventually("somebody waits for a row", WAIT_LIMIT, async || {
            (self.count(waiting).await > 0).then_some(())
        })
        .await;
    }

    /// Every row of every table but `except`, as text.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn dump(&self, except: &[&str]) -> Vec<(String, String)> {
        let tables = "select tablename::text from pg_tables where schemaname = 'public' order by 1";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&self.pool).await.unwrap();
        let mut dump = Vec::new();
        for table in tables.into_iter().filter(|table| !except.contains(&table.as_str())) {
            let rows = format!("select to_jsonb(t)::text from \"{table}\" t");
            for row in sqlx::query(&rows).fetch_all(&self.pool).await.unwrap() {
                dump.push((table.clone(), row.get(0)));
            }
        }
        dump
    }
}

/// A transaction that locks rows and never looks for a deadlock: when it meets another one, that one is taken back.
pub struct Rival(Transaction<'static, Postgres>);

impl Rival {
    /// Locks every row of a table; of the jobs, those that run.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn lock(&mut self, table: &str) {
        let running = if table == "jobs" { "where state = 'running'" } else { "" };
        let statement = format!("select from {table} {running} for update");
        sqlx::raw_sql(&statement).execute(&mut *self.0).await.unwrap();
    }

    /// Lets them go.
    ///
    /// # Panics
    /// When Postgres refuses.
    pub async fn leave(self) {
        self.0.commit().await.unwrap();
    }
}
