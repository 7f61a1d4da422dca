//! What the sweeper does: it knows no kinds and no subjects.

use uuid::Uuid;

use crate::store::{Scope, Store, StoreError, Tx};

/// Rows that one statement ends or removes.
const BATCH: i64 = 1000;

/// Puts jobs whose lease expired back to ready under a raised epoch, at most 200 of them, and says
/// how many. Each counts as a crash and waits longer after each.
///
/// # Errors
/// When the statement fails.
pub async fn sweep(store: &Store) -> Result<u64, StoreError> {
    let mut tx = store.begin(&Scope::Relay).await?;
    let done = sqlx::query!(
        r#"
        with dead as (
            select id from jobs where state = 'running' and lease_until < now()
             order by id limit 200 for update skip locked)
        update jobs j
           set state = 'ready', epoch = j.epoch + 1, crashes = j.crashes + 1, again = false, rung_at = null,
               holder = null, lease_until = null, last_error = 'Its worker stopped without a word.',
               run_at = now() + case when j.crashes = 0 then interval '0 s' else
                   least(interval '5 min', interval '2 s' * power(2, least(j.crashes, 8))) end
          from dead where j.id = dead.id
        "#
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

/// Forgets doorbells that nobody answered for 75 s (messages live for 60 s), so that they are rung
/// again. Returns how many.
///
/// # Errors
/// When the statement fails.
pub async fn clear_stale_bells(store: &Store) -> Result<u64, StoreError> {
    let mut tx = store.begin(&Scope::Relay).await?;
    let done = sqlx::query!(
        "update jobs set rung_at = null where state = 'ready' and rung_at < now() - interval '75 s'"
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

/// Removes done jobs after an hour, failed ones after 30 days and workers unseen for an hour, at
/// most 1,000 of each; returns how many jobs. Repeat while it returns many.
///
/// # Errors
/// When a statement fails.
pub async fn prune(store: &Store) -> Result<u64, StoreError> {
    let mut tx = store.begin(&Scope::Relay).await?;
    let done = sqlx::query!(
        r#"
        delete from jobs where id in (
            (select id from jobs where state = 'done' and finished_at < now() - interval '1 hour'
              order by finished_at limit $1)
            union all
            (select id from jobs where state = 'failed' and finished_at < now() - interval '30 days'
              order by finished_at limit $1))
        "#,
        BATCH,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from workers where seen_at < now() - interval '1 hour'").execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

/// Lets failed jobs of this transaction's brand run again, with nothing counted against them, unless
/// the same work is live already. Returns how many.
///
/// # Errors
/// When the statement fails.
pub async fn replay(tx: &mut Tx, jobs: &[Uuid]) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        r#"
        with chosen as (
            select distinct on (kind, subject) id from jobs failed
             where id = any($1) and state = 'failed'
               and not exists (select 1 from jobs live where live.kind = failed.kind
                               and live.subject = failed.subject and live.state in ('ready', 'running'))
             order by kind, subject, id)
        update jobs
           set state = 'ready', run_at = now(), attempt = 0, crashes = 0, deaths = 0, finished_at = null,
               rung_at = null, last_error = null
          from chosen where jobs.id = chosen.id and jobs.state = 'failed'
        "#,
        jobs,
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected())
}
