//! A new job and all its targets: one statement each, whatever their number.

use chrono::{DateTime, Utc};
use domain::operation::Framing;
use domain::platform::{Placement, Platform};
use domain::problem::Problem;
use domain::target::TargetState;
use uuid::Uuid;

use super::stored::framing_name;
use crate::store::{StoreError, Tx};

/// A job to be stored.
#[derive(Clone, Debug)]
pub struct NewPublishJob {
    pub id: Uuid,
    pub brand_id: Uuid,
    pub name: Option<String>,
    /// Captions are adapted; else sent as they came.
    pub adapt: bool,
    pub created_by: Option<Uuid>,
    pub submitted: bool,
    pub approval_required: bool,
    /// A pair that is posted already may be posted again.
    pub duplicate_allowed: bool,
    /// `None`: as each network prefers.
    pub framing: Option<Framing>,
    /// Videos that are too long may be cut.
    pub trim: bool,
}

/// A target to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTarget {
    pub id: Uuid,
    pub position: i32,
    pub asset_id: Uuid,
    pub account_id: Uuid,
    pub platform: Platform,
    pub placement: Option<Placement>,
    pub profile: Option<String>,
    pub source_caption: Option<String>,
    pub caption_id: Option<Uuid>,
    pub state: TargetState,
    pub problem: Option<Problem>,
    pub scheduled_at: Option<DateTime<Utc>>,
    pub content_key: Vec<u8>,
}

/// Stores a job with its targets and answers with the ids of those stored. Left out is a pair that
/// another call stored meanwhile: the unique index decides, and rows go in by its order so that two
/// calls at once wait for each other and never deadlock. When none is left, there is no job either.
///
/// # Errors
/// When the statement fails.
pub async fn insert_job(
    tx: &mut Tx,
    job: &NewPublishJob,
    targets: &[NewTarget],
) -> Result<Vec<Uuid>, StoreError> {
    let column = Columns::of(targets);
    // Held until the commit: a probe that settles meanwhile waits for these targets, or is seen by
    // whoever advances them after this.
    sqlx::query!("select id from media_assets where id = any($1) order by id for share", &column.asset_id)
        .fetch_all(&mut **tx)
        .await?;
    let ids = sqlx::query_scalar!(
        r#"
        with stored as (
        insert into publish_targets (id, brand_id, job_id, position, asset_id, account_id, platform, placement, profile,
               source_caption, caption_id, state, problem_code, problem_message, problem_remedy, problem_since,
               scheduled_at, content_key, approval_required, duplicate_allowed, framing, trim)
        select id, $2, $3, position, asset_id, account_id, platform, placement, profile,
               source_caption, caption_id, state, code, message, remedy, case when code is not null then now() end,
               scheduled_at, content_key, $4, $5, $24, $25
          from unnest($1::uuid[], $6::int[], $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[],
                      $13::uuid[], $14::text[], $15::text[], $16::text[], $17::text[], $18::timestamptz[], $19::bytea[])
               as given (id, position, asset_id, account_id, platform, placement, profile, source_caption,
                         caption_id, state, code, message, remedy, scheduled_at, content_key)
         order by account_id, content_key
        on conflict (account_id, content_key) where not duplicate_allowed and state not in ('FAILED', 'CANCELLED')
        do nothing
        returning id),
        -- Foreign keys are checked when the statement ends, so the job may come after its targets.
        job as (
        insert into publish_jobs (id, brand_id, name, captions, created_by, submitted_at)
        select $3, $2, $20, $21, $22, case when $23 then now() end where exists (select from stored))
        select id from stored
        "#,
        &column.id,
        job.brand_id,
        job.id,
        job.approval_required,
        job.duplicate_allowed,
        &column.position,
        &column.asset_id,
        &column.account_id,
        &column.platform,
        &column.placement as &[Option<String>],
        &column.profile as &[Option<String>],
        &column.source_caption as &[Option<String>],
        &column.caption_id as &[Option<Uuid>],
        &column.state,
        &column.code as &[Option<String>],
        &column.message as &[Option<String>],
        &column.remedy as &[Option<String>],
        &column.scheduled_at as &[Option<DateTime<Utc>>],
        &column.content_key,
        job.name,
        if job.adapt { "ADAPT" } else { "ORIGINAL" },
        job.created_by,
        job.submitted,
        job.framing.map(framing_name),
        job.trim,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// One array for each column, as `unnest` wants them.
#[derive(Default)]
struct Columns {
    id: Vec<Uuid>,
    position: Vec<i32>,
    asset_id: Vec<Uuid>,
    account_id: Vec<Uuid>,
    platform: Vec<String>,
    placement: Vec<Option<String>>,
    profile: Vec<Option<String>>,
    source_caption: Vec<Option<String>>,
    caption_id: Vec<Option<Uuid>>,
    state: Vec<String>,
    code: Vec<Option<String>>,
    message: Vec<Option<String>>,
    remedy: Vec<Option<String>>,
    scheduled_at: Vec<Option<DateTime<Utc>>>,
    content_key: Vec<Vec<u8>>,
}

impl Columns {
    fn of(targets: &[NewTarget]) -> Self {
        let mut columns = Self::default();
        for target in targets {
            columns.push(target);
        }
        columns
    }

    fn push(&mut self, target: &NewTarget) {
        let problem = target.problem.as_ref();
        self.id.push(target.id);
        self.position.push(target.position);
        self.asset_id.push(target.asset_id);
        self.account_id.push(target.account_id);
        self.platform.push(target.platform.as_str().to_owned());
        self.placement.push(target.placement.map(|placement| placement.as_str().to_ascii_uppercase()));
        self.profile.push(target.profile.clone());
        self.source_caption.push(target.source_caption.clone());
        self.caption_id.push(target.caption_id);
        self.state.push(target.state.as_str().to_owned());
        self.code.push(problem.map(|problem| problem.code.clone()));
        self.message.push(problem.map(|problem| problem.message.clone()));
        self.remedy.push(problem.map(|problem| problem.remedy.as_str().to_owned()));
        self.scheduled_at.push(target.scheduled_at);
        self.content_key.push(target.content_key.clone());
    }
}
