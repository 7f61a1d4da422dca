//! What every network accepts, one data file for each network.
//!
//! A profile is a set of constraints, not an encoder setting. Each row carries the page that it
//! was read from, the date of that page, and how far it is to be believed.

mod limits;
mod text;

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::Deserialize;

pub use limits::{
    AudioLimits, Borders, CarouselLimits, ImageLimits, OneShape, Preferences, Range, Ratio, VideoLimits,
};
pub use text::{TextRules, TextUnit};

use crate::platform::{MediaKind, Placement, Platform};
use crate::problem::{Problem, Remedy};

/// Every data file. Another network is one more line here and its file.
const FILES: [&str; 3] = [
    include_str!("../../profiles/instagram.json"),
    include_str!("../../profiles/telegram.json"),
    include_str!("../../profiles/tiktok.json"),
];

static NETWORKS: LazyLock<Vec<NetworkFile>> = LazyLock::new(|| {
    let parse = |file: &&str| serde_json::from_str(file);
    // The files are compiled in, and the tests below read each of them.
    FILES.iter().map(parse).collect::<Result<_, _>>().expect("the profile files are valid")
});

static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let of_file = |file: &NetworkFile| {
        let platform = file.platform;
        file.profiles.iter().cloned().map(move |row| row.into_profile(platform)).collect::<Vec<_>>()
    };
    NETWORKS.iter().flat_map(of_file).collect()
});

/// What one network accepts for one placement, or for one item of a carousel there.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Stable, e.g. `instagram.reel`.
    pub name: String,
    pub platform: Platform,
    pub placement: Placement,
    /// Further placements that it stands for.
    pub also: Vec<Placement>,
    /// It is for the items of a carousel, not for a post of its own.
    pub item: bool,
    /// The day of the page.
    pub as_of: NaiveDate,
    pub source: String,
    pub confidence: Confidence,
    /// Why a file is changed for it: half a sentence that can follow a colon.
    pub purpose: String,
    pub accepts: Accepts,
}

/// How far a row is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The network's own page says so.
    Documented,
    /// Others report it.
    Reported,
}

/// What is accepted, by kind. What is preferred stands beside it, never mixed with it.
#[derive(Clone, Debug, PartialEq)]
pub enum Accepts {
    Video(Box<VideoLimits>, Preferences),
    Image(ImageLimits, Preferences),
    Carousel(CarouselLimits),
}

impl Profile {
    /// The kind of media that it is for.
    #[must_use]
    pub const fn kind(&self) -> MediaKind {
        match self.accepts {
            Accepts::Video(..) => MediaKind::Video,
            Accepts::Image(..) => MediaKind::Image,
            Accepts::Carousel(..) => MediaKind::Carousel,
        }
    }
}

/// What an account allows or forbids beyond its network's profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Overrides {
    /// The longest video, ms. From TikTok's `creator_info` (Query Creator Info, 2026-08-09); counts
    /// when it is stricter than the profile.
    pub max_duration_ms: Option<u64>,
}

/// Every profile, in the order of the files.
#[must_use]
pub fn profiles() -> &'static [Profile] {
    &PROFILES
}

/// The profile of that name.
#[must_use]
pub fn profile(name: &str) -> Option<&'static Profile> {
    profiles().iter().find(|profile| profile.name == name)
}

/// What texts may be on `platform`; `None` for a network without a file.
#[must_use]
pub fn text_rules(platform: Platform) -> Option<&'static TextRules> {
    NETWORKS.iter().find(|file| file.platform == platform).map(|file| &file.text)
}

/// The profile for a whole asset; without a placement, the one that suits `kind` on `platform`.
///
/// # Errors
/// A [`Problem`] when the network takes nothing of that kind there.
pub fn choose(
    platform: Platform,
    placement: Option<Placement>,
    kind: MediaKind,
) -> Result<&'static Profile, Problem> {
    let of_kind =
        |profile: &&Profile| profile.platform == platform && !profile.item && profile.kind() == kind;
    if !profiles().iter().any(|profile| of_kind(&profile)) {
        return Err(unsupported_kind(platform, kind));
    }
    let there = |profile: &&Profile| {
        placement.is_none_or(|place| profile.placement == place || profile.also.contains(&place))
    };
    profiles().iter().filter(of_kind).find(there).ok_or_else(|| {
        Problem::new(
            "media.unsupported_placement",
            format!(
                "Reelmill cannot post {} as a {} on {}. Leave the placement out, or choose other media.",
                plural(kind),
                placement.map_or("post", Placement::as_str),
                platform.display_name(),
            ),
            Remedy::ChangeMedia,
        )
    })
}

/// The profile for one item of a carousel; `kind` is what the item is.
///
/// # Errors
/// A [`Problem`] when the network takes no such items.
pub fn choose_item(platform: Platform, kind: MediaKind) -> Result<&'static Profile, Problem> {
    profiles()
        .iter()
        .find(|profile| profile.platform == platform && profile.item && profile.kind() == kind)
        .ok_or_else(|| unsupported_kind(platform, MediaKind::Carousel))
}

/// Checks how many items of which kinds a carousel has; what becomes of them is planned by
/// [`crate::plan::fit_post`].
///
/// # Errors
/// A [`Problem`] when the number or the mixture is refused by the network.
pub fn check_carousel(profile: &Profile, items: &[MediaKind]) -> Result<(), Problem> {
    let Accepts::Carousel(limits) = &profile.accepts else {
        return Err(unsupported_kind(profile.platform, MediaKind::Carousel));
    };
    if !limits.items.holds(items.len()) {
        return Err(Problem::new(
            "media.item_count",
            format!("It has {} items: {}. Make another carousel of them.", items.len(), profile.purpose),
            Remedy::ChangeMedia,
        ));
    }
    if !limits.mixed && items.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(Problem::new(
            "media.mixed_items",
            format!(
                "{} takes photos or videos in one post, not both. Make a carousel of one kind.",
                profile.platform.display_name()
            ),
            Remedy::ChangeMedia,
        ));
    }
    for kind in items {
        choose_item(profile.platform, *kind)?;
    }
    Ok(())
}

fn unsupported_kind(platform: Platform, kind: MediaKind) -> Problem {
    Problem::new(
        "media.unsupported_kind",
        format!(
            "Reelmill cannot post {} to {}. Choose another network for it, or other media.",
            plural(kind),
            platform.display_name()
        ),
        Remedy::ChangeMedia,
    )
}

const fn plural(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "photos",
        MediaKind::Video => "videos",
        MediaKind::Carousel => "carousels",
    }
}

/// A data file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkFile {
    platform: Platform,
    text: TextRules,
    profiles: Vec<Row>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    placement: Placement,
    #[serde(default)]
    also: Vec<Placement>,
    #[serde(default)]
    item: bool,
    as_of: NaiveDate,
    source: String,
    confidence: Confidence,
    purpose: String,
    accepts: RowAccepts,
    #[serde(default)]
    prefers: Option<Preferences>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RowAccepts {
    Video(Box<VideoLimits>),
    Image(ImageLimits),
    Carousel(CarouselLimits),
}

impl Row {
    fn into_profile(self, platform: Platform) -> Profile {
        // A test names every row of video or image that states no preferences.
        let prefers = || self.prefers.expect("rows of files state what is preferred");
        let accepts = match self.accepts {
            RowAccepts::Video(limits) => Accepts::Video(limits, prefers()),
            RowAccepts::Image(limits) => Accepts::Image(limits, prefers()),
            RowAccepts::Carousel(limits) => Accepts::Carousel(limits),
        };
        Profile {
            name: self.name,
            platform,
            placement: self.placement,
            also: self.also,
            item: self.item,
            as_of: self.as_of,
            source: self.source,
            confidence: self.confidence,
            purpose: self.purpose,
            accepts,
        }
    }
}

#[cfg(test)]
mod tests;
