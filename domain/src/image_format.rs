//! What still images are written as. Apart, because the build script reads rows that name it.

use serde::{Deserialize, Serialize};

/// What a still image is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageFormat {
    /// Baseline-compatible, 4:2:0; what is transparent is put on `pad_color`.
    #[default]
    Jpeg,
    /// Lossy, keeps what is transparent.
    Webp,
}

impl ImageFormat {
    /// The name in [`crate::media_info::MediaInfo::container`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
        }
    }
}
