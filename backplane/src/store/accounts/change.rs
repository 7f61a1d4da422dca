//! Settings of an account, its ingest, and its end.

use chrono::{DateTime, Utc};
use domain::problem::Problem;
use serde_json::Value;
use uuid::Uuid;

use super::row::{AccountRow, accounts_by_id};
use crate::job_kind::JobKind;
use crate::store::jobs::hold;
use crate::store::{StoreError, Tx};

/// Locks what works for an account, in the order of its jobs, before the account is locked: the jobs themselves,
/// then the targets that have not left.
///
/// # Errors
/// When a statement fails.
pub async fn hold_work(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<(), StoreError> {
    let (targets, assets) = waiting_on_account(tx, brand, account).await?;
    let mut jobs: Vec<(JobKind, Uuid)> =
        [JobKind::Ingest, JobKind::Refresh, JobKind::Revoke].map(|kind| (kind, account)).into();
    jobs.extend(targets.into_iter().map(|target| (JobKind::Publish, target)));
    jobs.extend(assets.into_iter().map(|asset| (JobKind::Fetch, asset)));
    hold(tx, &jobs).await?;
    sqlx::query!(
        r#"
        select id from publish_targets
         where brand_id = $1 and account_id = $2 and state in ('DRAFT', 'PREPARING', 'AWAITING_APPROVAL', 'SCHEDULED')
         order by id for update
        "#,
        brand,
        account,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(())
}

/// Locks an account of a brand and reads it; [`hold_work`] comes before it.
///
/// # Errors
/// When a statement fails.
pub async fn lock_account(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<Option<AccountRow>, StoreError> {
    let locked = sqlx::query_scalar!(
        "select id from social_accounts where brand_id = $1 and id = $2 for no key update",
        brand,
        account
    )
    .fetch_optional(&mut **tx)
    .await?;
    match locked {
        Some(id) => Ok(accounts_by_id(tx, &[id]).await?.pop()),
        None => Ok(None),
    }
}

/// Writes what a person chose, and what is still to be chosen as a problem of the account.
///
/// # Errors
/// When the statement fails.
pub async fn save_settings(
    tx: &mut Tx,
    account: Uuid,
    paused: bool,
    settings: &Value,
    missing: Option<&Problem>,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update social_accounts
           set paused = $2, settings = $3, updated_at = now(),
               problem_code = case when $4::text is not null then $4 when problem_code = 'account.setting_required' then null
                                   else problem_code end,
               problem_message = case when $4::text is not null then $5
                                      when problem_code = 'account.setting_required' then null else problem_message end,
               problem_remedy = case when $4::text is not null then $6
                                     when problem_code = 'account.setting_required' then null else problem_remedy end,
               problem_since = case when $4::text is not null then coalesce(problem_since, now())
                                    when problem_code = 'account.setting_required' then null else problem_since end
         where id = $1
        "#,
        account,
        paused,
        settings,
        missing.map(|problem| problem.code.as_str()),
        missing.map(|problem| problem.message.as_str()),
        missing.map(|problem| problem.remedy.as_str()),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What waits for an account and goes on when it works again: (targets, assets to fetch).
///
/// # Errors
/// When a statement fails.
pub async fn waiting_on_account(
    tx: &mut Tx,
    brand: Uuid,
    account: Uuid,
) -> Result<(Vec<Uuid>, Vec<Uuid>), StoreError> {
    let targets = sqlx::query_scalar!(
        r#"
        select id from publish_targets
         where brand_id = $1 and account_id = $2 and state in ('SCHEDULED', 'PUBLISHING', 'UNCONFIRMED') order by id
        "#,
        brand,
        account,
    )
    .fetch_all(&mut **tx)
    .await?;
    let assets = sqlx::query_scalar!(
        "select id from media_assets where brand_id = $1 and account_id = $2 and state = 'FETCHING' order by id",
        brand,
        account,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok((targets, assets))
}

/// Disconnects an account and cancels its targets that have not left. Returns those targets, and how
/// many are undecided: their outcome is still being looked up with the account's token.
///
/// # Errors
/// When a statement fails.
pub async fn disconnect(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<(Vec<Uuid>, i64), StoreError> {
    let cancelled = sqlx::query_scalar!(
        r#"
        update publish_targets
           set state = 'CANCELLED', cancelled_at = now(), problem_code = null, problem_message = null, problem_remedy = null,
               problem_since = null, problem_retry_at = null, updated_at = now()
         where brand_id = $1 and account_id = $2 and state in ('DRAFT', 'PREPARING', 'AWAITING_APPROVAL', 'SCHEDULED')
        returning id
        "#,
        brand,
        account,
    )
    .fetch_all(&mut **tx)
    .await?;
    let undecided = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from publish_targets
         where brand_id = $1 and account_id = $2 and state in ('PUBLISHING', 'UNCONFIRMED', 'NEEDS_ATTENTION')
        "#,
        brand,
        account,
    )
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query!(
        r#"
        update social_accounts
           set state = 'DISCONNECTED', updated_at = now(), problem_remedy = null, problem_retry_at = null,
               problem_code = case when $3::bigint > 0 then 'account.undecided_posts' end,
               problem_message = case when $3::bigint > 0 then
                   'Posts of this account are still undecided. Its access is kept until they are settled, then given back.' end,
               problem_since = case when $3::bigint > 0 then now() end
         where brand_id = $1 and id = $2
        "#,
        brand,
        account,
        undecided,
    )
    .execute(&mut **tx)
    .await?;
    Ok((cancelled, undecided))
}

/// Says from when on the next run of an account's ingest takes posts. `false`: a run goes on right
/// now, and cannot be told.
///
/// # Errors
/// When the statement fails.
pub async fn begin_ingest(
    tx: &mut Tx,
    brand: Uuid,
    account: Uuid,
    since: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let told = sqlx::query!(
        r#"
        insert into ingest_cursors (brand_id, account_id, since, back_catalogue) values ($1, $2, $3, $3::timestamptz is not null)
        on conflict (account_id) do update
           set since = coalesce(excluded.since, ingest_cursors.since),
               back_catalogue = ingest_cursors.back_catalogue or excluded.back_catalogue
         where not ingest_cursors.running
        "#,
        brand,
        account,
        since,
    )
    .execute(&mut **tx)
    .await?;
    Ok(told.rows_affected() == 1)
}
