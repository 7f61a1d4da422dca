//! What a target becomes: one transaction each, the fence first, evidence before it.

use backplane::store::attempts::{self, Conclusion};
use backplane::store::jobs::{self, Fence};
use backplane::store::publish_work::{self, CLAIMED_TWICE, TargetChange};
use backplane::store::{Tx, accounts_work, rerun};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use domain::problem::{Problem, Remedy};
use domain::publishing::{Attempt, AttemptOutcome, Outcome, Proof};

use super::facts::Work;
use super::{Stage, look_up};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::kinds::{Done, Job, JobError};

/// The post exists. Its attempt ends whatever the epoch; the target follows when the job is ours, and when this
/// was the last part, the job ends with it.
pub(super) async fn created(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    attempt: &Attempt,
    proof: &Proof,
) -> Result<Stage, JobError> {
    let conclusion = Conclusion {
        attempt: attempt.id,
        outcome: AttemptOutcome::Created,
        proof: Some(&proof.seen),
        remote_id: proof.remote_id.as_deref(),
    };
    let followed = job.unfenced(async {
        let both = rerun(|| conclude_and_follow(context, job, work, attempt, proof, &conclusion)).await;
        if let Err(error) = &both {
            // The evidence without what follows from it, which the next look makes good.
            tracing::warn!(%error, "the target does not follow its post yet");
            attempts::conclude(&context.store, work.brand, &conclusion).await?;
        }
        Ok::<_, JobError>(both.unwrap_or(Some(Followed::Open)))
    });
    let followed = followed.await?;
    failpoint("send.committed");
    context.changed(work.brand, Noun::PublishTarget, job.claim.subject);
    let followed = followed.ok_or(JobError::Fenced)?;
    if let Followed::End(state) = followed {
        context.metrics.target_ended(work.platform, state);
        return Ok(Stage::Over(Done::Settled));
    }
    Ok(Stage::Again)
}

/// Both in one transaction; `None`: the job is somebody else's, who goes on from the evidence.
async fn conclude_and_follow(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    attempt: &Attempt,
    proof: &Proof,
    conclusion: &Conclusion<'_>,
) -> Result<Option<Followed>, JobError> {
    let mut tx = context.begin(work.brand).await?;
    // The job before what it writes, as everybody locks them. Without it the evidence counts all the same.
    let fence = jobs::fence_more(&mut tx, std::slice::from_ref(&job.claim)).await?.pop();
    let recorded = attempts::conclude_in(&mut tx, conclusion).await?;
    let followed = match fence {
        // An attempt that a person closed before is not an end to go by: it is looked at again.
        Some(fence) if recorded && is_whole(work, attempt.part, proof) => {
            Some(end(&mut tx, fence, work, attempt.part, proof).await?)
        }
        Some(fence) => Some(follow(&mut tx, fence, work, attempt.part, proof).await?),
        None => None,
    };
    tx.commit().await?;
    Ok(followed)
}

/// Where a target is after one of its parts was made.
enum Followed {
    Open,
    /// At its end, in this state.
    End(&'static str),
}

/// With this part every part is made, and the post's id is known.
fn is_whole(work: &Work<'_>, part: u16, proof: &Proof) -> bool {
    let parts = work.connector.parts(&work.post);
    let id_known = work.facts.external_id.is_some() || part == 0 && proof.remote_id.is_some();
    id_known && (0..parts).all(|one| one == part || work.is_created(one))
}

/// The target is published, and its job is done.
async fn end(
    tx: &mut Tx,
    fence: Fence,
    work: &Work<'_>,
    part: u16,
    proof: &Proof,
) -> Result<Followed, JobError> {
    let change = TargetChange {
        state: "PUBLISHED",
        problem: None,
        retry_at: None,
        external_id: proof.remote_id.as_deref().filter(|_| part == 0),
        external_url: proof.url.as_deref().filter(|_| part == 0),
    };
    let own = publish_work::change_target(tx, &fence, work.facts.target_id, &change).await?;
    jobs::settle(tx, fence).await?;
    Ok(Followed::End(if own { change.state } else { "NEEDS_ATTENTION" }))
}

/// Part 0 gives the target its id and address. Nothing replies to a post that may be another target's: then a person
/// is asked first.
async fn follow(
    tx: &mut Tx,
    fence: Fence,
    work: &Work<'_>,
    part: u16,
    proof: &Proof,
) -> Result<Followed, JobError> {
    if part == 0 {
        let change = TargetChange {
            state: "PUBLISHING",
            problem: None,
            retry_at: None,
            external_id: proof.remote_id.as_deref(),
            external_url: proof.url.as_deref(),
        };
        if !publish_work::change_target(tx, &fence, work.facts.target_id, &change).await? {
            jobs::settle(tx, fence).await?;
            return Ok(Followed::End("NEEDS_ATTENTION"));
        }
    }
    Ok(Followed::Open)
}

/// A part was refused for good: part 0 decides about the target, the others are missing replies.
pub(super) async fn refused(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    part: u16,
    problem: Problem,
) -> Result<Stage, JobError> {
    let outcome =
        if part == 0 { Outcome::Failed(problem) } else { Outcome::Published { problem: Some(problem) } };
    finish(context, job, work, outcome).await
}

/// Nothing was sent and nothing will be.
pub(super) async fn fail(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    problem: Problem,
) -> Result<Stage, JobError> {
    let outcome = if work.is_created(0) {
        Outcome::Published { problem: Some(problem) }
    } else {
        Outcome::Failed(problem)
    };
    finish(context, job, work, outcome).await
}

/// The end of the target's job, or its hand-over to a person.
pub(super) async fn finish(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    outcome: Outcome,
) -> Result<Stage, JobError> {
    let (state, problem) = state_of(outcome);
    // The network's answer to part 0, when its evidence was written without the target.
    let external_id = work.sent_id().filter(|_| state == "PUBLISHED" && work.facts.external_id.is_none());
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let change =
        TargetChange { state, problem: problem.as_ref(), retry_at: None, external_id, external_url: None };
    let own = publish_work::change_target(&mut tx, &fence, job.claim.subject, &change).await?;
    let state = if own { state } else { "NEEDS_ATTENTION" };
    let id_may_follow = state == "PUBLISHED" && work.facts.external_id.is_none() && external_id.is_none();
    if !id_may_follow {
        jobs::settle(&mut tx, fence).await?;
    }
    tx.commit().await?;
    context.metrics.target_ended(work.platform, state);
    context.changed(work.brand, Noun::PublishTarget, job.claim.subject);
    if id_may_follow {
        let until = work.facts.now + look_up::ID_AGAIN;
        return Ok(Stage::Over(Done::Snooze { until, note: "looks for the id of the post".to_owned() }));
    }
    Ok(Stage::Over(Done::Settled))
}

/// An outcome as the target's row says it.
pub(super) fn state_of(outcome: Outcome) -> (&'static str, Option<Problem>) {
    match outcome {
        Outcome::Published { problem } => ("PUBLISHED", problem),
        Outcome::Failed(problem) => ("FAILED", Some(problem)),
        Outcome::Cancelled => ("CANCELLED", None),
        Outcome::NeedsAttention(problem) => ("NEEDS_ATTENTION", Some(problem)),
    }
}

/// Nothing may leave before `until`. What was begun and proved not sent is scheduled again.
pub(super) async fn wait(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    until: DateTime<Utc>,
    problem: Option<Problem>,
) -> Result<Stage, JobError> {
    let note =
        problem.as_ref().map_or_else(|| "waits for its time".to_owned(), |problem| problem.code.clone());
    let state = if work.is_created(0) { "PUBLISHING" } else { "SCHEDULED" };
    let changed = state != work.facts.state || problem.is_some() || work.facts.problem_code.is_some();
    if changed {
        let (mut tx, fence) = context.fenced(&job.claim).await?;
        let change = TargetChange {
            state,
            problem: problem.as_ref(),
            retry_at: problem.as_ref().filter(|p| p.remedy == Remedy::Wait).map(|_| until),
            external_id: None,
            external_url: None,
        };
        publish_work::change_target(&mut tx, &fence, job.claim.subject, &change).await?;
        tx.commit().await?;
        context.changed(work.brand, Noun::PublishTarget, job.claim.subject);
    }
    Ok(Stage::Over(Done::Snooze { until, note }))
}

/// The network wants fewer calls.
pub(super) async fn throttled(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    until: DateTime<Utc>,
) -> Result<Stage, JobError> {
    let problem = Problem::new(
        format!("{}.throttled", work.platform),
        format!("{} wants fewer calls for now. It goes on by itself.", work.platform.display_name()),
        Remedy::Wait,
    );
    wait(context, job, work, until, Some(problem)).await
}

/// The network says that the token is dead: the account waits for a person, and its targets for it.
pub(super) async fn reconnect(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    problem: Problem,
) -> Result<Stage, JobError> {
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    accounts_work::needs_reconnect(&mut tx, &fence, work.facts.account_id, &problem).await?;
    tx.commit().await?;
    context.changed(work.brand, Noun::SocialAccount, work.facts.account_id);
    let until = work.facts.now + chrono::Duration::minutes(5);
    wait(context, job, work, until, Some(problem)).await
}

/// The network has the post and works on it: no cause for alarm, the attempt stays open.
pub(super) async fn pending(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    at: DateTime<Utc>,
) -> Result<Stage, JobError> {
    tracing::debug!(target_id = %job.claim.subject, platform = %work.platform, "the network works on the post");
    context.changed(work.brand, Noun::PublishTarget, job.claim.subject);
    Ok(Stage::Over(Done::Snooze { until: at, note: "the network works on the post".to_owned() }))
}

/// The outcome is not known yet: it is looked up, never sent again blindly.
pub(super) async fn unconfirmed(
    context: &Context,
    job: &Job,
    until: DateTime<Utc>,
) -> Result<Stage, JobError> {
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let problem = Problem::new(
        "publish.unconfirmed",
        "The post was handed to the network and its answer is not known yet. It is being looked up, and not sent again.",
        Remedy::Wait,
    );
    let change = TargetChange {
        state: "UNCONFIRMED",
        problem: Some(&problem),
        retry_at: Some(until),
        external_id: None,
        external_url: None,
    };
    publish_work::change_target(&mut tx, &fence, job.claim.subject, &change).await?;
    tx.commit().await?;
    context.changed(job.claim.brand, Noun::PublishTarget, job.claim.subject);
    Ok(Stage::Over(Done::Snooze { until, note: "the outcome is being looked up".to_owned() }))
}

/// The target is at its end already, or does not exist: the job has nothing to do.
pub(super) async fn gone(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    jobs::settle(&mut tx, fence).await?;
    tx.commit().await?;
    Ok(Done::Settled)
}

/// In a state that no publish job acts upon.
pub(super) fn is_over(work: &Work<'_>) -> bool {
    let undecided = work.attempts.iter().any(|attempt| attempt.outcome.is_none());
    match work.facts.state.as_str() {
        "SCHEDULED" | "PUBLISHING" | "UNCONFIRMED" => false,
        // A person is asked. Evidence that arrived since is still acted upon, but none tells whose a post is.
        "NEEDS_ATTENTION" => !work.is_created(0) || work.facts.problem_code.as_deref() == Some(CLAIMED_TWICE),
        "CANCELLED" => !undecided,
        _ => true,
    }
}

/// What a person is asked when nothing can tell.
pub(super) fn outcome_unknown() -> Problem {
    Problem::new(
        "publish.outcome_unknown",
        "The post was handed to the network and the answer was lost. Look there and say whether it is live, so that it is never posted twice.",
        Remedy::Resolve,
    )
}
