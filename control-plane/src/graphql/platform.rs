//! The networks, and what and where a post is on them, as the public API names them.

use async_graphql::{Enum, InputObject};
use chrono::{DateTime, Utc};

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "domain::platform::Platform")]
pub enum Platform {
    /// Instagram, by Instagram Login.
    Instagram,
    /// Facebook Pages.
    Facebook,
    /// TikTok.
    Tiktok,
    /// A Telegram channel or group, by a bot.
    Telegram,
    /// Pinterest.
    Pinterest,
    /// YouTube.
    Youtube,
    /// X.
    X,
    /// LinkedIn.
    Linkedin,
    /// Threads.
    Threads,
    /// A receiver of Standard Webhooks.
    Web,
}

/// Where on a network a post appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, serde::Serialize)]
#[graphql(remote = "domain::platform::Placement")]
pub enum Placement {
    /// Among the other posts.
    Feed,
    /// A short vertical video.
    Reel,
    /// Gone after a day.
    Story,
}

/// What a piece of media is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "domain::platform::MediaKind")]
pub enum MediaKind {
    /// A still picture.
    Image,
    /// A moving one, with or without sound.
    Video,
    /// Several of both, in order.
    Carousel,
}

/// How a picture gets into another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Enum, serde::Serialize)]
#[graphql(remote = "domain::operation::Framing")]
pub enum Framing {
    /// It has that shape, or may keep its own.
    Whole,
    /// Cut to the middle.
    Crop,
    /// Whole, with borders of one colour.
    Pad,
    /// Whole, with borders that show the picture again, blurred.
    Blur,
}

/// Half open: `from` ≤ time < `before`.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct TimeRangeInput {
    /// The first time in it.
    pub from: Option<DateTime<Utc>>,
    /// The first time after it.
    pub before: Option<DateTime<Utc>>,
}
