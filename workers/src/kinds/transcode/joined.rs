//! Files that are made in parts: which they are, how far, and the joining.

use backplane::store::part_work::{self, PartRow};
use domain::engine::{InputLimits, JoinRequest, OutputRequest, Request, Span};
use domain::operation::Operation;
use domain::plan;
use uuid::Uuid;

use super::super::{Job, JobError};
use super::engine::{self, Ended, Making};
use super::{SOURCE, TranscodeFacts, Wanted};
use crate::context::Context;
use crate::jail::Scratch;

/// What is done with each file of a claim.
pub(super) struct Plan<'a> {
    /// Made here, at one go.
    pub(super) at_once: Vec<&'a Wanted>,
    /// All of its parts are there.
    pub(super) joinable: Vec<Joinable<'a>>,
    /// Parts are being made: their jobs go on.
    pub(super) waiting: Vec<Uuid>,
}

/// A file and its parts, in order.
pub(super) struct Joinable<'a> {
    pub(super) file: &'a Wanted,
    pub(super) keys: Vec<String>,
}

impl Plan<'_> {
    pub(super) fn has_work(&self) -> bool {
        !self.at_once.is_empty() || !self.joinable.is_empty()
    }
}

/// Sorts the files of a claim, and asks for those parts that nobody makes yet.
pub(super) async fn sort<'a>(
    context: &Context,
    job: &Job,
    facts: &TranscodeFacts,
    wanted: &'a [Wanted],
) -> Result<Plan<'a>, JobError> {
    let mut plan = Plan { at_once: Vec::new(), joinable: Vec::new(), waiting: Vec::new() };
    let mut long = Vec::new();
    for file in wanted {
        match spans(facts, &file.operation) {
            spans if spans.is_empty() => plan.at_once.push(file),
            spans => long.push((file, spans)),
        }
    }
    if long.is_empty() {
        return Ok(plan);
    }
    let ids: Vec<Uuid> = long.iter().map(|(file, _)| file.row.id).collect();
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let parts = part_work::parts_of(&mut tx, job.claim.brand, &ids).await?;
    let mut missing = Vec::new();
    for (file, spans) in long {
        let made: Vec<&PartRow> = parts.iter().filter(|part| part.transcoded == file.row.id).collect();
        let keys: Option<Vec<String>> = made.iter().map(|part| part.object_key.clone()).collect();
        match keys.filter(|keys| keys.len() == spans.len()) {
            Some(keys) => plan.joinable.push(Joinable { file, keys }),
            None => {
                missing.extend(spans.into_iter().map(|span| (file.row.id, span)));
                plan.waiting.push(file.row.id);
            }
        }
    }
    part_work::ask_for_parts(&mut tx, &fence, job.claim.lane, &missing).await?;
    tx.commit().await?;
    Ok(plan)
}

/// The parts in which an operation is done on the source.
fn spans(facts: &TranscodeFacts, operation: &Operation) -> Vec<Span> {
    let Operation::Video(output) = operation else { return Vec::new() };
    let (Some(encode), Some(duration)) = (&output.video, facts.duration_ms) else { return Vec::new() };
    plan::parts(duration.min(output.first_ms.unwrap_or(u64::MAX)), encode)
}

/// Fetches the parts of a file and joins them.
pub(super) async fn join(
    context: &Context,
    job: &Job,
    Joinable { file, keys }: &Joinable<'_>,
    scratch: &Scratch,
) -> Result<Ended, JobError> {
    let mut parts = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        let name = format!("part-{}-{index}", file.row.id);
        context.download(key, &scratch.file(&name)).await?;
        job.progress.mark();
        parts.push(name);
    }
    let request = Request::Join(JoinRequest {
        source: SOURCE.to_owned(),
        limits: InputLimits::default(),
        parts,
        output: OutputRequest { name: file.row.id.to_string(), operation: file.operation.clone() },
    });
    engine::ask(context, job, scratch, &request, Making::Files(&[file.row.id])).await
}
