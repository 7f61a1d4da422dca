//! Submitting and cancelling a whole job.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::job_kind::JobKind;
use backplane::store::Tx;
use backplane::store::jobs::withdraw;
use backplane::store::publishing::{
    JobRow, cancel_job, cancel_targets_of_job, drafts_of_job, hold_jobs_of, job_brand, lock_job,
    submit_drafts,
};
use backplane::store::targets::advance_targets;
use domain::id::Noun;
use domain::problem::Remedy;
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::failure::Answer;
use super::id;
use super::publish_job::{JobKey, PublishJob};
use super::scope::{Cx, cx};
use super::user_error::{Code, Path, Stop, UserError, change, payloads};
use crate::auth::Right;

/// Which job.
#[derive(Clone, InputObject)]
pub struct SubmitPublishJobInput {
    /// Which one.
    job_id: ID,
}

/// The submitted job.
#[derive(SimpleObject, Default)]
pub struct SubmitPublishJobPayload {
    /// As it is now.
    pub job: Option<PublishJob>,
    /// Why it was not submitted.
    pub user_errors: Vec<UserError>,
}

/// Which job.
#[derive(Clone, InputObject)]
pub struct CancelPublishJobInput {
    /// Which one.
    job_id: ID,
}

/// The cancelled job.
#[derive(SimpleObject, Default)]
pub struct CancelPublishJobPayload {
    /// As it is now.
    pub job: Option<PublishJob>,
    /// Why it was not cancelled.
    pub user_errors: Vec<UserError>,
}

payloads!(SubmitPublishJobPayload, CancelPublishJobPayload);

/// Whole jobs.
#[derive(Default)]
pub struct ChangePublishJobMutation;

#[Object]
impl ChangePublishJobMutation {
    /// Sends the DRAFT targets on: to approval where the brand requires it, else to their times.
    /// UNSUPPORTED_MEDIA or INVALID while one of them has a problem: change or cancel it first.
    async fn submit_publish_job(
        &self,
        ctx: &Context<'_>,
        input: SubmitPublishJobInput,
    ) -> Answer<SubmitPublishJobPayload> {
        change(input, async |input: SubmitPublishJobInput| {
            let job = submit(cx(ctx), &input.job_id).await?;
            Ok(SubmitPublishJobPayload { job, ..SubmitPublishJobPayload::default() })
        })
        .await
    }

    /// Cancels every target that has not left; what is PUBLISHING or UNCONFIRMED goes on to its end.
    async fn cancel_publish_job(
        &self,
        ctx: &Context<'_>,
        input: CancelPublishJobInput,
    ) -> Answer<CancelPublishJobPayload> {
        change(input, async |input: CancelPublishJobInput| {
            let job = cancel(cx(ctx), &input.job_id).await?;
            Ok(CancelPublishJobPayload { job, ..CancelPublishJobPayload::default() })
        })
        .await
    }
}

/// Finds a job of the asker's, checks the right, and locks it in its brand's scope.
async fn open(cx: &Cx, id: &ID) -> Result<(Tx, JobRow), Stop> {
    let path = Path::input().field("jobId");
    let id = id::parse_input(Noun::PublishJob, id, &path)?;
    cx.asker()?;
    let missing = || UserError::not_found("job", &path);
    let seen = cx.loaders.load_one(JobKey(id)).await?.ok_or_else(missing)?;
    let mut tx = cx.write(seen.0.brand_id, Right::Edit, &path).await?;
    // What may be writing its targets now comes before them, as it locks them itself.
    hold_jobs_of(&mut tx, id).await?;
    let job = lock_job(&mut tx, id).await?.ok_or_else(missing)?;
    Ok((tx, job))
}

/// Writes the audit line, commits, tells whoever watches, and reads the job as it is now.
async fn close(cx: &Cx, mut tx: Tx, job: &JobRow, action: &'static str) -> Result<Option<PublishJob>, Stop> {
    let entry = Entry::new(action, Noun::PublishJob, job.id);
    audit::write(&mut tx, &*cx.asker()?, Place::Brand(job.brand_id), &[entry]).await?;
    tx.commit().await?;
    cx.system.announce(job.brand_id, Noun::PublishJob, job.id);
    Ok(cx.loaders.load_one(JobKey(job.id)).await?)
}

async fn submit(cx: &Cx, id: &ID) -> Result<Option<PublishJob>, Stop> {
    let path = Path::input().field("jobId");
    let (mut tx, job) = open(cx, id).await?;
    if job.cancelled_at.is_some() {
        return Err(UserError::conflict("the job is cancelled: make a new one", &path).into());
    }
    let drafts = drafts_of_job(&mut tx, job.id).await?;
    let troubled: Vec<Remedy> = drafts.iter().filter_map(|(_, remedy)| *remedy).collect();
    if let Some(first) = troubled.first() {
        let is_media = troubled.contains(&Remedy::ChangeMedia) || *first == Remedy::ChangeMedia;
        let code = if is_media { Code::UnsupportedMedia } else { Code::Invalid };
        let message = format!("{} targets have a problem: change or cancel them first", troubled.len());
        return Err(UserError::new(code, message, &path).into());
    }
    if drafts.is_empty() {
        return Ok(Some(PublishJob(job)));
    }
    let approval = job_brand(&mut tx, job.brand_id).await?.is_some_and(|brand| brand.approval_required);
    submit_drafts(&mut tx, job.id, approval).await?;
    let assets: BTreeSet<Uuid> = drafts.into_iter().map(|(asset, _)| asset).collect();
    let assets: Vec<Uuid> = assets.into_iter().collect();
    advance_targets(&mut tx, job.brand_id, &assets).await?;
    close(cx, tx, &job, "publish_job.submitted").await
}

async fn cancel(cx: &Cx, id: &ID) -> Result<Option<PublishJob>, Stop> {
    let (mut tx, job) = open(cx, id).await?;
    let cancelled = cancel_targets_of_job(&mut tx, job.id).await?;
    if job.cancelled_at.is_some() && cancelled.is_empty() {
        return Ok(Some(PublishJob(job)));
    }
    withdraw(&mut tx, JobKind::Publish, &cancelled).await?;
    withdraw(&mut tx, JobKind::Caption, &cancelled).await?;
    cancel_job(&mut tx, job.id).await?;
    close(cx, tx, &job, "publish_job.cancelled").await
}
