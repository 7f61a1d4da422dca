//! A publish job: read in batches, submitted and cancelled as a whole.

use chrono::{DateTime, Utc};
use domain::problem::Remedy;
use uuid::Uuid;

use super::stored::parse;
use crate::store::{StoreError, Tx};

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    pub id: Uuid,
    pub brand_id: Uuid,
    pub name: Option<String>,
    /// `None`: a draft that nobody submitted yet.
    pub submitted_at: Option<DateTime<Utc>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

/// Reads jobs by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn jobs_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<JobRow>, StoreError> {
    let rows = sqlx::query_as!(
        JobRow,
        "select id, brand_id, name, submitted_at, cancelled_at, created_at from publish_jobs where id = any($1)",
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Locks one job and reads it. `None`: no such job in this scope.
///
/// # Errors
/// When the statement fails.
pub async fn lock_job(tx: &mut Tx, id: Uuid) -> Result<Option<JobRow>, StoreError> {
    let row = sqlx::query_as!(
        JobRow,
        r#"
        select id, brand_id, name, submitted_at, cancelled_at, created_at from publish_jobs where id = $1 for update
        "#,
        id,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Locks the drafts of a job, in id order, and answers with each one's asset and the remedy of its
/// problem, if it has one.
///
/// # Errors
/// When the statement fails.
pub async fn drafts_of_job(tx: &mut Tx, job: Uuid) -> Result<Vec<(Uuid, Option<Remedy>)>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select asset_id, problem_code is not null as "troubled!", problem_remedy
          from publish_targets where job_id = $1 and state = 'DRAFT' order by id for update
        "#,
        job,
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| {
        let remedy = row.problem_remedy.as_deref().filter(|_| row.troubled).map(parse).transpose()?;
        Ok((row.asset_id, remedy))
    });
    read.collect()
}

/// Sends the drafts of a job on to preparation, and marks the job as submitted.
///
/// # Errors
/// When a statement fails.
pub async fn submit_drafts(tx: &mut Tx, job: Uuid, approval_required: bool) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        with submitted as (
            update publish_jobs set submitted_at = coalesce(submitted_at, now()), updated_at = now() where id = $1)
        update publish_targets
           set state = 'PREPARING', approval_required = $2, updated_at = now()
         where job_id = $1 and state = 'DRAFT'
        "#,
        job,
        approval_required,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Marks a job as cancelled.
///
/// # Errors
/// When the statement fails.
pub async fn cancel_job(tx: &mut Tx, job: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        "update publish_jobs set cancelled_at = coalesce(cancelled_at, now()), updated_at = now() where id = $1",
        job,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Cancels every target of a job that has not left. One that is leaving goes on to its end, and is
/// not sent again should that turn out not to have happened. Answers with the ids of those changed.
///
/// # Errors
/// When the statement fails.
pub async fn cancel_targets_of_job(tx: &mut Tx, job: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let ids = sqlx::query_scalar!(
        r#"
        with open as (
            select id from publish_targets
             where job_id = $1 and cancelled_at is null
               and state in ('DRAFT', 'PREPARING', 'AWAITING_APPROVAL', 'SCHEDULED', 'PUBLISHING', 'UNCONFIRMED')
             order by id for update)
        update publish_targets target
           set state = case when state in ('PUBLISHING', 'UNCONFIRMED') then state else 'CANCELLED' end,
               problem_code = case when state in ('PUBLISHING', 'UNCONFIRMED') then problem_code end,
               cancelled_at = now(), updated_at = now()
          from open where target.id = open.id
        returning target.id
        "#,
        job,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// Locks the live jobs that may be writing the targets of a publish job now, in the order in which everybody locks
/// jobs.
///
/// # Errors
/// When the statement fails.
pub async fn hold_jobs_of(tx: &mut Tx, job: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        select live.id
          from publish_targets target
          join jobs live on live.kind in ('caption', 'publish') and live.subject = target.id
           and live.state in ('ready', 'running')
         where target.job_id = $1
         order by live.kind, live.subject for update of live
        "#,
        job,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(())
}

/// Says that something about these jobs changed, for whoever watches them.
///
/// # Errors
/// When the statement fails.
pub async fn touch_jobs(tx: &mut Tx, jobs: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!("update publish_jobs set updated_at = now() where id = any($1)", jobs)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
