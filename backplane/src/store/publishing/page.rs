//! A window of a list by keyset: the rows strictly between two keys, from one end of it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Strictly between `from` and `until` in the list's ascending order of (time, id). A time of
/// `None` is later than every time: rows without one come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    pub from: (Option<DateTime<Utc>>, Uuid),
    pub until: (Option<DateTime<Utc>>, Uuid),
    /// At most so many rows.
    pub limit: i64,
    /// Taken from the far end of the ascending order; rows come in the order they were taken.
    pub descending: bool,
}

impl Window {
    /// The whole list, from one of its ends.
    #[must_use]
    pub const fn whole(limit: i64, descending: bool) -> Self {
        let from = (Some(DateTime::UNIX_EPOCH), Uuid::nil());
        Self { from, until: (None, Uuid::max()), limit, descending }
    }
}

/// One row of a list by its key: what it is ordered by, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    pub at: Option<DateTime<Utc>>,
    pub id: Uuid,
}
