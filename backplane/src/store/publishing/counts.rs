//! How many targets of a job are in which state: counted, never stored.

use domain::target::TargetState;
use uuid::Uuid;

use super::stored::parse;
use crate::store::{StoreError, Tx};

/// One line of a job's counts; states without a target have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateCount {
    pub job_id: Uuid,
    pub state: TargetState,
    pub count: i64,
}

/// Counts the targets of `jobs` by state.
///
/// # Errors
/// When the statement fails.
pub async fn counts_of_jobs(tx: &mut Tx, jobs: &[Uuid]) -> Result<Vec<StateCount>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select job_id, state, count(*) as "count!" from publish_targets
         where job_id = any($1) group by job_id, state order by job_id, state
        "#,
        jobs,
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| Ok(StateCount { job_id: row.job_id, state: parse(&row.state)?, count: row.count }))
        .collect()
}
