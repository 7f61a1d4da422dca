//! One repeatable step at the network: done, or begun and gone on with later.

use backplane::store::steps::{self, StoredStep};
use connectors::{ErrorKind, Prepared};
use domain::publishing::{Step, StepPlan};

use super::facts::Work;
use super::{Stage, settle};
use crate::accounts;
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::kinds::{Done, Job, JobError};

pub(super) async fn run(
    context: &Context,
    job: &Job,
    work: &Work<'_>,
    step: &StepPlan,
) -> Result<Stage, JobError> {
    let begun = work.begun.iter().find(|begun| {
        begun.part == step.part && begun.name == step.name && begun.input_hash == step.input_hash
    });
    failpoint("prep.before");
    let prepared = work.connector.prepare(&work.session, &work.post, step, &work.done, begun).await;
    failpoint("prep.created_before_store");
    match prepared {
        Ok(Prepared::Done(done)) => {
            store(context, job, &done, true).await?;
            failpoint("prep.stored");
            Ok(Stage::Again)
        }
        Ok(Prepared::NotYet { poll_at, step }) => {
            if let Some(step) = step {
                store(context, job, &step, false).await?;
            }
            let note = "the network is working on it".to_owned();
            Ok(Stage::Over(Done::Snooze { until: poll_at, note }))
        }
        Err(error) => match error.kind {
            ErrorKind::StepExpired => {
                let (mut tx, fence) = context.fenced(&job.claim).await?;
                steps::forget_part(&mut tx, &fence, job.claim.subject, step.part).await?;
                tx.commit().await?;
                Err(JobError::Retry("a prepared step had expired".to_owned()))
            }
            ErrorKind::Permanent(problem) => settle::fail(context, job, work, problem).await,
            ErrorKind::Throttled(until) => settle::throttled(context, job, work, until).await,
            ErrorKind::Reauthorize(problem) => settle::reconnect(context, job, work, problem).await,
            ErrorKind::TokenExpired => {
                Ok(Stage::Over(accounts::refresh_first(context, job, work.facts.account_id).await?))
            }
            ErrorKind::Transient(note) => Err(JobError::Retry(note)),
        },
    }
}

async fn store(context: &Context, job: &Job, step: &Step, done: bool) -> Result<(), JobError> {
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let stored = StoredStep { step: step.clone(), done };
    steps::save_step(&mut tx, &fence, job.claim.subject, &stored).await?;
    tx.commit().await?;
    Ok(())
}
