//! The cheapest way to give every target a file that it accepts.
//!
//! For each want the first candidate is taken whose expected result has no violation: the file as
//! it is, the same streams in a new container, the picture copied and the sound encoded, an encode.
//! Encodes are drawn from one canonical ladder that does not depend on the network, so wants that
//! need the same file ask for the same [`Operation`] and share it; and since every want is planned
//! for itself, no other want can make its file worse.

mod expected;
mod framing;
mod image;
mod post;
mod video;
mod words;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::conformance::seconds;
use crate::media_info::MediaInfo;
use crate::operation::{Framing, Operation};
use crate::platform::{MediaKind, UnknownName};
use crate::problem::{Problem, Remedy};
use crate::profile::{Accepts, OneShape, Overrides, Profile, Range, Ratio};

pub use expected::expected_info;
pub use post::{FilePlan, fit_post};
pub use words::summary;

/// What one target asks of an asset.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    pub profile: &'a Profile,
    /// What a person asked for; `None`: as the profile prefers.
    pub framing: Option<Framing>,
    pub overrides: Overrides,
    /// `None`: a shape of its own.
    pub shape: Option<SharedShape<'a>>,
}

/// The one shape that all items of a carousel are shown in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedShape<'a> {
    pub ratio: Ratio,
    /// Why, and in which shapes a carousel is shown at all.
    pub rule: &'a OneShape,
}

impl<'a> Want<'a> {
    /// Wants what `profile` accepts, framed as it prefers.
    #[must_use]
    pub fn new(profile: &'a Profile) -> Self {
        Self { profile, framing: None, overrides: Overrides::default(), shape: None }
    }
}

/// What becomes of one asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// For each want, in their order: how it is met, or why it cannot be.
    pub fits: Vec<Result<Fit, Problem>>,
    /// Each distinct operation once, in the order of the first want that it serves.
    pub works: Vec<Work>,
}

/// One file to make, and the wants (by index) that it serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    pub operation: Operation,
    pub wants: Vec<usize>,
}

/// How one want is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    pub operation: Operation,
    /// How the picture gets into its shape.
    pub framing: Framing,
    /// Of the result, as displayed, px.
    pub width: u32,
    pub height: u32,
    /// Plain sentences: why it is not sent as it came.
    pub reasons: Vec<String>,
}

impl Fit {
    /// What the operation amounts to.
    #[must_use]
    pub const fn effort(&self) -> Effort {
        Effort::of(&self.operation)
    }
}

/// An operation as people are told of it, from cheap to dear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    Passthrough,
    Remux,
    Transcode,
}

impl Effort {
    /// What `operation` amounts to.
    #[must_use]
    pub const fn of(operation: &Operation) -> Self {
        match operation {
            Operation::Passthrough => Self::Passthrough,
            Operation::Remux { .. } => Self::Remux,
            Operation::Video(_) | Operation::Image(_) => Self::Transcode,
        }
    }

    /// The name stored in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passthrough => "passthrough",
            Self::Remux => "remux",
            Self::Transcode => "transcode",
        }
    }
}

impl FromStr for Effort {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::Passthrough, Self::Remux, Self::Transcode]
            .into_iter()
            .find(|effort| effort.as_str() == name)
            .ok_or_else(|| UnknownName::new("operation", name))
    }
}

/// Plans all `wants` of one file. Depends on its arguments alone, and plans each want for itself.
#[must_use]
pub fn plan(info: &MediaInfo, wants: &[Want<'_>]) -> Plan {
    let fits: Vec<_> = wants.iter().map(|want| fit(info, want)).collect();
    let mut works: Vec<Work> = Vec::new();
    for (index, fit) in fits.iter().enumerate() {
        let Ok(fit) = fit else { continue };
        match works.iter_mut().find(|work| work.operation == fit.operation) {
            Some(work) => work.wants.push(index),
            None => works.push(Work { operation: fit.operation.clone(), wants: vec![index] }),
        }
    }
    Plan { fits, works }
}

/// Plans one want of one file.
///
/// # Errors
/// A [`Problem`] that says why no file that the profile accepts can be made.
pub fn fit(info: &MediaInfo, want: &Want<'_>) -> Result<Fit, Problem> {
    match &want.profile.accepts {
        Accepts::Video(limits, prefers) if info.kind == MediaKind::Video => {
            check_duration(info, want, limits.duration_ms)?;
            video::fit(info, want, limits, prefers)
        }
        Accepts::Image(limits, prefers) if info.kind == MediaKind::Image => {
            image::fit(info, want, limits, prefers)
        }
        _ => Err(Problem::new(
            "media.unsupported_kind",
            format!("It is not what {} is for. Choose other media.", want.profile.name),
            Remedy::ChangeMedia,
        )),
    }
}

fn check_duration(info: &MediaInfo, want: &Want<'_>, range: Range<u64>) -> Result<(), Problem> {
    let network = want.profile.platform.display_name();
    let duration = info.duration_ms.unwrap_or(0);
    if let Some(min) = range.min.filter(|min| duration < *min) {
        return Err(Problem::new(
            "media.too_short",
            format!(
                "It is {} long and {network} wants at least {}. Choose a longer video.",
                seconds(duration),
                seconds(min)
            ),
            Remedy::ChangeMedia,
        ));
    }
    let of_network = range.max.unwrap_or(u64::MAX);
    let of_account = want.overrides.max_duration_ms.unwrap_or(u64::MAX);
    if duration <= of_network.min(of_account) {
        Ok(())
    } else if of_account < of_network {
        Err(too_long_for_account(duration, network, of_account))
    } else {
        Err(too_long(duration, network, of_network))
    }
}

fn too_long(duration: u64, network: &str, max: u64) -> Problem {
    Problem::new(
        "media.too_long",
        format!(
            "It is {} long and {network} takes at most {} here. Choose a shorter video.",
            seconds(duration),
            seconds(max)
        ),
        Remedy::ChangeMedia,
    )
}

/// Another account of the network may be allowed more.
fn too_long_for_account(duration: u64, network: &str, max: u64) -> Problem {
    Problem::new(
        "media.too_long",
        format!(
            "It is {} long and this account may post at most {} on {network}. Choose a shorter video or another account.",
            seconds(duration),
            seconds(max)
        ),
        Remedy::ChangeMedia,
    )
}

#[cfg(test)]
mod tests;
