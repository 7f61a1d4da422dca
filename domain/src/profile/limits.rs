//! What a network accepts of one file, as data: hard limits, and apart from them what it prefers.

use serde::Deserialize;

use crate::operation::ImageFormat;

/// Both ends belong to it; one that is left out is open.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range<T> {
    #[serde(default = "none")]
    pub min: Option<T>,
    #[serde(default = "none")]
    pub max: Option<T>,
}

/// `#[serde(default)]` would ask for `T: Default` on the whole range.
const fn none<T>() -> Option<T> {
    None
}

impl<T> Default for Range<T> {
    fn default() -> Self {
        Self { min: None, max: None }
    }
}

impl<T: PartialOrd + Copy> Range<T> {
    /// Whether `value` lies in it.
    #[must_use]
    pub fn holds(&self, value: T) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// A width to a height, e.g. 9:16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Ratio(pub u32, pub u32);

impl Ratio {
    /// Width divided by height.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.0) / f64::from(self.1)
    }
}

/// Hard limits of a video file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoLimits {
    /// Names as in [`crate::media_info::MediaInfo::container`].
    pub containers: Vec<String>,
    /// FFmpeg's codec names.
    pub codecs: Vec<String>,
    pub pixel_formats: Vec<String>,
    /// px, as displayed.
    #[serde(default)]
    pub width: Range<u32>,
    /// px, as displayed.
    #[serde(default)]
    pub height: Range<u32>,
    /// px, of the longer side.
    #[serde(default)]
    pub long_side: Range<u32>,
    /// px, of the shorter side.
    #[serde(default)]
    pub short_side: Range<u32>,
    #[serde(default)]
    pub ratio: Range<Ratio>,
    /// Of H.264, e.g. 42 for level 4.2.
    #[serde(default)]
    pub h264_level_max: Option<i32>,
    /// PQ and HLG are shown as such.
    #[serde(default)]
    pub hdr: bool,
    /// Frames per second.
    #[serde(default)]
    pub frame_rate: Range<f64>,
    /// Frames have to come at equal intervals.
    #[serde(default)]
    pub constant_frame_rate: bool,
    /// bit/s of the video stream.
    #[serde(default)]
    pub bit_rate_max: Option<u64>,
    #[serde(default)]
    pub duration_ms: Range<u64>,
    /// MB are 10^6 bytes.
    pub bytes_max: u64,
    pub audio: AudioLimits,
    /// The index has to come before the media.
    #[serde(default)]
    pub moov_first: bool,
    /// Whether an edit list may be there.
    #[serde(default = "yes")]
    pub edit_list: bool,
    #[serde(default)]
    pub closed_gop: bool,
    /// The longest distance between key frames, ms.
    #[serde(default)]
    pub gop_ms_max: Option<u64>,
}

const fn yes() -> bool {
    true
}

/// Hard limits of the sound of a video.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudioLimits {
    pub codecs: Vec<String>,
    /// Empty: any.
    #[serde(default)]
    pub profiles: Vec<String>,
    #[serde(default)]
    pub sample_rate_min: Option<u32>,
    pub sample_rate_max: u32,
    #[serde(default)]
    pub channels_min: Option<u32>,
    pub channels_max: u32,
    /// bit/s; a little over the figure of the page, because encoders only come near a target.
    #[serde(default)]
    pub bit_rate_max: Option<u64>,
    /// A video without sound is refused.
    #[serde(default)]
    pub required: bool,
}

/// Hard limits of a still image.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageLimits {
    /// Names as in [`crate::media_info::MediaInfo::container`].
    pub formats: Vec<String>,
    /// px, upright.
    #[serde(default)]
    pub width: Range<u32>,
    /// px, upright.
    #[serde(default)]
    pub height: Range<u32>,
    /// px, of the longer side.
    #[serde(default)]
    pub long_side: Range<u32>,
    /// px, of the shorter side.
    #[serde(default)]
    pub short_side: Range<u32>,
    /// Width and height together, px.
    #[serde(default)]
    pub side_sum_max: Option<u32>,
    /// Width times height, px.
    #[serde(default)]
    pub pixels_max: Option<u64>,
    /// What is transparent may stay so.
    #[serde(default)]
    pub alpha: bool,
    #[serde(default)]
    pub ratio: Range<Ratio>,
    pub bytes_max: u64,
}

/// Hard limits of several files in one post.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarouselLimits {
    pub items: Range<usize>,
    /// Photos and videos may stand in one post.
    pub mixed: bool,
    /// `None`: every item is shown in its own shape.
    #[serde(default)]
    pub one_shape: Option<OneShape>,
}

/// All items of a carousel are shown in the shape of the first: the network cuts the others to it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneShape {
    /// The shapes that a carousel is shown in at all.
    pub ratio: Range<Ratio>,
    /// Why an item is changed for it: half a sentence that can follow a colon.
    pub purpose: String,
}

/// What is aimed at when a file has to be made anyway, and the shape that suits the placement.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// The shape that is made unless a person asks for [`crate::operation::Framing::Whole`].
    #[serde(default)]
    pub ratio: Range<Ratio>,
    /// Of what is encoded, px.
    pub long_side: u32,
    /// Of what is encoded, px.
    pub short_side: u32,
    /// Another shape is reached by cutting when no more than this share of the picture is lost,
    /// and by borders otherwise.
    pub crop_up_to_percent: u32,
    /// What the borders show.
    #[serde(default)]
    pub borders: Borders,
    /// A small picture is enlarged to reach a minimum, but not beyond this many percent of its size.
    #[serde(default = "enlarge_up_to")]
    pub enlarge_up_to_percent: u32,
    /// What a still image is written as.
    #[serde(default)]
    pub format: ImageFormat,
}

const fn enlarge_up_to() -> u32 {
    200
}

/// What is around a picture that is smaller than its canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Borders {
    /// One colour.
    #[default]
    Color,
    /// The picture again, enlarged and blurred.
    Blur,
}
