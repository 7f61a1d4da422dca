//! One target: read in batches, locked and saved one at a time.

use chrono::{DateTime, Utc};
use domain::operation::Framing;
use domain::platform::{Placement, Platform};
use domain::target::TargetState;
use uuid::Uuid;

use super::stored::{ProblemColumns, ProblemRow, framing, framing_name, parse, parse_upper};
use crate::store::{StoreError, Tx};

/// A target as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetRow {
    pub id: Uuid,
    pub brand_id: Uuid,
    pub job_id: Uuid,
    pub position: i32,
    pub asset_id: Uuid,
    pub account_id: Uuid,
    pub platform: Platform,
    pub placement: Option<Placement>,
    /// Name of a profile; `None` until the asset is probed.
    pub profile: Option<String>,
    /// What a person asked for.
    pub framing: Option<Framing>,
    /// A video that is too long may be cut.
    pub trim: bool,
    pub caption_id: Option<Uuid>,
    pub caption_instruction: Option<String>,
    pub state: TargetState,
    pub problem: Option<ProblemRow>,
    pub revision: i32,
    pub content_revision: i32,
    pub approval_required: bool,
    pub approved_content_revision: Option<i32>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub cancelled_at: Option<DateTime<Utc>>,
    pub published_at: Option<DateTime<Utc>>,
    pub external_id: Option<String>,
    pub external_url: Option<String>,
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
}

/// Reads targets by id, in no order; those out of scope are left out.
///
/// # Errors
/// When the statement fails.
pub async fn targets_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<TargetRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select id, brand_id, job_id, position, asset_id, account_id, platform, placement, profile, framing, trim,
               caption_id, caption_instruction, state, problem_code, problem_message, problem_remedy, problem_since,
               problem_retry_at, revision, content_revision, approval_required, approved_content_revision,
               scheduled_at, due_at, cancelled_at, published_at, external_id, external_url, attempts, created_at
          from publish_targets where id = any($1)
        "#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| {
        let problem = ProblemColumns {
            code: row.problem_code,
            message: row.problem_message,
            remedy: row.problem_remedy,
            since: row.problem_since,
            retry_at: row.problem_retry_at,
        };
        Ok(TargetRow {
            id: row.id,
            brand_id: row.brand_id,
            job_id: row.job_id,
            position: row.position,
            asset_id: row.asset_id,
            account_id: row.account_id,
            platform: parse(&row.platform)?,
            placement: row.placement.as_deref().map(parse_upper).transpose()?,
            profile: row.profile,
            framing: row.framing.as_deref().map(framing),
            trim: row.trim,
            caption_id: row.caption_id,
            caption_instruction: row.caption_instruction,
            state: parse(&row.state)?,
            problem: problem.read()?,
            revision: row.revision,
            content_revision: row.content_revision,
            approval_required: row.approval_required,
            approved_content_revision: row.approved_content_revision,
            scheduled_at: row.scheduled_at,
            due_at: row.due_at,
            cancelled_at: row.cancelled_at,
            published_at: row.published_at,
            external_id: row.external_id,
            external_url: row.external_url,
            attempts: row.attempts,
            created_at: row.created_at,
        })
    });
    read.collect()
}

/// Locks one target and reads it as it is then. `None`: no such target in this scope.
///
/// # Errors
/// When a statement fails.
pub async fn lock_target(tx: &mut Tx, id: Uuid) -> Result<Option<TargetRow>, StoreError> {
    sqlx::query!("select 1 as one from publish_targets where id = $1 for update", id)
        .fetch_optional(&mut **tx)
        .await?;
    // A read of its own: the locking statement may have waited and would show what was before.
    Ok(targets_by_id(tx, &[id]).await?.pop())
}

/// Writes what a person's change can touch. The row has to be locked by this transaction.
///
/// # Errors
/// When the statement fails; `one_content_per_account` when it would post the same content twice.
pub async fn save_target(tx: &mut Tx, target: &TargetRow) -> Result<(), StoreError> {
    let problem = target.problem.as_ref();
    sqlx::query!(
        r#"
        update publish_targets
           set framing = $2, caption_id = $3, caption_instruction = $4, state = $5, problem_code = $6,
               problem_message = $7, problem_remedy = $8, problem_since = $9, problem_retry_at = $10, revision = $11,
               content_revision = $12, approved_content_revision = $13, scheduled_at = $14, due_at = $15,
               cancelled_at = $16, published_at = $17, external_url = $18, profile = $19, trim = $20, updated_at = now()
         where id = $1
        "#,
        target.id,
        target.framing.map(framing_name),
        target.caption_id,
        target.caption_instruction,
        target.state.as_str(),
        problem.map(|problem| problem.problem.code.as_str()),
        problem.map(|problem| problem.problem.message.as_str()),
        problem.map(|problem| problem.problem.remedy.as_str()),
        problem.map(|problem| problem.since),
        problem.and_then(|problem| problem.retry_at),
        target.revision,
        target.content_revision,
        target.approved_content_revision,
        target.scheduled_at,
        target.due_at,
        target.cancelled_at,
        target.published_at,
        target.external_url,
        target.profile,
        target.trim,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A reviewer's word on one revision of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRow {
    pub target_id: Uuid,
    pub revision: i32,
    pub approved: bool,
    pub comment: Option<String>,
    pub user_id: Option<Uuid>,
    pub at: DateTime<Utc>,
}

/// The newest review of each of `targets` that has one.
///
/// # Errors
/// When the statement fails.
pub async fn latest_reviews(tx: &mut Tx, targets: &[Uuid]) -> Result<Vec<ReviewRow>, StoreError> {
    let rows = sqlx::query_as!(
        ReviewRow,
        r#"
        select distinct on (target_id) target_id, revision, decision = 'APPROVE' as "approved!", comment, user_id, at
          from reviews where target_id = any($1) order by target_id, at desc
        "#,
        targets,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// A review to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct NewReview<'a> {
    pub approved: bool,
    pub comment: Option<&'a str>,
    /// `None`: an API key reviewed.
    pub user: Option<Uuid>,
}

/// Records a review of `target` at its present revision.
///
/// # Errors
/// When the statement fails.
pub async fn insert_review(tx: &mut Tx, target: &TargetRow, review: NewReview<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        insert into reviews (id, brand_id, target_id, revision, decision, comment, user_id)
        values ($1, $2, $3, $4, $5, $6, $7)
        "#,
        Uuid::now_v7(),
        target.brand_id,
        target.id,
        target.revision,
        if review.approved { "APPROVE" } else { "REQUEST_CHANGES" },
        review.comment,
        review.user,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
