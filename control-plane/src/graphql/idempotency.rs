//! A repeated call gets the same answer: the key is claimed in the transaction that does the work.

use backplane::store::Tx;
use backplane::store::idempotency::{self, Claimed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::user_error::{Code, Path, Stop, UserError};

/// Longest key, in characters.
const KEY_MAX: usize = 200;

/// A key that came with a mutation.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    actor: Uuid,
    key: String,
    hash: Vec<u8>,
}

impl IdempotencyKey {
    /// Reads the key of `mutation`, if one was given. `input` is everything else of the input.
    ///
    /// # Errors
    /// `INVALID` for a key that is empty or longer than 200 characters.
    pub fn read(
        actor: Uuid,
        key: Option<&str>,
        mutation: &str,
        input: &impl Serialize,
    ) -> Result<Option<Self>, Stop> {
        let Some(key) = key else { return Ok(None) };
        if key.is_empty() || key.chars().count() > KEY_MAX || key.contains('\0') {
            let path = Path::input().field("idempotencyKey");
            return Err(UserError::invalid("an idempotency key has 1 to 200 characters", &path).into());
        }
        let mut hash = Sha256::new();
        hash.update(mutation);
        hash.update([0]);
        hash.update(serde_json::to_vec(input)?);
        Ok(Some(Self { actor, key: key.to_owned(), hash: hash.finalize().to_vec() }))
    }

    /// Claims the key in `tx`, first of all. Answers with what the first call was answered, if there
    /// was one: then do nothing. While the first call still runs, this waits for its end.
    ///
    /// # Errors
    /// `IDEMPOTENCY_MISMATCH` when the key came with another input before.
    pub async fn claim<A: DeserializeOwned>(&self, tx: &mut Tx) -> Result<Option<A>, Stop> {
        match idempotency::claim_key(tx, self.actor, &self.key, &self.hash).await? {
            Claimed::Fresh => Ok(None),
            Claimed::Answered(answer) => Ok(Some(serde_json::from_value(answer)?)),
            Claimed::Mismatch => {
                let message = "this key was used with another input: take a new key for a new request";
                let path = Path::input().field("idempotencyKey");
                Err(UserError::new(Code::IdempotencyMismatch, message, &path).into())
            }
        }
    }

    /// Keeps the answer (ids, from which the payload is built again) in the same transaction.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn keep(&self, tx: &mut Tx, answer: &impl Serialize) -> Result<(), Stop> {
        let answer = serde_json::to_value(answer)?;
        Ok(idempotency::keep_answer(tx, self.actor, &self.key, &answer).await?)
    }
}
