//! The fence: every transaction of a job begins by proving that the job is still held.
//!
//! [`Fence`] is made by [`begin_fenced`] and by nothing else. A function that writes results takes
//! one, so a worker whose lease went to another cannot write: it gets no fence.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Claim, DEATHS_MAX};
use crate::job_kind::JobKind;
use crate::store::{Scope, Store, StoreError, Tx};

/// Proof, for the transaction that it came with, that the job is held under its epoch.
#[derive(Debug)]
pub struct Fence {
    job: Uuid,
    brand: Uuid,
    kind: JobKind,
    subject: Uuid,
    epoch: i64,
}

impl Fence {
    fn of(claim: &Claim) -> Self {
        Self {
            job: claim.id,
            brand: claim.brand,
            kind: claim.kind,
            subject: claim.subject,
            epoch: claim.epoch,
        }
    }

    /// The brand whose rows this transaction may write.
    #[must_use]
    pub const fn brand(&self) -> Uuid {
        self.brand
    }

    /// What the job is about.
    #[must_use]
    pub const fn subject(&self) -> Uuid {
        self.subject
    }

    /// Under which the job is held; recorded with what it writes.
    #[must_use]
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }
}

/// What becomes of a job that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It runs again at this time.
    At(DateTime<Utc>),
    /// It is over: give its subject up in this same transaction.
    Exhausted,
}

/// Opens a transaction in the job's brand whose first statement locks the job under its epoch.
/// `None`: the job was given to another, or swept. Stop, and leave nothing but evidence.
///
/// # Errors
/// When the transaction cannot be opened.
pub async fn begin_fenced(store: &Store, claim: &Claim) -> Result<Option<(Tx, Fence)>, StoreError> {
    let mut tx = store.begin(&Scope::brand(claim.brand)).await?;
    let held = sqlx::query_scalar!(
        r#"select 1 as "held!" from jobs where id = $1 and epoch = $2 and state = 'running' for update"#,
        claim.id,
        claim.epoch,
    )
    .fetch_optional(&mut *tx)
    .await?;
    Ok(held.map(|_| (tx, Fence::of(claim))))
}

/// Locks those of `claims` that are still held, in a transaction of their brand that is open
/// already: for a run that holds several jobs, or that writes evidence before it asks.
///
/// # Errors
/// When the statement fails.
pub async fn fence_more(tx: &mut Tx, claims: &[Claim]) -> Result<Vec<Fence>, StoreError> {
    let ids: Vec<Uuid> = claims.iter().map(|claim| claim.id).collect();
    let epochs: Vec<i64> = claims.iter().map(|claim| claim.epoch).collect();
    let held = sqlx::query_scalar!(
        r#"
        select jobs.id from jobs join unnest($1::uuid[], $2::bigint[]) as mine (id, epoch) on mine.id = jobs.id
         where jobs.epoch = mine.epoch and jobs.state = 'running' order by jobs.kind, jobs.subject for update of jobs
        "#,
        &ids,
        &epochs,
    )
    .fetch_all(&mut **tx)
    .await?;
    let held = claims.iter().filter(|claim| held.contains(&claim.id));
    Ok(held.map(Fence::of).collect())
}

/// Ends the job well. When it was asked for again while it ran, it becomes ready once more.
///
/// # Errors
/// When the statement fails.
pub async fn settle(tx: &mut Tx, fence: Fence) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update jobs
           set state = case when again then 'ready' else 'done' end,
               run_at = case when again then now() else run_at end,
               finished_at = case when again then null else now() end,
               again = false, attempt = 0, crashes = 0, deaths = 0, rung_at = null, holder = null,
               lease_until = null, last_error = null
         where id = $1 and epoch = $2 and state = 'running'
        "#,
        fence.job,
        fence.epoch,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Puts the job off until `run_at`: a wait, a throttle, a look-up later. It counts as no failure.
/// When it was asked for again while it ran, it does not sleep: what it saw may have changed.
///
/// # Errors
/// When the statement fails.
pub async fn snooze(tx: &mut Tx, fence: Fence, run_at: DateTime<Utc>, note: &str) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update jobs
           set state = 'ready', run_at = case when again then least(now(), $3) else $3 end,
               again = false, crashes = 0, rung_at = null, holder = null, lease_until = null, last_error = $4
         where id = $1 and epoch = $2 and state = 'running'
        "#,
        fence.job,
        fence.epoch,
        run_at,
        note,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Records a failure that another try may heal, and says when that try is: after 2 s, doubling up
/// to 5 min. After the kind's limit the job is failed and its subject is to be given up.
///
/// # Errors
/// When the statement fails.
pub async fn fail(tx: &mut Tx, fence: &Fence, reason: &str) -> Result<Retry, StoreError> {
    let limit = fence.kind.handling().failures_max;
    record_failure(tx, fence, reason, Failure { attempts: 1, deaths: 0, attempts_max: limit }).await
}

/// Records a death of the jailed child on the job's file: the third one ends the job.
///
/// # Errors
/// When the statement fails.
pub async fn died(tx: &mut Tx, fence: &Fence, reason: &str) -> Result<Retry, StoreError> {
    let limit = fence.kind.handling().failures_max;
    record_failure(tx, fence, reason, Failure { attempts: 0, deaths: 1, attempts_max: limit }).await
}

struct Failure {
    attempts: i32,
    deaths: i32,
    attempts_max: i32,
}

async fn record_failure(
    tx: &mut Tx,
    fence: &Fence,
    reason: &str,
    failure: Failure,
) -> Result<Retry, StoreError> {
    let row = sqlx::query!(
        r#"
        with judged as (
            select id, attempt + $3 as attempt, deaths + $4 as deaths,
                   (attempt + $3 >= $5 or deaths + $4 >= $6) and not again as over
              from jobs where id = $1 and epoch = $2 and state = 'running')
        update jobs
           set attempt = judged.attempt, deaths = judged.deaths, crashes = 0,
               state = case when over then 'failed' else 'ready' end,
               finished_at = case when over then now() end,
               run_at = now() + least(interval '5 min', interval '2 s' * power(2, least(judged.attempt + judged.deaths - 1, 8))),
               again = false, rung_at = null, holder = null, lease_until = null, last_error = $7
          from judged where jobs.id = judged.id
        returning jobs.run_at, over as "over!"
        "#,
        fence.job,
        fence.epoch,
        failure.attempts,
        failure.deaths,
        failure.attempts_max,
        DEATHS_MAX,
        reason,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(if row.over { Retry::Exhausted } else { Retry::At(row.run_at) })
}

/// Ends the job badly, now: no further try would help. Give its subject up in this transaction.
///
/// # Errors
/// When the statement fails.
pub async fn give_up(tx: &mut Tx, fence: &Fence, reason: &str) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update jobs
           set state = 'failed', finished_at = now(), again = false, rung_at = null, holder = null,
               lease_until = null, last_error = $3
         where id = $1 and epoch = $2 and state = 'running'
        "#,
        fence.job,
        fence.epoch,
        reason,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Hands a job back untouched, for a worker that drains. Another one may take it at once.
///
/// # Errors
/// When the statement fails.
pub async fn release(tx: &mut Tx, fence: Fence) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update jobs
           set state = 'ready', run_at = now(), rung_at = null, holder = null, lease_until = null, again = false
         where id = $1 and epoch = $2 and state = 'running'
        "#,
        fence.job,
        fence.epoch,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
