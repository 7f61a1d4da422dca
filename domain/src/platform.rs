//! The networks, and where on them a post appears.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network that Reelmill knows by name. The API lists all of them; a connector exists for those
/// that `connectors::registry` returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Instagram,
    Facebook,
    Tiktok,
    Telegram,
    Pinterest,
    Youtube,
    X,
    Linkedin,
    Threads,
    Web,
}

impl Platform {
    /// Every network, in the order of the public enum.
    pub const ALL: [Self; 10] = [
        Self::Instagram,
        Self::Facebook,
        Self::Tiktok,
        Self::Telegram,
        Self::Pinterest,
        Self::Youtube,
        Self::X,
        Self::Linkedin,
        Self::Threads,
        Self::Web,
    ];

    /// The name stored in the database and used in profile names, metrics and problem codes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instagram => "instagram",
            Self::Facebook => "facebook",
            Self::Tiktok => "tiktok",
            Self::Telegram => "telegram",
            Self::Pinterest => "pinterest",
            Self::Youtube => "youtube",
            Self::X => "x",
            Self::Linkedin => "linkedin",
            Self::Threads => "threads",
            Self::Web => "web",
        }
    }

    /// The name that people use.
    #[must_use]
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Instagram => "Instagram",
            Self::Facebook => "Facebook",
            Self::Tiktok => "TikTok",
            Self::Telegram => "Telegram",
            Self::Pinterest => "Pinterest",
            Self::Youtube => "YouTube",
            Self::X => "X",
            Self::Linkedin => "LinkedIn",
            Self::Threads => "Threads",
            Self::Web => "Web",
        }
    }
}

/// What a piece of media is, before anything is known of its streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
    Carousel,
}

impl MediaKind {
    /// The name stored in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Carousel => "carousel",
        }
    }
}

/// Where on a network a post appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    Feed,
    Reel,
    Story,
}

impl Placement {
    /// The name stored in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Reel => "reel",
            Self::Story => "story",
        }
    }
}

/// A stored name that this release does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a known {what}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
}

impl UnknownName {
    /// Says that `name` is no known `what` (e.g. "platform").
    #[must_use]
    pub fn new(what: &'static str, name: &str) -> Self {
        Self { what, name: name.to_owned() }
    }
}

impl FromStr for Platform {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|platform| platform.as_str() == name)
            .ok_or_else(|| UnknownName::new("platform", name))
    }
}

impl FromStr for MediaKind {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::Image, Self::Video, Self::Carousel]
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownName::new("media kind", name))
    }
}

impl FromStr for Placement {
    type Err = UnknownName;
    fn from_str(name: &str) -> Result<Self, UnknownName> {
        [Self::Feed, Self::Reel, Self::Story]
            .into_iter()
            .find(|placement| placement.as_str() == name)
            .ok_or_else(|| UnknownName::new("placement", name))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
