//! Looks into a file in the jail: READY with facts, or REJECTED with a reason.

use std::time::Duration;

use backplane::store::asset_work::{self, ProbeFacts, ProbeResult};
use backplane::store::jobs::{self, Fence};
use backplane::store::{StoreError, Tx, rerun, targets};
use domain::engine::{Event, InputLimits, ProbeRequest, Probed, Request};
use domain::id::Noun;
use domain::platform::MediaKind;
use domain::problem::{Problem, Remedy};
use uuid::Uuid;

use super::{Done, Job, JobError};
use crate::context::{Context, content_type};
use crate::failpoint::failpoint;
use crate::jail::{EngineFailure, RunLimits, Scratch};

/// A probe reads the index and a few frames; hashing 4 GiB takes the most of it.
const PROBE_TIME: Duration = Duration::from_secs(120);
const SOURCE: &str = "source";
const THUMBNAIL: &str = "thumbnail.jpg";

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (brand, asset) = (job.claim.brand, job.claim.subject);
    let mut tx = context.begin(brand).await?;
    let facts = asset_work::probe_facts(&mut tx, brand, asset).await?;
    tx.commit().await?;
    let Some(facts) = facts.filter(|facts| facts.state == "PROBING") else {
        return settle_nothing(context, job).await;
    };
    let key = facts
        .object_key
        .clone()
        .ok_or_else(|| JobError::broken("an asset is probed before it has a file"))?;
    let scratch = context.engine.scratch().map_err(JobError::retry)?;
    context.download(&key, &scratch.file(SOURCE)).await?;
    job.progress.mark();

    match probe(context, job, &scratch).await?.and_then(|probed| check_declared(&facts, probed)) {
        Ok(probed) => accept(context, job, &scratch, probed).await,
        Err(problem) => reject(context, job, &problem).await,
    }
}

async fn settle_nothing(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    jobs::settle(&mut tx, fence).await?;
    tx.commit().await?;
    Ok(Done::Settled)
}

/// Asks the jailed engine. The inner error is what is wrong with the file.
async fn probe(context: &Context, job: &Job, scratch: &Scratch) -> Result<Result<Probed, Problem>, JobError> {
    let request = Request::Probe(ProbeRequest {
        source: SOURCE.to_owned(),
        thumbnail: THUMBNAIL.to_owned(),
        limits: InputLimits::default(),
    });
    let limits = RunLimits { deadline: PROBE_TIME, cancel: job.cancel.clone() };
    let mut answer = None;
    let ended = context
        .engine
        .run(scratch, &request, limits, |event| match event {
            Event::Probed(probed) => answer = Some(Ok(probed)),
            Event::Rejected { problem } => answer = Some(Err(problem)),
            _ => job.progress.mark(),
        })
        .await;
    match (ended, answer) {
        (Ok(()), Some(answer)) => Ok(answer),
        (Ok(()), None) => Err(JobError::Crashed("the engine gave no answer".to_owned())),
        (Err(EngineFailure::Cancelled), _) => Err(JobError::Fenced),
        (Err(failure @ EngineFailure::Start(_)), _) => Err(JobError::retry(failure)),
        (Err(failure), _) => Err(JobError::Crashed(failure.to_string())),
    }
}

/// The file has to be the one that was announced.
fn check_declared(facts: &ProbeFacts, probed: Probed) -> Result<Probed, Problem> {
    let changed =
        facts.declared_sha256.as_ref().is_some_and(|declared| hex::encode(declared) != probed.sha256);
    if changed {
        return Err(Problem::new(
            "media.changed_while_uploading",
            "The file is not the one that was announced: it changed while it was uploaded. Upload it again.",
            Remedy::ChangeMedia,
        ));
    }
    let declared = facts.upload_content_type.as_deref().unwrap_or_default();
    let (declared_kind, _) = declared.split_once('/').unwrap_or((declared, ""));
    let actual_kind = probed.info.kind.as_str();
    // What browsers call an image, and we a video, may move.
    let animated =
        declared_kind == "image" && matches!(probed.info.container.as_str(), "gif" | "png" | "webp");
    if matches!(declared_kind, "image" | "video") && declared_kind != actual_kind && !animated {
        return Err(Problem::new(
            "media.other_type",
            format!(
                "The file was announced as {} and is {}. Upload it with its right type.",
                with_article(declared_kind),
                with_article(actual_kind)
            ),
            Remedy::ChangeMedia,
        ));
    }
    Ok(probed)
}

fn with_article(kind: &str) -> &'static str {
    if kind == "image" { "an image" } else { "a video" }
}

async fn accept(context: &Context, job: &Job, scratch: &Scratch, probed: Probed) -> Result<Done, JobError> {
    let brand = job.claim.brand;
    let thumbnail_key = match probed.thumbnail {
        Some(_) => {
            let key = format!("{brand}/thumbnails/{}.jpg", Uuid::now_v7());
            context.upload(&scratch.file(THUMBNAIL), &key, "image/jpeg").await?;
            Some(key)
        }
        None => None,
    };
    failpoint("probe.done");
    let result = ProbeResult {
        kind: match probed.info.kind {
            MediaKind::Image => "IMAGE",
            MediaKind::Video | MediaKind::Carousel => "VIDEO",
        },
        bytes: i64::try_from(probed.info.bytes).map_err(JobError::broken)?,
        content_type: content_type(&probed.info.container),
        info: serde_json::to_value(&probed.info).map_err(JobError::broken)?,
        sha256: hex::decode(&probed.sha256).map_err(JobError::broken)?,
        thumbnail_key,
        placeholder: probed.placeholder,
    };
    let (moved, targets) = rerun(|| record(context, job, &result)).await?;
    context.changed_all(brand, Noun::MediaAsset, &moved);
    context.changed_all(brand, Noun::PublishTarget, &targets);
    Ok(Done::Settled)
}

/// Makes the asset READY and lets the targets that waited for it go on. Returns what changed: assets and targets.
async fn record(
    context: &Context,
    job: &Job,
    result: &ProbeResult,
) -> Result<(Vec<Uuid>, Vec<Uuid>), JobError> {
    let (brand, asset) = (job.claim.brand, job.claim.subject);
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let moved = asset_work::asset_ready(&mut tx, &fence, asset, result).await?;
    jobs::settle(&mut tx, fence).await?;
    let targets = targets::advance_targets(&mut tx, brand, &moved).await?;
    tx.commit().await?;
    Ok((moved, targets))
}

async fn reject(context: &Context, job: &Job, problem: &Problem) -> Result<Done, JobError> {
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    refuse(&mut tx, &fence, problem).await?;
    jobs::settle(&mut tx, fence).await?;
    tx.commit().await?;
    context.changed(job.claim.brand, Noun::MediaAsset, job.claim.subject);
    Ok(Done::Settled)
}

async fn refuse(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    let moved = asset_work::asset_rejected(tx, fence, fence.subject(), problem).await?;
    targets::advance_targets(tx, fence.brand(), &moved).await?;
    Ok(())
}

/// The file could not be looked into at all.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    refuse(tx, fence, problem).await
}
