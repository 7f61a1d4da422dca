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
use domain::engine::{OutputRequest, RunRequest};
use domain::operation::Operation;
use domain::problem::Problem;
use uuid::Uuid;

use super::together::Together;
use super::{Done, Job, JobError};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::jail::Scratch;
use engine::{Ended, Making};

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
    if !matches!(outcome, Ok(Done::Settled)) {
        together.give_back().await;
    }
    outcome
}

/// Makes what can be made now, and asks for the parts of what is too long to be made at one go. What nobody waits for
/// is put back: before anything is fetched, or as soon as it is noticed.
async fn make(
    context: &Context,
    job: &Job,
    facts: &TranscodeFacts,
    together: &Together<'_>,
) -> Result<Done, JobError> {
    let (wanted, mut unwanted) = begin(context, job, together.pick(&facts.rows, |row| row.id)).await?;
    let scratch = context.engine.scratch().map_err(JobError::retry)?;
    let plan = joined::sort(context, job, facts, &wanted).await?;
    let mut results = Vec::new();
    if plan.has_work() {
        let key = facts.object_key.as_deref().ok_or_else(|| JobError::broken("a source without a file"))?;
        context.download(key, &scratch.file(SOURCE)).await?;
        failpoint("tx.start");
    }
    if !plan.at_once.is_empty() {
        match encode(context, job, &plan.at_once, &scratch).await? {
            Ended::Answered(made) => results.extend(made),
            Ended::Unwanted => unwanted.extend(plan.at_once.iter().map(|file| file.row.id)),
        }
    }
    for file in &plan.joinable {
        match joined::join(context, job, file, &scratch).await? {
            Ended::Answered(made) => results.extend(made),
            Ended::Unwanted => unwanted.push(file.file.row.id),
        }
    }
    record::Run { context, job, together, scratch: &scratch }.settle(&wanted, &plan, results, &unwanted).await
}

/// Runs the engine over the source for all of `files`.
async fn encode(
    context: &Context,
    job: &Job,
    files: &[&Wanted],
    scratch: &Scratch,
) -> Result<Ended, JobError> {
    let outputs = files
        .iter()
        .map(|file| OutputRequest { name: file.row.id.to_string(), operation: file.operation.clone() })
        .collect();
    let ids: Vec<Uuid> = files.iter().map(|file| file.row.id).collect();
    let request = RunRequest::new(SOURCE, outputs);
    engine::make(context, job, scratch, request, Making::Files(&ids)).await
}

/// Marks those of `rows` that a target waits for as being made; the others come back apart.
async fn begin(
    context: &Context,
    job: &Job,
    rows: Vec<TranscodeRow>,
) -> Result<(Vec<Wanted>, Vec<Uuid>), JobError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let awaited = transcode_work::awaited(&mut tx, job.claim.brand, &ids).await?;
    transcode_work::transcodes_running(&mut tx, &fence, &awaited).await?;
    tx.commit().await?;
    let (wanted, unwanted): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| awaited.contains(&row.id));
    let read = |row: TranscodeRow| {
        let operation = serde_json::from_value(row.operation.clone()).map_err(JobError::broken)?;
        Ok(Wanted { row, operation })
    };
    let wanted = wanted.into_iter().map(read).collect::<Result<Vec<_>, JobError>>()?;
    Ok((wanted, unwanted.into_iter().map(|row| row.id).collect()))
}

/// The file cannot be made: those that wait for it are told.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    fail(tx, fence, &[(fence.subject(), problem.clone())]).await.map(drop)
}

/// Says of files that they cannot be made, and returns the targets that were told. The parts that are there stay for a
/// day: a person may try again.
pub(super) async fn fail(
    tx: &mut Tx,
    fence: &Fence,
    failed: &[(Uuid, Problem)],
) -> Result<Vec<Uuid>, StoreError> {
    if failed.is_empty() {
        return Ok(Vec::new());
    }
    let (brand, files) = (fence.brand(), failed.iter().map(|(file, _)| *file).collect::<Vec<_>>());
    let waiting = transcode_work::assets_waiting_for(tx, brand, &files).await?;
    targets::hold(tx, brand, &waiting).await?;
    for (file, problem) in failed {
        transcode_work::transcode_failed(tx, fence, *file, problem).await?;
    }
    let waiting = transcode_work::assets_waiting_for(tx, brand, &files).await?;
    targets::advance_targets(tx, brand, &waiting).await
}
