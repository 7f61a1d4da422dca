//! What the publish job reads and writes of its target.

use chrono::{DateTime, Utc};
use domain::problem::Problem;
use serde_json::Value;
use uuid::Uuid;

use super::jobs::Fence;
use super::{StoreError, Tx};

/// A target with all that decides about its sending, as of `now`.
#[derive(Clone, Debug)]
pub struct PublishFacts {
    /// The database's clock.
    pub now: DateTime<Utc>,
    pub target_id: Uuid,
    pub job_id: Uuid,
    pub asset_id: Uuid,
    pub asset_kind: String,
    pub account_id: Uuid,
    pub platform: String,
    pub placement: Option<String>,
    pub state: String,
    /// Rises with every change of what will be posted: an attempt is of one content.
    pub content_revision: i32,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub problem_code: Option<String>,
    pub external_id: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub brand_paused: bool,
    pub max_lateness_minutes: i32,
    pub account_external_id: String,
    pub account_handle: String,
    pub account_avatar_url: Option<String>,
    pub account_state: String,
    pub account_paused: bool,
    pub account_settings: Value,
    pub account_setting_specs: Value,
    pub title: Option<String>,
    pub text: Option<String>,
    pub held: bool,
}

/// One file of a target's post.
#[derive(Clone, Debug)]
pub struct MediaFile {
    pub position: i16,
    pub object_key: Option<String>,
    pub content_type: Option<String>,
    pub info: Option<Value>,
    pub sha256: Option<Vec<u8>>,
}

/// Reads a target for its publish job; `None` when it is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn facts(tx: &mut Tx, brand: Uuid, target: Uuid) -> Result<Option<PublishFacts>, StoreError> {
    let facts = sqlx::query_as!(
        PublishFacts,
        r#"
        select now() as "now!", t.id as target_id, t.job_id, t.asset_id, s.kind as asset_kind, t.account_id, t.platform,
               t.placement, t.state, t.content_revision, t.scheduled_at, t.due_at, t.cancelled_at, t.problem_code,
               t.external_id, t.published_at,
               b.paused as brand_paused, b.max_lateness_minutes, a.external_id as account_external_id,
               a.handle as account_handle, a.avatar_url as account_avatar_url, a.state as account_state,
               a.paused as account_paused, a.settings as account_settings, a.setting_specs as account_setting_specs,
               c.title as "title?", c.text as "text?", (i.held_since is not null) as "held!"
          from publish_targets t
          join brands b on b.id = t.brand_id
          join social_accounts a on a.brand_id = t.brand_id and a.id = t.account_id
          join media_assets s on s.brand_id = t.brand_id and s.id = t.asset_id
          left join adapted_captions c on c.brand_id = t.brand_id and c.id = t.caption_id
         cross join installation i
         where t.brand_id = $1 and t.id = $2
        "#,
        brand,
        target,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(facts)
}

/// The files of a target, in order.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn media(tx: &mut Tx, brand: Uuid, target: Uuid) -> Result<Vec<MediaFile>, StoreError> {
    let files = sqlx::query_as!(
        MediaFile,
        r#"
        select tm.position, m.object_key, m.content_type, m.info, m.sha256
          from target_media tm
         cross join lateral (select * from transcoded_media f where f.brand_id = $1 and f.id = tm.transcoded_id limit 1) m
         where tm.brand_id = $1 and tm.target_id = $2
         order by tm.position
        "#,
        brand,
        target,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(files)
}

/// What becomes of a target.
#[derive(Clone, Debug)]
pub struct TargetChange<'a> {
    pub state: &'static str,
    pub problem: Option<&'a Problem>,
    /// When it goes on by itself.
    pub retry_at: Option<DateTime<Utc>>,
    pub external_id: Option<&'a str>,
    pub external_url: Option<&'a str>,
}

/// The code of a target's problem when the network named a post for it that another target has.
/// Only a person's answer ends it.
pub const CLAIMED_TWICE: &str = "publish.claimed_twice";

/// Moves a target whose job holds the fence, unless a person took it back since it was read: an edit that waits for its
/// approval stays where it is, and only proof of a post counts whatever the state. A post that belongs to another target
/// already is not claimed twice: then the target is put before a person, `false` comes back, and so it does of every
/// later change until that person has answered.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn change_target(
    tx: &mut Tx,
    fence: &Fence,
    target: Uuid,
    change: &TargetChange<'_>,
) -> Result<bool, StoreError> {
    let brand = fence.brand();
    if let Some(external_id) = change.external_id {
        claim_one_by_one(tx, brand, target, external_id).await?;
    }
    let row = sqlx::query!(
        r#"
        with other as (
            select exists (select from publish_targets o join publish_targets t on t.brand_id = $1 and t.id = $2
                            where o.account_id = t.account_id and o.external_id = $8 and o.id <> $2) as claimed)
        update publish_targets t
           set state = case when other.claimed then 'NEEDS_ATTENTION' else $3 end,
               problem_code = case when other.claimed then $10 else $4 end,
               problem_message = case when other.claimed
                   then 'The network named a post that belongs to another target. Look there and say whether this one is live.'
                   else $5 end,
               problem_remedy = case when other.claimed then 'resolve' else $6 end,
               problem_since = case when $4::text is null and not other.claimed then null
                                    when t.problem_code is not distinct from $4 then coalesce(t.problem_since, now())
                                    else now() end,
               problem_retry_at = $7,
               external_id = case when other.claimed then t.external_id else coalesce($8, t.external_id) end,
               external_url = coalesce($9, t.external_url),
               published_at = case when $3 = 'PUBLISHED' and not other.claimed then coalesce(t.published_at, now())
                                   else t.published_at end,
               updated_at = now()
          from other
         where t.brand_id = $1 and t.id = $2 and t.problem_code is distinct from $10
           and (t.state in ('SCHEDULED', 'PUBLISHING', 'UNCONFIRMED', 'NEEDS_ATTENTION') or $3 = 'PUBLISHED')
        returning other.claimed as "claimed!"
        "#,
        brand,
        target,
        change.state,
        change.problem.map(|problem| problem.code.as_str()),
        change.problem.map(|problem| problem.message.as_str()),
        change.problem.map(|problem| problem.remedy.as_str()),
        change.retry_at,
        change.external_id,
        change.external_url,
        CLAIMED_TWICE,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.is_some_and(|row| !row.claimed))
}

/// Waits until no other transaction claims the same post. Of two at once the second would run into the
/// unique index, and its evidence would be lost with it.
async fn claim_one_by_one(
    tx: &mut Tx,
    brand: Uuid,
    target: Uuid,
    external_id: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        select pg_advisory_xact_lock(hashtextextended(account_id::text || '/' || $3, 0))
          from publish_targets where brand_id = $1 and id = $2
        "#,
        brand,
        target,
        external_id,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(())
}
