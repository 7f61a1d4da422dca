//! Assets by id.

use chrono::{DateTime, Utc};
use domain::media_info::MediaInfo;
use uuid::Uuid;

use crate::store::publishing::ProblemRow;
use crate::store::publishing::stored::{ProblemColumns, from_json};
use crate::store::{StoreError, Tx};

/// An asset as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetRow {
    pub id: Uuid,
    pub brand_id: Uuid,
    /// `INSTAGRAM` or `UPLOAD`
    pub source: String,
    pub account_id: Option<Uuid>,
    /// `IMAGE`, `VIDEO` or `CAROUSEL`
    pub kind: String,
    /// `UPLOADING`, `FETCHING`, `PROBING`, `READY`, `REJECTED` or `DELETED`
    pub state: String,
    pub problem: Option<ProblemRow>,
    pub filename: Option<String>,
    pub caption: Option<String>,
    pub posted_at: Option<DateTime<Utc>>,
    pub external_id: Option<String>,
    pub external_url: Option<String>,
    pub object_key: Option<String>,
    pub content_type: Option<String>,
    pub info: Option<MediaInfo>,
    pub thumbnail_key: Option<String>,
    /// A thumbhash in base64.
    pub placeholder: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Reads assets by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn assets_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<AssetRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select id, brand_id, source, account_id, kind, state, problem_code, problem_message, problem_remedy,
               problem_since, problem_retry_at, filename, caption, posted_at, external_id, external_url, object_key,
               content_type, info, thumbnail_key, placeholder, created_at
          from media_assets where id = any($1)
        "#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let columns = ProblemColumns {
                code: row.problem_code,
                message: row.problem_message,
                remedy: row.problem_remedy,
                since: row.problem_since,
                retry_at: row.problem_retry_at,
            };
            Ok(AssetRow {
                id: row.id,
                brand_id: row.brand_id,
                source: row.source,
                account_id: row.account_id,
                kind: row.kind,
                state: row.state,
                problem: columns.read()?,
                filename: row.filename,
                caption: row.caption,
                posted_at: row.posted_at,
                external_id: row.external_id,
                external_url: row.external_url,
                object_key: row.object_key,
                content_type: row.content_type,
                info: row.info.map(from_json).transpose()?,
                thumbnail_key: row.thumbnail_key,
                placeholder: row.placeholder,
                created_at: row.created_at,
            })
        })
        .collect()
}

/// Which brand each of these assets is of: (asset, brand).
///
/// # Errors
/// When the statement fails.
pub async fn brand_of_assets(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let rows = sqlx::query!("select id, brand_id from media_assets where id = any($1)", ids)
        .fetch_all(&mut **tx)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.brand_id)).collect())
}

/// The items of each carousel, in order: (carousel, item).
///
/// # Errors
/// When the statement fails.
pub async fn items_of_carousels(tx: &mut Tx, carousels: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let rows = sqlx::query!(
        "select carousel_id, item_id from carousel_items where carousel_id = any($1) order by carousel_id, position",
        carousels,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.carousel_id, row.item_id)).collect())
}

/// The content of a photo that is READY; the inner `None`: the asset is something else. `None`: no such asset.
///
/// Locks the asset against being deleted until the transaction ends.
///
/// # Errors
/// When the statement fails.
pub async fn ready_photo(
    tx: &mut Tx,
    brand: Uuid,
    asset: Uuid,
) -> Result<Option<Option<Vec<u8>>>, StoreError> {
    let content = sqlx::query_scalar!(
        r#"
        select case when kind = 'IMAGE' and state = 'READY' then content_hash end as content_hash
          from media_assets where brand_id = $1 and id = $2 for share
        "#,
        brand,
        asset,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(content)
}
