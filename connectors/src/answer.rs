//! What a network answered, and how a call broke when it did not.

use std::fmt;

use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use hyper::HeaderMap;
use hyper::header::RETRY_AFTER;
use serde::de::DeserializeOwned;

/// A whole answer. `Debug` shows the status alone, for bodies hold tokens.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Reads the body; `None` when it is not the JSON that was expected.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After` in seconds, the only form that the networks send.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let seconds: u32 = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::seconds(i64::from(seconds)))
    }

    /// When a throttled call may be made again; `default` when the network does not say.
    pub(crate) fn throttled_until(&self, default: Duration) -> DateTime<Utc> {
        // A whole second more: the network's clock and ours do not tick together.
        Utc::now() + self.retry_after().unwrap_or(default) + Duration::seconds(1)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A call without an answer. Holds the host and the class, and nothing else of the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {class}")]
pub(crate) struct Broken {
    pub(crate) host: String,
    pub(crate) class: Class,
    /// A byte of the request may have left this machine.
    pub(crate) left: bool,
}

impl Broken {
    /// A break before anything was written.
    pub(crate) fn before(host: &str, class: Class) -> Self {
        Self { host: host.to_owned(), class, left: false }
    }

    /// A break of which nothing is promised.
    pub(crate) fn after(host: &str, class: Class) -> Self {
        Self { host: host.to_owned(), class, left: true }
    }
}

/// Where a call broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Class {
    #[error("the address cannot be called")]
    BadAddress,
    #[error("the name could not be resolved")]
    Resolve,
    #[error("no connection could be made")]
    Connect,
    #[error("no secure connection could be made")]
    Tls,
    #[error("no answer in time")]
    TimedOut,
    #[error("the connection broke")]
    Interrupted,
    #[error("the answer was too large")]
    TooLarge,
    #[error("the stored media file could not be read")]
    Media,
}
