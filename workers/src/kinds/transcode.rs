//! Makes files: one decode of a source, every encode that is wanted of it now.
//!
//! A claim takes the jobs of the other files that wait for the same source along, so that they
//! share the decode. Each keeps its own row, fence and outcome. What goes out as it is needs no job.

use std::time::Duration;

use backplane::store::jobs::{self, Claim, Fence};
use backplane::store::transcode_work::{self, MadeFile, TranscodeFacts, TranscodeRow};
use backplane::store::{StoreError, Tx, rerun, targets};
use domain::conformance::violations;
use domain::engine::{Event, OutputOutcome, OutputRequest, OutputResult, Request, RunRequest};
use domain::id::Noun;
use domain::media_info::MediaInfo;
use domain::operation::Operation;
use domain::problem::{Problem, Remedy};
use domain::profile::profile;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Done, Job, JobError};
use crate::context::{Context, content_type};
use crate::failpoint::failpoint;
use crate::jail::{EngineFailure, RunLimits, Scratch};

/// The longest that one request may take; the lease is renewed as long as frames move.
const TRANSCODE_TIME: Duration = Duration::from_secs(2 * 60 * 60);
/// Progress is written no more often than this.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);
const SOURCE: &str = "source";

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
    let outcome = match make(context, job, &facts, &wanted, &scratch).await {
        Ok(results) => finish(context, job, &wanted, &scratch, results).await,
        Err(error) => Err(error),
    };
    // The siblings' leases are ours: whatever happened, none of them is left to expire.
    if outcome.is_err() {
        give_back(context, job, &wanted).await;
    }
    outcome
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

/// Runs the engine over the source and returns what became of each output, by row id.
async fn make(
    context: &Context,
    job: &Job,
    facts: &TranscodeFacts,
    wanted: &[Wanted],
    scratch: &Scratch,
) -> Result<Vec<OutputResult>, JobError> {
    let outputs = wanted
        .iter()
        .map(|file| OutputRequest { name: file.row.id.to_string(), operation: file.operation.clone() })
        .collect();
    let key = facts.object_key.as_deref().ok_or_else(|| JobError::broken("a source without a file"))?;
    context.download(key, &scratch.file(SOURCE)).await?;
    failpoint("tx.start");
    let request = Request::Run(RunRequest::new(SOURCE, outputs));
    let limits = RunLimits { deadline: TRANSCODE_TIME, cancel: job.cancel.clone() };
    let mut results = Vec::new();
    let mut rejected = None;
    let (progress, shown) = tokio::sync::watch::channel(0.0_f64);
    let ids: Vec<Uuid> = wanted.iter().map(|file| file.row.id).collect();
    let engine = context.engine.run(scratch, &request, limits, |event| {
        job.progress.mark();
        match event {
            Event::Output(result) => results.push(result),
            Event::Rejected { problem } => rejected = Some(problem),
            Event::Progress { done } => {
                failpoint("tx.mid");
                progress.send_replace(done);
            }
            _ => {}
        }
    });
    let ended = tokio::select! {
        ended = engine => ended,
        () = show_progress(context, job.claim.brand, &ids, shown) => unreachable_progress(),
    };
    match ended {
        Ok(()) => match rejected {
            Some(problem) => Err(JobError::GiveUp(problem)),
            None => Ok(results),
        },
        Err(EngineFailure::Cancelled) => Err(JobError::Fenced),
        Err(failure @ EngineFailure::Start(_)) => Err(JobError::retry(failure)),
        Err(failure) => Err(JobError::Crashed(failure.to_string())),
    }
}

/// Showing progress ends only when its sender is gone, which the running engine holds.
fn unreachable_progress() -> Result<(), EngineFailure> {
    Err(EngineFailure::Cancelled)
}

async fn show_progress(
    context: &Context,
    brand: Uuid,
    ids: &[Uuid],
    mut shown: tokio::sync::watch::Receiver<f64>,
) {
    let mut next = Instant::now();
    while shown.changed().await.is_ok() {
        tokio::time::sleep_until(next).await;
        next = Instant::now() + PROGRESS_EVERY;
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
        let done = *shown.borrow_and_update() as f32;
        // Progress is a courtesy: a failed write is made good by the next one.
        let written = async {
            let mut tx = context.begin(brand).await?;
            transcode_work::transcodes_progress(&mut tx, brand, ids, done).await?;
            tx.commit().await.map_err(JobError::from)
        };
        if let Err(error) = written.await {
            tracing::debug!(%error, "progress was not written");
        }
        context.changed_all(brand, Noun::TranscodedMedia, ids);
    }
    std::future::pending().await
}

/// Stores every verified file and settles every row, each under its own fence.
async fn finish(
    context: &Context,
    job: &Job,
    wanted: &[Wanted],
    scratch: &Scratch,
    mut results: Vec<OutputResult>,
) -> Result<Done, JobError> {
    let mut made = Vec::new();
    let mut failed = Vec::new();
    for file in wanted {
        let name = file.row.id.to_string();
        let at = results.iter().position(|result| result.name == name);
        match at.map(|at| results.swap_remove(at).outcome) {
            Some(OutputOutcome::Made { info, sha256 }) => match unfit(&file.row, &info) {
                Some(problem) => failed.push((file.row.id, problem)),
                None => {
                    let content_type = content_type(&info.container);
                    let object_key = format!("{}/media/{}", job.claim.brand, Uuid::now_v7());
                    context.upload(&scratch.file(&name), &object_key, content_type).await?;
                    made.push(MadeFile {
                        id: file.row.id,
                        object_key,
                        content_type: content_type.to_owned(),
                        info: serde_json::to_value(&info).map_err(JobError::broken)?,
                        sha256: hex::decode(&sha256).map_err(JobError::broken)?,
                    });
                }
            },
            Some(OutputOutcome::Failed { problem }) => failed.push((file.row.id, problem)),
            None => return Err(JobError::Crashed("the engine left an output unanswered".to_owned())),
        }
    }
    failpoint("s3.completed_before_row");
    rerun(|| record(context, job, wanted, &made, &failed)).await
}

/// Settles every row under its own fence, in one transaction.
async fn record(
    context: &Context,
    job: &Job,
    wanted: &[Wanted],
    made: &[MadeFile],
    failed: &[(Uuid, Problem)],
) -> Result<Done, JobError> {
    let brand = job.claim.brand;
    let claims: Vec<Claim> = wanted.iter().map(|file| file.claim.clone()).collect();
    let mut tx = context.begin(brand).await?;
    let fences = jobs::fence_more(&mut tx, &claims).await?;
    let held: Vec<Uuid> = fences.iter().map(Fence::subject).collect();
    let Some(own) = fences.iter().find(|fence| fence.subject() == job.claim.subject) else {
        return Err(JobError::Fenced);
    };
    // Targets before files, as everybody locks them who advances targets.
    let waiting = transcode_work::assets_waiting_for(&mut tx, brand, &held).await?;
    targets::hold(&mut tx, brand, &waiting).await?;
    let made: Vec<MadeFile> = made.iter().filter(|file| held.contains(&file.id)).cloned().collect();
    transcode_work::transcodes_done(&mut tx, own, &made).await?;
    for (id, problem) in failed.iter().filter(|(id, _)| held.contains(id)) {
        transcode_work::transcode_failed(&mut tx, own, *id, problem).await?;
    }
    // Read again: a target that was tied to one of them meanwhile is seen now.
    let waiting = transcode_work::assets_waiting_for(&mut tx, brand, &held).await?;
    for fence in fences {
        jobs::settle(&mut tx, fence).await?;
    }
    let moved = targets::advance_targets(&mut tx, brand, &waiting).await?;
    tx.commit().await?;
    context.leases.release(&claims);
    context.changed_all(brand, Noun::TranscodedMedia, &held);
    context.changed_all(brand, Noun::PublishTarget, &moved);
    Ok(Done::Settled)
}

/// What the file lacks for a profile that it was made for. A file that does not do is never named.
fn unfit(row: &TranscodeRow, info: &MediaInfo) -> Option<Problem> {
    let violation = row
        .profiles
        .iter()
        .filter_map(|name| profile(name))
        .find_map(|profile| violations(info, profile).into_iter().next())?;
    tracing::error!(transcoded_id = %row.id, field = violation.field, reason = violation.reason, "the engine made a file that its profile refuses");
    Some(Problem::new(
        "media.not_conforming",
        format!("The file could not be made to fit. {} Try another export of it.", violation.reason),
        Remedy::ChangeMedia,
    ))
}

/// The run failed: the siblings go back untouched, so that each is tried again in its own right.
async fn give_back(context: &Context, job: &Job, wanted: &[Wanted]) {
    let siblings: Vec<Claim> = wanted
        .iter()
        .map(|file| file.claim.clone())
        .filter(|claim| claim.subject != job.claim.subject)
        .collect();
    let given_back = async {
        let mut tx = context.begin(job.claim.brand).await?;
        for fence in jobs::fence_more(&mut tx, &siblings).await? {
            jobs::release(&mut tx, fence).await?;
        }
        tx.commit().await.map_err(JobError::from)
    };
    if let Err(error) = given_back.await {
        tracing::warn!(%error, "siblings were not given back; their leases will run out");
    }
    context.leases.release(&siblings);
}

/// The file cannot be made: those that wait for it are told.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    let waiting = transcode_work::assets_waiting_for(tx, fence.brand(), &[fence.subject()]).await?;
    targets::hold(tx, fence.brand(), &waiting).await?;
    transcode_work::transcode_failed(tx, fence, fence.subject(), problem).await?;
    let waiting = transcode_work::assets_waiting_for(tx, fence.brand(), &[fence.subject()]).await?;
    targets::advance_targets(tx, fence.brand(), &waiting).await?;
    Ok(())
}
