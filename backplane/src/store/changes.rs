//! What changed lately: read every few seconds for those who watch, so that a lost message of the
//! broker is only late.

use uuid::Uuid;

use super::{StoreError, Tx};

/// What can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    PublishJobs,
    PublishTargets,
    MediaAssets,
    SocialAccounts,
}

/// A row that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedRow {
    pub id: Uuid,
    /// How long ago, ms, by the database's clock.
    pub age_ms: i64,
}

/// Rows of these brands that changed within the last 15 s, 1,000 at the most.
///
/// # Errors
/// When the statement fails.
pub async fn changed(tx: &mut Tx, what: Watched, brands: &[Uuid]) -> Result<Vec<ChangedRow>, StoreError> {
    let rows = match what {
        // A job's state and counts are those of its targets.
        Watched::PublishJobs => {
            sqlx::query_as!(
                ChangedRow,
                r#"select id as "id!", (extract(epoch from clock_timestamp() - max(updated_at)) * 1000)::bigint as "age_ms!"
                     from (select id, updated_at from publish_jobs
                            where brand_id = any($1) and updated_at > now() - interval '15 s'
                           union all
                           select job_id, updated_at from publish_targets
                            where brand_id = any($1) and updated_at > now() - interval '15 s') changed
                    group by id limit 1000"#,
                brands,
            )
            .fetch_all(&mut **tx)
            .await?
        }
        Watched::PublishTargets => {
            sqlx::query_as!(
                ChangedRow,
                r#"select id, (extract(epoch from clock_timestamp() - updated_at) * 1000)::bigint as "age_ms!"
                     from publish_targets where brand_id = any($1) and updated_at > now() - interval '15 s'
                    limit 1000"#,
                brands,
            )
            .fetch_all(&mut **tx)
            .await?
        }
        Watched::MediaAssets => {
            sqlx::query_as!(
                ChangedRow,
                r#"select id, (extract(epoch from clock_timestamp() - updated_at) * 1000)::bigint as "age_ms!"
                     from media_assets where brand_id = any($1) and updated_at > now() - interval '15 s' limit 1000"#,
                brands,
            )
            .fetch_all(&mut **tx)
            .await?
        }
        Watched::SocialAccounts => {
            sqlx::query_as!(
                ChangedRow,
                r#"select id, (extract(epoch from clock_timestamp() - updated_at) * 1000)::bigint as "age_ms!"
                     from social_accounts where brand_id = any($1) and updated_at > now() - interval '15 s'
                    limit 1000"#,
                brands,
            )
            .fetch_all(&mut **tx)
            .await?
        }
    };
    Ok(rows)
}
