//! What belongs into the same transaction as a person's change of one target.

use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::{self, NewJob};
use backplane::store::publishing::{
    LastAttempt, TargetRow, clear_media, close_attempt, retry_failed_media, save_target,
};
use backplane::store::targets::advance_only;
use backplane::store::{StoreError, Tx};

use super::change::Follow;

/// What the consequences are recorded with.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Who closes an attempt.
    pub person: &'a str,
    /// The attempt that they were asked about.
    pub attempt: Option<&'a LastAttempt>,
    /// W3C trace context of the request.
    pub traceparent: Option<&'a str>,
}

/// Saves a changed target, which this transaction has locked, and does what follows from it.
///
/// # Errors
/// When a statement fails; `one_content_per_account` when it would post the same content twice.
pub async fn save(
    tx: &mut Tx,
    target: &TargetRow,
    follow: &Follow,
    record: Record<'_>,
) -> Result<(), StoreError> {
    if let (Some(outcome), Some(attempt)) = (follow.close_attempt, record.attempt) {
        close_attempt(tx, attempt.id, outcome, &format!("said by {}", record.person)).await?;
    }
    if follow.forget_media {
        clear_media(tx, target.id).await?;
    }
    if follow.withdraw_publish {
        jobs::withdraw(tx, JobKind::Publish, &[target.id]).await?;
    }
    if follow.withdraw_caption {
        jobs::withdraw(tx, JobKind::Caption, &[target.id]).await?;
    }
    save_target(tx, target).await?;
    let mut wanted = Vec::new();
    if follow.retry_media {
        wanted = retry_failed_media(tx, target.id).await?;
    }
    let mut jobs: Vec<NewJob> =
        wanted.into_iter().map(|file| NewJob::now(JobKind::Transcode, Lane::Now, file)).collect();
    if follow.write_caption {
        jobs.push(NewJob::now(JobKind::Caption, Lane::Now, target.id));
    }
    for job in &mut jobs {
        job.traceparent = record.traceparent.map(str::to_owned);
    }
    jobs::enqueue(tx, target.brand_id, &jobs).await?;
    if follow.advance {
        advance_only(tx, target.brand_id, &[target.id]).await?;
    }
    Ok(())
}
