//! What went wrong or holds things up.

use async_graphql::{Enum, SimpleObject};
use backplane::store::publishing::ProblemRow;
use chrono::{DateTime, Utc};

/// Whose turn it is, and to do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::problem::Remedy")]
pub enum Remedy {
    /// Nobody's: it goes on by itself.
    Wait,
    /// A reviewer approves it, or sends it back.
    Approve,
    /// Try it again.
    Retry,
    /// Connect the account again.
    Reconnect,
    /// Change the text.
    EditCaption,
    /// Take another file, or another framing.
    ChangeMedia,
    /// Choose another time.
    Reschedule,
    /// Say whether it is live: resolvePublishTargets.
    Resolve,
    /// Nothing can be done.
    None,
}

/// What went wrong or holds things up.
#[derive(Clone, Debug, SimpleObject)]
pub struct Problem {
    /// For programs: stable and open-ended, e.g. media.too_long, instagram.2207026.
    pub code: String,
    /// For people: what happened and what to do.
    pub message: String,
    /// Whose turn it is, and to do what.
    pub remedy: Remedy,
    /// Since when it is so.
    pub since: DateTime<Utc>,
    /// When it goes on by itself, if it does.
    pub retry_at: Option<DateTime<Utc>>,
}

impl From<ProblemRow> for Problem {
    fn from(row: ProblemRow) -> Self {
        Self {
            code: row.problem.code,
            message: row.problem.message,
            remedy: row.problem.remedy.into(),
            since: row.since,
            retry_at: row.retry_at,
        }
    }
}
