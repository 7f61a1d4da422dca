//! Passwords: argon2id with the parameters that OWASP names, a few at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Shortest and longest password, in characters (NIST SP 800-63B rev. 4: at least 8, at most 64 or more).
pub const LENGTH: std::ops::RangeInclusive<usize> = 8..=256;
/// How long a caller waits for its turn.
const QUEUE_LIMIT: Duration = Duration::from_secs(5);

/// Hashes and checks passwords. Each takes 19 MiB, so only so many run at once.
#[derive(Clone, Debug)]
pub struct Passwords {
    turns: Arc<Semaphore>,
}

/// Why a password was neither hashed nor checked.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("too many sign-ins at once: try again in a few seconds")]
    Busy,
    #[error("argon2: {0}")]
    Argon2(argon2::password_hash::Error),
    #[error("the hashing task ended early")]
    Task,
}

impl Passwords {
    /// At most `at_once` hashes (19 MiB each) run at the same time.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    /// Hashes a password for storing.
    ///
    /// # Errors
    /// When no turn comes within 5 s.
    pub async fn hash(&self, password: SecretString) -> Result<String, PasswordError> {
        self.in_turn(move || {
            let salt = SaltString::generate(&mut OsRng);
            let hash = hasher()?.hash_password(password.expose_secret().as_bytes(), &salt);
            Ok(hash.map_err(PasswordError::Argon2)?.to_string())
        })
        .await
    }

    /// Checks a password. Without a stored hash it works as long and says no, so that a clock does
    /// not tell which addresses exist.
    ///
    /// # Errors
    /// When no turn comes within 5 s.
    pub async fn check(&self, password: SecretString, stored: Option<String>) -> Result<bool, PasswordError> {
        self.in_turn(move || {
            let Some(stored) = stored else {
                let salt = SaltString::generate(&mut OsRng);
                let _ = hasher()?.hash_password(password.expose_secret().as_bytes(), &salt);
                return Ok(false);
            };
            let stored = PasswordHash::new(&stored).map_err(PasswordError::Argon2)?;
            Ok(hasher()?.verify_password(password.expose_secret().as_bytes(), &stored).is_ok())
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = timeout(QUEUE_LIMIT, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| PasswordError::Busy)?.map_err(|_| PasswordError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        done.await.map_err(|_| PasswordError::Task)?
    }
}

/// OWASP Password Storage Cheat Sheet (2026-11): argon2id, m = 19 MiB, t = 2, p = 1.
fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| PasswordError::Argon2(error.into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_passes() {
        let passwords = Passwords::new(2);
        let stored = passwords.hash("correct horse".to_owned().into()).await.expect("hashes");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let check = |text: &str, stored: Option<String>| passwords.check(text.to_owned().into(), stored);
        assert!(check("correct horse", Some(stored.clone())).await.expect("checks"));
        assert!(!check("correct horsf", Some(stored)).await.expect("checks"));
        assert!(!check("correct horse", None).await.expect("checks"));
    }
}
