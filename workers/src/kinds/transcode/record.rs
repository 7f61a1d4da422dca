//! What a run made, written down: files stored, rows and jobs settled, targets moved on.

use backplane::store::jobs::{self, Claim, Fence};
use backplane::store::transcode_work::{self, MadeFile, TranscodeRow};
use backplane::store::{part_work, rerun, targets};
use domain::conformance::violations;
use domain::engine::{OutputOutcome, OutputResult};
use domain::id::Noun;
use domain::media_info::MediaInfo;
use domain::problem::{Problem, Remedy};
use domain::profile::profile;
use uuid::Uuid;

use super::super::{Done, Job, JobError};
use super::Wanted;
use super::joined::Plan;
use crate::context::{Context, content_type};
use crate::failpoint::failpoint;
use crate::jail::Scratch;

/// Stores every verified file and settles every row, each under its own fence. Files whose parts are being made stay
/// as they are.
pub(super) async fn settle(
    context: &Context,
    job: &Job,
    wanted: &[Wanted],
    plan: &Plan<'_>,
    mut results: Vec<OutputResult>,
    scratch: &Scratch,
) -> Result<Done, JobError> {
    let mut made = Vec::new();
    let mut failed = Vec::new();
    for file in wanted.iter().filter(|file| !plan.waiting.contains(&file.row.id)) {
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
    let parts = rerun(|| record(context, job, wanted, &made, &failed)).await?;
    // What cannot be removed now, housekeeping removes within a day.
    if let Err(error) = context.blobs.delete(&parts).await {
        tracing::warn!(%error, "the parts of a joined file are left to housekeeping");
    }
    Ok(Done::Settled)
}

/// Settles every row under its own fence, in one transaction. Returns where parts lay that are not needed any more.
async fn record(
    context: &Context,
    job: &Job,
    wanted: &[Wanted],
    made: &[MadeFile],
    failed: &[(Uuid, Problem)],
) -> Result<Vec<String>, JobError> {
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
    let ended: Vec<Uuid> = made.iter().map(|file| file.id).chain(failed.iter().map(|(id, _)| *id)).collect();
    let parts = part_work::forget_parts(&mut tx, own, &ended).await?;
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
    Ok(parts)
}

/// Ends the jobs of files that nobody waits for any more; begins again when somebody does by now.
pub(super) async fn abandon(context: &Context, job: &Job, wanted: &[Wanted]) -> Result<Done, JobError> {
    let claims: Vec<Claim> = wanted.iter().map(|file| file.claim.clone()).collect();
    let abandoned = rerun(|| put_back(context, job, &claims)).await?;
    if !abandoned {
        super::give_back(context, job, wanted).await;
        return Ok(Done::SnoozeFor { wait: chrono::Duration::zero(), note: "wanted again".to_owned() });
    }
    context.leases.release(&claims);
    Ok(Done::Settled)
}

async fn put_back(context: &Context, job: &Job, claims: &[Claim]) -> Result<bool, JobError> {
    let brand = job.claim.brand;
    let mut tx = context.begin(brand).await?;
    let fences = jobs::fence_more(&mut tx, claims).await?;
    let held: Vec<Uuid> = fences.iter().map(Fence::subject).collect();
    let Some(own) = fences.iter().find(|fence| fence.subject() == job.claim.subject) else {
        return Err(JobError::Fenced);
    };
    if !transcode_work::transcodes_abandoned(&mut tx, own, &held).await? {
        return Ok(false);
    }
    for fence in fences {
        jobs::settle(&mut tx, fence).await?;
    }
    tx.commit().await?;
    context.changed_all(brand, Noun::TranscodedMedia, &held);
    Ok(true)
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
