//! Asking for work, in the transaction that needs it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::job_kind::{JobKind, Lane};
use crate::store::{StoreError, Tx};

/// A piece of work to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    pub kind: JobKind,
    pub lane: Lane,
    pub subject: Uuid,
    /// Not before this; `None`: at once.
    pub run_at: Option<DateTime<Utc>>,
    /// W3C trace context of the request that asks, for a link in the job's own trace.
    pub traceparent: Option<String>,
}

impl NewJob {
    /// Work for at once.
    #[must_use]
    pub const fn now(kind: JobKind, lane: Lane, subject: Uuid) -> Self {
        Self { kind, lane, subject, run_at: None, traceparent: None }
    }

    /// The same, not before `run_at`.
    #[must_use]
    pub fn at(self, run_at: DateTime<Utc>) -> Self {
        Self { run_at: Some(run_at), ..self }
    }
}

/// Enqueues all of `jobs` for `brand` with one statement.
///
/// A live row of the same kind and subject is not doubled: a running one runs again after it
/// settles, a ready one runs at the earlier of both times.
///
/// # Errors
/// When the statement fails.
pub async fn enqueue(tx: &mut Tx, brand: Uuid, jobs: &[NewJob]) -> Result<(), StoreError> {
    upsert(tx, brand, jobs, false).await
}

/// Like [`enqueue`], but a ready row gets the new time even when that is later.
///
/// # Errors
/// When the statement fails.
pub async fn reschedule(tx: &mut Tx, brand: Uuid, jobs: &[NewJob]) -> Result<(), StoreError> {
    upsert(tx, brand, jobs, true).await
}

/// Makes sure that live rows exist, with one statement. Those that exist are neither changed nor
/// waited for, so this may be called while rows are locked that their holders want.
///
/// # Errors
/// When the statement fails.
pub async fn ensure(tx: &mut Tx, brand: Uuid, jobs: &[NewJob]) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let rows = Rows::of(jobs);
    sqlx::query!(
        r#"
        insert into jobs (id, brand_id, kind, lane, subject, run_at, traceparent)
        select id, $2, kind, lane, subject, coalesce(run_at, now()), traceparent
          from unnest($1::uuid[], $3::text[], $4::smallint[], $5::uuid[], $6::timestamptz[], $7::text[])
               as wanted (id, kind, lane, subject, run_at, traceparent)
         order by kind, subject
        on conflict (kind, subject) where state in ('ready', 'running') do nothing
        "#,
        &rows.ids,
        brand,
        &rows.kinds,
        &rows.lanes,
        &rows.subjects,
        &rows.times as &[Option<DateTime<Utc>>],
        &rows.traces as &[Option<String>],
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn upsert(tx: &mut Tx, brand: Uuid, jobs: &[NewJob], exact: bool) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let rows = Rows::of(jobs);
    sqlx::query!(
        r#"
        insert into jobs (id, brand_id, kind, lane, subject, run_at, traceparent)
        select id, $2, kind, lane, subject, coalesce(run_at, now()), traceparent
          from unnest($1::uuid[], $3::text[], $4::smallint[], $5::uuid[], $6::timestamptz[], $7::text[])
               as wanted (id, kind, lane, subject, run_at, traceparent)
         order by kind, subject
        on conflict (kind, subject) where state in ('ready', 'running') do update
           set again   = jobs.again or jobs.state = 'running',
               lane    = least(jobs.lane, excluded.lane),
               run_at  = case when jobs.state <> 'ready' then jobs.run_at
                              when $8 then excluded.run_at
                              else least(jobs.run_at, excluded.run_at) end,
               rung_at = case when jobs.state = 'ready' and (excluded.run_at < jobs.run_at or $8) then null
                              else jobs.rung_at end
        "#,
        &rows.ids,
        brand,
        &rows.kinds,
        &rows.lanes,
        &rows.subjects,
        &rows.times as &[Option<DateTime<Utc>>],
        &rows.traces as &[Option<String>],
        exact,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One array for each column, as `unnest` wants them.
struct Rows {
    ids: Vec<Uuid>,
    kinds: Vec<String>,
    lanes: Vec<i16>,
    subjects: Vec<Uuid>,
    times: Vec<Option<DateTime<Utc>>>,
    traces: Vec<Option<String>>,
}

impl Rows {
    fn of(jobs: &[NewJob]) -> Self {
        let jobs = sorted_and_distinct(jobs);
        Self {
            ids: jobs.iter().map(|_| Uuid::now_v7()).collect(),
            kinds: jobs.iter().map(|job| job.kind.as_str().to_owned()).collect(),
            lanes: jobs.iter().map(|job| job.lane.number()).collect(),
            subjects: jobs.iter().map(|job| job.subject).collect(),
            times: jobs.iter().map(|job| job.run_at).collect(),
            traces: jobs.into_iter().map(|job| job.traceparent).collect(),
        }
    }
}

/// One statement may touch a row once, and rows are locked in one order by all who enqueue.
fn sorted_and_distinct(jobs: &[NewJob]) -> Vec<NewJob> {
    let mut jobs = jobs.to_vec();
    // `None` (at once) sorts before every time, so the earliest of equals is kept.
    jobs.sort_by(|a, b| {
        (a.kind.as_str(), a.subject, a.run_at, a.lane).cmp(&(b.kind.as_str(), b.subject, b.run_at, b.lane))
    });
    jobs.dedup_by(|later, first| later.kind == first.kind && later.subject == first.subject);
    jobs
}

/// Locks those of these jobs that are live, in the order in which everybody locks jobs. First of all in a
/// transaction that changes what they may be writing now: a job locks its own row before that, too.
///
/// # Errors
/// When the statement fails.
pub async fn hold(tx: &mut Tx, jobs: &[(JobKind, Uuid)]) -> Result<(), StoreError> {
    let kinds: Vec<String> = jobs.iter().map(|(kind, _)| kind.as_str().to_owned()).collect();
    let subjects: Vec<Uuid> = jobs.iter().map(|(_, subject)| *subject).collect();
    sqlx::query!(
        r#"
        select jobs.id
          from unnest($1::text[], $2::uuid[]) as wanted (kind, subject)
          join jobs on jobs.kind = wanted.kind and jobs.subject = wanted.subject and jobs.state in ('ready', 'running')
         order by jobs.kind, jobs.subject for update of jobs
        "#,
        &kinds,
        &subjects,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(())
}

/// Lets waiting jobs run at once, and running ones once more: what held them up is gone.
///
/// # Errors
/// When the statement fails.
pub async fn wake(tx: &mut Tx, kind: JobKind, subjects: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        with live as (
            select id from jobs
             where kind = $1 and subject = any($2) and state in ('ready', 'running')
             order by subject for update)
        update jobs
           set again   = jobs.again or jobs.state = 'running',
               rung_at = case when jobs.state = 'ready' and jobs.run_at > now() then null else jobs.rung_at end,
               run_at  = case when jobs.state = 'ready' then least(jobs.run_at, now()) else jobs.run_at end
          from live where jobs.id = live.id
        "#,
        kind.as_str(),
        subjects,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends jobs that wait and are no longer wanted. One that runs finds out by itself.
///
/// # Errors
/// When the statement fails.
pub async fn withdraw(tx: &mut Tx, kind: JobKind, subjects: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        with waiting as (
            select id from jobs where kind = $1 and subject = any($2) and state = 'ready' order by subject for update)
        update jobs set state = 'done', finished_at = now(), rung_at = null, again = false
          from waiting where jobs.id = waiting.id
        "#,
        kind.as_str(),
        subjects,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_work_asked_for_twice_is_one_row_at_the_earlier_time() {
        let subject = Uuid::from_u128(1);
        let late = NewJob::now(JobKind::Probe, Lane::Now, subject).at(DateTime::UNIX_EPOCH);
        let now = NewJob::now(JobKind::Probe, Lane::Bulk, subject);
        let other = NewJob::now(JobKind::Caption, Lane::Bulk, subject);
        let distinct = sorted_and_distinct(&[late.clone(), now.clone(), other.clone(), late]);
        assert_eq!(distinct, [other, now]);
    }
}
