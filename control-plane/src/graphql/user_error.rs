//! What a mutation answers when it changes nothing: reasons with a code, a sentence and a path.

use std::error::Error;

use async_graphql::{Enum, SimpleObject};
use backplane::store::secrets::SecretError;
use backplane::store::{FromStore, StoreError, rerun};
use serde::{Deserialize, Serialize};

use super::failure::{Answer, Failure};

/// Machine-readable reason, stable over releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[graphql(name = "UserErrorCode")]
pub enum Code {
    /// An id of another type, or no id at all.
    BadId,
    /// No such object, as far as the asker may know.
    NotFound,
    /// The asker's role does not allow it.
    Forbidden,
    /// The value cannot be used as it is.
    Invalid,
    /// Too big, too long or too many.
    TooLarge,
    /// Not in its present state, or changed since the revision given: read it again.
    Conflict,
    /// The idempotency key was used with another input.
    IdempotencyMismatch,
    /// A limit of this installation is reached.
    LimitExceeded,
    /// The network cannot take this media.
    UnsupportedMedia,
    /// The network said no.
    PlatformRefused,
    /// This server has no app of that network.
    NotConfigured,
}

/// Why a mutation, or one item of a plural one, changed nothing.
#[derive(Clone, Debug, SimpleObject, Serialize, Deserialize)]
pub struct UserError {
    /// Machine-readable reason, stable over releases.
    pub code: Code,
    /// One plain sentence: what is wrong and what to do.
    pub message: String,
    /// Path to the offending input field, e.g. ["input", "posts", "2", "assetId"].
    pub path: Vec<String>,
}

impl UserError {
    /// Says what is wrong and what to do, at `path`.
    pub fn new(code: Code, message: impl Into<String>, path: &Path) -> Self {
        Self { code, message: message.into(), path: path.0.clone() }
    }

    /// There is no such object, as far as the asker may know.
    #[must_use]
    pub fn not_found(what: &str, path: &Path) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}, or you cannot see it"), path)
    }

    /// The role is not enough.
    #[must_use]
    pub fn forbidden(path: &Path) -> Self {
        Self::new(Code::Forbidden, "your role does not allow this: ask an admin of the brand", path)
    }

    /// The value cannot be used; the message says why and what to do.
    pub fn invalid(message: impl Into<String>, path: &Path) -> Self {
        Self::new(Code::Invalid, message, path)
    }

    /// It is not possible in its present state.
    pub fn conflict(message: impl Into<String>, path: &Path) -> Self {
        Self::new(Code::Conflict, message, path)
    }
}

/// Where in the input something is, e.g. `input.posts.2.assetId`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// The input itself.
    #[must_use]
    pub fn input() -> Self {
        Self(vec!["input".to_owned()])
    }

    /// A field of it, named as in the schema.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.step(name.to_owned())
    }

    /// An item of a list, counted from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(index.to_string())
    }

    fn step(&self, name: String) -> Self {
        let mut steps = self.0.clone();
        steps.push(name);
        Self(steps)
    }
}

/// Why a mutation ends without a change.
#[derive(Debug)]
pub enum Stop {
    /// It is refused, for reasons the client can act on.
    Refused(Vec<UserError>),
    /// It cannot be served at all.
    Failed(Failure),
}

impl From<UserError> for Stop {
    fn from(error: UserError) -> Self {
        Self::Refused(vec![error])
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl FromStore for Stop {
    fn store_error(&self) -> Option<&StoreError> {
        let Self::Failed(Failure::Internal(failed)) = self else { return None };
        let failed: &(dyn Error + 'static) = &**failed;
        failed.downcast_ref().or_else(|| failed.downcast_ref::<SecretError>()?.store_error())
    }
}

/// The answer of a mutation: the changed object, or user errors and nothing else.
pub trait Payload: Default {
    /// Sets the reasons.
    fn set_user_errors(&mut self, errors: Vec<UserError>);
}

/// Implements [`Payload`] for structs with a field `user_errors`.
macro_rules! payloads {
    ($($name:ty),+ $(,)?) => {
        $(impl $crate::graphql::user_error::Payload for $name {
            fn set_user_errors(&mut self, errors: Vec<$crate::graphql::user_error::UserError>) {
                self.user_errors = errors;
            }
        })+
    };
}
pub(crate) use payloads;

/// Runs a mutation, and again when Postgres took it back for the sake of another one. It has to announce what it
/// did after its commit, and nothing after that may fail so.
///
/// # Errors
/// What is no refusal but a failure.
pub async fn change<I, P, F>(input: I, mutation: impl Fn(I) -> F) -> Answer<P>
where
    I: Clone,
    P: Payload,
    F: Future<Output = Result<P, Stop>>,
{
    settle(rerun(|| mutation(input.clone())).await)
}

/// Turns a refusal into the payload that says so.
///
/// # Errors
/// What is no refusal but a failure.
pub fn settle<P: Payload>(result: Result<P, Stop>) -> Answer<P> {
    match result {
        Ok(payload) => Ok(payload),
        Err(Stop::Refused(errors)) => {
            let mut payload = P::default();
            payload.set_user_errors(errors);
            Ok(payload)
        }
        Err(Stop::Failed(failure)) => Err(failure),
    }
}
