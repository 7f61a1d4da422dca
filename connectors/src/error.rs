//! What went wrong at a network, classified where it is born by what to do next.

use chrono::{DateTime, Utc};
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use domain::publishing::SendOutcome;

use crate::answer::Broken;

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
    /// The access token ran out, which its refresh token can mend: refresh, store, then try again.
    /// Only what `refresh` answers may disconnect the account.
    #[error("the access token has to be refreshed")]
    TokenExpired,
    /// A prepared handle is gone or spoilt: forget the steps of the part and prepare them anew.
    /// Counts as a failure, so that media which spoil every handle come to an end.
    #[error("a prepared step has expired")]
    StepExpired,
}

impl ConnectorError {
    pub(crate) const fn new(platform: Platform, step: &'static str, kind: ErrorKind) -> Self {
        Self { platform, step, kind }
    }

    /// A repeatable call that broke.
    pub(crate) fn broken(platform: Platform, step: &'static str, broken: &Broken) -> Self {
        Self::new(platform, step, ErrorKind::Transient(broken.to_string()))
    }

    /// A repeatable call whose answer nobody documented.
    pub(crate) fn unexpected(platform: Platform, step: &'static str, status: u16) -> Self {
        Self::new(platform, step, ErrorKind::Transient(format!("unexpected answer, HTTP {status}")))
    }

    /// This network has no such thing.
    pub(crate) fn unsupported(platform: Platform, step: &'static str) -> Self {
        let message = format!("{} does not offer this.", platform.display_name());
        let problem = Problem::new(format!("{platform}.unsupported"), message, Remedy::None);
        Self::new(platform, step, ErrorKind::Permanent(problem))
    }
}

/// What a broken irreversible call means: only when nothing left is it surely not sent.
pub(crate) fn broken_send(platform: Platform, broken: &Broken) -> SendOutcome {
    if broken.left {
        return SendOutcome::Unknown { seen: broken.to_string() };
    }
    let message =
        format!("{} could not be reached, so nothing was sent. It is tried again.", platform.display_name());
    SendOutcome::NotSent { problem: Problem::new(format!("{platform}.unreachable"), message, Remedy::Wait) }
}

/// The bytes to send could not be had from our own storage.
pub(crate) fn media_unreadable() -> SendOutcome {
    SendOutcome::NotSent {
        problem: Problem::new(
            "publish.media_unreadable",
            "The media file could not be read from storage, so nothing was sent. It is tried again.",
            Remedy::Wait,
        ),
    }
}
