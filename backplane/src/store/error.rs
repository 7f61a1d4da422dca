//! What can go wrong with Postgres, classified where it is born.

/// A failed query or transaction. Its text holds no bound value.
#[derive(Debug, thiserror::Error)]
#[error("postgres: {kind:?}")]
pub struct StoreError {
    pub kind: StoreErrorKind,
    #[source]
    source: sqlx::Error,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Try the whole transaction again: a lost connection, a busy pool, a server that restarts.
    Transient,
    /// Postgres took the transaction back because it stood in another one's way. Nothing was written: run it
    /// again at once, see [`rerun`](super::rerun()).
    RolledBack,
    /// The connection broke in `COMMIT`: it may have happened. Read back before repeating.
    CommitUnknown,
    /// A unique or foreign key, by its constraint's name, refused the row.
    Constraint(String),
    /// A programming error or a schema that does not fit.
    Fatal,
}

impl StoreError {
    pub(super) fn from_commit(source: sqlx::Error) -> Self {
        let mut error = Self::from(source);
        if matches!(error.source, sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed) {
            error.kind = StoreErrorKind::CommitUnknown;
        }
        error
    }

    /// Postgres took the transaction back for the sake of another one.
    #[must_use]
    pub fn is_rolled_back(&self) -> bool {
        self.kind == StoreErrorKind::RolledBack
    }

    /// The violated constraint is `name`.
    #[must_use]
    pub fn violates(&self, name: &str) -> bool {
        self.kind == StoreErrorKind::Constraint(name.to_owned())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        Self { kind: classify(&source), source }
    }
}

fn classify(error: &sqlx::Error) -> StoreErrorKind {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => {
            StoreErrorKind::Transient
        }
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            match (code.as_str(), database.constraint()) {
                ("23505" | "23503" | "23514", Some(name)) => StoreErrorKind::Constraint(name.to_owned()),
                // Serialization, deadlock.
                ("40001" | "40P01", _) => StoreErrorKind::RolledBack,
                // Read-only standby, shutdown, cancelled, too many connections.
                ("25006" | "57P01" | "57P02" | "57P03" | "57014" | "53300", _) => StoreErrorKind::Transient,
                (code, _) if code.starts_with("08") => StoreErrorKind::Transient,
                _ => StoreErrorKind::Fatal,
            }
        }
        _ => StoreErrorKind::Fatal,
    }
}
