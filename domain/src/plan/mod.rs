//! The cheapest way to give every target a file that it accepts.
//!
//! For each want the first candidate is taken whose expected result has no violation: the file as
//! it is, the same streams in a new container, the picture copied and the sound encoded, an encode.
//! Encodes are drawn from one canonical ladder that does not depend on the network, so wants that
//! need the same file ask for the same [`Operation`] and share it. Then [`share`] lets a want take
//! another one's file that is at least as good: no other want can make its file worse.

mod chain;
mod cost;
mod expected;
mod framing;
mod image;
mod parts;
mod post;
mod sharing;
mod video;
mod words;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::conformance::seconds;
use crate::media_info::MediaInfo;
use crate::operation::{Color, Framing, Operation, Watermark};
use crate::platform::{MediaKind, UnknownName};
use crate::problem::{Problem, Remedy};
use crate::profile::{Accepts, OneShape, Overrides, Profile, Range, Ratio};

pub use chain::{Feed, feeds};
pub use cost::cost;
pub use expected::{encoded_stream, expected_info};
pub use parts::parts;
pub use post::{FilePlan, PostWish, fit_post};
pub use sharing::{accepts, share};
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
    /// Exactly this many px, as all items of a carousel; `None`: what suits it.
    pub size: Option<(u32, u32)>,
    /// What is longer than allowed may be cut: its beginning is taken.
    pub trim: bool,
    pub style: &'a Style,
}

/// How the files of a brand look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Style {
    /// Of borders; `None`: black beside videos, white beside photos.
    pub pad_color: Option<Color>,
    /// Drawn over every file, which therefore has to be encoded.
    pub watermark: Option<Watermark>,
}

impl Style {
    /// Nothing of its own.
    pub const PLAIN: &'static Self = &Self { pad_color: None, watermark: None };
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
        let overrides = Overrides::default();
        Self { profile, framing: None, overrides, shape: None, size: None, trim: false, style: Style::PLAIN }
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
    /// Is met by the file of another operation, which does as well.
    pub fn take(&mut self, source: &MediaInfo, operation: Operation) {
        let result = expected_info(source, &operation);
        (self.width, self.height) = (result.width, result.height);
        self.operation = operation;
    }

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

/// Plans all `wants` of one file. Depends on its arguments alone, and no want is met worse for the others.
#[must_use]
pub fn plan(info: &MediaInfo, wants: &[Want<'_>]) -> Plan {
    let mut fits: Vec<_> = wants.iter().map(|want| fit(info, want)).collect();
    let own: Vec<(&Profile, Operation)> = std::iter::zip(wants, &fits)
        .filter_map(|(want, fit)| Some((want.profile, fit.as_ref().ok()?.operation.clone())))
        .collect();
    let shared = share(info, &own, &[]);
    fits.iter_mut().flatten().zip(shared).for_each(|(fit, operation)| fit.take(info, operation));
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
            let first_ms = match check_duration(info, want, limits.duration_ms) {
                Err(_) if want.trim && trim_to(info, want).is_some() => trim_to(info, want),
                checked => checked.map(|()| None)?,
            };
            video::fit(info, want, limits, prefers, first_ms)
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

/// What is left of the longest duration is safe from rounding to whole frames, ms.
const TRIM_MARGIN_MS: u64 = 100;

/// How much of the beginning would be taken if a video that is too long for `want` were cut, ms; `None`: it is not
/// too long, or what would be left is too short.
#[must_use]
pub fn trim_to(info: &MediaInfo, want: &Want<'_>) -> Option<u64> {
    let Accepts::Video(limits, _) = &want.profile.accepts else { return None };
    let of_network = limits.duration_ms.max.unwrap_or(u64::MAX);
    let longest = of_network.min(want.overrides.max_duration_ms.unwrap_or(u64::MAX));
    let first_ms = longest.saturating_sub(TRIM_MARGIN_MS);
    let is_too_long = info.duration_ms.is_some_and(|duration| duration > longest);
    (is_too_long && first_ms >= limits.duration_ms.min.unwrap_or(1)).then_some(first_ms)
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

/// To whole seconds: what is longer than a limit is not said to be as long.
const fn rounded_up(ms: u64) -> u64 {
    ms.div_ceil(1000).saturating_mul(1000)
}

fn too_long(duration: u64, network: &str, max: u64) -> Problem {
    Problem::new(
        "media.too_long",
        format!(
            "It is {} long and {network} takes at most {} here. Choose a shorter video, or let it be cut.",
            seconds(rounded_up(duration)),
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
            "It is {} long and this account may post at most {} on {network}. Choose a shorter video or another account, or let it be cut.",
            seconds(rounded_up(duration)),
            seconds(max)
        ),
        Remedy::ChangeMedia,
    )
}

#[cfg(test)]
mod tests;
