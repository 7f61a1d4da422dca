//! Lists of targets and jobs: keys by keyset in either direction, and their totals. Rows are then
//! read by id, so that one loader serves every list.
//!
//! Each list is two branches of which a run executes one: the planner sees constants for order and
//! a range of one index for the window.

use chrono::{DateTime, Utc};
use domain::platform::Platform;
use domain::target::TargetState;
use uuid::Uuid;

use super::page::{Edge, Window};
use crate::store::{StoreError, Tx};

/// From the first, before the second; an end that is `None` is open.
pub type Between = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Which targets; `None` leaves a condition out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetQuery {
    pub states: Option<Vec<TargetState>>,
    pub platforms: Option<Vec<Platform>>,
    pub accounts: Option<Vec<Uuid>>,
    /// Half open, by `published_at`, else `scheduled_at`; targets without either are in no range.
    pub during: Option<Between>,
    pub has_problem: Option<bool>,
}

impl TargetQuery {
    fn states(&self) -> Option<Vec<String>> {
        let names =
            |states: &Vec<TargetState>| states.iter().map(|state| state.as_str().to_owned()).collect();
        self.states.as_ref().map(names)
    }

    fn platforms(&self) -> Option<Vec<String>> {
        let names = |all: &Vec<Platform>| all.iter().map(|platform| platform.as_str().to_owned()).collect();
        self.platforms.as_ref().map(names)
    }

    /// `window` without what is out of the range asked for.
    fn narrow(&self, window: Window) -> Window {
        let Some((from, before)) = self.during else { return window };
        // A range without an end still leaves out the rows without a time.
        let before = before.unwrap_or_else(far_future);
        let later = |a: (Option<DateTime<Utc>>, Uuid), b: (Option<DateTime<Utc>>, Uuid)| {
            if order(a) >= order(b) { (a, b) } else { (b, a) }
        };
        let from = later(window.from, (Some(from.unwrap_or(DateTime::UNIX_EPOCH)), Uuid::nil())).0;
        let until = later(window.until, (Some(before), Uuid::nil())).1;
        Window { from, until, ..window }
    }
}

/// A time after every time that a person gives.
fn far_future() -> DateTime<Utc> {
    // The year 9999, in seconds.
    DateTime::from_timestamp(253_370_764_800, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// No time is later than every time.
fn order(key: (Option<DateTime<Utc>>, Uuid)) -> (bool, Option<DateTime<Utc>>, Uuid) {
    (key.0.is_none(), key.0, key.1)
}

/// A brand's targets by `published_at`, else `scheduled_at`; those without either last.
///
/// # Errors
/// When the statement fails.
pub async fn targets_of_brand(
    tx: &mut Tx,
    brand: Uuid,
    query: &TargetQuery,
    window: Window,
) -> Result<Vec<Edge>, StoreError> {
    let window = query.narrow(window);
    let (states, platforms) = (query.states(), query.platforms());
    let rows = sqlx::query_as!(
        Edge,
        r#"
        (select nullif(listed_at, 'infinity') as at, id as "id!" from publish_targets
          where not $10 and brand_id = $1
            and (listed_at, id) > (coalesce($2::timestamptz, 'infinity'), $3::uuid)
            and (listed_at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
            and ($6::text[] is null or state = any($6)) and ($7::text[] is null or platform = any($7))
            and ($8::uuid[] is null or account_id = any($8))
            and ($9::boolean is null or (problem_code is not null) = $9)
          order by listed_at, id limit $11)
        union all
        (select nullif(listed_at, 'infinity') as at, id from publish_targets
          where $10 and brand_id = $1
            and (listed_at, id) > (coalesce($2::timestamptz, 'infinity'), $3::uuid)
            and (listed_at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
            and ($6::text[] is null or state = any($6)) and ($7::text[] is null or platform = any($7))
            and ($8::uuid[] is null or account_id = any($8))
            and ($9::boolean is null or (problem_code is not null) = $9)
          order by listed_at desc, id desc limit $11)
        "#,
        brand,
        window.from.0,
        window.from.1,
        window.until.0,
        window.until.1,
        states.as_deref() as Option<&[String]>,
        platforms.as_deref() as Option<&[String]>,
        query.accounts.as_deref() as Option<&[Uuid]>,
        query.has_problem,
        window.descending,
        window.limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// How many targets of a brand there are.
///
/// # Errors
/// When the statement fails.
pub async fn count_targets(tx: &mut Tx, brand: Uuid, query: &TargetQuery) -> Result<i64, StoreError> {
    let window = query.narrow(Window::whole(0, false));
    let (states, platforms) = (query.states(), query.platforms());
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from publish_targets
         where brand_id = $1
           and (listed_at, id) > (coalesce($2::timestamptz, 'infinity'), $3::uuid)
           and (listed_at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
           and ($6::text[] is null or state = any($6)) and ($7::text[] is null or platform = any($7))
           and ($8::uuid[] is null or account_id = any($8))
           and ($9::boolean is null or (problem_code is not null) = $9)
        "#,
        brand,
        window.from.0,
        window.from.1,
        window.until.0,
        window.until.1,
        states.as_deref() as Option<&[String]>,
        platforms.as_deref() as Option<&[String]>,
        query.accounts.as_deref() as Option<&[Uuid]>,
        query.has_problem,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}

/// A job's targets in the order of its posts, then of its destinations: (position, id), strictly
/// between the positions `between`.
///
/// # Errors
/// When the statement fails.
pub async fn targets_of_job(
    tx: &mut Tx,
    job: Uuid,
    query: &TargetQuery,
    between: (i32, i32),
    page: (i64, bool),
) -> Result<Vec<(i32, Uuid)>, StoreError> {
    let (from, until) = query.during.unwrap_or_default();
    let (states, platforms) = (query.states(), query.platforms());
    let rows = sqlx::query!(
        r#"
        (select position as "position!", id as "id!" from publish_targets
          where not $10 and job_id = $1 and position > $2 and position < $3
            and ($4::text[] is null or state = any($4)) and ($5::text[] is null or platform = any($5))
            and ($6::uuid[] is null or account_id = any($6))
            and ($7::boolean is null or (problem_code is not null) = $7)
            and (not $12 or (listed_at >= coalesce($8::timestamptz, '-infinity')
                             and listed_at < coalesce($9::timestamptz, 'infinity')))
          order by position limit $11)
        union all
        (select position, id from publish_targets
          where $10 and job_id = $1 and position > $2 and position < $3
            and ($4::text[] is null or state = any($4)) and ($5::text[] is null or platform = any($5))
            and ($6::uuid[] is null or account_id = any($6))
            and ($7::boolean is null or (problem_code is not null) = $7)
            and (not $12 or (listed_at >= coalesce($8::timestamptz, '-infinity')
                             and listed_at < coalesce($9::timestamptz, 'infinity')))
          order by position desc limit $11)
        "#,
        job,
        between.0,
        between.1,
        states.as_deref() as Option<&[String]>,
        platforms.as_deref() as Option<&[String]>,
        query.accounts.as_deref() as Option<&[Uuid]>,
        query.has_problem,
        from,
        until,
        page.1,
        page.0,
        query.during.is_some(),
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.position, row.id)).collect())
}

/// How many targets of a job there are.
///
/// # Errors
/// When the statement fails.
pub async fn count_targets_of_job(tx: &mut Tx, job: Uuid, query: &TargetQuery) -> Result<i64, StoreError> {
    let (from, until) = query.during.unwrap_or_default();
    let (states, platforms) = (query.states(), query.platforms());
    let count = sqlx::query_scalar!(
        r#"
        select count(*) as "count!" from publish_targets
         where job_id = $1
           and ($2::text[] is null or state = any($2)) and ($3::text[] is null or platform = any($3))
           and ($4::uuid[] is null or account_id = any($4))
           and ($5::boolean is null or (problem_code is not null) = $5)
           and (not $8 or (listed_at >= coalesce($6::timestamptz, '-infinity')
                           and listed_at < coalesce($7::timestamptz, 'infinity')))
        "#,
        job,
        states.as_deref() as Option<&[String]>,
        platforms.as_deref() as Option<&[String]>,
        query.accounts.as_deref() as Option<&[Uuid]>,
        query.has_problem,
        from,
        until,
        query.during.is_some(),
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(count)
}

/// The targets of each asset by the time they were made, at most `window.limit` of each:
/// (asset, edge).
///
/// # Errors
/// When the statement fails.
pub async fn targets_of_assets(
    tx: &mut Tx,
    assets: &[Uuid],
    window: Window,
) -> Result<Vec<(Uuid, Edge)>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select asset.id as "asset_id!", found.created_at as "created_at!", found.id as "id!"
          from unnest($1::uuid[]) as asset (id)
          cross join lateral (
            (select created_at, target.id from publish_targets target
              where not $6 and target.asset_id = asset.id
                and (created_at, target.id) > (coalesce($2::timestamptz, 'infinity'), $3::uuid)
                and (created_at, target.id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
              order by created_at, target.id limit $7)
            union all
            (select created_at, target.id from publish_targets target
              where $6 and target.asset_id = asset.id
                and (created_at, target.id) > (coalesce($2::timestamptz, 'infinity'), $3::uuid)
                and (created_at, target.id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
              order by created_at desc, target.id desc limit $7)) found
        "#,
        assets,
        window.from.0,
        window.from.1,
        window.until.0,
        window.until.1,
        window.descending,
        window.limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.asset_id, Edge { at: Some(row.created_at), id: row.id })).collect())
}

/// How many targets each asset has; assets without one are left out.
///
/// # Errors
/// When the statement fails.
pub async fn count_targets_of_assets(tx: &mut Tx, assets: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StoreError> {
    let rows = sqlx::query!(
        r#"select asset_id, count(*) as "count!" from publish_targets where asset_id = any($1) group by asset_id"#,
        assets,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.asset_id, row.count)).collect())
}

/// A brand's jobs by the time they were made.
///
/// # Errors
/// When the statement fails.
pub async fn jobs_of_brand(tx: &mut Tx, brand: Uuid, window: Window) -> Result<Vec<Edge>, StoreError> {
    let rows = sqlx::query_as!(
        Edge,
        r#"
        (select created_at as at, id as "id!" from publish_jobs
          where not $6 and brand_id = $1
            and (created_at, id) > (coalesce($2::timestamptz, 'infinity'), $3::uuid)
            and (created_at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
          order by created_at, id limit $7)
        union all
        (select created_at as at, id from publish_jobs
          where $6 and brand_id = $1
            and (created_at, id) > (coalesce($2::timestamptz, 'infinity'), $3::uuid)
            and (created_at, id) < (coalesce($4::timestamptz, 'infinity'), $5::uuid)
          order by created_at desc, id desc limit $7)
        "#,
        brand,
        window.from.0,
        window.from.1,
        window.until.0,
        window.until.1,
        window.descending,
        window.limit,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// How many jobs a brand has.
///
/// # Errors
/// When the statement fails.
pub async fn count_jobs(tx: &mut Tx, brand: Uuid) -> Result<i64, StoreError> {
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from publish_jobs where brand_id = $1"#, brand)
            .fetch_one(&mut **tx)
            .await?;
    Ok(count)
}
