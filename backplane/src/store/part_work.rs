//! What the parts of long videos read and write. A part belongs to one file that is being made; parts of several files
//! of one source that show the same frames are made with one decode.

use domain::engine::Span;
use serde_json::Value;
use uuid::Uuid;

use super::jobs::{Fence, NewJob, ensure};
use super::{StoreError, Tx};
use crate::job_kind::{JobKind, Lane};

/// A part, and where it lies once it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRow {
    pub id: Uuid,
    pub transcoded: Uuid,
    pub span: Span,
    pub object_key: Option<String>,
}

/// The parts of these files, in the order of files and frames.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn parts_of(tx: &mut Tx, brand: Uuid, files: &[Uuid]) -> Result<Vec<PartRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select part.id, part.transcoded_id, part.first_frame, part.frames, part.object_key
          from unnest($2::uuid[]) as wanted (id)
         cross join lateral (select * from transcode_parts p
                              where p.brand_id = $1 and p.transcoded_id = wanted.id offset 0) part
         order by part.transcoded_id, part.first_frame
        "#,
        brand,
        files,
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| PartRow {
        id: row.id,
        transcoded: row.transcoded_id,
        span: span(row.first_frame, row.frames),
        object_key: row.object_key,
    });
    Ok(read.collect())
}

/// Stores the parts that files consist of, but for those that are there, and sees that somebody makes what is missing.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn ask_for_parts(
    tx: &mut Tx,
    fence: &Fence,
    lane: Lane,
    parts: &[(Uuid, Span)],
) -> Result<(), StoreError> {
    let brand = fence.brand();
    let ids: Vec<Uuid> = parts.iter().map(|_| Uuid::now_v7()).collect();
    let files: Vec<Uuid> = parts.iter().map(|(file, _)| *file).collect();
    let firsts: Vec<i64> = parts.iter().map(|(_, span)| span.first.cast_signed()).collect();
    let lengths: Vec<i64> = parts.iter().map(|(_, span)| span.frames.cast_signed()).collect();
    sqlx::query!(
        r#"
        insert into transcode_parts (id, brand_id, transcoded_id, first_frame, frames)
        select n.id, $1, n.file, n.first, n.frames
          from unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[]) as n (id, file, first, frames)
        on conflict (transcoded_id, first_frame) do nothing
        "#,
        brand,
        &ids,
        &files,
        &firsts,
        &lengths,
    )
    .execute(&mut **tx)
    .await?;
    let missing: Vec<NewJob> = parts_of(tx, brand, &files)
        .await?
        .into_iter()
        .filter(|part| part.object_key.is_none())
        .map(|part| NewJob::now(JobKind::Part, lane, part.id))
        .collect();
    ensure(tx, brand, &missing).await
}

/// One part to make.
#[derive(Clone, Debug)]
pub struct PartToMake {
    pub id: Uuid,
    pub transcoded: Uuid,
    pub operation: Value,
}

/// The source of a part, and every part of it that shows the same frames and is not made yet.
#[derive(Clone, Debug)]
pub struct PartFacts {
    /// Where a file of this content lies; `None` when every asset of it was deleted.
    pub object_key: Option<String>,
    pub span: Span,
    pub rows: Vec<PartToMake>,
}

/// Reads what a part is made of. `None` when it is gone, or made.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn part_facts(tx: &mut Tx, brand: Uuid, part: Uuid) -> Result<Option<PartFacts>, StoreError> {
    let Some(own) = sqlx::query!(
        r#"
        select p.first_frame, p.frames, m.content_hash, source.object_key as "object_key?"
          from transcode_parts p
          join transcoded_media m on m.brand_id = p.brand_id and m.id = p.transcoded_id
          left join lateral (select a.object_key from media_assets a
                              where a.brand_id = $1 and a.content_hash = m.content_hash and a.object_key is not null
                              order by a.id limit 1) source on true
         where p.brand_id = $1 and p.id = $2 and p.object_key is null and m.state in ('QUEUED', 'RUNNING')
        "#,
        brand,
        part,
    )
    .fetch_optional(&mut **tx)
    .await?
    else {
        return Ok(None);
    };
    let rows = sqlx::query_as!(
        PartToMake,
        r#"
        select p.id, p.transcoded_id as transcoded, m.operation
          from transcoded_media m
         cross join lateral (select id, transcoded_id from transcode_parts p
                              where p.brand_id = $1 and p.transcoded_id = m.id and p.first_frame = $3 and p.frames = $4
                                and p.object_key is null limit 1) p
         where m.brand_id = $1 and m.content_hash = $2 and m.state in ('QUEUED', 'RUNNING')
         order by (p.id = $5) desc, p.id
         limit 32
        "#,
        brand,
        own.content_hash,
        own.first_frame,
        own.frames,
        part,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(Some(PartFacts { object_key: own.object_key, span: span(own.first_frame, own.frames), rows }))
}

/// Shows how far parts are, 0 to 1, and with them the files that they belong to, which it returns.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn parts_progress(
    tx: &mut Tx,
    brand: Uuid,
    parts: &[Uuid],
    done: f32,
) -> Result<Vec<Uuid>, StoreError> {
    sqlx::query!(
        "update transcode_parts set progress = $3, updated_at = now() where brand_id = $1 and id = any($2) and progress < $3",
        brand,
        parts,
        done.clamp(0.0, 1.0),
    )
    .execute(&mut **tx)
    .await?;
    let files = sqlx::query_scalar!(
        r#"
        with files as (
            select distinct transcoded_id as id from transcode_parts where brand_id = $1 and id = any($2)),
        held as (
            select m.id from transcoded_media m
             where m.brand_id = $1 and m.id in (select id from files) order by m.id for update)
        update transcoded_media m
           -- The rest is for joining.
           set progress = greatest(m.progress, share.done * 0.95), updated_at = now()
          from (select p.transcoded_id, avg(p.progress)::real as done from transcode_parts p
                 where p.brand_id = $1 and p.transcoded_id in (select id from held)
                 group by p.transcoded_id) share
         where m.brand_id = $1 and m.id = share.transcoded_id and m.state in ('QUEUED', 'RUNNING')
        returning m.id
        "#,
        brand,
        parts,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(files)
}

/// Names parts that were made. Returns the files of which all parts are there now.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn parts_done(
    tx: &mut Tx,
    fence: &Fence,
    made: &[(Uuid, String)],
) -> Result<Vec<Uuid>, StoreError> {
    let brand = fence.brand();
    let ids: Vec<Uuid> = made.iter().map(|(id, _)| *id).collect();
    let keys: Vec<String> = made.iter().map(|(_, key)| key.clone()).collect();
    // Of two who finish the last two parts at once, the second sees what the first wrote.
    sqlx::query!(
        r#"
        select id from transcoded_media
         where brand_id = $1
           and id in (select transcoded_id from transcode_parts where brand_id = $1 and id = any($2))
         order by id for update
        "#,
        brand,
        &ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    sqlx::query!(
        r#"
        update transcode_parts p set object_key = n.key, progress = 1, updated_at = now()
          from unnest($2::uuid[], $3::text[]) as n (id, key)
         where p.brand_id = $1 and p.id = n.id
        "#,
        brand,
        &ids,
        &keys,
    )
    .execute(&mut **tx)
    .await?;
    complete_files(tx, brand, &ids).await
}

/// The files that these parts belong to and of which no part is missing.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn complete_files(tx: &mut Tx, brand: Uuid, parts: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let complete = sqlx::query_scalar!(
        r#"
        select distinct mine.transcoded_id from transcode_parts mine
         where mine.brand_id = $1 and mine.id = any($2)
           and not exists (select from transcode_parts other where other.brand_id = $1
                              and other.transcoded_id = mine.transcoded_id and other.object_key is null)
        "#,
        brand,
        parts,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(complete)
}

/// Forgets the parts of files that are made, or cannot be. Returns where those lay that were made.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn forget_parts(tx: &mut Tx, fence: &Fence, files: &[Uuid]) -> Result<Vec<String>, StoreError> {
    let keys = sqlx::query_scalar!(
        "delete from transcode_parts where brand_id = $1 and transcoded_id = any($2) returning object_key",
        fence.brand(),
        files,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(keys.into_iter().flatten().collect())
}

/// The file that a part belongs to; `None` when it is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn file_of_part(tx: &mut Tx, brand: Uuid, part: Uuid) -> Result<Option<Uuid>, StoreError> {
    let file = sqlx::query_scalar!(
        "select transcoded_id from transcode_parts where brand_id = $1 and id = $2",
        brand,
        part,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(file)
}

/// The columns' CHECKs admit no negative numbers.
fn span(first: i64, frames: i64) -> Span {
    Span { first: first.cast_unsigned(), frames: frames.cast_unsigned() }
}
