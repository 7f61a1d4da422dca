//! What the transcode job reads and writes: the files that are made of an asset.

use std::collections::HashMap;

use domain::engine::ENGINE_VERSION;
use domain::operation::Operation;
use domain::problem::Problem;
use serde_json::Value;
use uuid::Uuid;

use super::jobs::Fence;
use super::publishing::stored::from_json;
use super::{StoreError, Tx};

/// Whose targets wait for these files: assets of the same content share them.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn assets_waiting_for(
    tx: &mut Tx,
    brand: Uuid,
    transcoded: &[Uuid],
) -> Result<Vec<Uuid>, StoreError> {
    let ids = sqlx::query_scalar!(
        r#"
        select distinct t.asset_id
          from target_media m join publish_targets t on t.brand_id = m.brand_id and t.id = m.target_id
         where m.brand_id = $1 and m.transcoded_id = any($2) and t.state in ('DRAFT', 'PREPARING')
         order by t.asset_id
        "#,
        brand,
        transcoded,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// What shows files that are being made.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// That wait for them.
    pub targets: Vec<Uuid>,
    /// Whose targets those are.
    pub assets: Vec<Uuid>,
}

/// So many targets are told of each step of a file; the others hear of its end.
const TOLD_MAX: i64 = 200;

/// What shows these files, as far as a target waits for them.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn watched(tx: &mut Tx, brand: Uuid, files: &[Uuid]) -> Result<Watched, StoreError> {
    let rows = sqlx::query!(
        r#"
        select distinct t.id, t.asset_id
          from target_media m join publish_targets t on t.brand_id = m.brand_id and t.id = m.target_id
         where m.brand_id = $1 and m.transcoded_id = any($2) and t.state in ('DRAFT', 'PREPARING')
         order by t.asset_id, t.id limit $3
        "#,
        brand,
        files,
        TOLD_MAX,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut watched = Watched { targets: rows.iter().map(|row| row.id).collect(), ..Watched::default() };
    watched.assets = rows.iter().map(|row| row.asset_id).collect();
    watched.assets.dedup();
    Ok(watched)
}

/// One file to make.
#[derive(Clone, Debug)]
pub struct TranscodeRow {
    pub id: Uuid,
    pub operation: Value,
    pub profiles: Vec<String>,
}

/// The source of a transcode and everything that is still to be made from it.
#[derive(Clone, Debug)]
pub struct TranscodeFacts {
    /// Where a file of this content lies; `None` when every asset of it was deleted.
    pub object_key: Option<String>,
    /// How long it is, ms; `None` for a photo.
    pub duration_ms: Option<u64>,
    pub rows: Vec<TranscodeRow>,
}

/// Reads where the source of `transcoded` lies and every row of its content that is not made yet, itself first.
/// `None` when the row is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn transcode_facts(
    tx: &mut Tx,
    brand: Uuid,
    transcoded: Uuid,
) -> Result<Option<TranscodeFacts>, StoreError> {
    let Some(source) = sqlx::query!(
        r#"
        select m.content_hash, source.object_key as "object_key?",
               (source.info ->> 'duration_ms')::bigint as "duration_ms?"
          from transcoded_media m
          -- The asset that it was asked for, else another one of the same content: the first may be deleted.
          left join lateral (select a.object_key, a.info from media_assets a
                              where a.brand_id = $1 and a.content_hash = m.content_hash and a.object_key is not null
                              order by (a.id = m.asset_id) desc, a.id limit 1) source on true
         where m.brand_id = $1 and m.id = $2
        "#,
        brand,
        transcoded,
    )
    .fetch_optional(&mut **tx)
    .await?
    else {
        return Ok(None);
    };
    let rows = sqlx::query_as!(
        TranscodeRow,
        r#"
        select m.id, m.operation,
               coalesce((select array_agg(p.profile order by p.profile) from transcode_profiles p
                          where p.brand_id = m.brand_id and p.transcoded_id = m.id), '{}') as "profiles!"
          from transcoded_media m
         where m.brand_id = $1 and m.content_hash = $2 and m.state in ('QUEUED', 'RUNNING')
         order by (m.id = $3) desc, m.id
         limit 32
        "#,
        brand,
        source.content_hash,
        transcoded,
    )
    .fetch_all(&mut **tx)
    .await?;
    let duration_ms = source.duration_ms.and_then(|ms| ms.try_into().ok());
    Ok(Some(TranscodeFacts { object_key: source.object_key, duration_ms, rows }))
}

/// Where files of these contents lie, for those that an asset of the brand still has.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn files_of_contents(
    tx: &mut Tx,
    brand: Uuid,
    contents: &[Vec<u8>],
) -> Result<Vec<(Vec<u8>, String)>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select wanted.hash as "hash!", file.object_key as "object_key!"
          from unnest($2::bytea[]) as wanted (hash)
         cross join lateral (select a.object_key from media_assets a
                              where a.brand_id = $1 and a.content_hash = wanted.hash and a.object_key is not null
                              order by a.id limit 1) file
        "#,
        brand,
        contents,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.hash, row.object_key)).collect())
}

/// Files of one content that are looked at as candidates; a source is wanted in a dozen forms at most.
const CANDIDATES_MAX: i64 = 64;

/// The encodes of `contents` that are made or under way, by content.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn encodes_of_contents(
    tx: &mut Tx,
    brand: Uuid,
    contents: &[Vec<u8>],
) -> Result<HashMap<Vec<u8>, Vec<Operation>>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select wanted.hash as "hash!", made.operation
          from unnest($2::bytea[]) as wanted (hash)
         cross join lateral (select m.operation from transcoded_media m
                              where m.brand_id = $1 and m.content_hash = wanted.hash and m.engine_version = $3
                                and m.kind = 'TRANSCODE' and m.state <> 'FAILED'
                              order by m.operation_key limit $4) made
        "#,
        brand,
        contents,
        ENGINE_VERSION,
        CANDIDATES_MAX,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut operations: HashMap<Vec<u8>, Vec<Operation>> = HashMap::new();
    for row in rows {
        operations.entry(row.hash).or_default().push(from_json(row.operation)?);
    }
    Ok(operations)
}

/// Marks rows as being worked on.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn transcodes_running(tx: &mut Tx, fence: &Fence, ids: &[Uuid]) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        update transcoded_media
           -- Parts that are made stay made: who joins them goes on from there.
           set state = 'RUNNING', progress = case when state = 'QUEUED' then 0 else progress end, updated_at = now()
         where brand_id = $1 and id = any($2) and state in ('QUEUED', 'RUNNING')
        "#,
        brand,
        ids,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Shows how far the rows are, 0 to 1.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn transcodes_progress(
    tx: &mut Tx,
    brand: Uuid,
    ids: &[Uuid],
    done: f32,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        with held as (select id from transcoded_media where brand_id = $1 and id = any($2) order by id for update)
        update transcoded_media m set progress = $3, updated_at = now()
          from held where m.brand_id = $1 and m.id = held.id and m.state = 'RUNNING' and m.progress < $3
        "#,
        brand,
        ids,
        done.clamp(0.0, 1.0),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Those of these files that a target waits for.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn awaited(tx: &mut Tx, brand: Uuid, files: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let awaited = sqlx::query_scalar!(
        r#"
        select wanted.id as "id!" from unnest($2::uuid[]) as wanted (id)
         where exists (select from target_media m
                         join publish_targets t on t.brand_id = m.brand_id and t.id = m.target_id
                        where m.brand_id = $1 and m.transcoded_id = wanted.id and t.state in ('DRAFT', 'PREPARING'))
        "#,
        brand,
        files,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(awaited)
}

/// Puts files back that nobody waits for any more, and returns those that somebody waits for by now. Who wants one again
/// asks for its job, too.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn transcodes_abandoned(tx: &mut Tx, fence: &Fence, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let brand = fence.brand();
    // Who waits for a file that is not done locks it: they are seen below, or wait and see what is written here.
    sqlx::query!(
        "select id from transcoded_media where brand_id = $1 and id = any($2) order by id for update",
        brand,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let awaited = awaited(tx, brand, ids).await?;
    sqlx::query!(
        r#"
        update transcoded_media set state = 'QUEUED', progress = 0, updated_at = now()
         where brand_id = $1 and id = any($2) and id <> all($3) and state = 'RUNNING'
        "#,
        brand,
        ids,
        &awaited,
    )
    .execute(&mut **tx)
    .await?;
    Ok(awaited)
}

/// A file that was made and verified.
#[derive(Clone, Debug)]
pub struct MadeFile {
    pub id: Uuid,
    pub object_key: String,
    pub content_type: String,
    pub info: Value,
    pub sha256: Vec<u8>,
}

/// Names verified files: from here on they count.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn transcodes_done(tx: &mut Tx, fence: &Fence, files: &[MadeFile]) -> Result<(), StoreError> {
    let brand = fence.brand();
    let ids: Vec<Uuid> = files.iter().map(|file| file.id).collect();
    let keys: Vec<String> = files.iter().map(|file| file.object_key.clone()).collect();
    let types: Vec<String> = files.iter().map(|file| file.content_type.clone()).collect();
    let infos: Vec<Value> = files.iter().map(|file| file.info.clone()).collect();
    let hashes: Vec<Vec<u8>> = files.iter().map(|file| file.sha256.clone()).collect();
    sqlx::query!(
        r#"
        update transcoded_media m
           set state = 'DONE', progress = 1, object_key = f.object_key, content_type = f.content_type, info = f.info,
               sha256 = f.sha256, problem_code = null, problem_message = null, problem_remedy = null,
               problem_since = null, problem_retry_at = null, updated_at = now()
          from unnest($2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::bytea[])
               as f (id, object_key, content_type, info, sha256)
         where m.brand_id = $1 and m.id = f.id
        "#,
        brand,
        &ids,
        &keys,
        &types,
        &infos,
        &hashes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Says of one row that it cannot be made.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn transcode_failed(
    tx: &mut Tx,
    fence: &Fence,
    id: Uuid,
    problem: &Problem,
) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        update transcoded_media
           set state = 'FAILED', problem_code = $3, problem_message = $4, problem_remedy = $5, problem_since = now(),
               updated_at = now()
         where brand_id = $1 and id = $2 and state in ('QUEUED', 'RUNNING')
        "#,
        brand,
        id,
        problem.code,
        problem.message,
        problem.remedy.as_str(),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
