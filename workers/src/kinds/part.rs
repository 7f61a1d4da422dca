//! Makes some of the frames of a long video: for every file of its source that is made in the same parts, with one
//! decode. Whoever makes the last part of a file has it joined.

use backplane::job_kind::JobKind;
use backplane::store::jobs::{self, Claim, Fence, NewJob};
use backplane::store::part_work::{self, PartFacts, PartToMake};
use backplane::store::{StoreError, Tx, rerun, targets, transcode_work};
use domain::engine::{OutputOutcome, OutputRequest, OutputResult, Request, RunRequest};
use domain::operation::{AudioOutput, Operation, VideoOutput};
use domain::problem::Problem;
use uuid::Uuid;

use super::transcode::SOURCE;
use super::transcode::engine::{self, Ended, Making};
use super::{Done, Job, JobError};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::jail::Scratch;

/// A part of the request and its fence.
struct Wanted {
    claim: Claim,
    row: PartToMake,
}

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let mut tx = context.begin(job.claim.brand).await?;
    let facts = part_work::part_facts(&mut tx, job.claim.brand, job.claim.subject).await?;
    tx.commit().await?;
    let Some(facts) = facts.filter(|facts| facts.rows.iter().any(|row| row.id == job.claim.subject)) else {
        return settle_nothing(context, std::slice::from_ref(&job.claim), job).await;
    };
    let wanted = claim_along(context, job, &facts).await?;
    let outcome = make(context, job, &facts, &wanted).await;
    if outcome.is_err() {
        give_back(context, job, &wanted).await;
    }
    outcome
}

async fn settle_nothing(context: &Context, claims: &[Claim], job: &Job) -> Result<Done, JobError> {
    let mut tx = context.begin(job.claim.brand).await?;
    for fence in jobs::fence_more(&mut tx, claims).await? {
        jobs::settle(&mut tx, fence).await?;
    }
    tx.commit().await?;
    context.leases.release(claims);
    Ok(Done::Settled)
}

async fn claim_along(context: &Context, job: &Job, facts: &PartFacts) -> Result<Vec<Wanted>, JobError> {
    let others: Vec<Uuid> =
        facts.rows.iter().map(|row| row.id).filter(|id| *id != job.claim.subject).collect();
    let mut claims = jobs::claim_more(&context.store, &job.claim, &others, context.holder).await?;
    context.leases.adopt(&claims, job);
    claims.push(job.claim.clone());
    let row = |claim: &Claim| facts.rows.iter().find(|row| row.id == claim.subject).cloned();
    Ok(claims.into_iter().filter_map(|claim| Some(Wanted { row: row(&claim)?, claim })).collect())
}

async fn make(context: &Context, job: &Job, facts: &PartFacts, wanted: &[Wanted]) -> Result<Done, JobError> {
    let scratch = context.engine.scratch().map_err(JobError::retry)?;
    let key = facts.object_key.as_deref().ok_or_else(|| JobError::broken("a source without a file"))?;
    context.download(key, &scratch.file(SOURCE)).await?;
    failpoint("part.start");
    let outputs = wanted.iter().map(|part| output(&part.row)).collect::<Result<Vec<_>, JobError>>()?;
    let operations = outputs.iter().map(|output| &output.operation);
    let overlays = engine::fetch_logos(context, job.claim.brand, &scratch, operations).await?;
    let ids: Vec<Uuid> = wanted.iter().map(|part| part.row.id).collect();
    let request =
        Request::Run(RunRequest { overlays, span: Some(facts.span), ..RunRequest::new(SOURCE, outputs) });
    match engine::ask(context, job, &scratch, &request, Making::Parts(&ids)).await? {
        Ended::Answered(results) => settle(context, job, wanted, &scratch, results).await,
        // Who wants the file again asks for its job, which asks for its parts.
        Ended::Unwanted => {
            let claims: Vec<Claim> = wanted.iter().map(|part| part.claim.clone()).collect();
            settle_nothing(context, &claims, job).await
        }
    }
}

/// The pictures of a file without its sound, which is added when the parts are joined.
fn output(part: &PartToMake) -> Result<OutputRequest, JobError> {
    let operation: Operation = serde_json::from_value(part.operation.clone()).map_err(JobError::broken)?;
    let Operation::Video(output) = operation else { return Err(JobError::broken("a part of no video")) };
    let operation = Operation::Video(VideoOutput { audio: AudioOutput::None, ..output });
    Ok(OutputRequest { name: part.id.to_string(), operation })
}

async fn settle(
    context: &Context,
    job: &Job,
    wanted: &[Wanted],
    scratch: &Scratch,
    results: Vec<OutputResult>,
) -> Result<Done, JobError> {
    let brand = job.claim.brand;
    let (mut made, mut failed) = (Vec::new(), Vec::new());
    for part in wanted {
        let name = part.row.id.to_string();
        match results.iter().find(|result| result.name == name).map(|result| &result.outcome) {
            Some(OutputOutcome::Made { .. }) => {
                let key = format!("{brand}/parts/{}", Uuid::now_v7());
                context.upload(&scratch.file(&name), &key, "video/mp4").await?;
                made.push((part.row.id, key));
            }
            Some(OutputOutcome::Failed { problem }) => failed.push((part.row.transcoded, problem.clone())),
            None => return Err(JobError::Crashed("the engine left a part unanswered".to_owned())),
        }
    }
    failpoint("part.stored");
    rerun(|| record(context, job, wanted, &made, &failed)).await
}

/// Settles every part under its own fence, in one transaction.
async fn record(
    context: &Context,
    job: &Job,
    wanted: &[Wanted],
    made: &[(Uuid, String)],
    failed: &[(Uuid, Problem)],
) -> Result<Done, JobError> {
    let brand = job.claim.brand;
    let claims: Vec<Claim> = wanted.iter().map(|part| part.claim.clone()).collect();
    let mut tx = context.begin(brand).await?;
    let fences = jobs::fence_more(&mut tx, &claims).await?;
    let held: Vec<Uuid> = fences.iter().map(Fence::subject).collect();
    let Some(own) = fences.iter().find(|fence| fence.subject() == job.claim.subject) else {
        return Err(JobError::Fenced);
    };
    let made: Vec<(Uuid, String)> = made.iter().filter(|(id, _)| held.contains(id)).cloned().collect();
    for (file, problem) in failed {
        fail(&mut tx, own, *file, problem).await?;
    }
    let complete = part_work::parts_done(&mut tx, own, &made).await?;
    let join = |file: &Uuid| NewJob::now(JobKind::Transcode, job.claim.lane, *file);
    jobs::enqueue(&mut tx, brand, &complete.iter().map(join).collect::<Vec<_>>()).await?;
    for fence in fences {
        jobs::settle(&mut tx, fence).await?;
    }
    tx.commit().await?;
    context.leases.release(&claims);
    Ok(Done::Settled)
}

/// The run failed: the siblings go back untouched, so that each is tried again in its own right.
async fn give_back(context: &Context, job: &Job, wanted: &[Wanted]) {
    let siblings: Vec<Claim> = wanted
        .iter()
        .map(|part| part.claim.clone())
        .filter(|claim| claim.subject != job.claim.subject)
        .collect();
    super::transcode::release(context, job.claim.brand, &siblings).await;
}

/// Without this part there is no file: those that wait for it are told.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    match part_work::file_of_part(tx, fence.brand(), fence.subject()).await? {
        Some(file) => fail(tx, fence, file, problem).await,
        None => Ok(()),
    }
}

async fn fail(tx: &mut Tx, fence: &Fence, file: Uuid, problem: &Problem) -> Result<(), StoreError> {
    let waiting = transcode_work::assets_waiting_for(tx, fence.brand(), &[file]).await?;
    targets::hold(tx, fence.brand(), &waiting).await?;
    transcode_work::transcode_failed(tx, fence, file, problem).await?;
    let waiting = transcode_work::assets_waiting_for(tx, fence.brand(), &[file]).await?;
    targets::advance_targets(tx, fence.brand(), &waiting).await?;
    Ok(())
}
