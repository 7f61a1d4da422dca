//! Postgres. One file per family of tables; every query is checked at compile time.
//!
//! The only way to a connection is [`Store::begin`] with a [`Scope`]: row-level security shows a
//! transaction the rows of its scope and no others, and a query that forgets its `WHERE` finds
//! nothing of another brand.

pub mod access;
pub mod accounts;
pub mod accounts_work;
pub mod asset_work;
pub mod assets;
pub mod attempts;
pub mod audit;
pub mod budgets;
pub mod caption_work;
pub mod catalogue;
pub mod changes;
pub mod clock;
mod config;
mod error;
pub mod housekeeping_work;
pub mod idempotency;
pub mod ingest_work;
pub mod jobs;
pub mod part_work;
pub mod people;
pub mod publish_work;
pub mod publishing;
mod reach;
mod rerun;
mod scope;
pub mod secrets;
pub mod steps;
pub mod stuck;
pub mod targets;
pub mod tenants;
pub mod transcode_work;

use std::ops::{Deref, DerefMut};

use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use tracing::Instrument as _;

pub use config::{StoreConfig, StoreConfigError};
pub use error::{StoreError, StoreErrorKind};
pub use reach::Unreachable;
pub use rerun::{FromStore, rerun, until_written};
pub use scope::Scope;

/// A pool of connections of one role. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Opens a pool. Connections are made when they are needed; each is checked to be writable
    /// before it is handed out, so that a failed-over primary is left within seconds.
    #[must_use]
    pub fn connect(config: StoreConfig) -> Self {
        let timeout_ms = config.statement_timeout.as_millis().to_string();
        let options = config.options.options([
            ("statement_timeout", timeout_ms.as_str()),
            ("idle_in_transaction_session_timeout", "60000"),
            // A list reads a page of an index. Starting parallel workers or a compiler costs more than that, and
            // Postgres would start them even for a branch of a query that it never runs.
            ("max_parallel_workers_per_gather", "0"),
            ("jit", "off"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(config.connections_max)
            .acquire_timeout(config.acquire_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, _| {
                // In place of a ping, and as dear as one: a primary that became a standby answers
                // pings, and would refuse every write.
                let asked = sqlx::query_scalar!(
                    r#"select current_setting('transaction_read_only') = 'off' as "writable!""#
                );
                Box::pin(async move { asked.fetch_one(connection).await })
            })
            .connect_lazy_with(options);
        Self { pool }
    }

    /// Opens a transaction that sees what `scope` sees. Dropped without [`Tx::commit`], it is
    /// rolled back.
    ///
    /// # Errors
    /// When no connection comes free in time or Postgres cannot be reached.
    pub async fn begin(&self, scope: &Scope) -> Result<Tx, StoreError> {
        let (pool, statement) = (self.pool.clone(), scope.begin_statement());
        // A task of its own is not given up half-way, as a request is whose client hangs up. Between the statement
        // and its answer sqlx does not know yet that the connection is in a transaction: it would go back to the
        // pool as it is, and whoever got it next would begin in the scope of this one besides their own.
        let begun = tokio::spawn(async move { pool.begin_with(statement).await }.in_current_span()).await;
        match begun {
            Ok(inner) => Ok(Tx { inner: inner? }),
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The process is about to end.
                Err(_) => Err(sqlx::Error::PoolClosed.into()),
            },
        }
    }

    /// Whether Postgres answers and can be written to; for readiness.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.begin(&Scope::Shared).await?.commit().await
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A transaction in one scope.
#[derive(Debug)]
pub struct Tx {
    inner: Transaction<'static, Postgres>,
}

impl Tx {
    /// Makes everything of this transaction last.
    ///
    /// # Errors
    /// When the commit fails, or when its outcome is not known ([`StoreErrorKind::CommitUnknown`]):
    /// then read back what was to be written before doing it again.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner.commit().await.map_err(StoreError::from_commit)
    }
}

impl Deref for Tx {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.inner
    }
}
