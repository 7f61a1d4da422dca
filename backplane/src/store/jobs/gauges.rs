//! Counts over all rows, read every 15 s by one process and never by a scrape.

use crate::store::{Scope, Store, StoreError, Tx};

/// One lock for the whole installation: whoever holds it reads the gauges of this turn.
const GAUGE_LOCK: i64 = 0x7265_656c_6d69_6c6c;

/// How the ledger stands for one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct KindGauges {
    pub kind: String,
    /// Due and not running.
    pub due: i64,
    /// Ready for a later time.
    pub later: i64,
    pub running: i64,
    pub failed: i64,
    /// Due, and no doorbell rung.
    pub unrung: i64,
    /// Seconds since the oldest due row was due.
    pub oldest_due_seconds: f64,
}

/// How targets stand, over all brands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetGauges {
    pub preparing: i64,
    pub scheduled: i64,
    pub publishing: i64,
    pub unconfirmed: i64,
    pub needs_attention: i64,
    /// Seconds since the longest undecided one last moved.
    pub oldest_undecided_seconds: f64,
}

/// Opens a transaction when this process is the one to read gauges now; dropping it gives the turn
/// back.
///
/// # Errors
/// When the statement fails.
pub async fn take_gauge_turn(store: &Store) -> Result<Option<Tx>, StoreError> {
    let mut tx = store.begin(&Scope::Relay).await?;
    let mine = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "mine!""#, GAUGE_LOCK)
        .fetch_one(&mut *tx)
        .await?;
    Ok(mine.then_some(tx))
}

/// Counts of every kind that has rows.
///
/// # Errors
/// When the statement fails.
pub async fn job_gauges(tx: &mut Tx) -> Result<Vec<KindGauges>, StoreError> {
    let rows = sqlx::query_as!(
        KindGauges,
        r#"
        select kind,
               count(*) filter (where state = 'ready' and run_at <= now()) as "due!",
               count(*) filter (where state = 'ready' and run_at > now()) as "later!",
               count(*) filter (where state = 'running') as "running!",
               count(*) filter (where state = 'failed') as "failed!",
               count(*) filter (where state = 'ready' and run_at <= now() and rung_at is null) as "unrung!",
               coalesce(extract(epoch from now() - min(run_at) filter (where state = 'ready' and run_at <= now())), 0)::float8
                   as "oldest_due_seconds!"
          from jobs group by kind
        "#
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Counts of targets that something or somebody is waiting for.
///
/// # Errors
/// When the statement fails.
pub async fn target_gauges(tx: &mut Tx) -> Result<TargetGauges, StoreError> {
    let row = sqlx::query_as!(
        TargetGauges,
        r#"
        select count(*) filter (where state = 'PREPARING') as "preparing!",
               count(*) filter (where state = 'SCHEDULED') as "scheduled!",
               count(*) filter (where state = 'PUBLISHING') as "publishing!",
               count(*) filter (where state = 'UNCONFIRMED') as "unconfirmed!",
               count(*) filter (where state = 'NEEDS_ATTENTION') as "needs_attention!",
               coalesce(extract(epoch from now() - min(updated_at) filter (where state = 'UNCONFIRMED')), 0)::float8
                   as "oldest_undecided_seconds!"
          from publish_targets
         where state in ('PREPARING', 'SCHEDULED', 'PUBLISHING', 'UNCONFIRMED', 'NEEDS_ATTENTION')
        "#
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(row)
}
