//! Uploads in parts: their rows, and the one transaction that turns one into an asset to be probed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{StoreError, Tx};

/// An upload as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRow {
    pub id: Uuid,
    pub brand_id: Uuid,
    pub asset_id: Uuid,
    pub storage_upload_id: String,
    pub object_key: String,
    pub bytes: i64,
    pub part_bytes: i32,
    pub part_count: i32,
    pub expires_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

/// A file that is going to be uploaded: its asset and its upload.
#[derive(Clone, Debug)]
pub struct NewUpload {
    pub id: Uuid,
    pub asset_id: Uuid,
    /// `IMAGE` or `VIDEO`, by its announced type.
    pub kind: &'static str,
    pub filename: String,
    pub caption: Option<String>,
    pub content_type: String,
    pub bytes: i64,
    pub part_bytes: i32,
    pub part_count: i32,
    pub object_key: String,
    pub storage_upload_id: String,
}

/// Stores uploads and their assets, which may be put into jobs at once. They are kept for seven
/// days.
///
/// # Errors
/// When a statement fails.
pub async fn insert_uploads(tx: &mut Tx, brand: Uuid, uploads: &[NewUpload]) -> Result<(), StoreError> {
    let assets: Vec<Uuid> = uploads.iter().map(|upload| upload.asset_id).collect();
    let kinds: Vec<String> = uploads.iter().map(|upload| upload.kind.to_owned()).collect();
    let filenames: Vec<String> = uploads.iter().map(|upload| upload.filename.clone()).collect();
    let captions: Vec<Option<String>> = uploads.iter().map(|upload| upload.caption.clone()).collect();
    sqlx::query!(
        r#"
        insert into media_assets (id, brand_id, source, kind, state, filename, caption, listed_at)
        select n.id, $1, 'UPLOAD', n.kind, 'UPLOADING', n.filename, n.caption, now()
          from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as n (id, kind, filename, caption)
        "#,
        brand,
        &assets,
        &kinds,
        &filenames,
        &captions as &[Option<String>],
    )
    .execute(&mut **tx)
    .await?;
    let ids: Vec<Uuid> = uploads.iter().map(|upload| upload.id).collect();
    let storage_ids: Vec<String> = uploads.iter().map(|upload| upload.storage_upload_id.clone()).collect();
    let keys: Vec<String> = uploads.iter().map(|upload| upload.object_key.clone()).collect();
    let types: Vec<String> = uploads.iter().map(|upload| upload.content_type.clone()).collect();
    let bytes: Vec<i64> = uploads.iter().map(|upload| upload.bytes).collect();
    let part_bytes: Vec<i32> = uploads.iter().map(|upload| upload.part_bytes).collect();
    let part_counts: Vec<i32> = uploads.iter().map(|upload| upload.part_count).collect();
    sqlx::query!(
        r#"
        insert into uploads (id, brand_id, asset_id, storage_upload_id, object_key, content_type, bytes, part_bytes,
                             part_count, expires_at)
        select n.id, $1, n.asset_id, n.storage_id, n.object_key, n.content_type, n.bytes, n.part_bytes, n.part_count,
               now() + interval '7 days'
          from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::int[], $9::int[])
               as n (id, asset_id, storage_id, object_key, content_type, bytes, part_bytes, part_count)
        "#,
        brand,
        &ids,
        &assets,
        &storage_ids,
        &keys,
        &types,
        &bytes,
        &part_bytes,
        &part_counts,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Reads uploads by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn uploads_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<UploadRow>, StoreError> {
    let rows = sqlx::query_as!(
        UploadRow,
        r#"
        select id, brand_id, asset_id, storage_upload_id, object_key, bytes, part_bytes, part_count, expires_at, completed_at
          from uploads where id = any($1)
        "#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// The uploads by which these assets come in, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn uploads_of_assets(tx: &mut Tx, assets: &[Uuid]) -> Result<Vec<UploadRow>, StoreError> {
    let rows = sqlx::query_as!(
        UploadRow,
        r#"
        select id, brand_id, asset_id, storage_upload_id, object_key, bytes, part_bytes, part_count, expires_at, completed_at
          from uploads where asset_id = any($1)
        "#,
        assets,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// An upload with the state of its asset, locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completable {
    pub upload: UploadRow,
    pub asset_state: String,
}

/// Reads and locks an upload that is to be completed; `None` when it is not of this brand.
///
/// # Errors
/// When the statement fails.
pub async fn lock_upload(tx: &mut Tx, brand: Uuid, id: Uuid) -> Result<Option<Completable>, StoreError> {
    let row = sqlx::query!(
        r#"
        select u.id, u.brand_id, u.asset_id, u.storage_upload_id, u.object_key, u.bytes, u.part_bytes, u.part_count,
               u.expires_at, u.completed_at, a.state
          from uploads u join media_assets a on a.brand_id = u.brand_id and a.id = u.asset_id
         where u.brand_id = $1 and u.id = $2 for update
        "#,
        brand,
        id,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|row| Completable {
        upload: UploadRow {
            id: row.id,
            brand_id: row.brand_id,
            asset_id: row.asset_id,
            storage_upload_id: row.storage_upload_id,
            object_key: row.object_key,
            bytes: row.bytes,
            part_bytes: row.part_bytes,
            part_count: row.part_count,
            expires_at: row.expires_at,
            completed_at: row.completed_at,
        },
        asset_state: row.state,
    }))
}

/// The file is whole: its asset goes on to its probe, which the caller enqueues in this transaction.
///
/// # Errors
/// When a statement fails.
pub async fn complete_upload(
    tx: &mut Tx,
    upload: &UploadRow,
    declared_sha256: Option<&[u8]>,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update uploads set completed_at = coalesce(completed_at, now()), declared_sha256 = coalesce($3, declared_sha256)
         where brand_id = $1 and id = $2
        "#,
        upload.brand_id,
        upload.id,
        declared_sha256,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        r#"
        update media_assets set state = 'PROBING', object_key = $3, bytes = $4, updated_at = now()
         where brand_id = $1 and id = $2 and state = 'UPLOADING'
        "#,
        upload.brand_id,
        upload.asset_id,
        upload.object_key,
        upload.bytes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
