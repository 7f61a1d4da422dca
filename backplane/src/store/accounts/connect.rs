//! Connecting an account: OAuth in flight, and the row that comes of it.

use chrono::{DateTime, Utc};
use domain::platform::Platform;
use domain::profile::Overrides;
use serde_json::Value;
use uuid::Uuid;

use crate::store::publishing::stored::{max_duration_ms, parse, tier_name};
use crate::store::{StoreError, Tx, targets};

/// OAuth in flight. Found by the hash of its state, by its actor only.
#[derive(Clone, Debug, PartialEq)]
pub struct OauthState {
    pub brand_id: Uuid,
    pub platform: Platform,
    pub redirect_url: String,
    /// Connects this account again and no other.
    pub account_id: Option<Uuid>,
    /// What OAuth gave access to, waiting for a choice. Its secrets are sealed.
    pub found: Option<Value>,
}

/// Remembers that somebody was sent to a network, for ten minutes. Expired ones of theirs go.
///
/// # Errors
/// When a statement fails.
pub async fn put_state(tx: &mut Tx, hash: &[u8], actor: Uuid, state: &OauthState) -> Result<(), StoreError> {
    sqlx::query!("delete from oauth_states where actor_id = $1 and expires_at < now()", actor)
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        r#"
        insert into oauth_states (state_hash, brand_id, actor_id, platform, redirect_url, account_id, found, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, now() + interval '10 minutes')
        "#,
        hash,
        state.brand_id,
        actor,
        state.platform.as_str(),
        state.redirect_url,
        state.account_id,
        state.found,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Reads OAuth in flight; `None` when there is none of this actor, or its time is over.
///
/// # Errors
/// When the statement fails.
pub async fn find_state(tx: &mut Tx, hash: &[u8]) -> Result<Option<OauthState>, StoreError> {
    let row = sqlx::query!(
        r#"
        select brand_id, platform, redirect_url, account_id, found from oauth_states
         where state_hash = $1 and expires_at > now()
        "#,
        hash,
    )
    .fetch_optional(&mut **tx)
    .await?;
    row.map(|row| {
        Ok(OauthState {
            brand_id: row.brand_id,
            platform: parse(&row.platform)?,
            redirect_url: row.redirect_url,
            account_id: row.account_id,
            found: row.found,
        })
    })
    .transpose()
}

/// Takes OAuth in flight for good: `false` when another call was faster.
///
/// # Errors
/// When the statement fails.
pub async fn take_state(tx: &mut Tx, hash: &[u8]) -> Result<bool, StoreError> {
    let taken = sqlx::query!("delete from oauth_states where state_hash = $1 and expires_at > now()", hash)
        .execute(&mut **tx)
        .await?;
    Ok(taken.rows_affected() == 1)
}

/// Which of these accounts of a network the scope knows, in any brand: (external id, account).
///
/// # Errors
/// When the statement fails.
pub async fn known_accounts(
    tx: &mut Tx,
    platform: Platform,
    external_ids: &[String],
) -> Result<Vec<(String, Uuid)>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select external_id, id from social_accounts
         where platform = $1 and external_id = any($2) and state <> 'DISCONNECTED' order by external_id, connected_at desc
        "#,
        platform.as_str(),
        external_ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.external_id, row.id)).collect())
}

/// The brand's row of an account at a network, if it was ever connected.
///
/// # Errors
/// When the statement fails.
pub async fn account_named(
    tx: &mut Tx,
    brand: Uuid,
    platform: Platform,
    external_id: &str,
) -> Result<Option<Uuid>, StoreError> {
    let id = sqlx::query_scalar!(
        "select id from social_accounts where brand_id = $1 and platform = $2 and external_id = $3",
        brand,
        platform.as_str(),
        external_id,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id)
}

/// An account that somebody gave access to.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// Of a new row; a known account keeps its own.
    pub id: Uuid,
    pub platform: Platform,
    pub external_id: &'a str,
    pub handle: &'a str,
    pub avatar_url: Option<&'a str>,
    pub setting_specs: &'a Value,
    /// What the network allows it.
    pub overrides: Overrides,
    pub token_expires_at: Option<DateTime<Utc>>,
    pub refreshable: bool,
}

/// Connects an account, or a known one again: what was chosen for it stays, and so does a limit that
/// the network does not name this time. What waits on it is judged by the limits that it has now.
/// Returns its id.
///
/// # Errors
/// When a statement fails.
pub async fn upsert_account(tx: &mut Tx, brand: Uuid, account: &NewAccount<'_>) -> Result<Uuid, StoreError> {
    let row = sqlx::query!(
        r#"
        with before as (
            select max_duration_ms, tier from social_accounts where brand_id = $2 and platform = $3 and external_id = $4)
        insert into social_accounts (id, brand_id, platform, external_id, handle, avatar_url, state, setting_specs,
                                     token_expires_at, refreshable, max_duration_ms, tier, checked_at)
        values ($1, $2, $3, $4, $5, $6, 'CONNECTED', $7, $8, $9, $10, $11, now())
        on conflict (brand_id, platform, external_id) do update
           set handle = excluded.handle, avatar_url = excluded.avatar_url, state = 'CONNECTED',
               setting_specs = excluded.setting_specs, token_expires_at = excluded.token_expires_at,
               refreshable = excluded.refreshable,
               max_duration_ms = coalesce(excluded.max_duration_ms, social_accounts.max_duration_ms),
               tier = coalesce(excluded.tier, social_accounts.tier),
               checked_at = now(), connected_at = now(), problem_code = null, problem_message = null,
               problem_remedy = null, problem_since = null, problem_retry_at = null, updated_at = now()
        returning id, max_duration_ms is distinct from (select before.max_duration_ms from before)
                  or tier is distinct from (select before.tier from before) as "limits_changed!"
        "#,
        account.id,
        brand,
        account.platform.as_str(),
        account.external_id,
        account.handle,
        account.avatar_url,
        account.setting_specs,
        account.token_expires_at,
        account.refreshable,
        max_duration_ms(account.overrides),
        account.overrides.tier.map(tier_name),
    )
    .fetch_one(&mut **tx)
    .await?;
    if row.limits_changed {
        targets::advance_on_account(tx, brand, row.id).await?;
    }
    Ok(row.id)
}
