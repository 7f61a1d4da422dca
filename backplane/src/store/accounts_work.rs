//! What jobs read and write of accounts: are they usable, when do their tokens end.

use chrono::{DateTime, Utc};
use domain::problem::Problem;
use domain::profile::Overrides;
use serde_json::Value;
use uuid::Uuid;

use super::jobs::Fence;
use super::publishing::stored::{max_duration_ms, tier_name};
use super::{StoreError, Tx, targets};

/// An account as a job sees it.
#[derive(Clone, Debug)]
pub struct AccountFacts {
    pub now: DateTime<Utc>,
    pub platform: String,
    pub external_id: String,
    pub handle: String,
    pub state: String,
    pub settings: Value,
    pub token_expires_at: Option<DateTime<Utc>>,
}

/// Reads an account; `None` when it is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn account_facts(
    tx: &mut Tx,
    brand: Uuid,
    account: Uuid,
) -> Result<Option<AccountFacts>, StoreError> {
    let facts = sqlx::query_as!(
        AccountFacts,
        r#"
        select now() as "now!", platform, external_id, handle, state, settings, token_expires_at
          from social_accounts where brand_id = $1 and id = $2
        "#,
        brand,
        account,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(facts)
}

/// The network said that the token is dead. An account that was disconnected stays so.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn needs_reconnect(
    tx: &mut Tx,
    fence: &Fence,
    account: Uuid,
    problem: &Problem,
) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        update social_accounts
           set state = 'NEEDS_RECONNECT', problem_code = $3, problem_message = $4, problem_remedy = 'reconnect',
               problem_since = case when state = 'NEEDS_RECONNECT' then coalesce(problem_since, now()) else now() end,
               problem_retry_at = null, updated_at = now()
         where brand_id = $1 and id = $2 and state <> 'DISCONNECTED'
        "#,
        brand,
        account,
        problem.code,
        problem.message,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What a network said of an account when its token was checked.
#[derive(Clone, Debug)]
pub struct Learnt {
    /// What there is to choose.
    pub setting_specs: Value,
    /// What it allows the account; a limit that it does not name stays as it was.
    pub overrides: Overrides,
}

/// The network issued a token just now; `learnt`, when given, is what it said of the account with it.
/// Returns the targets that the limits it has now changed.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn token_accepted(
    tx: &mut Tx,
    fence: &Fence,
    account: Uuid,
    expires_at: Option<DateTime<Utc>>,
    learnt: Option<&Learnt>,
) -> Result<Vec<Uuid>, StoreError> {
    let brand = fence.brand();
    let limits_changed = sqlx::query_scalar!(
        r#"
        with before as (select id, max_duration_ms, tier from social_accounts where brand_id = $1 and id = $2)
        update social_accounts a
           set checked_at = now(), token_expires_at = coalesce($3, a.token_expires_at),
               setting_specs = coalesce($4, a.setting_specs), max_duration_ms = coalesce($5, a.max_duration_ms),
               tier = coalesce($6, a.tier), updated_at = now()
          from before
         where a.brand_id = $1 and a.id = before.id
        returning (a.max_duration_ms, a.tier) is distinct from (before.max_duration_ms, before.tier) as "changed!"
        "#,
        brand,
        account,
        expires_at,
        learnt.map(|learnt| &learnt.setting_specs),
        learnt.and_then(|learnt| max_duration_ms(learnt.overrides)),
        learnt.and_then(|learnt| learnt.overrides.tier).map(tier_name),
    )
    .fetch_optional(&mut **tx)
    .await?;
    match limits_changed {
        Some(true) => targets::advance_on_account(tx, brand, account).await,
        _ => Ok(Vec::new()),
    }
}

/// Tokens could not be renewed for now: said, and nothing else changes.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn refresh_late(
    tx: &mut Tx,
    fence: &Fence,
    account: Uuid,
    problem: &Problem,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update social_accounts
           set problem_code = $3, problem_message = $4, problem_remedy = 'wait',
               problem_since = coalesce(problem_since, now()), updated_at = now()
         where brand_id = $1 and id = $2 and state = 'CONNECTED' and problem_remedy is distinct from 'reconnect'
        "#,
        fence.brand(),
        account,
        problem.code,
        problem.message,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// What decides whether an account's tokens may go.
#[derive(Clone, Debug)]
pub struct RevokeFacts {
    pub state: String,
    /// Targets whose outcome is still being looked up with the account's token.
    pub undecided: i64,
}

/// Reads what decides about revoking; `None` when the account is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn revoke_facts(
    tx: &mut Tx,
    brand: Uuid,
    account: Uuid,
) -> Result<Option<RevokeFacts>, StoreError> {
    let facts = sqlx::query_as!(
        RevokeFacts,
        r#"
        select a.state,
               (select count(*) from publish_targets t
                 where t.brand_id = a.brand_id and t.account_id = a.id
                   and t.state in ('PUBLISHING', 'UNCONFIRMED', 'NEEDS_ATTENTION')) as "undecided!"
          from social_accounts a where a.brand_id = $1 and a.id = $2
        "#,
        brand,
        account,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(facts)
}
