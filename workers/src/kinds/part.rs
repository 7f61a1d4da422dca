//! Makes some of the frames of a long video: for every file of its source that is made in the same parts, with one
//! decode. Whoever makes the last part of a file has it joined.

use backplane::job_kind::JobKind;
use backplane::store::jobs::{self, Fence, NewJob};
use backplane::store::part_work::{self, PartToMake};
use backplane::store::{StoreError, Tx, rerun, transcode_work};
use domain::engine::{OutputOutcome, OutputRequest, OutputResult, RunRequest, Span};
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
    let rows = same_rate(facts.rows, job.claim.subject)?;
    let together = Together::claim(context, job, rows.iter().map(|row| row.part.id)).await?;
    let claimed = together.pick(&rows, |row| row.part.id);
    let outcome = make(context, job, facts.object_key.as_deref(), facts.span, claimed, &together).await;
    if !matches!(outcome, Ok(Done::Settled)) {
        together.give_back().await;
    }
    outcome
}

/// A part and the encode that it is a piece of.
#[derive(Clone)]
struct Piece {
    part: PartToMake,
    output: VideoOutput,
}

/// The parts whose frames last as long as those of part `own`: the others show the same numbers at other times.
fn same_rate(rows: Vec<PartToMake>, own: Uuid) -> Result<Vec<Piece>, JobError> {
    let read = |part: PartToMake| {
        let operation = serde_json::from_value(part.operation.clone()).map_err(JobError::broken)?;
        let Operation::Video(output) = operation else { return Err(JobError::broken("a part of no video")) };
        Ok(Piece { part, output })
    };
    let mut pieces = rows.into_iter().map(read).collect::<Result<Vec<_>, JobError>>()?;
    let rate = |piece: &Piece| piece.output.video.as_ref().map(|encode| encode.frame_rate);
    let own_rate = pieces.iter().find(|piece| piece.part.id == own).and_then(rate);
    pieces.retain(|piece| rate(piece) == own_rate);
    Ok(pieces)
}

/// What became of the parts of a claim.
#[derive(Default)]
struct Outcome {
    /// And where they lie.
    made: Vec<(Piece, String)>,
    failed: Vec<(Piece, Problem)>,
    /// Nobody waits for their files.
    unwanted: Vec<Piece>,
}

async fn make(
    context: &Context,
    job: &Job,
    key: Option<&str>,
    span: Span,
    claimed: Vec<Piece>,
    together: &Together<'_>,
) -> Result<Done, JobError> {
    let files: Vec<Uuid> = claimed.iter().map(|piece| piece.part.transcoded).collect();
    let mut tx = context.begin(job.claim.brand).await?;
    let awaited = transcode_work::awaited(&mut tx, job.claim.brand, &files).await?;
    tx.commit().await?;
    let (wanted, unwanted): (Vec<_>, Vec<_>) =
        claimed.into_iter().partition(|piece| awaited.contains(&piece.part.transcoded));
    let mut outcome = Outcome { unwanted, ..Outcome::default() };
    if !wanted.is_empty() {
        let scratch = context.engine.scratch().map_err(JobError::retry)?;
        let key = key.ok_or_else(|| JobError::broken("a source without a file"))?;
        context.download(key, &scratch.file(SOURCE)).await?;
        failpoint("part.start");
        let ids: Vec<Uuid> = wanted.iter().map(|piece| piece.part.id).collect();
        let request = RunRequest {
            span: Some(span),
            ..RunRequest::new(SOURCE, wanted.iter().map(Piece::request).collect())
        };
        match engine::make(context, job, &scratch, request, Making::Parts(&ids)).await? {
            Ended::Answered(results) => store(context, job, &scratch, wanted, results, &mut outcome).await?,
            Ended::Unwanted => outcome.unwanted.extend(wanted),
        }
    }
    failpoint("part.stored");
    rerun(|| record(context, job, together, &outcome)).await
}

impl Piece {
    /// The pictures of a file without its sound, which is added when the parts are joined.
    fn request(&self) -> OutputRequest {
        let operation = Operation::Video(VideoOutput { audio: AudioOutput::None, ..self.output.clone() });
        OutputRequest { name: self.part.id.to_string(), operation }
    }
}

async fn store(
    context: &Context,
    job: &Job,
    scratch: &Scratch,
    wanted: Vec<Piece>,
    results: Vec<OutputResult>,
    outcome: &mut Outcome,
) -> Result<(), JobError> {
    for piece in wanted {
        let name = piece.part.id.to_string();
        match results.iter().find(|result| result.name == name).map(|result| &result.outcome) {
            Some(OutputOutcome::Made { .. }) => {
                let key = format!("{}/parts/{}", job.claim.brand, Uuid::now_v7());
                context.upload(&scratch.file(&name), &key, "video/mp4").await?;
                outcome.made.push((piece, key));
            }
            Some(OutputOutcome::Failed { problem }) => outcome.failed.push((piece, problem.clone())),
            None => return Err(JobError::Crashed("the engine left a part unanswered".to_owned())),
        }
    }
    Ok(())
}

/// Settles every part under its own fence, in one transaction. What was made of a file that nobody waits for stays for a
/// day: who wants it again asks for its job, which asks for the parts that are missing.
async fn record(
    context: &Context,
    job: &Job,
    together: &Together<'_>,
    outcome: &Outcome,
) -> Result<Done, JobError> {
    let brand = job.claim.brand;
    let (mut tx, fences) = together.fenced().await?;
    let held = fences.subjects();
    let is_held = |piece: &Piece| held.contains(&piece.part.id);
    let made: Vec<_> = outcome.made.iter().filter(|(piece, _)| is_held(piece)).collect();
    // Jobs before targets, and those before files, as everybody locks them.
    let joins: Vec<_> = made.iter().map(|(piece, _)| (JobKind::Transcode, piece.part.transcoded)).collect();
    jobs::hold(&mut tx, &joins).await?;
    let failed = outcome.failed.iter().filter(|(piece, _)| is_held(piece));
    let failed: Vec<_> = failed.map(|(piece, problem)| (piece.part.transcoded, problem.clone())).collect();
    let moved = transcode::fail(&mut tx, fences.own(), &failed).await?;
    let made: Vec<_> = made.into_iter().map(|(piece, key)| (piece.part.id, key.clone())).collect();
    let complete = part_work::parts_done(&mut tx, fences.own(), &made).await?;
    let join = |file: &Uuid| NewJob::now(JobKind::Transcode, job.claim.lane, *file);
    jobs::enqueue(&mut tx, brand, &complete.iter().map(join).collect::<Vec<_>>()).await?;
    let unwanted: Vec<&Piece> = outcome.unwanted.iter().filter(|piece| is_held(piece)).collect();
    let files: Vec<Uuid> = unwanted.iter().map(|piece| piece.part.transcoded).collect();
    let again = transcode_work::transcodes_abandoned(&mut tx, fences.own(), &files).await?;
    let again = unwanted.iter().filter(|piece| again.contains(&piece.part.transcoded));
    let again: Vec<Uuid> = again.map(|piece| piece.part.id).collect();
    fences.settle(&mut tx, &again).await?;
    tx.commit().await?;
    context.changed_all(brand, Noun::PublishTarget, &moved);
    Ok(Done::Settled)
}

/// Without this part there is no file: those that wait for it are told.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    match part_work::file_of_part(tx, fence.brand(), fence.subject()).await? {
        Some(file) => transcode::fail(tx, fence, &[(file, problem.clone())]).await.map(drop),
        None => Ok(()),
    }
}
