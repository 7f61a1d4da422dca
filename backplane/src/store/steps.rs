//! Steps of preparation at a network: done once, stored, and resumed after a crash.

use domain::publishing::Step;
use uuid::Uuid;

use super::jobs::Fence;
use super::{StoreError, Tx};

/// A step as stored: done, or begun and to be gone on with.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredStep {
    pub step: Step,
    pub done: bool,
}

/// All steps of a target, by part and name.
///
/// # Errors
/// When the statement fails.
pub async fn steps_of(tx: &mut Tx, target: Uuid) -> Result<Vec<StoredStep>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select part, name, input_hash, done, remote_id, expires_at, data
          from publish_steps where target_id = $1 order by part, name
        "#,
        target,
    )
    .fetch_all(&mut **tx)
    .await?;
    let steps = rows.into_iter().map(|row| StoredStep {
        step: Step {
            part: u16::try_from(row.part).unwrap_or(0),
            name: row.name,
            input_hash: row.input_hash,
            remote_id: row.remote_id,
            expires_at: row.expires_at,
            data: row.data,
        },
        done: row.done,
    });
    Ok(steps.collect())
}

/// Stores a step in place of an older one of its part and name.
///
/// # Errors
/// When the statement fails.
pub async fn save_step(
    tx: &mut Tx,
    fence: &Fence,
    target: Uuid,
    stored: &StoredStep,
) -> Result<(), StoreError> {
    let step = &stored.step;
    sqlx::query!(
        r#"
        insert into publish_steps (brand_id, target_id, part, name, input_hash, done, remote_id, expires_at, data)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (target_id, part, name) do update
           set input_hash = excluded.input_hash, done = excluded.done, remote_id = excluded.remote_id,
               expires_at = excluded.expires_at, data = excluded.data, updated_at = now()
        "#,
        fence.brand(),
        target,
        i16::try_from(step.part).unwrap_or(i16::MAX),
        step.name,
        step.input_hash,
        stored.done,
        step.remote_id,
        step.expires_at,
        step.data,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets what was prepared for a part: the network has, or its handle is spent.
///
/// # Errors
/// When the statement fails.
pub async fn forget_part(tx: &mut Tx, _: &Fence, target: Uuid, part: u16) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from publish_steps where target_id = $1 and part = $2",
        target,
        i16::try_from(part).unwrap_or(i16::MAX),
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
