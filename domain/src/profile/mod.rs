//! What every network accepts, one data file for each network.
//!
//! A profile is a set of constraints, not an encoder setting. Each row carries the page that it
//! was read from, the date of that page, and how far it is to be believed.

#[cfg(test)]
mod check;
mod count;
mod limits;
mod row;
mod text;

use std::sync::LazyLock;

use chrono::NaiveDate;

pub use limits::{
    AudioLimits, Borders, CarouselLimits, ImageLimits, OneShape, Preferences, Range, Ratio, VideoLimits,
};
pub use row::{Confidence, Role, Tier};
pub use text::{TextRules, TextUnit};

use self::row::{NetworkFile, Row, RowAccepts};
use crate::platform::{MediaKind, Placement, Platform};
use crate::problem::{Problem, Remedy};

// Every data file, as the build script found and checked it.
include!(concat!(env!("OUT_DIR"), "/profile_files.rs"));

static NETWORKS: LazyLock<Vec<NetworkFile>> = LazyLock::new(|| {
    let parse = |file: &&str| serde_json::from_str(file);
    // The build script read each of them with the same types.
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
    /// Only [`Role::Post`] is chosen for a whole post.
    pub role: Role,
    /// Chosen only for an account of that tier, and before the row without one.
    pub tier: Option<Tier>,
    /// The network's connector posts it. Where not, it is shown and never chosen.
    pub postable: bool,
    /// The day of the page; of one without a date, the day that it was read.
    pub as_of: NaiveDate,
    pub source: String,
    pub confidence: Confidence,
    /// Why a file is changed for it: half a sentence that can follow a colon.
    pub purpose: String,
    /// What the limits do not say, e.g. where pages contradict each other.
    pub note: Option<String>,
    pub accepts: Accepts,
    /// Where its texts have limits other than the network's.
    pub text: Option<TextRules>,
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

    /// What its texts may be.
    #[must_use]
    pub fn text_rules(&self) -> Option<&TextRules> {
        self.text.as_ref().or_else(|| text_rules(self.platform))
    }
}

/// What an account allows or forbids beyond its network's profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Overrides {
    /// The longest video, ms. From TikTok's `creator_info` (Query Creator Info, 2026-08-09); counts
    /// when it is stricter than the profile.
    pub max_duration_ms: Option<u64>,
    /// What it pays for: another row of its network may be for it.
    pub tier: Option<Tier>,
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

/// The profile for a whole asset on an account of that tier; without a placement, the one that suits
/// `kind` on `platform`: the first of its file.
///
/// # Errors
/// A [`Problem`] when the network takes nothing of that kind there.
pub fn choose(
    platform: Platform,
    placement: Option<Placement>,
    kind: MediaKind,
    tier: Option<Tier>,
) -> Result<&'static Profile, Problem> {
    let of_kind = |row: &&Profile| {
        row.platform == platform && row.role == Role::Post && row.postable && row.kind() == kind
    };
    let there =
        |row: &Profile| placement.is_none_or(|place| row.placement == place || row.also.contains(&place));
    let mut found: Vec<&Profile> = profiles().iter().filter(of_kind).collect();
    if found.is_empty() {
        return Err(unsupported_kind(platform, kind));
    }
    found.retain(|row| there(row));
    let of_tier = found.iter().find(|row| row.tier.is_some() && row.tier == tier);
    let plain = || found.iter().find(|row| row.tier.is_none());
    of_tier.or_else(plain).copied().ok_or_else(|| {
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
        .find(|row| row.platform == platform && row.role == Role::Item && row.kind() == kind)
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

impl Row {
    fn into_profile(self, platform: Platform) -> Profile {
        // The build script names every row of video or image that states no preferences.
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
            role: self.role,
            tier: self.tier,
            postable: self.postable,
            as_of: self.as_of,
            source: self.source,
            confidence: self.confidence,
            purpose: self.purpose,
            note: self.note,
            accepts,
            text: self.text,
        }
    }
}

#[cfg(test)]
mod tests;
