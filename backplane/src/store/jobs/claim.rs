//! Taking a job: one row goes from `ready` to `running` under a new epoch and a lease.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::job_kind::{JobKind, Lane};
use crate::store::{Scope, Store, StoreError};

/// All that a message holds. Nothing in it is acted upon but by asking the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Doorbell {
    pub job: Uuid,
    pub brand: Uuid,
}

/// A job held by this process until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub id: Uuid,
    pub brand: Uuid,
    pub kind: JobKind,
    pub lane: Lane,
    pub subject: Uuid,
    pub epoch: i64,
    /// Failures so far.
    pub attempt: i32,
    /// Leases that expired so far; at [`super::CRASHES_MAX`] the job is given up instead of run.
    pub crashes: i32,
    /// Deaths of the jailed child so far; at [`super::DEATHS_MAX`] the job is given up.
    pub deaths: i32,
    /// Trace context of the request that asked for it.
    pub traceparent: Option<String>,
    /// How long after its time it was claimed.
    pub delay: Duration,
}

/// Claims the job that a doorbell names. `None`: somebody has it, it is not due, it is of another
/// kind, or the doorbell is stale; acknowledge the message and forget it.
///
/// # Errors
/// When the transaction fails; the doorbell may then be rung again.
pub async fn claim(
    store: &Store,
    kind: JobKind,
    doorbell: Doorbell,
    holder: Uuid,
) -> Result<Option<Claim>, StoreError> {
    let mut tx = store.begin(&Scope::brand(doorbell.brand)).await?;
    let row = sqlx::query!(
        r#"
        update jobs
           set state = 'running', epoch = epoch + 1, holder = $4, lease_until = now() + interval '30 s', again = false
         -- `is true` keeps the kind's indexes out of it, whose rows are many: the primary key is the only way.
         where id = $1 and brand_id = $2 and (kind = $3) is true and state = 'ready' and run_at <= now()
        returning lane, subject, epoch, attempt, crashes, deaths, traceparent,
                  (extract(epoch from now() - run_at) * 1000)::bigint as "delay_ms!"
        "#,
        doorbell.job,
        doorbell.brand,
        kind.as_str(),
        holder,
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(row.map(|row| Claim {
        id: doorbell.job,
        brand: doorbell.brand,
        kind,
        lane: Lane::from_number(row.lane),
        subject: row.subject,
        epoch: row.epoch,
        attempt: row.attempt,
        crashes: row.crashes,
        deaths: row.deaths,
        traceparent: row.traceparent,
        delay: millis(row.delay_ms),
    }))
}

/// Claims further due jobs of the same brand and kind by their subjects, for work that one run does
/// together (all encodes of one source). Those held by others are left out.
///
/// # Errors
/// When the transaction fails.
pub async fn claim_more(
    store: &Store,
    first: &Claim,
    subjects: &[Uuid],
    holder: Uuid,
) -> Result<Vec<Claim>, StoreError> {
    let mut tx = store.begin(&Scope::brand(first.brand)).await?;
    let rows = sqlx::query!(
        r#"
        with free as (
            select id from jobs
             where kind = $1 and brand_id = $2 and subject = any($3) and state = 'ready' and run_at <= now()
             order by id for update skip locked)
        update jobs
           set state = 'running', epoch = epoch + 1, holder = $4, lease_until = now() + interval '30 s', again = false
          from free where jobs.id = free.id
        returning jobs.id, lane, subject, epoch, attempt, crashes, deaths, traceparent,
                  (extract(epoch from now() - run_at) * 1000)::bigint as "delay_ms!"
        "#,
        first.kind.as_str(),
        first.brand,
        subjects,
        holder,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let claims = rows.into_iter().map(|row| Claim {
        id: row.id,
        brand: first.brand,
        kind: first.kind,
        lane: Lane::from_number(row.lane),
        subject: row.subject,
        epoch: row.epoch,
        attempt: row.attempt,
        crashes: row.crashes,
        deaths: row.deaths,
        traceparent: row.traceparent,
        delay: millis(row.delay_ms),
    });
    Ok(claims.collect())
}

fn millis(milliseconds: i64) -> Duration {
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}
