//! Once a day and brand: breaks off abandoned uploads, and removes files that no row names.

use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::{self, Fence, NewJob};
use backplane::store::{StoreError, Tx, asset_work, clock, housekeeping_work, targets};
use chrono::Duration;
use domain::problem::{Problem, Remedy};
use uuid::Uuid;

use super::{Done, Job, JobError};
use crate::context::Context;

/// A file is left alone for this long: its row may be about to be written.
const FILE_AGE_MIN: Duration = Duration::hours(24);
const EVERY: Duration = Duration::hours(24);
/// Pages of a thousand keys, so that one run ends.
const PAGES_MAX: usize = 200;

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let brand = job.claim.brand;
    break_off_uploads(context, job, brand).await?;
    remove_unnamed_files(context, job, brand).await?;
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let next = clock::now(&mut tx).await? + EVERY;
    jobs::settle(&mut tx, fence).await?;
    enqueue_next(&mut tx, brand, next).await?;
    tx.commit().await?;
    Ok(Done::Settled)
}

async fn enqueue_next(tx: &mut Tx, brand: Uuid, at: chrono::DateTime<chrono::Utc>) -> Result<(), StoreError> {
    let next = NewJob::now(JobKind::Housekeeping, Lane::Bulk, brand).at(at);
    jobs::enqueue(tx, brand, &[next]).await
}

async fn break_off_uploads(context: &Context, job: &Job, brand: Uuid) -> Result<(), JobError> {
    let mut tx = context.begin(brand).await?;
    let uploads = housekeeping_work::abandoned_uploads(&mut tx, brand).await?;
    tx.commit().await?;
    let problem = Problem::new(
        "upload.abandoned",
        "The upload was not finished within seven days. Upload the file again.",
        Remedy::ChangeMedia,
    );
    for upload in uploads {
        let aborted = context.blobs.abort_upload(&upload.object_key, &upload.storage_upload_id).await;
        aborted.map_err(JobError::retry)?;
        let (mut tx, fence) = context.fenced(&job.claim).await?;
        let moved = asset_work::asset_rejected(&mut tx, &fence, upload.asset_id, &problem).await?;
        targets::advance_targets(&mut tx, brand, &moved).await?;
        tx.commit().await?;
        job.progress.mark();
    }
    Ok(())
}

async fn remove_unnamed_files(context: &Context, job: &Job, brand: Uuid) -> Result<(), JobError> {
    let (mut tx, _) = context.fenced(&job.claim).await?;
    housekeeping_work::forget_made(&mut tx, brand).await?;
    tx.commit().await?;
    let mut page: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let listed =
            context.blobs.list(&format!("{brand}/"), page.as_deref()).await.map_err(JobError::retry)?;
        let mut tx = context.begin(brand).await?;
        let old = clock::now(&mut tx).await? - FILE_AGE_MIN;
        let keys: Vec<String> = listed
            .objects
            .into_iter()
            .filter(|object| object.modified < old)
            .map(|object| object.key)
            .collect();
        let unnamed = housekeeping_work::unnamed_keys(&mut tx, brand, &keys).await?;
        tx.commit().await?;
        context.blobs.delete(&unnamed).await.map_err(JobError::retry)?;
        job.progress.mark();
        page = listed.next;
        if page.is_none() {
            break;
        }
    }
    Ok(())
}

/// Tomorrow is another day.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence) -> Result<(), StoreError> {
    let next = clock::now(tx).await? + EVERY;
    enqueue_next(tx, fence.brand(), next).await
}
