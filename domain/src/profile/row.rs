//! A data file as it is written: one network, its rules for texts, and its rows.
//!
//! The build script compiles this file too, to name what is wrong in a row before anything runs.

use chrono::NaiveDate;
use serde::Deserialize;

use super::limits::{CarouselLimits, ImageLimits, Preferences, VideoLimits};
use super::text::TextRules;
use crate::platform::{Placement, Platform};

/// One file of `profiles/`, which is named like its network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkFile {
    pub platform: Platform,
    pub text: TextRules,
    pub profiles: Vec<Row>,
}

/// One profile.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The network and what it is, e.g. `instagram.reel`. Stored with what was made: never changed.
    pub name: String,
    pub placement: Placement,
    #[serde(default)]
    pub also: Vec<Placement>,
    #[serde(default)]
    pub role: Role,
    #[serde(default)]
    pub tier: Option<Tier>,
    #[serde(default = "yes")]
    pub postable: bool,
    pub as_of: NaiveDate,
    pub source: String,
    pub confidence: Confidence,
    pub purpose: String,
    #[serde(default)]
    pub note: Option<String>,
    pub accepts: RowAccepts,
    /// Of files; a carousel has none.
    #[serde(default)]
    pub prefers: Option<Preferences>,
    #[serde(default)]
    pub text: Option<TextRules>,
}

const fn yes() -> bool {
    true
}

/// The hard limits, by kind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowAccepts {
    Video(Box<VideoLimits>),
    Image(ImageLimits),
    Carousel(CarouselLimits),
}

/// What a file of a profile is in a post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The post itself.
    #[default]
    Post,
    /// One item of a carousel.
    Item,
    /// The still picture that stands for a video.
    Cover,
    /// One of several sizes of the same picture.
    Rendition,
}

/// What an account pays its network for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Premium,
}

/// How far a row is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The network refuses what breaks it, with an answer of its own; or the limit is ours.
    Hard,
    /// The network's own page says so.
    Documented,
    /// The network's own page advises it, and takes more.
    Recommended,
    /// Others report it.
    Reported,
    /// Nobody says: what every network plays.
    Unknown,
}
