//! The irreversible call, between two transactions: the intention before it, the evidence after it.

use backplane::store::attempts::{self, Begun, Conclusion, NewAttempt};
use backplane::store::budgets::{self, Reservation};
use backplane::store::steps::{self, StoredStep};
use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use connectors::{Budget, SendContext};
use domain::problem::Problem;
use domain::publishing::{Attempt, AttemptOutcome, SendOutcome, Step};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::facts::Work;
use super::{Stage, settle};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::kinds::{Done, Job, JobError};

/// A reserved time is good for this long: who comes later queues again.
const SLOT_GOOD_FOR: Duration = Duration::minutes(2);
/// From here on a post is late, and late posts of one account leave one after the other.
const LATE_AFTER: Duration = Duration::minutes(5);
const LATE_POSTS_EVERY: StdDuration = StdDuration::from_secs(60);
/// A reservation for at once names a time that is later than what was read by no more than this.
const READ_AGE_MAX: Duration = Duration::milliseconds(300);
/// The name under which a reserved time is kept among the steps.
const SLOT: &str = "slot";

pub(super) async fn run(context: &Context, job: &Job, work: &Work<'_>, part: u16) -> Result<Stage, JobError> {
    if let Some(go_at) = reserve(context, job, work, part).await? {
        let note = "waits for its turn at the network".to_owned();
        return Ok(Stage::Over(Done::Snooze { until: go_at, note }));
    }
    let rules = work.connector.sending_rules(&work.post);
    let handle = work.connector.handle(part, &work.done);
    let attempt = NewAttempt {
        id: Uuid::now_v7(),
        target: job.claim.subject,
        part,
        content_revision: work.facts.content_revision,
        request_hash: request_hash(work, part, handle.as_deref()),
        handle,
        send_within: rules.send_timeout.to_std().unwrap_or_default(),
    };
    let deadline = match attempts::begin_attempt(&context.store, &job.claim, &attempt).await? {
        Begun::Sending { deadline } => deadline,
        // Somebody else's attempt is open, or what was read has changed: look again.
        Begun::AlreadyOpen | Begun::NotNow => return Ok(Stage::Again),
        Begun::Fenced => return Err(JobError::Fenced),
    };
    let attempt = Attempt {
        id: attempt.id,
        part,
        handle: attempt.handle,
        started_at: work.facts.now,
        send_deadline: work.facts.now + rules.send_timeout,
        outcome: None,
    };
    failpoint("send.intent_committed");
    let sending = SendContext { part, steps: &work.done, deadline };
    let outcome = work.connector.send(&work.session, &work.post, sending).await;
    failpoint("send.before_commit");
    context.metrics.sent(work.platform, &outcome);
    record(context, job, work, &attempt, outcome).await
}

async fn record(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    attempt: &Attempt,
    outcome: SendOutcome,
) -> Result<Stage, JobError> {
    match outcome {
        SendOutcome::Created(proof) => settle::created(context, job, work, attempt, &proof).await,
        SendOutcome::Refused(problem) => {
            end(context, job, work, attempt, AttemptOutcome::Refused, &problem).await?;
            settle::refused(context, job, work, attempt.part, problem).await
        }
        SendOutcome::AccountRefused(problem) => {
            end(context, job, work, attempt, AttemptOutcome::RefusedForNow, &problem).await?;
            settle::reconnect(context, job, work, problem).await
        }
        SendOutcome::Pending { at } => settle::pending(context, job, work, at).await,
        SendOutcome::RefusedForNow { until, problem } => {
            end(context, job, work, attempt, AttemptOutcome::RefusedForNow, &problem).await?;
            settle::wait(context, job, work, until, Some(problem)).await
        }
        SendOutcome::NotSent { problem } => {
            end(context, job, work, attempt, AttemptOutcome::NotSent, &problem).await?;
            let until = work.facts.now + retry_delay(work);
            settle::wait(context, job, work, until, Some(problem)).await
        }
        SendOutcome::Unknown { seen } => {
            tracing::warn!(target_id = %job.claim.subject, seen, "the outcome of a send is not known");
            let rules = work.connector.sending_rules(&work.post);
            let until = if rules.can_look_up { work.facts.now } else { attempt.send_deadline };
            settle::unconfirmed(context, job, until).await
        }
    }
}

/// Evidence is never fenced.
async fn end(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    attempt: &Attempt,
    outcome: AttemptOutcome,
    problem: &Problem,
) -> Result<(), JobError> {
    let conclusion = Conclusion { attempt: attempt.id, outcome, proof: Some(&problem.code), remote_id: None };
    job.unfenced(attempts::conclude(&context.store, work.brand, &conclusion)).await?;
    failpoint("send.committed");
    Ok(())
}

/// 2 s after the first call that did not leave, doubling to 5 minutes.
fn retry_delay(work: &Work<'_>) -> Duration {
    let failed = work.attempts.iter().filter(|a| a.outcome == Some(AttemptOutcome::NotSent)).count();
    Duration::seconds(2_i64 << failed.min(7)).min(Duration::minutes(5))
}

/// Takes a time from every budget of the call. `Some`: not before then; the time is kept with the
/// target, so that it is not reserved twice.
async fn reserve(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    part: u16,
) -> Result<Option<DateTime<Utc>>, JobError> {
    let now = work.facts.now;
    let slot = work.begun.iter().find(|step| step.part == part && step.name == SLOT);
    if let Some(go_at) = slot.and_then(|slot| slot.expires_at) {
        if go_at > now {
            return Ok(Some(go_at));
        }
        if go_at > now - SLOT_GOOD_FOR {
            return Ok(None);
        }
    }
    let budgets = budgets_of(context, work, part);
    if budgets.is_empty() {
        return Ok(None);
    }
    let go_at = budgets::reserve(&context.store, &budgets).await?;
    // `now` is older than the reservation by what was done in between.
    if go_at <= now + READ_AGE_MAX {
        return Ok(None);
    }
    let slot = Step {
        part,
        name: SLOT.to_owned(),
        input_hash: String::new(),
        remote_id: String::new(),
        expires_at: Some(go_at),
        data: json!(null),
    };
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    steps::save_step(&mut tx, &fence, job.claim.subject, &StoredStep { step: slot, done: false }).await?;
    tx.commit().await?;
    Ok(Some(go_at))
}

fn budgets_of(context: &Context, work: &Work<'_>, part: u16) -> Vec<Reservation> {
    if context.budgets_lifted {
        return Vec::new();
    }
    let mut budgets: Vec<Reservation> = work
        .connector
        .budgets(&work.post, &work.session, part)
        .into_iter()
        .map(|Budget { key, every, burst, cost }| Reservation {
            key,
            every: every.to_std().unwrap_or_default(),
            burst,
            cost,
        })
        .collect();
    if part == 0 && work.lateness() > LATE_AFTER {
        budgets.push(Reservation {
            key: format!("late/{}", work.facts.account_id),
            every: LATE_POSTS_EVERY,
            burst: 1,
            cost: 1,
        });
    }
    budgets
}

/// Names what is about to be sent, for the record: text, files, options and the handle.
fn request_hash(work: &Work<'_>, part: u16, handle: Option<&str>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |field: &str| {
        hash.update(field.len().to_be_bytes());
        hash.update(field);
    };
    add(&part.to_string());
    add(handle.unwrap_or_default());
    add(work.post.title.as_deref().unwrap_or_default());
    add(&work.post.text);
    for (key, value) in &work.session.settings {
        add(key);
        add(value);
    }
    for media in &work.post.media {
        add(&media.sha256);
    }
    hash.finalize().into()
}
