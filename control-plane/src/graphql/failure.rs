//! Top-level errors: a request that cannot be served at all.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::ErrorExtensionValues;
use uuid::Uuid;

/// Why a request cannot be served. Deliberately without `Display`: the only way out is the
/// conversion below, which shows nothing of what failed inside.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The request itself is wrong; the text says what to change.
    BadRequest(String),
    /// An id of another type, or no id at all.
    BadId(String),
    Unauthenticated,
    RateLimited {
        retry_after: Duration,
    },
    /// Our own fault, or that of something we need.
    Internal(Arc<dyn Error + Send + Sync>),
}

/// What a resolver answers.
pub type Answer<T> = Result<T, Failure>;

impl Failure {
    /// Builds [`Failure::BadRequest`].
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    /// The stable code in `extensions.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "BAD_REQUEST",
            Self::BadId(_) => "BAD_ID",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Internal(_) => "INTERNAL",
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Internal(Arc::new(error))
    }
}

impl From<Failure> for async_graphql::Error {
    /// Logs what is ours to mend, once, under an id that the client can quote.
    fn from(failure: Failure) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", failure.code());
        let message = match failure {
            Failure::BadRequest(message) | Failure::BadId(message) => message,
            Failure::Unauthenticated => {
                "sign in first: nobody is signed in, or the session has ended".to_owned()
            }
            Failure::RateLimited { retry_after } => {
                let millis = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
                extensions.set("retryAfterMs", millis);
                format!("too many tries: try again in {} s", millis.div_ceil(1000))
            }
            Failure::Internal(error) => {
                let id = Uuid::new_v4().simple().to_string();
                tracing::error!(error_id = %id, error = %chain(&*error), "request.failed");
                extensions.set("errorId", id.as_str());
                format!("something went wrong on our side: try again, and quote {id} if it stays")
            }
        };
        let mut error = Self::new(message);
        error.extensions = Some(extensions);
        error
    }
}

/// An error and its sources in one line. Errors of this project hold no secret and no bound value.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
