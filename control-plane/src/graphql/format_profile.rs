//! What one network accepts for one placement.

use async_graphql::{Enum, Object};
use connectors::Connectors;
use domain::profile::{Accepts, Profile, profiles};

use super::failure::Answer;
use super::format_limits::{CarouselLimits, FormatPreferences, ImageLimits, TextLimits, VideoLimits};
use super::platform::{MediaKind, Placement, Platform};
use super::scalars::{LocalDate, Url};

/// What a file of a profile is in a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::profile::Role")]
pub enum FormatRole {
    /// The post itself.
    Post,
    /// One item of a carousel.
    Item,
    /// The still picture that stands for a video.
    Cover,
    /// One of several sizes of the same picture.
    Rendition,
}

/// What an account pays its network for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::profile::Tier")]
pub enum AccountTier {
    /// A subscription that lets it post more.
    Premium,
}

/// How far a profile is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::profile::Confidence")]
pub enum Confidence {
    /// The network refuses what breaks it, or the limit is Reelmill's own.
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

/// What one network accepts for one placement, e.g. instagram.reel.
#[derive(Clone, Copy, Debug)]
pub struct FormatProfile(pub &'static Profile);

/// What one network accepts for one placement, e.g. instagram.reel.
#[Object]
impl FormatProfile {
    /// Stable, e.g. instagram.reel.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The network.
    async fn platform(&self) -> Platform {
        self.0.platform.into()
    }

    /// Where on it.
    async fn placement(&self) -> Placement {
        self.0.placement.into()
    }

    /// Further placements that it stands for.
    async fn also(&self) -> Vec<Placement> {
        self.0.also.iter().copied().map(Placement::from).collect()
    }

    /// What for.
    async fn kind(&self) -> MediaKind {
        self.0.kind().into()
    }

    /// What its file is in a post.
    async fn role(&self) -> FormatRole {
        self.0.role.into()
    }

    /// Only for accounts of this tier; null: for all.
    async fn tier(&self) -> Option<AccountTier> {
        self.0.tier.map(AccountTier::from)
    }

    /// Whether this release posts it, or a part of it.
    async fn postable(&self) -> bool {
        self.0.postable && Connectors::SUPPORTED.contains(&self.0.platform)
    }

    /// Why a file is changed for it, in half a sentence.
    async fn purpose(&self) -> &str {
        &self.0.purpose
    }

    /// What the limits do not say, e.g. where pages contradict each other.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// The page that this was read from.
    async fn source(&self) -> Option<Url> {
        self.0.source.parse().ok().map(Url)
    }

    /// The day of the page; of one without a date, the day that it was read.
    async fn as_of(&self) -> LocalDate {
        LocalDate(self.0.as_of)
    }

    /// How far it is to be believed.
    async fn confidence(&self) -> Confidence {
        self.0.confidence.into()
    }

    /// What is accepted of a video; null for other kinds.
    async fn video(&self) -> Option<VideoLimits> {
        match &self.0.accepts {
            Accepts::Video(limits, _) => Some(limits.as_ref().into()),
            _ => None,
        }
    }

    /// What is accepted of a still picture; null for other kinds.
    async fn image(&self) -> Option<ImageLimits> {
        match &self.0.accepts {
            Accepts::Image(limits, _) => Some(limits.into()),
            _ => None,
        }
    }

    /// What is accepted of several files in one post; null for other kinds. Of each of them, see the
    /// profiles of the network with the role ITEM.
    async fn carousel(&self) -> Option<CarouselLimits> {
        match &self.0.accepts {
            Accepts::Carousel(limits) => Some(limits.into()),
            _ => None,
        }
    }

    /// What is aimed at when a file has to be made anyway; null for carousels.
    async fn prefers(&self) -> Option<FormatPreferences> {
        match &self.0.accepts {
            Accepts::Video(_, prefers) | Accepts::Image(_, prefers) => Some(prefers.into()),
            Accepts::Carousel(_) => None,
        }
    }

    /// What the text beside it may be.
    async fn text(&self) -> Option<TextLimits> {
        self.0.text_rules().map(TextLimits::from)
    }
}

/// The profiles that this release has.
#[derive(Default)]
pub struct FormatProfileQuery;

#[Object]
impl FormatProfileQuery {
    /// What each network accepts; of one network, or of all.
    async fn format_profiles(&self, platform: Option<Platform>) -> Answer<Vec<FormatProfile>> {
        let wanted = |row: &&'static Profile| platform.is_none_or(|wanted| row.platform == wanted.into());
        Ok(profiles().iter().filter(wanted).map(FormatProfile).collect())
    }
}
