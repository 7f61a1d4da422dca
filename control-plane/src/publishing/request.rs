//! What a new job is made of, and what comes of it: the words that the API and its making share.

use backplane::store::StoreError;
use chrono::{DateTime, Utc};
use domain::operation::Framing;
use domain::platform::Placement;
use domain::schedule::Schedule;
use uuid::Uuid;

/// Most skipped pairs that are listed.
pub const SKIPPED_MAX: usize = 1_000;

/// What a person asks for.
#[derive(Clone, Debug)]
pub struct Request {
    pub brand: Uuid,
    pub name: Option<String>,
    pub posts: Vec<PostWish>,
    pub destinations: Vec<(Uuid, Option<Placement>)>,
    /// Captions are adapted; else sent as they came.
    pub adapt: bool,
    pub schedule: Option<Schedule>,
    pub draft: bool,
    pub skip_unfit: bool,
    /// `None`: as each network prefers.
    pub framing: Option<Framing>,
    /// Videos that are too long may be cut.
    pub trim: bool,
    pub allow_duplicates: bool,
    pub created_by: Option<Uuid>,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// One post of the request.
#[derive(Clone, Debug)]
pub struct PostWish {
    pub asset: Uuid,
    pub caption: Option<String>,
    pub at: Option<DateTime<Utc>>,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Created {
    /// `None`: nothing was left to do.
    pub job: Option<Uuid>,
    /// The first of them.
    pub skipped: Vec<Skipped>,
    pub skipped_count: usize,
}

impl Created {
    pub(super) fn skip(&mut self, skipped: Skipped) {
        self.skipped_count += 1;
        if self.skipped.len() < SKIPPED_MAX {
            self.skipped.push(skipped);
        }
    }
}

/// A pair of which no target was made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Skipped {
    pub asset: Uuid,
    pub account: Uuid,
    /// It repeats something; else the network cannot take it.
    pub duplicate: bool,
    pub message: String,
    /// The target that it would repeat.
    pub earlier: Option<Uuid>,
}

/// What kind of fault the input has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    NotFound,
    Invalid,
    TooLarge,
    Conflict,
    UnsupportedMedia,
}

/// A fault of the input, by its path below `input`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    pub path: Vec<String>,
    pub message: String,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, path: &[&str], message: impl Into<String>) -> Self {
        let path = path.iter().map(|&step| step.to_owned()).collect();
        Self { kind, path, message: message.into() }
    }

    pub(super) fn of_item(
        kind: FaultKind,
        list: &str,
        index: usize,
        field: &str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(kind, &[list, &index.to_string(), field], message)
    }
}

/// Why no job was made.
#[derive(Debug)]
pub enum NotCreated {
    Faulty(Vec<Fault>),
    Failed(StoreError),
}

impl From<StoreError> for NotCreated {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<Fault> for NotCreated {
    fn from(fault: Fault) -> Self {
        Self::Faulty(vec![fault])
    }
}
