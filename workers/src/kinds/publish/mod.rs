//! Publishes a target: once, on time, and with a record of what happened.
//!
//! A run asks `domain::publishing::next_step` what to do, does it, stores the result, and asks
//! again, until it has to wait or is at the end. It keeps nothing between two questions but what
//! is stored, so any worker can go on where another one died.

mod facts;
mod look_up;
mod prepare;
mod send;
mod settle;

use backplane::store::attempts::attempts_of;
use backplane::store::jobs::Fence;
use backplane::store::publish_work::{self, TargetChange};
use backplane::store::{StoreError, Tx};
use domain::problem::Problem;
use domain::publishing::{Attempt, Next, given_up, next_step};

use super::{Done, Job, JobError};
use crate::context::Context;

/// A post has at most this many steps: a thousand chunks, and some around them.
const ROUNDS_MAX: u32 = 1_100;

/// What a stage leads to.
enum Stage {
    /// Ask again: something was stored.
    Again,
    /// The run is over.
    Over(Done),
}

/// Takes a target as far as it goes now.
pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    for _ in 0..ROUNDS_MAX {
        if job.cancel.is_cancelled() {
            return Err(JobError::Fenced);
        }
        job.progress.mark();
        let Some(work) = facts::gather(context, job.claim.brand, job.claim.subject).await? else {
            return settle::gone(context, job).await;
        };
        if work.facts.state == "PUBLISHED" && work.facts.external_id.is_none() {
            return look_up::find_id(context, job, &work).await;
        }
        if settle::is_over(&work) {
            return settle::gone(context, job).await;
        }
        let stage = match next_step(&work.publication(), work.facts.now) {
            Next::Prepare(step) => prepare::run(context, job, &work, &step).await?,
            Next::Send { part } => send::run(context, job, &work, part).await?,
            Next::LookUp { attempt, absence_counts } => {
                look_up::run(context, job, &work, attempt, absence_counts).await?
            }
            Next::Wait { until, problem } => settle::wait(context, job, &work, until, problem).await?,
            Next::Finish(outcome) => settle::finish(context, job, &work, outcome).await?,
        };
        if let Stage::Over(done) = stage {
            return Ok(done);
        }
    }
    Err(JobError::Retry("the target did not come to an end".to_owned()))
}

/// The job ended badly. What may be live is never called failed: it is put before a person.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    let attempts = attempts_of(tx, &[fence.subject()]).await?;
    let attempts: Vec<Attempt> = attempts.into_iter().map(|row| row.attempt).collect();
    let (state, problem) = settle::state_of(given_up(&attempts, problem.clone()));
    let problem = problem.as_ref();
    let change = TargetChange { state, problem, retry_at: None, external_id: None, external_url: None };
    publish_work::change_target(tx, fence, fence.subject(), &change).await?;
    Ok(())
}
