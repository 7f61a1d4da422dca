//! A story's own database, and what only a look behind the API can tell.

use backplane::migrate::Role;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection, PgPool, Row as _, postgres::PgPoolOptions};
use tokio::sync::Mutex;
use url::Url;
use uuid::Uuid;

use crate::services::Services;

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
