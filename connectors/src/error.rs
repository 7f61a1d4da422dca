//! What went wrong at a network, classified where it is born by what to do next.

use chrono::{DateTime, Utc};
use domain::platform::Platform;
use domain::problem::Problem;

/// An answer, or the lack of one, outside of `send` (whose outcomes are of their own type).
///
/// Its text names host, step and class, and never a URL, a token or a body.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{platform} {step}: {kind}")]
pub struct ConnectorError {
    pub platform: Platform,
    /// Which call it was, e.g. `container` or `token`.
    pub step: &'static str,
    pub kind: ErrorKind,
}

/// What to do next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ErrorKind {
    /// The network said no for good; the problem says what a person can do.
    #[error("refused: {}", .0.code)]
    Permanent(Problem),
    /// The same call may work later: a broken connection, a 5xx, a time-out.
    #[error("failed for now: {0}")]
    Transient(String),
    /// Not before this time.
    #[error("throttled until {0}")]
    Throttled(DateTime<Utc>),
    /// The network says that the token is dead: only a person can connect again.
    #[error("the account has to be connected again: {}", .0.code)]
    Reauthorize(Problem),
    /// A prepared handle is gone: prepare it anew.
    #[error("a prepared step has expired")]
    StepExpired,
}
