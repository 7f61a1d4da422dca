//! Did it happen? Evidence is one-sided: "there" counts at once, "not there" only after the settle
//! time, and only a single-use handle allows another send.

use backplane::store::attempts::{self, Conclusion};
use backplane::store::publish_work::{self, TargetChange};
use backplane::store::{jobs, steps};
use chrono::Duration;
use domain::id::Noun;
use domain::problem::{Problem, Remedy};
use domain::publishing::{Attempt, AttemptOutcome, Evidence, Outcome, Proof};

use super::facts::Work;
use super::{Stage, settle};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::kinds::{Done, Job, JobError};

/// How soon an undecided attempt is asked about again: a sixth of the time that it is undecided
/// for, within these bounds.
const ASK_AGAIN_MIN: Duration = Duration::seconds(5);
const ASK_AGAIN_MAX: Duration = Duration::minutes(30);
/// How often, and for how long, a live post is asked for its id.
pub(super) const ID_AGAIN: Duration = Duration::minutes(2);
const ID_FOR: Duration = Duration::hours(1);

pub(super) async fn run(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    index: usize,
    absence_counts: bool,
) -> Result<Stage, JobError> {
    let attempt = &work.attempts[index];
    failpoint("probe.before");
    let evidence = work.connector.look_up(&work.session, &work.post, attempt, &work.done).await;
    failpoint("probe.after");
    let rules = work.connector.sending_rules(&work.post);
    match evidence {
        Evidence::Live(proof) => settle::created(context, job, work, attempt, &proof).await,
        Evidence::Dead(problem) => dead(context, job, work, attempt, problem).await,
        Evidence::NotThere if absence_counts && rules.single_use_handle => {
            close(context, job, work, attempt, AttemptOutcome::Absent, "not there after the settle time")
                .await?;
            Ok(Stage::Again)
        }
        Evidence::NotThere if absence_counts => {
            settle::finish(context, job, work, Outcome::NeedsAttention(settle::outcome_unknown())).await
        }
        Evidence::NotThere => {
            let until = (attempt.send_deadline + rules.settle).min(ask_again(work, attempt));
            settle::unconfirmed(context, job, until.max(work.facts.now + ASK_AGAIN_MIN)).await
        }
        Evidence::Pending { at } => {
            settle::pending(context, job, work, at.max(work.facts.now + Duration::seconds(1))).await
        }
        Evidence::Nothing { seen } => {
            tracing::info!(target_id = %job.claim.subject, seen, "a look-up said nothing");
            settle::unconfirmed(context, job, ask_again(work, attempt)).await
        }
    }
}

/// The post is live and the network has not named it yet: asks for its id and address, for an hour.
pub(super) async fn find_id(context: &Context, job: &Job, work: &Work<'_>) -> Result<Done, JobError> {
    let created = work.attempts.iter().find(|a| a.part == 0 && a.outcome == Some(AttemptOutcome::Created));
    let asked_long = work.facts.published_at.is_none_or(|at| work.facts.now - at > ID_FOR);
    let Some(attempt) = created.filter(|_| !asked_long) else { return settle::gone(context, job).await };
    let evidence = work.connector.look_up(&work.session, &work.post, attempt, &work.done).await;
    let Evidence::Live(Proof { remote_id: Some(remote_id), url, .. }) = evidence else {
        let until = work.facts.now + ID_AGAIN;
        return Ok(Done::Snooze { until, note: "looks for the id of the post".to_owned() });
    };
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let change = TargetChange {
        state: "PUBLISHED",
        problem: None,
        retry_at: None,
        external_id: Some(&remote_id),
        external_url: url.as_deref(),
    };
    publish_work::change_target(&mut tx, &fence, job.claim.subject, &change).await?;
    jobs::settle(&mut tx, fence).await?;
    tx.commit().await?;
    context.changed(work.brand, Noun::PublishTarget, job.claim.subject);
    Ok(Done::Settled)
}

/// The handle will never become a post. When the network's own trouble was the reason, another
/// handle is prepared; when it judged the post, that is a refusal.
async fn dead(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    attempt: &Attempt,
    problem: Problem,
) -> Result<Stage, JobError> {
    if problem.remedy == Remedy::Wait {
        close(context, job, work, attempt, AttemptOutcome::Absent, &problem.code).await?;
        let (mut tx, fence) = context.fenced(&job.claim).await?;
        steps::forget_part(&mut tx, &fence, job.claim.subject, attempt.part).await?;
        tx.commit().await?;
        return Ok(Stage::Again);
    }
    close(context, job, work, attempt, AttemptOutcome::Refused, &problem.code).await?;
    settle::refused(context, job, work, attempt.part, problem).await
}

async fn close(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    attempt: &Attempt,
    outcome: AttemptOutcome,
    seen: &str,
) -> Result<(), JobError> {
    let conclusion = Conclusion { attempt: attempt.id, outcome, proof: Some(seen), remote_id: None };
    job.unfenced(attempts::conclude(&context.store, work.brand, &conclusion)).await?;
    job.progress.mark();
    Ok(())
}

fn ask_again(work: &Work<'_>, attempt: &Attempt) -> chrono::DateTime<chrono::Utc> {
    let undecided_for = work.facts.now - attempt.started_at;
    work.facts.now + (undecided_for / 6).clamp(ASK_AGAIN_MIN, ASK_AGAIN_MAX)
}
