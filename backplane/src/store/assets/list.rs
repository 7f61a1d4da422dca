//! The list of a brand's assets, newest first, with everything it may be narrowed by.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::publishing::{Edge, Window};
use crate::store::{StoreError, Tx};

/// Which assets; `None` leaves a condition out. Names are those of the columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetQuery {
    pub sources: Option<Vec<String>>,
    pub kinds: Option<Vec<String>>,
    /// Deleted assets are left out unless named here.
    pub states: Option<Vec<String>>,
    pub account: Option<Uuid>,
    /// Words that are all in the caption or the file name, in lower case.
    pub words: Vec<String>,
    pub from: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
    /// `Some(false)`: without a target, cancelled ones not counted; `Some(true)`: with one.
    pub used: Option<bool>,
    /// Without such a target on any of these accounts.
    pub unused_on: Option<Vec<Uuid>>,
}

impl AssetQuery {
    fn wants_deleted(&self) -> bool {
        self.states.as_ref().is_some_and(|states| states.iter().any(|state| state == "DELETED"))
    }
}

/// A page of a brand's assets by key.
///
/// # Errors
/// When the statement fails.
pub async fn assets_of_brand(
    tx: &mut Tx,
    brand: Uuid,
    query: &AssetQuery,
    window: Window,
) -> Result<Vec<Edge>, StoreError> {
    let rows = sqlx::query_as!(
        Edge,
        r#"
        with matching as not materialized (
            select a.id, a.listed_at from media_assets a
             where a.brand_id = $1 and not a.in_carousel and ($2 or a.state <> 'DELETED')
               and ($3::text[] is null or a.source = any($3)) and ($4::text[] is null or a.kind = any($4))
               and ($5::text[] is null or a.state = any($5)) and ($6::uuid is null or a.account_id = $6)
               and not exists (select from unnest($7::text[]) as word where position(word in a.search_text) = 0)
               and ($8::timestamptz is null or a.listed_at >= $8) and ($9::timestamptz is null or a.listed_at < $9)
               and ($10::boolean is null or $10 = exists (
                    select from publish_targets t where t.asset_id = a.id and t.state <> 'CANCELLED'))
               and ($11::uuid[] is null or not exists (
                    select from publish_targets t
                     where t.asset_id = a.id and t.state <> 'CANCELLED' and t.account_id = any($11)))
               and (a.listed_at, a.id) > (coalesce($12::timestamptz, 'infinity'), $13::uuid)
               and (a.listed_at, a.id) < (coalesce($14::timestamptz, 'infinity'), $15::uuid))
        (select listed_at as at, id as "id!" from matching where not $16 order by listed_at, id limit $17)
        union all
        (select listed_at, id from matching where $16 order by listed_at desc, id desc limit $17)
        "#,
        brand,
        query.wants_deleted(),
        query.sources.as_deref() as Option<&[String]>,
        query.kinds.as_deref() as Option<&[String]>,
        query.states.as_deref() as Option<&[String]>,
        query.account,
        &query.words,
        query.from,
        query.before,
        query.used,
        query.unused_on.as_deref() as Option<&[Uuid]>,
        window.from.0,
        window.from.1,
        window.until.0,
        window.until.1,
        window.descending,
        window.limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// How many there are.
///
/// # Errors
/// When the statement fails.
pub async fn count_assets(tx: &mut Tx, brand: Uuid, query: &AssetQuery) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from media_assets a
         where a.brand_id = $1 and not a.in_carousel and ($2 or a.state <> 'DELETED')
           and ($3::text[] is null or a.source = any($3)) and ($4::text[] is null or a.kind = any($4))
           and ($5::text[] is null or a.state = any($5)) and ($6::uuid is null or a.account_id = $6)
           and not exists (select from unnest($7::text[]) as word where position(word in a.search_text) = 0)
           and ($8::timestamptz is null or a.listed_at >= $8) and ($9::timestamptz is null or a.listed_at < $9)
           and ($10::boolean is null or $10 = exists (
                select from publish_targets t where t.asset_id = a.id and t.state <> 'CANCELLED'))
           and ($11::uuid[] is null or not exists (
                select from publish_targets t
                 where t.asset_id = a.id and t.state <> 'CANCELLED' and t.account_id = any($11)))
        "#,
        brand,
        query.wants_deleted(),
        query.sources.as_deref() as Option<&[String]>,
        query.kinds.as_deref() as Option<&[String]>,
        query.states.as_deref() as Option<&[String]>,
        query.account,
        &query.words,
        query.from,
        query.before,
        query.used,
        query.unused_on.as_deref() as Option<&[Uuid]>,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}
