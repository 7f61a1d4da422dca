//! Files made from assets, as targets use them.

use chrono::{DateTime, Utc};
use domain::media_info::MediaInfo;
use uuid::Uuid;

use super::stored::{ProblemColumns, ProblemRow, from_json};
use crate::store::{StoreError, Tx};

/// A made file as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct TranscodedRow {
    pub id: Uuid,
    pub brand_id: Uuid,
    pub asset_id: Uuid,
    /// `PASSTHROUGH`, `REMUX` or `TRANSCODE`.
    pub kind: String,
    /// `QUEUED`, `RUNNING`, `DONE` or `FAILED`.
    pub state: String,
    /// 0 to 1.
    pub progress: f32,
    pub problem: Option<ProblemRow>,
    pub object_key: Option<String>,
    pub content_type: Option<String>,
    pub info: Option<MediaInfo>,
    /// Names of the profiles that it serves.
    pub profiles: Vec<String>,
}

struct RawTranscoded {
    id: Uuid,
    brand_id: Uuid,
    asset_id: Uuid,
    kind: String,
    state: String,
    progress: f32,
    problem_code: Option<String>,
    problem_message: Option<String>,
    problem_remedy: Option<String>,
    problem_since: Option<DateTime<Utc>>,
    problem_retry_at: Option<DateTime<Utc>>,
    object_key: Option<String>,
    content_type: Option<String>,
    info: Option<serde_json::Value>,
    profiles: Vec<String>,
}

impl RawTranscoded {
    fn read(self) -> Result<TranscodedRow, StoreError> {
        let problem = ProblemColumns {
            code: self.problem_code,
            message: self.problem_message,
            remedy: self.problem_remedy,
            since: self.problem_since,
            retry_at: self.problem_retry_at,
        };
        Ok(TranscodedRow {
            id: self.id,
            brand_id: self.brand_id,
            asset_id: self.asset_id,
            kind: self.kind,
            state: self.state,
            progress: self.progress,
            problem: problem.read()?,
            object_key: self.object_key,
            content_type: self.content_type,
            info: self.info.map(from_json).transpose()?,
            profiles: self.profiles,
        })
    }
}

/// Reads made files by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn transcoded_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<TranscodedRow>, StoreError> {
    let rows = sqlx::query_as!(
        RawTranscoded,
        r#"
        select id, brand_id, asset_id, kind, state, progress, problem_code, problem_message, problem_remedy,
               problem_since, problem_retry_at, object_key, content_type, info,
               array(select profile from transcode_profiles served
                      where served.transcoded_id = made.id order by profile) as "profiles!"
          from transcoded_media made where id = any($1)
        "#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(RawTranscoded::read).collect()
}

/// The ids of the files that each target posts, in the order of its items: (target, file).
///
/// # Errors
/// When the statement fails.
pub async fn media_of_targets(tx: &mut Tx, targets: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let rows = sqlx::query!(
        "select target_id, transcoded_id from target_media where target_id = any($1) order by target_id, position",
        targets,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.target_id, row.transcoded_id)).collect())
}

/// The ids of the files made from each asset, oldest first: (asset, file).
///
/// # Errors
/// When the statement fails.
pub async fn transcoded_of_assets(tx: &mut Tx, assets: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    let rows = sqlx::query!(
        "select asset_id, id from transcoded_media where asset_id = any($1) order by asset_id, created_at, id",
        assets,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.asset_id, row.id)).collect())
}

/// Forgets which files a target posts: it is to be planned anew.
///
/// # Errors
/// When the statement fails.
pub async fn clear_media(tx: &mut Tx, target: Uuid) -> Result<(), StoreError> {
    sqlx::query!("delete from target_media where target_id = $1", target).execute(&mut **tx).await?;
    Ok(())
}

/// Puts the files of a target that could not be made back in line, and answers with their ids: they
/// are to be enqueued.
///
/// # Errors
/// When the statement fails.
pub async fn retry_failed_media(tx: &mut Tx, target: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let ids = sqlx::query_scalar!(
        r#"
        update transcoded_media made
           set state = 'QUEUED', progress = 0, problem_code = null, problem_message = null, problem_remedy = null,
               problem_since = null, problem_retry_at = null, updated_at = now()
          from target_media used
         where used.target_id = $1 and used.transcoded_id = made.id and made.state = 'FAILED'
        returning made.id
        "#,
        target,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}
