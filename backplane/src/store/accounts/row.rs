//! Accounts by id and by brand, and how their ingest goes.

use chrono::{DateTime, Utc};
use domain::platform::Platform;
use domain::profile::Overrides;
use serde_json::Value;
use uuid::Uuid;

use crate::store::publishing::ProblemRow;
use crate::store::publishing::stored::{ProblemColumns, overrides, parse};
use crate::store::{StoreError, Tx};

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountRow {
    pub id: Uuid,
    pub brand_id: Uuid,
    pub platform: Platform,
    pub external_id: String,
    pub handle: String,
    pub avatar_url: Option<String>,
    /// `CONNECTED`, `NEEDS_RECONNECT` or `DISCONNECTED`
    pub state: String,
    pub problem: Option<ProblemRow>,
    pub paused: bool,
    /// What was chosen, by key.
    pub settings: Value,
    /// What there is to choose: `[{"key", "label", "required", "choices"}]`.
    pub setting_specs: Value,
    /// What the network allows it.
    pub overrides: Overrides,
    pub token_expires_at: Option<DateTime<Utc>>,
    pub refreshable: bool,
    pub checked_at: Option<DateTime<Utc>>,
    pub connected_at: DateTime<Utc>,
}

/// Reads accounts by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn accounts_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<AccountRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select id, brand_id, platform, external_id, handle, avatar_url, state, problem_code, problem_message,
               problem_remedy, problem_since, problem_retry_at, paused, settings, setting_specs, token_expires_at,
               refreshable, max_duration_ms, tier, checked_at, connected_at
          from social_accounts where id = any($1)
        "#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let columns = ProblemColumns {
                code: row.problem_code,
                message: row.problem_message,
                remedy: row.problem_remedy,
                since: row.problem_since,
                retry_at: row.problem_retry_at,
            };
            Ok(AccountRow {
                id: row.id,
                brand_id: row.brand_id,
                platform: parse(&row.platform)?,
                external_id: row.external_id,
                handle: row.handle,
                avatar_url: row.avatar_url,
                state: row.state,
                problem: columns.read()?,
                paused: row.paused,
                settings: row.settings,
                setting_specs: row.setting_specs,
                overrides: overrides(row.max_duration_ms, row.tier.as_deref()),
                token_expires_at: row.token_expires_at,
                refreshable: row.refreshable,
                checked_at: row.checked_at,
                connected_at: row.connected_at,
            })
        })
        .collect()
}

/// Which accounts of a brand: strictly between two keys (handle, id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountWindow {
    pub platform: Option<Platform>,
    pub after: Option<(String, Uuid)>,
    pub before: Option<(String, Uuid)>,
    pub limit: i64,
    pub backward: bool,
}

/// A page of a brand's accounts by handle: their keys.
///
/// # Errors
/// When the statement fails.
pub async fn accounts_of_brand(
    tx: &mut Tx,
    brand: Uuid,
    window: &AccountWindow,
) -> Result<Vec<(String, Uuid)>, StoreError> {
    let (after, before) = (window.after.as_ref(), window.before.as_ref());
    let rows = sqlx::query!(
        r#"
        with matching as not materialized (
            select handle, id from social_accounts
             where brand_id = $1 and ($2::text is null or platform = $2)
               and ($3::text is null or (handle, id) > ($3, $4::uuid))
               and ($5::text is null or (handle, id) < ($5, $6::uuid)))
        (select handle as "handle!", id as "id!" from matching where not $7 order by handle, id limit $8)
        union all
        (select handle, id from matching where $7 order by handle desc, id desc limit $8)
        "#,
        brand,
        window.platform.map(Platform::as_str),
        after.map(|(handle, _)| handle.as_str()),
        after.map(|(_, id)| *id),
        before.map(|(handle, _)| handle.as_str()),
        before.map(|(_, id)| *id),
        window.backward,
        window.limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.handle, row.id)).collect())
}

/// How many there are.
///
/// # Errors
/// When the statement fails.
pub async fn count_accounts(tx: &mut Tx, brand: Uuid, platform: Option<Platform>) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from social_accounts where brand_id = $1 and ($2::text is null or platform = $2)
        "#,
        brand,
        platform.map(Platform::as_str),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}

/// How an account's ingest goes.
#[derive(Clone, Debug, PartialEq)]
pub struct IngestRow {
    pub account_id: Uuid,
    pub running: bool,
    pub found: i32,
    pub finished_at: Option<DateTime<Utc>>,
    pub next_at: Option<DateTime<Utc>>,
    pub problem: Option<ProblemRow>,
}

/// Reads how ingest goes, in no order; nothing for an account that never ingested.
///
/// # Errors
/// When the statement fails.
pub async fn ingest_of_accounts(tx: &mut Tx, accounts: &[Uuid]) -> Result<Vec<IngestRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select c.account_id, c.found, c.finished_at, c.next_at, c.problem_code, c.problem_message, c.problem_remedy,
               c.problem_since, c.problem_retry_at,
               c.running or exists (select from jobs j where j.kind = 'ingest' and j.subject = c.account_id
                                       and j.state in ('ready', 'running') and j.run_at <= now()) as "running!"
          from ingest_cursors c where c.account_id = any($1)
        "#,
        accounts,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let columns = ProblemColumns {
                code: row.problem_code,
                message: row.problem_message,
                remedy: row.problem_remedy,
                since: row.problem_since,
                retry_at: row.problem_retry_at,
            };
            Ok(IngestRow {
                account_id: row.account_id,
                running: row.running,
                found: row.found,
                finished_at: row.finished_at,
                next_at: row.next_at,
                problem: columns.read()?,
            })
        })
        .collect()
}
