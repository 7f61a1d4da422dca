//! Rates that a network counts, reserved before a call (GCRA), each in a transaction of its own.
//!
//! `tat`, the theoretical arrival time, is when a budget would be whole again. A reservation pushes
//! it on by what the call costs and answers when the call may go; callers wait for that time and
//! never ask again.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Scope, Store, StoreError};

/// What one call takes from one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// By what the network counts, e.g. `telegram/chat/-100…` or `tiktok/app`.
    pub key: String,
    /// Mean distance of two calls.
    pub every: Duration,
    /// Calls that may go at once after a rest, at least 1.
    pub burst: u32,
    /// Units that this call takes.
    pub cost: u32,
}

/// Reserves all of `reservations` and says when the call may go: now, or the latest of their times.
///
/// # Errors
/// When the statement fails: nothing is reserved.
pub async fn reserve(store: &Store, reservations: &[Reservation]) -> Result<DateTime<Utc>, StoreError> {
    let mut sorted = reservations.to_vec();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    sorted.dedup_by(|later, first| later.key == first.key);
    let keys: Vec<String> = sorted.iter().map(|wanted| wanted.key.clone()).collect();
    let every: Vec<f64> = sorted.iter().map(|wanted| wanted.every.as_secs_f64()).collect();
    let bursts: Vec<i32> = sorted.iter().map(|wanted| clamp(wanted.burst.max(1))).collect();
    let costs: Vec<i32> = sorted.iter().map(|wanted| clamp(wanted.cost)).collect();
    let mut tx = store.begin(&Scope::Shared).await?;
    let go_at = sqlx::query_scalar!(
        r#"
        with wanted as (
            select key, make_interval(secs => every) as every, burst, cost
              from unnest($1::text[], $2::float8[], $3::int[], $4::int[]) as wanted (key, every, burst, cost)),
        reserved as (
            insert into rate_budgets as budget (key, every, burst, tat)
            select key, every, burst, now() - burst * every + cost * every from wanted order by key
            on conflict (key) do update
               set every = excluded.every, burst = excluded.burst,
                   -- `excluded.tat` is a rested budget less this cost.
                   tat = greatest(excluded.tat,
                                  budget.tat + (excluded.tat - (now() - excluded.burst * excluded.every)))
            returning tat)
        select greatest(now(), max(tat)) as "go_at!" from reserved
        "#,
        &keys,
        &every,
        &bursts,
        &costs,
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(go_at)
}

/// Corrects a budget by what the network said: no call of it goes before `until`.
///
/// # Errors
/// When the statement fails.
pub async fn hold_until(store: &Store, key: &str, until: DateTime<Utc>) -> Result<(), StoreError> {
    let mut tx = store.begin(&Scope::Shared).await?;
    sqlx::query!("update rate_budgets set tat = greatest(tat, $2) where key = $1", key, until)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

fn clamp(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
