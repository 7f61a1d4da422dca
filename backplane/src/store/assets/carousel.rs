//! Carousels made of assets that stay.

use uuid::Uuid;

use crate::store::{StoreError, Tx};

/// What decides whether an asset may be an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarouselItem {
    pub id: Uuid,
    pub kind: String,
    pub state: String,
    pub content_hash: Option<Vec<u8>>,
    pub thumbnail_key: Option<String>,
    pub placeholder: Option<String>,
}

/// Reads and locks the assets that are to be items, in the order of their ids.
///
/// # Errors
/// When the statement fails.
pub async fn items_for_carousel(
    tx: &mut Tx,
    brand: Uuid,
    ids: &[Uuid],
) -> Result<Vec<CarouselItem>, StoreError> {
    let rows = sqlx::query_as!(
        CarouselItem,
        r#"
        select id, kind, state, content_hash, thumbnail_key, placeholder from media_assets
         where brand_id = $1 and id = any($2) and state <> 'DELETED' order by id for share
        "#,
        brand,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// A carousel to be stored.
#[derive(Clone, Debug)]
pub struct NewCarousel<'a> {
    pub id: Uuid,
    pub caption: Option<&'a str>,
    /// In order; an asset may be in it once.
    pub items: &'a [Uuid],
    /// All items are READY, so it is as well.
    pub ready: bool,
    /// Of the items' hashes in order, when it is ready.
    pub content_hash: Option<&'a [u8]>,
    pub thumbnail_key: Option<&'a str>,
    /// The first item's, as its thumbnail.
    pub placeholder: Option<&'a str>,
}

/// Stores a carousel.
///
/// # Errors
/// When a statement fails.
pub async fn insert_carousel(tx: &mut Tx, brand: Uuid, carousel: &NewCarousel<'_>) -> Result<(), StoreError> {
    let state = if carousel.ready { "READY" } else { "PROBING" };
    sqlx::query!(
        r#"
        insert into media_assets
            (id, brand_id, source, kind, state, caption, content_hash, thumbnail_key, placeholder, listed_at)
        values ($1, $2, 'UPLOAD', 'CAROUSEL', $3, $4, $5, $6, $7, now())
        "#,
        carousel.id,
        brand,
        state,
        carousel.caption,
        carousel.content_hash,
        carousel.thumbnail_key,
        carousel.placeholder,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        r#"
        insert into carousel_items (brand_id, carousel_id, position, item_id)
        select $1, $2, (n.position - 1)::smallint, n.item_id
          from unnest($3::uuid[]) with ordinality as n (item_id, position)
        "#,
        brand,
        carousel.id,
        carousel.items,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
