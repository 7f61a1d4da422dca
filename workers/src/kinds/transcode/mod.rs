//! Makes files: one decode of a source, every encode that is wanted of it now.
//!
//! A claim takes the jobs of the other files that wait for the same source along, so that they
//! share the decode. Each keeps its own row, fence and outcome. What goes out as it is needs no job.
//! A long video is made in parts, which are jobs of their own (`part`); the last of them brings
//! the file back here to be joined.

pub(super) mod engine;
mod joined;
mod record;

use backplane::store::jobs::{self, Fence};
use backplane::store::transcode_work::{self, TranscodeFacts, TranscodeRow};
use backplane::store::{StoreError, Tx, targets};
use domain::engine::{OutputRequest, Request, RunRequest};
use domain::operation::Operation;
use domain::problem::Problem;
use uuid::Uuid;

use super::together::Together;
use super::{Done, Job, JobError};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::jail::Scratch;
use engine::{Ended, Making};

pub(super) use record::wanted_again;

pub(super) const SOURCE: &str = "source";

/// One file of the request.
struct Wanted {
    row: TranscodeRow,
    operation: Operation,
}

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (brand, subject) = (job.claim.brand, job.claim.subject);
    let mut tx = context.begin(brand).await?;
    let facts = transcode_work::transcode_facts(&mut tx, brand, subject).await?;
    tx.commit().await?;
    let Some(facts) = facts.filter(|facts| facts.rows.iter().any(|row| row.id == subject)) else {
        let (mut tx, fence) = context.fenced(&job.claim).await?;
        jobs::settle(&mut tx, fence).await?;
        tx.commit().await?;
        return Ok(Done::Settled);
    };
    let together = Together::claim(context, job, facts.rows.iter().map(|row| row.id)).await?;
    let outcome = make(context, job, &facts, &together).await;
    // The siblings' leases are ours: whatever happened, none of them is left to expire.
    if !matches!(outcome, Ok(Done::Settled)) {
        together.give_back(context, job).await;
    }
    outcome
}

/// Makes what can be made now, and asks for the parts of what is too long to be made at one go.
async fn make(
    context: &Context,
    job: &Job,
    facts: &TranscodeFacts,
    together: &Together,
) -> Result<Done, JobError> {
    let wanted = begin(context, job, facts, together).await?;
    let scratch = context.engine.scratch().map_err(JobError::retry)?;
    let run = record::Run { context, job, together, scratch: &scratch };
    let key = facts.object_key.as_deref().ok_or_else(|| JobError::broken("a source without a file"))?;
    let plan = joined::sort(context, job, facts, &wanted).await?;
    if !plan.has_work() {
        return run.settle(&wanted, &plan, Vec::new()).await;
    }
    context.download(key, &scratch.file(SOURCE)).await?;
    failpoint("tx.start");
    let mut results = Vec::new();
    if !plan.at_once.is_empty() {
        match encode(context, job, &plan.at_once, &scratch).await? {
            Ended::Answered(made) => results.extend(made),
            Ended::Unwanted => return run.abandon().await,
        }
    }
    for file in &plan.joinable {
        match joined::join(context, job, file, &scratch).await? {
            Ended::Answered(made) => results.extend(made),
            Ended::Unwanted => return run.abandon().await,
        }
    }
    run.settle(&wanted, &plan, results).await
}

/// Runs the engine over the source for all of `files`.
async fn encode(
    context: &Context,
    job: &Job,
    files: &[&Wanted],
    scratch: &Scratch,
) -> Result<Ended, JobError> {
    let overlays =
        engine::fetch_logos(context, job.claim.brand, scratch, files.iter().map(|file| &file.operation))
            .await?;
    let outputs = files
        .iter()
        .map(|file| OutputRequest { name: file.row.id.to_string(), operation: file.operation.clone() })
        .collect();
    let ids: Vec<Uuid> = files.iter().map(|file| file.row.id).collect();
    let request = Request::Run(RunRequest { overlays, ..RunRequest::new(SOURCE, outputs) });
    engine::ask(context, job, scratch, &request, Making::Files(&ids)).await
}

/// Marks what was claimed as being made.
async fn begin(
    context: &Context,
    job: &Job,
    facts: &TranscodeFacts,
    together: &Together,
) -> Result<Vec<Wanted>, JobError> {
    let read = |row: TranscodeRow| {
        let operation = serde_json::from_value(row.operation.clone()).map_err(JobError::broken)?;
        Ok(Wanted { row, operation })
    };
    let rows = together.pick(&facts.rows, |row| row.id).into_iter();
    let wanted = rows.map(read).collect::<Result<Vec<_>, JobError>>()?;
    let ids: Vec<Uuid> = wanted.iter().map(|file| file.row.id).collect();
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    transcode_work::transcodes_running(&mut tx, &fence, &ids).await?;
    tx.commit().await?;
    Ok(wanted)
}

/// The file cannot be made: those that wait for it are told.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    fail(tx, fence, fence.subject(), problem).await
}

/// Says of one file that it cannot be made, and tells those that wait for it. The parts that are there stay for a day:
/// a person may try again.
pub(super) async fn fail(
    tx: &mut Tx,
    fence: &Fence,
    file: Uuid,
    problem: &Problem,
) -> Result<(), StoreError> {
    let waiting = transcode_work::assets_waiting_for(tx, fence.brand(), &[file]).await?;
    targets::hold(tx, fence.brand(), &waiting).await?;
    transcode_work::transcode_failed(tx, fence, file, problem).await?;
    let waiting = transcode_work::assets_waiting_for(tx, fence.brand(), &[file]).await?;
    targets::advance_targets(tx, fence.brand(), &waiting).await?;
    Ok(())
}
