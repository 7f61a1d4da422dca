//! Makes files: one decode of a source, every encode that is wanted of it now.
//!
//! A claim takes the jobs of the other files that wait for the same source along, so that they
//! share the decode. Each keeps its own row, fence and outcome. What goes out as it is needs no job.
//! A long video is made in parts, which are jobs of their own (`part`); the last of them brings
//! the file back here to be joined.

pub(super) mod engine;
mod joined;
mod record;

use backplane::store::jobs::{self, Claim, Fence};
use backplane::store::transcode_work::{self, TranscodeFacts, TranscodeRow};
use backplane::store::{StoreError, Tx, part_work, targets};
use domain::engine::{OutputRequest, Request, RunRequest};
use domain::operation::Operation;
use domain::problem::Problem;
use uuid::Uuid;

use super::{Done, Job, JobError};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::jail::Scratch;
use engine::{Ended, Making};

pub(super) const SOURCE: &str = "source";

/// One file of the request: its row, its own fence, and where it will lie.
struct Wanted {
    claim: Claim,
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
    let wanted = claim_along(context, job, &facts).await?;
    let scratch = context.engine.scratch().map_err(JobError::retry)?;
    let outcome = make(context, job, &facts, &wanted, &scratch).await;
    // The siblings' leases are ours: whatever happened, none of them is left to expire.
    if outcome.is_err() {
        give_back(context, job, &wanted).await;
    }
    outcome
}

/// Makes what can be made now, and asks for the parts of what is too long to be made at one go.
async fn make(
    context: &Context,
    job: &Job,
    facts: &TranscodeFacts,
    wanted: &[Wanted],
    scratch: &Scratch,
) -> Result<Done, JobError> {
    let key = facts.object_key.as_deref().ok_or_else(|| JobError::broken("a source without a file"))?;
    let plan = joined::sort(context, job, facts, wanted).await?;
    if !plan.has_work() {
        return record::settle(context, job, wanted, &plan, Vec::new(), scratch).await;
    }
    context.download(key, &scratch.file(SOURCE)).await?;
    failpoint("tx.start");
    let mut results = Vec::new();
    if !plan.at_once.is_empty() {
        match encode(context, job, &plan.at_once, scratch).await? {
            Ended::Answered(made) => results.extend(made),
            Ended::Unwanted => return record::abandon(context, job, wanted).await,
        }
    }
    for file in &plan.joinable {
        match joined::join(context, job, file, scratch).await? {
            Ended::Answered(made) => results.extend(made),
            Ended::Unwanted => return record::abandon(context, job, wanted).await,
        }
    }
    record::settle(context, job, wanted, &plan, results, scratch).await
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

async fn claim_along(context: &Context, job: &Job, facts: &TranscodeFacts) -> Result<Vec<Wanted>, JobError> {
    let others: Vec<Uuid> =
        facts.rows.iter().map(|row| row.id).filter(|id| *id != job.claim.subject).collect();
    let mut claims = jobs::claim_more(&context.store, &job.claim, &others, context.holder).await?;
    context.leases.adopt(&claims, job);
    claims.push(job.claim.clone());
    let wanted = claims
        .into_iter()
        .filter_map(|claim| {
            let row = facts.rows.iter().find(|row| row.id == claim.subject)?.clone();
            Some((claim, row))
        })
        .map(|(claim, row)| {
            let operation = serde_json::from_value(row.operation.clone()).map_err(JobError::broken)?;
            Ok(Wanted { claim, row, operation })
        })
        .collect::<Result<Vec<_>, JobError>>()?;
    let ids: Vec<Uuid> = wanted.iter().map(|file| file.row.id).collect();
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    transcode_work::transcodes_running(&mut tx, &fence, &ids).await?;
    tx.commit().await?;
    Ok(wanted)
}

/// The run failed: the siblings go back untouched, so that each is tried again in its own right.
async fn give_back(context: &Context, job: &Job, wanted: &[Wanted]) {
    let siblings: Vec<Claim> = wanted
        .iter()
        .map(|file| file.claim.clone())
        .filter(|claim| claim.subject != job.claim.subject)
        .collect();
    release(context, job.claim.brand, &siblings).await;
}

/// Gives claimed jobs back as they were.
pub(super) async fn release(context: &Context, brand: Uuid, claims: &[Claim]) {
    let given_back = async {
        let mut tx = context.begin(brand).await?;
        for fence in jobs::fence_more(&mut tx, claims).await? {
            jobs::release(&mut tx, fence).await?;
        }
        tx.commit().await.map_err(JobError::from)
    };
    if let Err(error) = given_back.await {
        tracing::warn!(%error, "siblings were not given back; their leases will run out");
    }
    context.leases.release(claims);
}

/// The file cannot be made: those that wait for it are told.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    let waiting = transcode_work::assets_waiting_for(tx, fence.brand(), &[fence.subject()]).await?;
    targets::hold(tx, fence.brand(), &waiting).await?;
    transcode_work::transcode_failed(tx, fence, fence.subject(), problem).await?;
    part_work::forget_parts(tx, fence, &[fence.subject()]).await?;
    let waiting = transcode_work::assets_waiting_for(tx, fence.brand(), &[fence.subject()]).await?;
    targets::advance_targets(tx, fence.brand(), &waiting).await?;
    Ok(())
}
