//! Attempts to send: written before the call, decided once, never deleted.
//!
//! The open attempt, not the lease, is the lock on sending: a unique index admits one for each
//! target. Who finds one looks up and never sends. Evidence is not fenced: an outcome is written by
//! attempt id, whatever the epoch, and only the first one counts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::publishing::{Attempt, AttemptOutcome};
use tokio::time::Instant;
use uuid::Uuid;

use super::jobs::{Claim, begin_fenced};
use super::{Scope, Store, StoreError, StoreErrorKind, Tx, until_written};

/// The intention to make one irreversible call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAttempt {
    /// Chosen by the caller, so that a commit whose outcome was lost can be read back.
    pub id: Uuid,
    pub target: Uuid,
    pub part: u16,
    /// The content that was prepared: an edit since then forbids the send.
    pub content_revision: i32,
    /// The single-use handle that the call spends.
    pub handle: Option<String>,
    /// SHA-256 of what will be sent.
    pub request_hash: [u8; 32],
    /// No byte of the call leaves later than this after now.
    pub send_within: Duration,
}

/// Whether the call may be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Begun {
    /// Yes, until `deadline` on the monotonic clock, which is never after the stored one.
    Sending { deadline: Instant },
    /// Another attempt is open: look it up.
    AlreadyOpen,
    /// The target changed, was cancelled, or something holds it: decide anew.
    NotNow,
    /// The job is held by another worker: stop.
    Fenced,
}

/// What became of an outcome that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    Written,
    /// The attempt had an outcome already, which stands.
    AlreadyDecided,
    /// This part of the target was created by another attempt as well: a doubled post.
    Doubled,
}

/// Writes the attempt and moves the target to `PUBLISHING`, fenced. When the commit's outcome is
/// lost it is read back: behind the lock on the job row, so that a commit still under way counts.
///
/// # Errors
/// When nothing can be known of the attempt: do not send; the next claim finds out.
pub async fn begin_attempt(store: &Store, claim: &Claim, attempt: &NewAttempt) -> Result<Begun, StoreError> {
    // Taken before the row's own clock starts, so it ends no later than the stored deadline.
    let deadline = Instant::now() + attempt.send_within;
    let Some((mut tx, _)) = begin_fenced(store, claim).await? else {
        return Ok(Begun::Fenced);
    };
    if !mark_publishing(&mut tx, attempt).await? {
        return Ok(Begun::NotNow);
    }
    match insert(&mut tx, claim, attempt).await {
        Err(error) if error.violates("one_open_attempt") => return Ok(Begun::AlreadyOpen),
        other => other?,
    }
    match tx.commit().await {
        Ok(()) => Ok(Begun::Sending { deadline }),
        Err(error) if error.kind == StoreErrorKind::CommitUnknown => {
            read_back(store, claim, attempt, deadline).await
        }
        Err(error) => Err(error),
    }
}

/// What forbids a send is asked once more in the transaction that begins it.
async fn mark_publishing(tx: &mut Tx, attempt: &NewAttempt) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        r#"
        update publish_targets target
           set state = 'PUBLISHING', attempts = target.attempts + 1, problem_code = null, problem_message = null,
               problem_remedy = null, problem_since = null, problem_retry_at = null, updated_at = now()
          from brands brand, social_accounts account, installation
         where target.id = $1 and target.content_revision = $2
           and target.state in ('SCHEDULED', 'PUBLISHING', 'UNCONFIRMED')
           and (target.cancelled_at is null or $3 > 0)
           and brand.id = target.brand_id and not brand.paused
           and account.id = target.account_id and not account.paused and account.state = 'CONNECTED'
           and installation.held_since is null
        "#,
        attempt.target,
        attempt.content_revision,
        i32::from(attempt.part),
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn insert(tx: &mut Tx, claim: &Claim, attempt: &NewAttempt) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        insert into publish_attempts (id, brand_id, target_id, part, epoch, handle, request_hash, send_deadline)
        values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(secs => $8))
        "#,
        attempt.id,
        claim.brand,
        attempt.target,
        i16::try_from(attempt.part).unwrap_or(i16::MAX),
        claim.epoch,
        attempt.handle,
        attempt.request_hash.as_slice(),
        attempt.send_within.as_secs_f64(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn read_back(
    store: &Store,
    claim: &Claim,
    attempt: &NewAttempt,
    deadline: Instant,
) -> Result<Begun, StoreError> {
    // The lost transaction held the job's row, so this waits until it is over.
    let Some((mut tx, _)) = begin_fenced(store, claim).await? else {
        return Ok(Begun::Fenced);
    };
    let written =
        sqlx::query_scalar!(r#"select 1 as "there!" from publish_attempts where id = $1"#, attempt.id)
            .fetch_optional(&mut *tx)
            .await?;
    Ok(if written.is_some() { Begun::Sending { deadline } } else { Begun::NotNow })
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion<'a> {
    pub attempt: Uuid,
    pub outcome: AttemptOutcome,
    /// What was seen, for the record.
    pub proof: Option<&'a str>,
    /// The post's id at the network.
    pub remote_id: Option<&'a str>,
}

/// Records how an attempt ended, in a transaction of its own and whatever the epoch. It is repeated until it is
/// known to be written: evidence must not be lost.
///
/// # Errors
/// When no repeat mends what Postgres says.
pub async fn conclude(
    store: &Store,
    brand: Uuid,
    conclusion: &Conclusion<'_>,
) -> Result<Recorded, StoreError> {
    until_written(|| conclude_once(store, brand, conclusion)).await
}

async fn conclude_once(
    store: &Store,
    brand: Uuid,
    conclusion: &Conclusion<'_>,
) -> Result<Recorded, StoreError> {
    let mut tx = store.begin(&Scope::brand(brand)).await?;
    match conclude_in(&mut tx, conclusion).await {
        Err(error) if error.violates("one_creation") => Ok(Recorded::Doubled),
        Err(error) => Err(error),
        Ok(written) => {
            tx.commit().await?;
            Ok(if written { Recorded::Written } else { Recorded::AlreadyDecided })
        }
    }
}

/// Records how an attempt ended inside `tx`; `false` when it had ended before. For the answer of a
/// person, which goes to the audit log in the same transaction.
///
/// # Errors
/// When the statement fails; constraint `one_creation` means a doubled post.
pub async fn conclude_in(tx: &mut Tx, conclusion: &Conclusion<'_>) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        r#"
        update publish_attempts set outcome = $2, proof = $3, remote_id = $4, ended_at = now()
         where id = $1 and outcome is null
        "#,
        conclusion.attempt,
        conclusion.outcome.as_str(),
        conclusion.proof,
        conclusion.remote_id,
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An attempt with what was learnt of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptRow {
    pub target: Uuid,
    pub attempt: Attempt,
    pub proof: Option<String>,
    pub remote_id: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// All attempts of `targets`, oldest first.
///
/// # Errors
/// When the statement fails.
pub async fn attempts_of(tx: &mut Tx, targets: &[Uuid]) -> Result<Vec<AttemptRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select id, target_id, part, handle, started_at, send_deadline, outcome, proof, remote_id, ended_at
          from publish_attempts where target_id = any($1) order by started_at, id
        "#,
        targets,
    )
    .fetch_all(&mut **tx)
    .await?;
    let attempts = rows.into_iter().map(|row| AttemptRow {
        target: row.target_id,
        attempt: Attempt {
            id: row.id,
            part: u16::try_from(row.part).unwrap_or(0),
            handle: row.handle,
            started_at: row.started_at,
            send_deadline: row.send_deadline,
            outcome: row.outcome.as_deref().and_then(outcome_named),
        },
        proof: row.proof,
        remote_id: row.remote_id,
        ended_at: row.ended_at,
    });
    Ok(attempts.collect())
}

fn outcome_named(name: &str) -> Option<AttemptOutcome> {
    let all = [
        AttemptOutcome::Created,
        AttemptOutcome::Refused,
        AttemptOutcome::RefusedForNow,
        AttemptOutcome::NotSent,
        AttemptOutcome::Absent,
    ];
    all.into_iter().find(|outcome| outcome.as_str() == name)
}
