//! What a run made, written down: files stored, rows and jobs settled, targets moved on.

use backplane::store::transcode_work::{self, MadeFile, TranscodeRow};
use backplane::store::{part_work, rerun, targets};
use domain::conformance::violations;
use domain::engine::{OutputOutcome, OutputResult};
use domain::id::Noun;
use domain::media_info::MediaInfo;
use domain::problem::{Problem, Remedy};
use domain::profile::profile;
use uuid::Uuid;

use super::super::together::Together;
use super::super::{Done, Job, JobError};
use super::Wanted;
use super::joined::Plan;
use crate::context::{Context, content_type};
use crate::failpoint::failpoint;
use crate::jail::Scratch;

/// A run whose end is written down.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) context: &'a Context,
    pub(super) job: &'a Job,
    pub(super) together: &'a Together<'a>,
    pub(super) scratch: &'a Scratch,
}

impl Run<'_> {
    /// Stores every verified file and settles every row, each under its own fence. Files whose parts are being made
    /// stay as they are, and those that are `unwanted` go back to be asked for.
    pub(super) async fn settle(
        self,
        wanted: &[Wanted],
        plan: &Plan<'_>,
        mut results: Vec<OutputResult>,
        unwanted: &[Uuid],
    ) -> Result<Done, JobError> {
        let mut made = Vec::new();
        let mut failed = Vec::new();
        let is_left =
            |file: &&Wanted| [&plan.waiting, unwanted].iter().any(|left| left.contains(&file.row.id));
        for file in wanted.iter().filter(|file| !is_left(file)) {
            let name = file.row.id.to_string();
            let at = results.iter().position(|result| result.name == name);
            match at.map(|at| results.swap_remove(at).outcome) {
                Some(OutputOutcome::Made { info, sha256 }) => match unfit(&file.row, &info) {
                    Some(problem) => failed.push((file.row.id, problem)),
                    None => made.push(self.store(file, &name, &info, &sha256).await?),
                },
                Some(OutputOutcome::Failed { problem }) => failed.push((file.row.id, problem)),
                None => return Err(JobError::Crashed("the engine left an output unanswered".to_owned())),
            }
        }
        failpoint("s3.completed_before_row");
        let parts = rerun(|| self.record(&made, &failed, unwanted)).await?;
        // What cannot be removed now, housekeeping removes within a day.
        if let Err(error) = self.context.blobs.delete(&parts).await {
            tracing::warn!(%error, "the parts of a joined file are left to housekeeping");
        }
        Ok(Done::Settled)
    }

    async fn store(
        self,
        file: &Wanted,
        name: &str,
        info: &MediaInfo,
        sha256: &str,
    ) -> Result<MadeFile, JobError> {
        let content_type = content_type(&info.container);
        let object_key = format!("{}/media/{}", self.job.claim.brand, Uuid::now_v7());
        self.context.upload(&self.scratch.file(name), &object_key, content_type).await?;
        Ok(MadeFile {
            id: file.row.id,
            object_key,
            content_type: content_type.to_owned(),
            info: serde_json::to_value(info).map_err(JobError::broken)?,
            sha256: hex::decode(sha256).map_err(JobError::broken)?,
        })
    }

    /// Settles every row under its own fence, in one transaction. Returns where parts lay that are not needed any more.
    async fn record(
        self,
        made: &[MadeFile],
        failed: &[(Uuid, Problem)],
        unwanted: &[Uuid],
    ) -> Result<Vec<String>, JobError> {
        let Self { context, job, together, .. } = self;
        let brand = job.claim.brand;
        let (mut tx, fences) = together.fenced().await?;
        let held = fences.subjects();
        // Targets before files, as everybody locks them who advances targets.
        let waiting = transcode_work::assets_waiting_for(&mut tx, brand, &held).await?;
        targets::hold(&mut tx, brand, &waiting).await?;
        let made: Vec<MadeFile> = made.iter().filter(|file| held.contains(&file.id)).cloned().collect();
        transcode_work::transcodes_done(&mut tx, fences.own(), &made).await?;
        for (id, problem) in failed.iter().filter(|(id, _)| held.contains(id)) {
            transcode_work::transcode_failed(&mut tx, fences.own(), *id, problem).await?;
        }
        let done: Vec<Uuid> = made.iter().map(|file| file.id).collect();
        let parts = part_work::forget_parts(&mut tx, fences.own(), &done).await?;
        let unwanted: Vec<Uuid> = unwanted.iter().filter(|id| held.contains(id)).copied().collect();
        let again = transcode_work::transcodes_abandoned(&mut tx, fences.own(), &unwanted).await?;
        // Read again: a target that was tied to one of them meanwhile is seen now.
        let waiting = transcode_work::assets_waiting_for(&mut tx, brand, &held).await?;
        let watched = transcode_work::watched(&mut tx, brand, &held).await?;
        fences.settle(&mut tx, &again).await?;
        let moved = targets::advance_targets(&mut tx, brand, &waiting).await?;
        tx.commit().await?;
        context.files_changed(brand, &watched);
        context.changed_all(brand, Noun::PublishTarget, &moved);
        Ok(parts)
    }
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
