//! The one clock that leases, due times and deadlines are judged by: the database's.

use chrono::{DateTime, Utc};

use super::{StoreError, Tx};

/// The time at which this transaction began.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn now(tx: &mut Tx) -> Result<DateTime<Utc>, StoreError> {
    let now = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut **tx).await?;
    Ok(now)
}
