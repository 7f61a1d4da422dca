//! Saying that every part of an upload is there.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::job_kind::{JobKind, Lane};
use backplane::store::assets::{self, UploadRow};
use backplane::store::jobs::{self, NewJob};
use domain::id::Noun;
use uuid::Uuid;

use super::failure::Answer;
use super::id;
use super::media_asset::{AssetKey, MediaAsset};
use super::plural;
use super::scope::{Cx, cx};
use super::upload::missing;
use super::user_error::{Path, Stop, UserError};
use crate::auth::Right;

/// How many missing parts a refusal names.
const NAMED_MAX: usize = 10;

/// Uploads whose parts are all there.
#[derive(InputObject)]
pub struct CompleteUploadsInput {
    /// 1 to 250, of several brands if need be.
    uploads: Vec<CompletedUploadInput>,
}

/// `sha256` of the whole file, in hex: a file that changed while it was uploaded is rejected.
#[derive(Clone, InputObject)]
pub struct CompletedUploadInput {
    /// The upload.
    upload_id: ID,
    /// Of the whole file, in hex: a file that changed while it was uploaded is rejected.
    sha256: Option<String>,
}

/// The assets, now to be looked into.
#[derive(SimpleObject, Default)]
pub struct CompleteUploadsPayload {
    /// The assets whose files are there, in the order of the input.
    assets: Vec<MediaAsset>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

/// Completing uploads.
#[derive(Default)]
pub struct CompleteUploadsMutation;

#[Object]
impl CompleteUploadsMutation {
    /// Joins the parts and has the file looked into. May be repeated as often as needed.
    async fn complete_uploads(
        &self,
        ctx: &Context<'_>,
        input: CompleteUploadsInput,
    ) -> Answer<CompleteUploadsPayload> {
        let cx = cx(ctx);
        let one = |upload, path| complete(cx, upload, path);
        let (ids, user_errors) = plural::each("uploads", input.uploads, one).await?;
        let mut found = cx.loaders.load_many(ids.iter().copied().map(AssetKey)).await?;
        let assets = ids.into_iter().filter_map(|id| found.remove(&AssetKey(id))).collect();
        Ok(CompleteUploadsPayload { assets, user_errors })
    }
}

async fn complete(cx: &Cx, input: CompletedUploadInput, path: Path) -> Result<Uuid, Stop> {
    let at = path.field("uploadId");
    let id = id::parse_input(Noun::Upload, &input.upload_id, &at)?;
    let sha256 = input.sha256.as_deref().map(|hex| read_sha256(hex, &path.field("sha256"))).transpose()?;
    let found = assets::uploads_by_id(&mut cx.read().await?, &[id]).await?.pop();
    let upload = found.ok_or_else(|| UserError::not_found("upload", &at))?;
    cx.allow(upload.brand_id, Right::Edit, &at)?;
    if upload.completed_at.is_none() {
        join(cx, &upload, &at).await?;
    }
    store(cx, &upload, sha256.as_deref(), &at).await?;
    Ok(upload.asset_id)
}

fn read_sha256(text: &str, path: &Path) -> Result<Vec<u8>, UserError> {
    let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == 32);
    bytes.ok_or_else(|| UserError::invalid("a SHA-256 has 64 hexadecimal digits", path))
}

/// Joins the parts at the object store. When it no longer knows the upload, an object of the
/// declared size under its key is the upload: another call joined it.
async fn join(cx: &Cx, upload: &UploadRow, path: &Path) -> Result<(), Stop> {
    let blobs = &cx.system.blobs;
    let parts = match blobs.uploaded_parts(&upload.object_key, &upload.storage_upload_id).await {
        Ok(parts) => {
            let missing = missing(upload, &parts);
            if !missing.is_empty() {
                return Err(UserError::invalid(missing_message(&missing), path).into());
            }
            parts
        }
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let bytes = match blobs.complete_upload(&upload.object_key, &upload.storage_upload_id, &parts).await {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => {
            let message = "nothing of this upload is left: upload the file again";
            return Err(UserError::conflict(message, path).into());
        }
        Err(error) => return Err(error.into()),
    };
    if i64::try_from(bytes) != Ok(upload.bytes) {
        let message =
            format!("{bytes} bytes arrived and {} were announced: upload the file again", upload.bytes);
        return Err(UserError::invalid(message, path).into());
    }
    Ok(())
}

fn missing_message(missing: &[i32]) -> String {
    let named: Vec<String> = missing.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let more = if missing.len() > NAMED_MAX { " and others" } else { "" };
    format!(
        "these parts are missing or incomplete: {}{more}. Upload them, then complete again",
        named.join(", ")
    )
}

/// The asset goes on to its probe, in one transaction with the job that does it.
async fn store(cx: &Cx, upload: &UploadRow, sha256: Option<&[u8]>, path: &Path) -> Result<(), Stop> {
    let mut tx = cx.write(upload.brand_id, Right::Edit, path).await?;
    let locked = assets::lock_upload(&mut tx, upload.brand_id, upload.id).await?;
    let locked = locked.ok_or_else(|| UserError::not_found("upload", path))?;
    match locked.asset_state.as_str() {
        "UPLOADING" => {}
        "DELETED" => {
            return Err(UserError::conflict("the asset was deleted: upload the file again", path).into());
        }
        // Completed before: the answer is the same.
        _ => return Ok(()),
    }
    assets::complete_upload(&mut tx, &locked.upload, sha256).await?;
    let probe = NewJob {
        traceparent: cx.envelope.traceparent.clone(),
        ..NewJob::now(JobKind::Probe, Lane::Now, upload.asset_id)
    };
    jobs::enqueue(&mut tx, upload.brand_id, &[probe]).await?;
    tx.commit().await?;
    cx.system.announce(upload.brand_id, Noun::MediaAsset, upload.asset_id);
    Ok(())
}
