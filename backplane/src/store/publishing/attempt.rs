//! What a person may read and say about attempts. Workers write all else.

use chrono::{DateTime, Utc};
use domain::publishing::AttemptOutcome;
use uuid::Uuid;

use crate::store::{StoreError, Tx};

/// The attempt that a person is asked about: the newest of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAttempt {
    pub id: Uuid,
    pub started_at: DateTime<Utc>,
    /// No byte of its call leaves after this.
    pub send_deadline: DateTime<Utc>,
    /// Its outcome is not known.
    pub open: bool,
    /// The network is known to have made the post.
    pub created: bool,
}

/// The newest attempt of a target, an open one before all others.
///
/// # Errors
/// When the statement fails.
pub async fn last_attempt(tx: &mut Tx, target: Uuid) -> Result<Option<LastAttempt>, StoreError> {
    let row = sqlx::query_as!(
        LastAttempt,
        r#"
        select id, started_at, send_deadline, outcome is null as "open!",
               exists (select from publish_attempts made where made.target_id = $1 and made.part = 0
                          and made.outcome = 'created') as "created!"
          from publish_attempts where target_id = $1
         order by (outcome is null) desc, started_at desc, id desc limit 1
        "#,
        target,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row)
}

/// Writes the outcome of an open attempt, once. `false`: it was written before.
///
/// # Errors
/// When the statement fails.
pub async fn close_attempt(
    tx: &mut Tx,
    attempt: Uuid,
    outcome: AttemptOutcome,
    proof: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update publish_attempts set outcome = $2, proof = $3, ended_at = now() where id = $1 and outcome is null",
        attempt,
        outcome.as_str(),
        proof,
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
