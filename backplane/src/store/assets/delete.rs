//! The end of an asset: its files go, its row stays for what was posted from it.

use uuid::Uuid;

use crate::store::{StoreError, Tx};

/// What decides whether an asset may be deleted, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletable {
    pub state: String,
    /// A target that is not at its end needs the files.
    pub used: bool,
    /// A carousel that is not deleted itself holds it.
    pub in_carousel: bool,
    /// It is its brand's logo.
    pub is_logo: bool,
    /// An upload to break off: (object key, the storage's own id).
    pub upload_key: Option<String>,
    pub upload_id: Option<String>,
}

/// Reads and locks an asset that is to be deleted; `None` when it is not of this brand.
///
/// # Errors
/// When the statement fails.
pub async fn deletable(tx: &mut Tx, brand: Uuid, asset: Uuid) -> Result<Option<Deletable>, StoreError> {
    // By id, with the items that would go along, as everybody locks assets who locks several.
    sqlx::query!(
        r#"
        select id from media_assets
         where brand_id = $1 and (id = $2 or (in_carousel and id in (
               select item_id from carousel_items where brand_id = $1 and carousel_id = $2)))
         order by id for update
        "#,
        brand,
        asset,
    )
    .fetch_all(&mut **tx)
    .await?;
    let row = sqlx::query_as!(
        Deletable,
        r#"
        select a.state,
               exists (select from publish_targets t where t.asset_id = a.id
                          and t.state not in ('PUBLISHED', 'FAILED', 'CANCELLED')) as "used!",
               exists (select from carousel_items i join media_assets c on c.id = i.carousel_id
                        where i.item_id = a.id and c.state <> 'DELETED') as "in_carousel!",
               exists (select from brands b where b.id = a.brand_id and (b.watermark_asset_id = a.id
                          or b.watermark_asset_id in (select i.item_id from carousel_items i join media_assets m on m.id = i.item_id
                                                       where i.carousel_id = a.id and m.in_carousel))) as "is_logo!",
               u.object_key as "upload_key?", u.storage_upload_id as "upload_id?"
          from media_assets a left join uploads u on u.asset_id = a.id and u.completed_at is null
         where a.brand_id = $1 and a.id = $2
        "#,
        brand,
        asset,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Marks an asset, and the items that came with it, as deleted, and forgets the files made of contents that no
/// asset has any more. Answers with the keys of the files that nothing else names; housekeeping removes what the
/// caller cannot.
///
/// # Errors
/// When a statement fails.
pub async fn delete_asset(tx: &mut Tx, brand: Uuid, asset: Uuid) -> Result<Vec<String>, StoreError> {
    let keys = sqlx::query_scalar!(
        r#"
        with gone as (
            select a.id, a.object_key, a.thumbnail_key, a.content_hash from media_assets a
             where a.brand_id = $1 and (a.id = $2 or (a.in_carousel and a.id in (
                   select item_id from carousel_items where brand_id = $1 and carousel_id = $2)))),
        marked as (
            update media_assets a
               set state = 'DELETED', object_key = null, thumbnail_key = null, placeholder = null,
                   problem_code = null, problem_message = null, problem_remedy = null, problem_since = null, problem_retry_at = null, updated_at = now()
              from gone where a.id = gone.id),
        made as (
            select m.id, m.object_key from transcoded_media m
             where m.brand_id = $1 and m.object_key is not null and m.content_hash in (select content_hash from gone)
               and not exists (select from media_assets o where o.brand_id = $1 and o.content_hash = m.content_hash
                                  and o.state <> 'DELETED' and o.id not in (select id from gone))
             order by m.id for update of m),
        forgotten as (
            update transcoded_media m set object_key = null, updated_at = now() from made where m.id = made.id),
        named as (
            select object_key as key from gone union select thumbnail_key from gone union select object_key from made)
        select key as "key!" from named
         where key is not null
           and not exists (select from transcoded_media m where m.brand_id = $1 and m.object_key = key
                              and m.id not in (select id from made))
           and not exists (select from media_assets o where o.brand_id = $1 and o.id not in (select id from gone)
                              and (o.object_key = key or o.thumbnail_key = key))
        "#,
        brand,
        asset,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(keys)
}
