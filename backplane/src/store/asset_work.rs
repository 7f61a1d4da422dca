//! What the probe and fetch jobs read and write: an asset's file, and what becomes of it.

use chrono::{DateTime, Utc};
use domain::problem::Problem;
use serde_json::Value;
use uuid::Uuid;

use super::jobs::Fence;
use super::{StoreError, Tx};

/// An asset that is to be fetched from its network.
#[derive(Clone, Debug)]
pub struct FetchFacts {
    pub state: String,
    pub kind: String,
    pub account_id: Option<Uuid>,
    pub external_id: Option<String>,
    /// The post that it is an item of, as the network names it.
    pub parent_external_id: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Reads an asset for its fetch; `None` when it is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn fetch_facts(tx: &mut Tx, brand: Uuid, asset: Uuid) -> Result<Option<FetchFacts>, StoreError> {
    let facts = sqlx::query_as!(
        FetchFacts,
        r#"
        select a.state, a.kind, a.account_id, a.external_id, a.created_at,
               (select c.external_id from carousel_items i
                  join media_assets c on c.brand_id = i.brand_id and c.id = i.carousel_id
                 where i.brand_id = a.brand_id and i.item_id = a.id and a.in_carousel limit 1) as parent_external_id
          from media_assets a where a.brand_id = $1 and a.id = $2
        "#,
        brand,
        asset,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(facts)
}

/// The file of a fetched asset lies in storage: it goes on to its probe.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn asset_fetched(
    tx: &mut Tx,
    fence: &Fence,
    asset: Uuid,
    object_key: &str,
    bytes: i64,
) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        update media_assets set state = 'PROBING', object_key = $3, bytes = $4, problem_code = null, problem_message = null,
               problem_remedy = null, problem_since = null, problem_retry_at = null, updated_at = now()
         where brand_id = $1 and id = $2 and state = 'FETCHING'
        "#,
        brand,
        asset,
        object_key,
        bytes,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// An asset whose file lies in storage and is to be looked into.
#[derive(Clone, Debug)]
pub struct ProbeFacts {
    pub state: String,
    pub object_key: Option<String>,
    pub bytes: Option<i64>,
    /// What the uploader says that the whole file's SHA-256 is.
    pub declared_sha256: Option<Vec<u8>>,
    pub upload_content_type: Option<String>,
    /// `IMAGE` or `VIDEO`: what it was taken for before anybody looked.
    pub kind: String,
}

/// Reads an asset for its probe; `None` when it is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn probe_facts(tx: &mut Tx, brand: Uuid, asset: Uuid) -> Result<Option<ProbeFacts>, StoreError> {
    let facts = sqlx::query_as!(
        ProbeFacts,
        r#"
        select a.state, a.object_key, a.bytes, a.kind, u.declared_sha256 as "declared_sha256?",
               u.content_type as "upload_content_type?"
          from media_assets a left join uploads u on u.brand_id = a.brand_id and u.asset_id = a.id
         where a.brand_id = $1 and a.id = $2
        "#,
        brand,
        asset,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(facts)
}

/// What a probe found.
#[derive(Clone, Debug)]
pub struct ProbeResult {
    /// `IMAGE` or `VIDEO`, by content.
    pub kind: &'static str,
    pub info: Value,
    pub sha256: Vec<u8>,
    pub bytes: i64,
    pub content_type: &'static str,
    pub thumbnail_key: Option<String>,
    /// A thumbhash in base64.
    pub placeholder: Option<String>,
}

/// Makes a probed asset READY, if it was not deleted meanwhile. Returns it and the carousels that it is an item
/// of: their targets may move now.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn asset_ready(
    tx: &mut Tx,
    fence: &Fence,
    asset: Uuid,
    result: &ProbeResult,
) -> Result<Vec<Uuid>, StoreError> {
    let brand = fence.brand();
    hold(tx, brand, asset).await?;
    sqlx::query!(
        r#"
        update media_assets
           set state = 'READY', kind = $3, info = $4, content_hash = $5, bytes = $6, content_type = $7, thumbnail_key = $8,
               placeholder = $9, problem_code = null, problem_message = null, problem_remedy = null, problem_since = null,
               problem_retry_at = null, updated_at = now()
         where brand_id = $1 and id = $2 and state = 'PROBING'
        "#,
        brand,
        asset,
        result.kind,
        result.info,
        result.sha256,
        result.bytes,
        result.content_type,
        result.thumbnail_key,
        result.placeholder,
    )
    .execute(&mut **tx)
    .await?;
    refresh_carousels(tx, brand, asset).await?;
    asset_and_carousels(tx, brand, asset).await
}

/// Refuses an asset with its reason, unless it is READY or deleted. Returns it and the carousels that it is an
/// item of: their targets may move now.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn asset_rejected(
    tx: &mut Tx,
    fence: &Fence,
    asset: Uuid,
    problem: &Problem,
) -> Result<Vec<Uuid>, StoreError> {
    let brand = fence.brand();
    hold(tx, brand, asset).await?;
    sqlx::query!(
        r#"
        update media_assets
           set state = 'REJECTED', problem_code = $3, problem_message = $4, problem_remedy = $5,
               problem_since = coalesce(problem_since, now()), problem_retry_at = null, updated_at = now()
         where brand_id = $1 and id = $2 and state in ('UPLOADING', 'FETCHING', 'PROBING')
        "#,
        brand,
        asset,
        problem.code,
        problem.message,
        problem.remedy.as_str(),
    )
    .execute(&mut **tx)
    .await?;
    refresh_carousels(tx, brand, asset).await?;
    asset_and_carousels(tx, brand, asset).await
}

/// Locks an asset and the carousels that hold it, by id, as everybody locks assets who locks several. Of two items
/// that finish at once the second sees the first.
async fn hold(tx: &mut Tx, brand: Uuid, asset: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        select id from media_assets
         where brand_id = $1
           and (id = $2 or id in (select carousel_id from carousel_items where brand_id = $1 and item_id = $2))
         order by id for update
        "#,
        brand,
        asset,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(())
}

/// A carousel is READY when all its items are, and REJECTED with the first item that is.
async fn refresh_carousels(tx: &mut Tx, brand: Uuid, item: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update media_assets c
           set state = case when o.rejected > 0 then 'REJECTED' when o.ready = o.items then 'READY' else c.state end,
               content_hash = case when o.ready = o.items then sha256(o.hashes) end,
               thumbnail_key = case when o.ready = o.items then o.thumbnail else c.thumbnail_key end,
               placeholder = case when o.ready = o.items then o.placeholder else c.placeholder end,
               problem_code = o.problem_code, problem_message = o.problem_message, problem_remedy = o.problem_remedy,
               problem_since = case when o.rejected > 0 then now() end, updated_at = now()
          from (select i.carousel_id, count(*) as items, count(*) filter (where a.state = 'READY') as ready,
                       count(*) filter (where a.state = 'REJECTED') as rejected,
                       string_agg(a.content_hash, ''::bytea order by i.position) as hashes,
                       (array_agg(a.thumbnail_key order by i.position))[1] as thumbnail,
                       (array_agg(a.placeholder order by i.position))[1] as placeholder,
                       (array_agg(a.problem_code order by i.position) filter (where a.state = 'REJECTED'))[1] as problem_code,
                       (array_agg('Item ' || (i.position + 1) || ': ' || a.problem_message order by i.position)
                           filter (where a.state = 'REJECTED'))[1] as problem_message,
                       (array_agg(a.problem_remedy order by i.position) filter (where a.state = 'REJECTED'))[1] as problem_remedy
                  from carousel_items i join media_assets a on a.brand_id = i.brand_id and a.id = i.item_id
                 where i.brand_id = $1
                   and i.carousel_id in (select carousel_id from carousel_items where brand_id = $1 and item_id = $2)
                 group by i.carousel_id) o
         where c.brand_id = $1 and c.id = o.carousel_id and c.state in ('FETCHING', 'PROBING')
        "#,
        brand,
        item,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn asset_and_carousels(tx: &mut Tx, brand: Uuid, asset: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let mut ids = sqlx::query_scalar!(
        "select carousel_id from carousel_items where brand_id = $1 and item_id = $2",
        brand,
        asset,
    )
    .fetch_all(&mut **tx)
    .await?;
    ids.push(asset);
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
