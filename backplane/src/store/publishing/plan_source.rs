//! What a plan is made from: assets with the facts of their files, accounts, and the brand's rules.

use std::collections::BTreeSet;

use domain::media_info::MediaInfo;
use domain::plan::Style;
use domain::platform::{MediaKind, Platform};
use domain::problem::Problem;
use domain::profile::Overrides;
use uuid::Uuid;

use super::stored::{ProblemColumns, StyleColumns, from_json, overrides, parse, parse_upper};
use crate::store::{StoreError, Tx};

/// An asset as targets need it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanSource {
    pub asset_id: Uuid,
    pub kind: MediaKind,
    /// `UPLOADING`, `FETCHING`, `PROBING`, `READY`, `REJECTED` or `DELETED`.
    pub state: String,
    /// Why it was rejected or is late.
    pub problem: Option<Problem>,
    /// Ingested from this account: it is published there already.
    pub account_id: Option<Uuid>,
    pub caption: Option<String>,
    pub content_hash: Option<Vec<u8>>,
    /// Its file, or those of its items in their order.
    pub files: Vec<PlanFile>,
    /// How its brand's files look.
    pub style: Style,
}

/// One file to be posted.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanFile {
    /// The asset itself, or the item of a carousel.
    pub asset_id: Uuid,
    pub kind: MediaKind,
    /// `None` until probed.
    pub info: Option<MediaInfo>,
    pub content_hash: Option<Vec<u8>>,
}

/// Reads what the plans of `assets` need, with one statement: row by row along the primary keys, so that no plan made
/// for yesterday's sizes goes through all assets of a brand for each of a thousand.
///
/// # Errors
/// When the statement fails.
pub async fn plan_sources(tx: &mut Tx, assets: &[Uuid]) -> Result<Vec<PlanSource>, StoreError> {
    let assets: BTreeSet<Uuid> = assets.iter().copied().collect();
    let assets: Vec<Uuid> = assets.into_iter().collect();
    let rows = sqlx::query!(
        r#"
        select asset.id as asset_id, asset.kind, asset.state, asset.account_id, asset.caption, asset.content_hash,
               asset.problem_code, asset.problem_message, asset.problem_remedy, asset.problem_since,
               asset.problem_retry_at, file.id as "file_id!", file.kind as "file_kind!", file.info as file_info,
               file.content_hash as file_hash, brand.pad_color, brand.watermark_hash, brand.watermark_corner,
               brand.watermark_width_permille, brand.watermark_margin_permille
          from unnest($1::uuid[]) as wanted (id)
         cross join lateral (select * from media_assets a where a.id = wanted.id limit 1) asset
          left join lateral (select * from carousel_items i where i.carousel_id = asset.id offset 0) item on true
         -- Apart: compared with an expression that is not leakproof, no index serves under row-level security.
         cross join lateral (select coalesce(item.item_id, asset.id) as id offset 0) named
         cross join lateral (select * from media_assets f where f.id = named.id limit 1) file
         cross join lateral (select * from brands b where b.id = asset.brand_id limit 1) brand
         order by asset.id, item.position
        "#,
        &assets,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut sources: Vec<PlanSource> = Vec::new();
    for row in rows {
        let file = PlanFile {
            asset_id: row.file_id,
            kind: parse_upper(&row.file_kind)?,
            info: row.file_info.map(from_json).transpose()?,
            content_hash: row.file_hash,
        };
        match sources.last_mut().filter(|source| source.asset_id == row.asset_id) {
            Some(source) => source.files.push(file),
            None => sources.push(PlanSource {
                asset_id: row.asset_id,
                kind: parse_upper(&row.kind)?,
                state: row.state,
                problem: ProblemColumns {
                    code: row.problem_code,
                    message: row.problem_message,
                    remedy: row.problem_remedy,
                    since: row.problem_since,
                    retry_at: row.problem_retry_at,
                }
                .read()?
                .map(|row| row.problem),
                account_id: row.account_id,
                caption: row.caption,
                content_hash: row.content_hash,
                files: vec![file],
                style: StyleColumns {
                    pad_color: row.pad_color,
                    hash: row.watermark_hash,
                    corner: row.watermark_corner,
                    width_permille: row.watermark_width_permille,
                    margin_permille: row.watermark_margin_permille,
                }
                .read()?,
            }),
        }
    }
    Ok(sources)
}

/// An account as a destination.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationRow {
    pub id: Uuid,
    pub platform: Platform,
    pub handle: String,
    pub disconnected: bool,
    /// What the network allows it.
    pub overrides: Overrides,
}

/// Reads accounts as destinations, with one statement.
///
/// # Errors
/// When the statement fails.
pub async fn destinations(tx: &mut Tx, accounts: &[Uuid]) -> Result<Vec<DestinationRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select id, platform, handle, state = 'DISCONNECTED' as "disconnected!", max_duration_ms
          from social_accounts where id = any($1)
        "#,
        accounts,
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| {
        Ok(DestinationRow {
            id: row.id,
            platform: parse(&row.platform)?,
            handle: row.handle,
            disconnected: row.disconnected,
            overrides: overrides(row.max_duration_ms),
        })
    });
    read.collect()
}

/// What a brand says about all its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobBrand {
    pub organization_id: Uuid,
    /// IANA name.
    pub timezone: String,
    pub approval_required: bool,
    pub max_lateness_minutes: i32,
    pub forbidden_phrases: Vec<String>,
}

/// Reads a brand's rules for targets. `None`: no such brand in this scope.
///
/// # Errors
/// When the statement fails.
pub async fn job_brand(tx: &mut Tx, brand: Uuid) -> Result<Option<JobBrand>, StoreError> {
    let row = sqlx::query_as!(
        JobBrand,
        r#"
        select organization_id, timezone, approval_required, max_lateness_minutes, voice_forbidden as forbidden_phrases
          from brands where id = $1
        "#,
        brand,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}
