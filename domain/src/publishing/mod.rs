//! Publishing exactly once: what is known of a target's sending, and the one pure function that
//! says what to do next.

mod next_step;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::platform::Platform;
use crate::problem::Problem;

pub use next_step::{Next, Outcome, Publication, given_up, next_step};

/// A repeatable piece of preparation at the network (an upload, a container), as planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPlan {
    pub part: u16,
    /// Stable within a connector, e.g. `container` or `item_3`.
    pub name: String,
    /// SHA-256 in hex of all that the step depends on: another hash means it is done anew.
    pub input_hash: String,
}

/// A step that was done, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub part: u16,
    pub name: String,
    pub input_hash: String,
    /// What the network calls it: a container, a publish id, a file id.
    pub remote_id: String,
    /// After this the network has forgotten it.
    pub expires_at: Option<DateTime<Utc>>,
    /// What the connector needs to go on with it; never a token.
    pub data: serde_json::Value,
}

/// One intention to send, written before the call.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    pub id: Uuid,
    pub part: u16,
    /// The single-use handle that the call spends, where the network has one.
    pub handle: Option<String>,
    pub started_at: DateTime<Utc>,
    /// No byte of the call leaves after this.
    pub send_deadline: DateTime<Utc>,
    /// `None` while it is open: the call may be on its way, or done.
    pub outcome: Option<AttemptOutcome>,
}

/// How an attempt ended. Written once, whatever the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Created,
    Refused,
    RefusedForNow,
    NotSent,
    Absent,
}

impl AttemptOutcome {
    /// The name stored in `publish_attempts.outcome`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Refused => "refused",
            Self::RefusedForNow => "refused_for_now",
            Self::NotSent => "not_sent",
            Self::Absent => "absent",
        }
    }
}

/// That a post exists: what the network said, and its id there when that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What was seen, for the record, e.g. `container 178… is PUBLISHED`.
    pub seen: String,
    /// The network's id; it may follow later.
    pub remote_id: Option<String>,
    /// Where people see it.
    pub url: Option<String>,
}

/// How a call that creates a post ended, as its connector judged the answer.
#[derive(Clone, Debug, PartialEq)]
pub enum SendOutcome {
    Created(Proof),
    /// A documented refusal: nothing is live and the same call will not do.
    Refused(Problem),
    /// A documented refusal that time heals.
    RefusedForNow {
        until: DateTime<Utc>,
        problem: Problem,
    },
    /// A documented refusal of the account, not of the post: nothing is live, and all its posts wait
    /// until a person connects it again.
    AccountRefused(Problem),
    /// The network has the whole post and works on it: the attempt stays open, no cause for alarm,
    /// and is looked up at `at`.
    Pending {
        at: DateTime<Utc>,
    },
    /// No byte of the call left this machine.
    NotSent {
        problem: Problem,
    },
    /// All else: it may be live.
    Unknown {
        seen: String,
    },
}

/// What a look-up found.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    Live(Proof),
    /// The network still works on it: ask again at `at`.
    Pending {
        at: DateTime<Utc>,
    },
    /// The network says for good that this handle will never become a post.
    Dead(Problem),
    /// It is not there now. Counts only once the settle time is over.
    NotThere,
    /// The look-up itself failed or said nothing: no evidence at all.
    Nothing {
        seen: String,
    },
}

/// What a network's publishing is like, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendingRules {
    /// How long before the due time preparation starts.
    pub lead: Duration,
    /// `send_deadline` is this long after the attempt starts, at the least.
    pub send_timeout: Duration,
    /// How long after `send_deadline` "not there" is believed.
    pub settle: Duration,
    /// A look-up exists at all.
    pub can_look_up: bool,
    /// A call repeats safely through the same handle, so absence allows another send.
    pub single_use_handle: bool,
}

/// How long an undecided attempt is looked up before a person is asked.
pub const LOOK_UP_FOR: Duration = Duration::hours(24);

/// A prepared step must be good for this long after the post is due.
pub const STEP_MARGIN: Duration = Duration::minutes(5);

/// How long before its time a target's publish job starts, so that uploads and containers are ready.
/// A connector may ask for less ([`SendingRules::lead`]): then the job waits.
#[must_use]
pub fn lead(platform: Platform) -> Duration {
    match platform {
        Platform::Telegram | Platform::Web => Duration::zero(),
        _ => Duration::minutes(10),
    }
}
