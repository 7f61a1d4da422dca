//! One job from its doorbell to its end, as a story.

use std::sync::Arc;

use backplane::broker::Delivery;
use backplane::job_kind::JobKind;
use backplane::store::jobs::{self, CRASHES_MAX, Claim, DEATHS_MAX, Retry};
use backplane::store::{StoreError, clock, rerun};
use chrono::{DateTime, Duration, Utc};
use domain::problem::{Problem, Remedy};
use tokio::time::Instant;
use tracing::Instrument;

use crate::context::Context;
use crate::failpoint::failpoint;
use crate::kinds::{self, Done, Job, JobError};
use crate::metrics::Outcome;

/// Takes the job that a doorbell names and runs it. The slot is free when this returns.
pub(crate) async fn execute(context: Arc<Context>, delivery: Delivery) {
    let Delivery { doorbell, kind, bell, slot, .. } = delivery;
    failpoint("consumer.received");
    let claimed = jobs::claim(&context.store, kind, doorbell, context.holder).await;
    failpoint("claim.committed");
    // Whether the broker heard it or not, the row is ours or somebody else's: a second bell finds
    // nothing to claim.
    bell.ack().await;
    failpoint("ack.sent");
    match claimed {
        Ok(Some(claim)) => run(&context, claim).await,
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, %kind, "a job was not claimed; its bell rings again"),
    }
    drop(slot);
}

async fn run(context: &Context, claim: Claim) {
    let span = tracing::info_span!(
        "job",
        kind = claim.kind.as_str(),
        job_id = %claim.id,
        brand_id = %claim.brand,
        subject = %claim.subject,
        epoch = claim.epoch,
        traceparent = claim.traceparent.as_deref()
    );
    work(context, claim).instrument(span).await;
}

async fn work(context: &Context, claim: Claim) {
    let started = Instant::now();
    let kind = claim.kind;
    context.metrics.started(&claim);
    let job = Job::new(claim);
    context.leases.adopt(std::slice::from_ref(&job.claim), &job);
    let outcome = match run_or_refuse(context, &job).await {
        Ok(outcome) => outcome,
        Err(error) => {
            // The lease runs out and the sweeper hands the job to somebody who reaches Postgres.
            tracing::warn!(%error, "the end of a job was not written");
            Outcome::Fenced
        }
    };
    context.leases.release(std::slice::from_ref(&job.claim));
    context.metrics.finished(kind, outcome, started.elapsed());
}

/// A job that killed too many workers or children is not run again: it is given up, with a reason.
async fn run_or_refuse(context: &Context, job: &Job) -> Result<Outcome, StoreError> {
    if job.claim.crashes >= CRASHES_MAX || job.claim.deaths >= DEATHS_MAX {
        let problem = poison(job.claim.kind);
        return rerun(|| give_up(context, job, &problem)).await;
    }
    let result = tokio::select! {
        result = kinds::run(context, job) => result,
        () = job.dropped() => Err(JobError::Fenced),
    };
    rerun(|| conclude(context, job, &result)).await
}

async fn conclude(
    context: &Context,
    job: &Job,
    result: &Result<Done, JobError>,
) -> Result<Outcome, StoreError> {
    match result {
        Ok(Done::Settled) => Ok(Outcome::Done),
        Ok(Done::Snooze { until, note }) => snooze(context, job, Wait::Until(*until), note).await,
        Ok(Done::SnoozeFor { wait, note }) => snooze(context, job, Wait::For(*wait), note).await,
        Err(JobError::Fenced) => Ok(Outcome::Fenced),
        Err(error @ JobError::RolledBack(_)) => {
            snooze(context, job, Wait::For(Duration::zero()), &error.to_string()).await
        }
        Err(JobError::GiveUp(problem)) => give_up(context, job, problem).await,
        Err(JobError::Retry(reason)) => retry(context, job, reason, false).await,
        Err(JobError::Crashed(reason)) => retry(context, job, reason, true).await,
    }
}

enum Wait {
    Until(DateTime<Utc>),
    For(Duration),
}

async fn snooze(context: &Context, job: &Job, wait: Wait, note: &str) -> Result<Outcome, StoreError> {
    let Some((mut tx, fence)) = jobs::begin_fenced(&context.store, &job.claim).await? else {
        return Ok(Outcome::Fenced);
    };
    let until = match wait {
        Wait::Until(until) => until,
        Wait::For(wait) => clock::now(&mut tx).await? + wait,
    };
    jobs::snooze(&mut tx, fence, until, note).await?;
    tx.commit().await?;
    Ok(Outcome::Snoozed)
}

async fn retry(context: &Context, job: &Job, reason: &str, child_died: bool) -> Result<Outcome, StoreError> {
    tracing::warn!(reason, child_died, attempt = job.claim.attempt, "a job failed and is tried again");
    let Some((mut tx, fence)) = jobs::begin_fenced(&context.store, &job.claim).await? else {
        return Ok(Outcome::Fenced);
    };
    let next = if child_died {
        jobs::died(&mut tx, &fence, reason).await?
    } else {
        jobs::fail(&mut tx, &fence, reason).await?
    };
    let outcome = match next {
        Retry::At(_) => Outcome::Retried,
        Retry::Exhausted => {
            kinds::give_up(job.claim.kind, &mut tx, &fence, &poison(job.claim.kind)).await?;
            Outcome::Failed
        }
    };
    tx.commit().await?;
    context.told(job);
    Ok(outcome)
}

async fn give_up(context: &Context, job: &Job, problem: &Problem) -> Result<Outcome, StoreError> {
    tracing::warn!(problem = problem.code, "a job is given up");
    let Some((mut tx, fence)) = jobs::begin_fenced(&context.store, &job.claim).await? else {
        return Ok(Outcome::Fenced);
    };
    jobs::give_up(&mut tx, &fence, &problem.code).await?;
    kinds::give_up(job.claim.kind, &mut tx, &fence, problem).await?;
    tx.commit().await?;
    context.told(job);
    Ok(Outcome::Failed)
}

/// What a person reads of a job that failed too often.
fn poison(kind: JobKind) -> Problem {
    let (code, message, remedy) = match kind {
        JobKind::Probe | JobKind::Transcode | JobKind::Part => (
            "media.unprocessable",
            "The file could not be processed, tried several times. Try another export of it.",
            Remedy::ChangeMedia,
        ),
        JobKind::Fetch => (
            "media.unreachable",
            "The network did not hand out the file, tried several times. Upload it instead.",
            Remedy::ChangeMedia,
        ),
        JobKind::Caption => {
            ("caption.unwritable", "No text could be written. Write it by hand.", Remedy::EditCaption)
        }
        JobKind::Publish => (
            "publish.failed_too_often",
            "The network could not be reached, tried many times. Nothing is live. Try again.",
            Remedy::Retry,
        ),
        JobKind::Ingest | JobKind::Refresh | JobKind::Revoke | JobKind::Housekeeping => (
            "network.unreachable",
            "The network could not be reached. It is tried again later.",
            Remedy::Wait,
        ),
    };
    Problem::new(code, message, remedy)
}
