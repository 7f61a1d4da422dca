//! Targets that wait with nothing live behind them. There should be none: each one found is counted
//! and points at a mistake; meanwhile it is mended.

use uuid::Uuid;

use super::jobs::{NewJob, ensure};
use super::{Scope, Store, StoreError, Tx, targets};
use crate::job_kind::{JobKind, Lane};

/// A target that waits suspiciously long, and its brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    pub brand: Uuid,
    pub target: Uuid,
}

/// Targets in PREPARING that nothing happened to for 10 minutes and that have no live job of their
/// own or of their asset, at most 200. With the relay's role; the rest is seen by [`rescue`].
///
/// # Errors
/// When the statement fails.
pub async fn suspects(store: &Store) -> Result<Vec<Suspect>, StoreError> {
    let mut tx = store.begin(&Scope::Relay).await?;
    let found = sqlx::query_as!(
        Suspect,
        r#"
        select t.brand_id as brand, t.id as target from publish_targets t
         where t.state = 'PREPARING' and t.updated_at < now() - interval '10 min'
           and not exists (select from jobs j where j.kind in ('caption', 'probe', 'fetch')
                            and j.subject in (t.id, t.asset_id) and j.state in ('ready', 'running'))
         order by t.updated_at limit 200
        "#
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(found)
}

/// Looks closer at suspects of one brand, in its scope: asks again for the work that is missing,
/// advances those that are stuck, and returns how many were. A target whose media a person is still
/// uploading, or whose file is being made, is not stuck.
///
/// # Errors
/// When a statement fails.
pub async fn rescue(tx: &mut Tx, brand: Uuid, suspects: &[Uuid]) -> Result<u64, StoreError> {
    let stuck = sqlx::query!(
        r#"
        select t.id, t.asset_id, a.state as asset_state, a.kind as asset_kind,
               t.caption_id is null as "needs_caption!"
          from publish_targets t
          join media_assets a on a.brand_id = t.brand_id and a.id = t.asset_id
         where t.brand_id = $1 and t.id = any($2) and t.state = 'PREPARING'
           and t.updated_at < now() - interval '10 min' and a.state <> 'UPLOADING'
           and not exists (select from carousel_items i
                             join media_assets item on item.brand_id = i.brand_id and item.id = i.item_id
                             left join jobs j on j.subject = item.id and j.state in ('ready', 'running')
                            where i.carousel_id = a.id and (item.state = 'UPLOADING' or j.id is not null))
           and not exists (select from target_media m
                             join jobs j on j.kind = 'transcode' and j.subject = m.transcoded_id
                                        and j.state in ('ready', 'running')
                            where m.target_id = t.id)
           and not exists (select from target_media m
                             join transcode_parts p on p.brand_id = m.brand_id and p.transcoded_id = m.transcoded_id
                             join jobs j on j.kind = 'part' and j.subject = p.id and j.state in ('ready', 'running')
                            where m.target_id = t.id)
         order by t.id for update of t
        "#,
        brand,
        suspects,
    )
    .fetch_all(&mut **tx)
    .await?;
    let ids: Vec<Uuid> = stuck.iter().map(|row| row.id).collect();
    let mut missing = Vec::new();
    for row in &stuck {
        match row.asset_state.as_str() {
            "PROBING" if row.asset_kind != "CAROUSEL" => {
                missing.push(NewJob::now(JobKind::Probe, Lane::Now, row.asset_id));
            }
            "FETCHING" if row.asset_kind != "CAROUSEL" => {
                missing.push(NewJob::now(JobKind::Fetch, Lane::Now, row.asset_id));
            }
            _ => {}
        }
        if row.needs_caption {
            missing.push(NewJob::now(JobKind::Caption, Lane::Now, row.id));
        }
    }
    ensure(tx, brand, &missing).await?;
    targets::advance_only(tx, brand, &ids).await?;
    // Counted again in ten minutes, not in five seconds.
    sqlx::query!("update publish_targets set updated_at = now() where id = any($1)", &ids)
        .execute(&mut **tx)
        .await?;
    Ok(ids.len() as u64)
}
