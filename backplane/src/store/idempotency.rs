//! Answers kept for repeated calls.

use serde_json::Value;
use uuid::Uuid;

use super::{StoreError, Tx};

/// What claiming an idempotency key found.
#[derive(Clone, Debug, PartialEq)]
pub enum Claimed {
    /// Nobody used it within seven days: do the work, then [`keep_answer`] in this transaction.
    Fresh,
    /// It was used with the same input, and this was the answer.
    Answered(Value),
    /// It was used with another input.
    Mismatch,
}

/// Claims a key of the scope's actor. While another transaction holds it, this waits for its end.
///
/// # Errors
/// When a statement fails.
pub async fn claim_key(
    tx: &mut Tx,
    actor: Uuid,
    key: &str,
    request_hash: &[u8],
) -> Result<Claimed, StoreError> {
    let fresh = sqlx::query_scalar!(
        "insert into idempotency_keys (actor_id, key, request_hash) values ($1, $2, $3)
         on conflict (actor_id, key) do update
            set request_hash = excluded.request_hash, answer = null, created_at = now()
          where idempotency_keys.created_at < now() - interval '7 days'
         returning 1",
        actor,
        key,
        request_hash,
    )
    .fetch_optional(&mut **tx)
    .await?;
    if fresh.is_some() {
        return Ok(Claimed::Fresh);
    }
    let used = sqlx::query!(
        "select request_hash, answer from idempotency_keys where actor_id = $1 and key = $2",
        actor,
        key,
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(match used.answer {
        _ if used.request_hash != request_hash => Claimed::Mismatch,
        Some(answer) => Claimed::Answered(answer),
        // A claim is committed together with its answer, so this is a row of nobody.
        None => Claimed::Fresh,
    })
}

/// Keeps the answer of a claimed key for those who ask again.
///
/// # Errors
/// When the statement fails.
pub async fn keep_answer(tx: &mut Tx, actor: Uuid, key: &str, answer: &Value) -> Result<(), StoreError> {
    sqlx::query!(
        "update idempotency_keys set answer = $3 where actor_id = $1 and key = $2",
        actor,
        key,
        answer
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
