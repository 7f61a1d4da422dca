//! Makes some of the frames of a long video: for every file of its source that is made in the same parts, with one
//! decode. Whoever makes the last part of a file has it joined.

use backplane::job_kind::JobKind;
use backplane::store::jobs::{self, Fence, NewJob};
use backplane::store::part_work::{self, PartFacts, PartToMake};
use backplane::store::{StoreError, Tx, rerun, transcode_work};
use domain::engine::{OutputOutcome, OutputRequest, OutputResult, Request, RunRequest};
use domain::id::Noun;
use domain::operation::{AudioOutput, Operation, VideoOutput};
use domain::problem::Problem;
use uuid::Uuid;

use super::together::Together;
use super::transcode::engine::{self, Ended, Making};
use super::transcode::{self, SOURCE};
use super::{Done, Job, JobError};
use crate::context::Context;
use crate::failpoint::failpoint;
use crate::jail::Scratch;

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let mut tx = context.begin(job.claim.brand).await?;
    let facts = part_work::part_facts(&mut tx, job.claim.brand, job.claim.subject).await?;
    tx.commit().await?;
    let Some(facts) = facts.filter(|facts| facts.rows.iter().any(|row| row.id == job.claim.subject)) else {
        let (mut tx, fence) = context.fenced(&job.claim).await?;
        jobs::settle(&mut tx, fence).await?;
        tx.commit().await?;
        return Ok(Done::Settled);
    };
    let together = Together::claim(context, job, facts.rows.iter().map(|row| row.id)).await?;
    let outcome = make(context, job, &facts, &together).await;
    if !matches!(outcome, Ok(Done::Settled)) {
        together.give_back(context, job).await;
    }
    outcome
}

async fn make(
    context: &Context,
    job: &Job,
    facts: &PartFacts,
    together: &Together,
) -> Result<Done, JobError> {
    let wanted = together.pick(&facts.rows, |row| row.id);
    let scratch = context.engine.scratch().map_err(JobError::retry)?;
    let key = facts.object_key.as_deref().ok_or_else(|| JobError::broken("a source without a file"))?;
    context.download(key, &scratch.file(SOURCE)).await?;
    failpoint("part.start");
    let outputs = wanted.iter().map(output).collect::<Result<Vec<_>, JobError>>()?;
    let operations = outputs.iter().map(|output| &output.operation);
    let overlays = engine::fetch_logos(context, job.claim.brand, &scratch, operations).await?;
    let ids: Vec<Uuid> = wanted.iter().map(|part| part.id).collect();
    let request =
        Request::Run(RunRequest { overlays, span: Some(facts.span), ..RunRequest::new(SOURCE, outputs) });
    match engine::ask(context, job, &scratch, &request, Making::Parts(&ids)).await? {
        Ended::Answered(results) => settle(context, job, together, &wanted, &scratch, results).await,
        Ended::Unwanted => {
            let files: Vec<Uuid> = wanted.iter().map(|part| part.transcoded).collect();
            let put_back = rerun(|| put_back(context, job, together, &files)).await?;
            Ok(if put_back { Done::Settled } else { transcode::wanted_again() })
        }
    }
}

/// Ends the jobs of parts that nobody waits for any more; `false` when somebody does by now. What was made of the
/// file stays for a day: who wants it again asks for its job, which asks for the parts that are missing.
async fn put_back(
    context: &Context,
    job: &Job,
    together: &Together,
    files: &[Uuid],
) -> Result<bool, JobError> {
    let (mut tx, fences) = together.fenced(context, job).await?;
    if !transcode_work::transcodes_abandoned(&mut tx, fences.own(), files).await? {
        return Ok(false);
    }
    fences.settle(&mut tx).await?;
    tx.commit().await?;
    together.release(context);
    context.changed_all(job.claim.brand, Noun::TranscodedMedia, files);
    Ok(true)
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
    together: &Together,
    wanted: &[PartToMake],
    scratch: &Scratch,
    results: Vec<OutputResult>,
) -> Result<Done, JobError> {
    let (mut made, mut failed) = (Vec::new(), Vec::new());
    for part in wanted {
        let name = part.id.to_string();
        match results.iter().find(|result| result.name == name).map(|result| &result.outcome) {
            Some(OutputOutcome::Made { .. }) => {
                let key = format!("{}/parts/{}", job.claim.brand, Uuid::now_v7());
                context.upload(&scratch.file(&name), &key, "video/mp4").await?;
                made.push((part.id, key));
            }
            Some(OutputOutcome::Failed { problem }) => failed.push((part.transcoded, problem.clone())),
            None => return Err(JobError::Crashed("the engine left a part unanswered".to_owned())),
        }
    }
    failpoint("part.stored");
    rerun(|| record(context, job, together, &made, &failed)).await
}

/// Settles every part under its own fence, in one transaction.
async fn record(
    context: &Context,
    job: &Job,
    together: &Together,
    made: &[(Uuid, String)],
    failed: &[(Uuid, Problem)],
) -> Result<Done, JobError> {
    let brand = job.claim.brand;
    let (mut tx, fences) = together.fenced(context, job).await?;
    let held = fences.subjects();
    for (file, problem) in failed {
        transcode::fail(&mut tx, fences.own(), *file, problem).await?;
    }
    let made: Vec<(Uuid, String)> = made.iter().filter(|(id, _)| held.contains(id)).cloned().collect();
    let complete = part_work::parts_done(&mut tx, fences.own(), &made).await?;
    let join = |file: &Uuid| NewJob::now(JobKind::Transcode, job.claim.lane, *file);
    jobs::enqueue(&mut tx, brand, &complete.iter().map(join).collect::<Vec<_>>()).await?;
    fences.settle(&mut tx).await?;
    tx.commit().await?;
    together.release(context);
    Ok(Done::Settled)
}

/// Without this part there is no file: those that wait for it are told.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    match part_work::file_of_part(tx, fence.brand(), fence.subject()).await? {
        Some(file) => transcode::fail(tx, fence, file, problem).await,
        None => Ok(()),
    }
}
