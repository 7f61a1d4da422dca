//! Announcing files that are going to be uploaded.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::store::assets::{self, NewUpload};
use domain::id::Noun;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::idempotency::IdempotencyKey;
use super::plural::ITEMS_MAX;
use super::scalars::ByteCount;
use super::scope::{Cx, cx};
use super::upload::{Upload, UploadKey};
use super::user_error::{Code, Path, Stop, UserError, change, payloads};
use crate::auth::Right;

/// Of every part but the last.
const PART_BYTES: i32 = 8 * 1024 * 1024;
/// The largest file, as `uploads.bytes` has it.
const BYTES_MAX: u64 = 4 << 30;
/// Longest name of a file, in characters.
const FILENAME_MAX: usize = 255;
/// Uploads that are begun at once at the object store.
const BEGUN_AT_ONCE: usize = 8;

/// Files of one brand.
#[derive(Clone, InputObject, Serialize)]
pub struct CreateUploadsInput {
    /// The brand.
    #[serde(serialize_with = "super::id::as_text")]
    brand_id: ID,
    /// 1 to 250.
    files: Vec<UploadFileInput>,
    /// A repeat with the same key makes no second ones.
    #[serde(skip)]
    idempotency_key: Option<String>,
}

/// One file, as its owner describes it; checked against its bytes when they are there.
#[derive(Clone, InputObject, Serialize)]
pub struct UploadFileInput {
    /// As it is called on the device.
    filename: String,
    /// image/… or video/…
    content_type: String,
    /// Its exact size, up to 4 GiB.
    bytes: ByteCount,
    /// The text it comes with.
    caption: Option<String>,
}

/// In the order of `files`, null for one that was refused.
#[derive(SimpleObject, Default)]
pub struct CreateUploadsPayload {
    /// In the order of `files`, null for one that was refused.
    uploads: Vec<Option<Upload>>,
    /// Why nothing changed.
    user_errors: Vec<UserError>,
}

payloads!(CreateUploadsPayload);

/// Announcing uploads.
#[derive(Default)]
pub struct CreateUploadsMutation;

#[Object]
impl CreateUploadsMutation {
    /// The assets exist at once and may be put into jobs while they upload.
    async fn create_uploads(
        &self,
        ctx: &Context<'_>,
        input: CreateUploadsInput,
    ) -> Answer<CreateUploadsPayload> {
        change(input, |input| create_uploads(cx(ctx), input)).await
    }
}

async fn create_uploads(cx: &Cx, input: CreateUploadsInput) -> Result<CreateUploadsPayload, Stop> {
    let path = Path::input();
    let brand = cx.brand_in(&input.brand_id, Right::Edit, &path.field("brandId"))?;
    if input.files.is_empty() || input.files.len() > ITEMS_MAX {
        return Err(Failure::bad_request("`files` takes 1 to 250 files").into());
    }
    let actor = cx.asker()?.actor.id();
    let key = IdempotencyKey::read(actor, input.idempotency_key.as_deref(), "createUploads", &input)?;
    let mut tx = cx.write(brand, Right::Edit, &path.field("brandId")).await?;
    let (kept, errors) = accept(&input.files, &path.field("files"));
    if let Some(key) = &key
        && let Some(ids) = key.claim::<Vec<Option<Uuid>>>(&mut tx).await?
    {
        // Reading takes a connection of its own: nobody holds two.
        drop(tx);
        return answer(cx, ids, errors).await;
    }
    let begun = begin(cx, brand, &kept).await?;
    let uploads: Vec<NewUpload> = begun.iter().flatten().cloned().collect();
    assets::insert_uploads(&mut tx, brand, &uploads).await?;
    let ids: Vec<Option<Uuid>> = begun.iter().map(|upload| upload.as_ref().map(|upload| upload.id)).collect();
    if let Some(key) = &key {
        key.keep(&mut tx, &ids).await?;
    }
    tx.commit().await?;
    for upload in &uploads {
        cx.system.announce(brand, Noun::MediaAsset, upload.asset_id);
    }
    answer(cx, ids, errors).await
}

async fn answer(
    cx: &Cx,
    ids: Vec<Option<Uuid>>,
    user_errors: Vec<UserError>,
) -> Result<CreateUploadsPayload, Stop> {
    let found = cx.loaders.load_many(ids.iter().flatten().copied().map(UploadKey)).await?;
    let uploads = ids.into_iter().map(|id| id.and_then(|id| found.get(&UploadKey(id)).cloned())).collect();
    Ok(CreateUploadsPayload { uploads, user_errors })
}

/// A file whose description is in order.
struct Accepted<'a> {
    file: &'a UploadFileInput,
    kind: &'static str,
    caption: Option<String>,
}

fn accept<'a>(files: &'a [UploadFileInput], path: &Path) -> (Vec<Option<Accepted<'a>>>, Vec<UserError>) {
    let mut errors = Vec::new();
    let accepted = files.iter().enumerate().map(|(index, file)| match accept_one(file, &path.index(index)) {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            errors.push(error);
            None
        }
    });
    let accepted = accepted.collect();
    (accepted, errors)
}

fn accept_one<'a>(file: &'a UploadFileInput, path: &Path) -> Result<Accepted<'a>, UserError> {
    let named = !file.filename.trim().is_empty()
        && file.filename.chars().count() <= FILENAME_MAX
        && !file.filename.chars().any(char::is_control);
    if !named {
        let message = "a file has a name of 1 to 255 characters, without control characters";
        return Err(UserError::invalid(message, &path.field("filename")));
    }
    let kind = match file.content_type.split_once('/') {
        Some(("image", rest)) if !rest.is_empty() => "IMAGE",
        Some(("video", rest)) if !rest.is_empty() => "VIDEO",
        _ => {
            let message = "videos and images are taken: give a type like video/mp4 or image/jpeg";
            return Err(UserError::new(Code::UnsupportedMedia, message, &path.field("contentType")));
        }
    };
    let printable =
        file.content_type.len() <= 100 && file.content_type.bytes().all(|byte| byte.is_ascii_graphic());
    if !printable {
        return Err(UserError::invalid("this is no media type", &path.field("contentType")));
    }
    if file.bytes.0 == 0 {
        return Err(UserError::invalid("the file is empty: choose another", &path.field("bytes")));
    }
    if file.bytes.0 > BYTES_MAX {
        let message = "the file is larger than 4 GiB: make it shorter or smaller";
        return Err(UserError::new(Code::TooLarge, message, &path.field("bytes")));
    }
    let caption = file.caption.as_deref().map(domain::caption::accept).transpose();
    let caption = caption.map_err(|problem| UserError::invalid(problem.message, &path.field("caption")))?;
    Ok(Accepted { file, kind, caption })
}

/// Begins every upload at the object store. What is begun and then not stored ends there by itself.
async fn begin(cx: &Cx, brand: Uuid, files: &[Option<Accepted<'_>>]) -> Result<Vec<Option<NewUpload>>, Stop> {
    let begin_one = |accepted: Option<&Accepted<'_>>| {
        let new = accepted.map(|accepted| describe(brand, accepted));
        async move {
            let Some(mut upload) = new else { return Ok(None) };
            let blobs = &cx.system.blobs;
            upload.storage_upload_id = blobs.begin_upload(&upload.object_key, &upload.content_type).await?;
            Ok::<_, Failure>(Some(upload))
        }
    };
    let begun = stream::iter(files.iter().map(Option::as_ref).map(begin_one).collect::<Vec<_>>());
    Ok(begun.buffered(BEGUN_AT_ONCE).try_collect().await?)
}

fn describe(brand: Uuid, accepted: &Accepted<'_>) -> NewUpload {
    let bytes = i64::try_from(accepted.file.bytes.0).unwrap_or(i64::MAX);
    let parts = accepted.file.bytes.0.div_ceil(u64::from(PART_BYTES.unsigned_abs()));
    NewUpload {
        id: Uuid::now_v7(),
        asset_id: Uuid::now_v7(),
        kind: accepted.kind,
        filename: accepted.file.filename.clone(),
        caption: accepted.caption.clone(),
        content_type: accepted.file.content_type.clone(),
        bytes,
        part_bytes: PART_BYTES,
        part_count: i32::try_from(parts).unwrap_or(i32::MAX),
        object_key: format!("{brand}/originals/{}", Uuid::now_v7()),
        storage_upload_id: String::new(),
    }
}
