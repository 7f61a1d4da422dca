//! One run of the engine for files or parts of files: fed, watched, and stopped when nobody wants them any more.

use std::collections::BTreeSet;
use std::time::Duration;

use backplane::store::{part_work, transcode_work};
use domain::engine::{Event, OutputOutcome, OutputRequest, OutputResult, Overlay, Request, RunRequest};
use domain::operation::{Operation, Watermark};
use domain::problem::{Problem, Remedy};
use tokio::sync::watch;
use uuid::Uuid;

use super::super::{Job, JobError};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::jail::{EngineFailure, RunLimits, Scratch};

/// The longest that one request may take; the lease is renewed as long as frames move.
const TRANSCODE_TIME: Duration = Duration::from_secs(2 * 60 * 60);
/// Progress is written, and asked whether the files are still wanted, this often: those who watch hear of it twice a
/// second, also where a write takes its time beside encoders that use every core.
const PROGRESS_EVERY: Duration = Duration::from_millis(300);

/// What is being made, as watchers see it.
#[derive(Clone, Copy, Debug)]
pub(in crate::kinds) enum Making<'a> {
    /// Rows in `transcoded_media`.
    Files(&'a [Uuid]),
    /// Rows in `transcode_parts`.
    Parts(&'a [Uuid]),
}

/// How a run ended well.
#[derive(Debug)]
pub(in crate::kinds) enum Ended {
    /// What became of each output.
    Answered(Vec<OutputResult>),
    /// It was stopped: nobody waits for any of it.
    Unwanted,
}

/// Asks the engine, showing how far it is.
pub(in crate::kinds) async fn ask(
    context: &Context,
    job: &Job,
    scratch: &Scratch,
    request: &Request,
    making: Making<'_>,
) -> Result<Ended, JobError> {
    let mut results = Vec::new();
    let mut rejected = None;
    let (progress, shown) = watch::channel(0.0_f64);
    let limits = RunLimits { deadline: TRANSCODE_TIME, cancel: job.cancel.clone() };
    let engine = context.engine.run(scratch, request, limits, |event| {
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
    // Dropped with the engine in it, the run kills its child.
    let ended = tokio::select! {
        ended = engine => ended,
        () = until_unwanted(context, job.claim.brand, making, shown) => return Ok(Ended::Unwanted),
    };
    match ended {
        Ok(()) => match rejected {
            Some(problem) => Err(JobError::GiveUp(problem)),
            None => Ok(Ended::Answered(results)),
        },
        Err(EngineFailure::Cancelled) => Err(JobError::Fenced),
        Err(failure @ EngineFailure::Start(_)) => Err(JobError::retry(failure)),
        Err(failure) => Err(JobError::Crashed(failure.to_string())),
    }
}

/// Shows progress, and returns when no target waits for what is being made.
async fn until_unwanted(context: &Context, brand: Uuid, making: Making<'_>, shown: watch::Receiver<f64>) {
    let mut turn = tokio::time::interval(PROGRESS_EVERY);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1")]
        let done = *shown.borrow() as f32;
        match show(context, brand, making, done).await {
            Ok(true) => {}
            Ok(false) => return,
            // Progress is a courtesy: a failed write is made good by the next one.
            Err(error) => tracing::debug!(%error, "progress was not written"),
        }
    }
}

async fn show(context: &Context, brand: Uuid, making: Making<'_>, done: f32) -> Result<bool, JobError> {
    let mut tx = context.begin(brand).await?;
    let files = match making {
        Making::Files(ids) => {
            transcode_work::transcodes_progress(&mut tx, brand, ids, done).await?;
            ids.to_vec()
        }
        Making::Parts(ids) => part_work::parts_progress(&mut tx, brand, ids, done).await?,
    };
    let watched = transcode_work::watched(&mut tx, brand, &files).await?;
    tx.commit().await?;
    context.files_changed(brand, &watched);
    Ok(!watched.targets.is_empty())
}

/// Has the outputs of a request made, with the logos that they draw. Those whose logo is gone fail by themselves.
pub(in crate::kinds) async fn make(
    context: &Context,
    job: &Job,
    scratch: &Scratch,
    request: RunRequest,
    making: Making<'_>,
) -> Result<Ended, JobError> {
    let overlays = fetch_logos(context, job.claim.brand, scratch, &request.outputs).await?;
    let has_logo = |output: &OutputRequest| {
        logo(&output.operation)
            .is_none_or(|logo| overlays.iter().any(|overlay| overlay.sha256 == logo.sha256))
    };
    let (outputs, without): (Vec<_>, Vec<_>) = request.outputs.into_iter().partition(has_logo);
    let mut results: Vec<OutputResult> = without.into_iter().map(logo_gone).collect();
    if !outputs.is_empty() {
        let request = Request::Run(RunRequest { overlays, outputs, ..request });
        match ask(context, job, scratch, &request, making).await? {
            Ended::Answered(made) => results.extend(made),
            Ended::Unwanted => return Ok(Ended::Unwanted),
        }
    }
    Ok(Ended::Answered(results))
}

fn logo_gone(output: OutputRequest) -> OutputResult {
    let problem = Problem::new(
        "media.logo_gone",
        "The brand's logo was deleted. Choose another logo, or none, and try again.",
        Remedy::Retry,
    );
    OutputResult { name: output.name, outcome: OutputOutcome::Failed { problem } }
}

/// Puts the logos that `outputs` draw into `scratch`, as far as an asset still has that content.
async fn fetch_logos(
    context: &Context,
    brand: Uuid,
    scratch: &Scratch,
    outputs: &[OutputRequest],
) -> Result<Vec<Overlay>, JobError> {
    let hashes: BTreeSet<&str> =
        outputs.iter().filter_map(|output| Some(logo(&output.operation)?.sha256.as_str())).collect();
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let contents = hashes.iter().map(hex::decode).collect::<Result<Vec<_>, _>>().map_err(JobError::broken)?;
    let mut tx = context.begin(brand).await?;
    let files = transcode_work::files_of_contents(&mut tx, brand, &contents).await?;
    tx.commit().await?;
    let mut overlays = Vec::new();
    for (hash, key) in files {
        let sha256 = hex::encode(hash);
        let name = format!("logo-{sha256}");
        context.download(&key, &scratch.file(&name)).await?;
        overlays.push(Overlay { sha256, name });
    }
    Ok(overlays)
}

fn logo(operation: &Operation) -> Option<&Watermark> {
    match operation {
        Operation::Video(output) => output.video.as_ref()?.watermark.as_ref(),
        Operation::Image(output) => output.watermark.as_ref(),
        Operation::Passthrough | Operation::Remux { .. } => None,
    }
}
