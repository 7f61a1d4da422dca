//! What went wrong or holds things up, said so that a person knows whose turn it is.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::platform::UnknownName;

/// Whose turn it is, and to do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Nobody's: it goes on by itself.
    Wait,
    Approve,
    Retry,
    Reconnect,
    EditCaption,
    ChangeMedia,
    Reschedule,
    /// Say whether it is live.
    Resolve,
    /// Nothing can be done.
    None,
}

impl Remedy {
    /// Every remedy, in the order of the public enum.
    pub const ALL: [Self; 9] = [
        Self::Wait,
        Self::Approve,
        Self::Retry,
        Self::Reconnect,
        Self::EditCaption,
        Self::ChangeMedia,
        Self::Reschedule,
        Self::Resolve,
        Self::None,
    ];

    /// The name stored in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Approve => "approve",
            Self::Retry => "retry",
            Self::Reconnect => "reconnect",
            Self::EditCaption => "edit_caption",
            Self::ChangeMedia => "change_media",
            Self::Reschedule => "reschedule",
            Self::Resolve => "resolve",
            Self::None => "none",
        }
    }
}

impl FromStr for Remedy {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|remedy| remedy.as_str() == name)
            .ok_or_else(|| UnknownName::new("remedy", name))
    }
}

/// A reason with a stable code for programs, a sentence for people, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable and open-ended, e.g. `media.too_long` or `instagram.2207026`.
    pub code: String,
    /// One or two plain sentences: what happened and what to do. Never holds a secret.
    pub message: String,
    pub remedy: Remedy,
}

impl Problem {
    /// Builds a problem; `message` is shown to people as it is.
    #[must_use]
    pub fn new(code: impl Into<String>, message: impl Into<String>, remedy: Remedy) -> Self {
        Self { code: code.into(), message: message.into(), remedy }
    }
}
