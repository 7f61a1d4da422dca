//! What one network accepts of a file, of several, and of their text, as the public API shows it.

use async_graphql::{Enum, SimpleObject};
use domain::profile;

use super::format_profile::Confidence;
use super::scalars::{ByteCount, LocalDate, Url};

/// Whole numbers; both ends belong to it, and null is open.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct IntRange {
    /// The least.
    pub min: Option<i32>,
    /// The most.
    pub max: Option<i32>,
}

/// Numbers; both ends belong to it, and null is open.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct FloatRange {
    /// The least.
    pub min: Option<f64>,
    /// The most.
    pub max: Option<f64>,
}

/// A width to a height, e.g. 9 to 16.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct Ratio {
    /// The first part.
    pub width: i32,
    /// The second part.
    pub height: i32,
}

/// Shapes from narrow to wide; both ends belong to it, and null is open.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct RatioRange {
    /// The narrowest.
    pub min: Option<Ratio>,
    /// The widest.
    pub max: Option<Ratio>,
}

/// What a picture may measure, in pixels, as displayed.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct SizeLimits {
    /// From left to right.
    pub width: IntRange,
    /// From top to bottom.
    pub height: IntRange,
    /// Of the longer side, whichever it is.
    pub long_side: IntRange,
    /// Of the shorter side, whichever it is.
    pub short_side: IntRange,
    /// Width and height together.
    pub side_sum_max: Option<i32>,
    /// Width times height.
    pub pixels_max: Option<i32>,
    /// Width to height.
    pub ratio: RatioRange,
}

/// Hard limits of a video file.
#[derive(Clone, Debug, SimpleObject)]
pub struct VideoLimits {
    /// e.g. mp4, mov.
    pub containers: Vec<String>,
    /// e.g. h264, hevc.
    pub codecs: Vec<String>,
    /// e.g. yuv420p: 8 bits, 4:2:0.
    pub pixel_formats: Vec<String>,
    /// What the picture may measure.
    pub size: SizeLimits,
    /// Of H.264, e.g. 42 for level 4.2.
    pub h264_level_max: Option<i32>,
    /// Whether PQ and HLG are shown as such.
    pub hdr: bool,
    /// Frames per second.
    pub frame_rate: FloatRange,
    /// Whether frames have to come at equal intervals.
    pub constant_frame_rate: bool,
    /// Of the picture, in bits per second.
    pub bit_rate_max: Option<i32>,
    /// In milliseconds. An account may be allowed less.
    pub duration_ms: IntRange,
    /// Of the whole file.
    pub bytes_max: ByteCount,
    /// Whether the index has to come before the media.
    pub index_first: bool,
    /// Whether an edit list may be there.
    pub edit_list: bool,
    /// Whether each group of pictures has to stand for itself.
    pub closed_gop: bool,
    /// The longest distance between key frames, in milliseconds.
    pub gop_ms_max: Option<i32>,
    /// Of its sound.
    pub audio: AudioLimits,
}

/// Hard limits of the sound of a video.
#[derive(Clone, Debug, SimpleObject)]
pub struct AudioLimits {
    /// e.g. aac.
    pub codecs: Vec<String>,
    /// e.g. LC; empty: any.
    pub profiles: Vec<String>,
    /// In hertz.
    pub sample_rate: IntRange,
    /// 1: mono; 2: stereo.
    pub channels: IntRange,
    /// In bits per second.
    pub bit_rate_max: Option<i32>,
    /// Whether a video without sound is refused.
    pub required: bool,
}

/// Hard limits of a still picture.
#[derive(Clone, Debug, SimpleObject)]
pub struct ImageLimits {
    /// e.g. jpeg, png.
    pub formats: Vec<String>,
    /// What it may measure.
    pub size: SizeLimits,
    /// Of the whole file.
    pub bytes_max: ByteCount,
}

/// Hard limits of several files in one post.
#[derive(Clone, Debug, SimpleObject)]
pub struct CarouselLimits {
    /// How many.
    pub items: IntRange,
    /// Whether photos and videos may stand in one post.
    pub mixed: bool,
    /// The shapes that all items are shown in, the first one's; null: each in its own.
    pub one_shape: Option<RatioRange>,
    /// Whether all have to measure the same.
    pub equal_size: bool,
}

/// What is aimed at when a file has to be made anyway.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct FormatPreferences {
    /// The shape that suits the placement.
    pub ratio: RatioRange,
    /// In pixels.
    pub long_side: i32,
    /// In pixels.
    pub short_side: i32,
    /// Another shape is cut while no more than this much of the picture is lost, and gets borders else.
    pub crop_up_to_percent: i32,
    /// A small picture is enlarged to reach a minimum, but not beyond this.
    pub enlarge_up_to_percent: i32,
}

/// What a network counts the length of a text in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::profile::TextUnit")]
pub enum TextUnit {
    /// Characters of Unicode.
    Chars,
    /// Units of UTF-16: an emoji counts 2 or more.
    #[graphql(name = "UTF16")]
    Utf16,
    /// Bytes of UTF-8.
    #[graphql(name = "UTF8_BYTES")]
    Utf8Bytes,
    /// What a reader takes for one character.
    Graphemes,
    /// Characters, but an emoji by its bytes of UTF-8.
    EmojiBytes,
    /// 1 for Latin letters, 2 for others and for an emoji, 23 for a link.
    Weighted,
}

/// What the text of a post may be.
#[derive(Clone, Debug, SimpleObject)]
pub struct TextLimits {
    /// What lengths are counted in.
    pub unit: TextUnit,
    /// Of the text beside the media; 0: there is none.
    pub caption_max: i32,
    /// Where what is over goes out as a reply: the most that it takes.
    pub reply_max: Option<i32>,
    /// Null: there is no title.
    pub title_max: Option<i32>,
    /// What a title is counted in.
    pub title_unit: TextUnit,
    /// How many.
    pub hashtags_max: Option<i32>,
    /// How many.
    pub mentions_max: Option<i32>,
    /// Of the description of a picture for those who do not see it.
    pub alt_max: Option<i32>,
    /// Characters that are refused wherever they stand.
    pub refused_characters: String,
    /// The page that this was read from.
    pub source: Option<Url>,
    /// The day of the page.
    pub as_of: LocalDate,
    /// How far it is to be believed.
    pub confidence: Confidence,
}

/// Limits are far below the largest number that GraphQL knows; one that is not is told as that.
fn int(value: impl TryInto<i32>) -> i32 {
    value.try_into().unwrap_or(i32::MAX)
}

fn ints<T: TryInto<i32> + Copy>(range: profile::Range<T>) -> IntRange {
    IntRange { min: range.min.map(int), max: range.max.map(int) }
}

impl From<profile::Range<profile::Ratio>> for RatioRange {
    fn from(range: profile::Range<profile::Ratio>) -> Self {
        let ratio = |ratio: profile::Ratio| Ratio { width: int(ratio.0), height: int(ratio.1) };
        Self { min: range.min.map(ratio), max: range.max.map(ratio) }
    }
}

impl From<&profile::VideoLimits> for VideoLimits {
    fn from(limits: &profile::VideoLimits) -> Self {
        let size = SizeLimits {
            width: ints(limits.width),
            height: ints(limits.height),
            long_side: ints(limits.long_side),
            short_side: ints(limits.short_side),
            side_sum_max: None,
            pixels_max: None,
            ratio: limits.ratio.into(),
        };
        Self {
            containers: limits.containers.clone(),
            codecs: limits.codecs.clone(),
            pixel_formats: limits.pixel_formats.clone(),
            size,
            h264_level_max: limits.h264_level_max,
            hdr: limits.hdr,
            frame_rate: FloatRange { min: limits.frame_rate.min, max: limits.frame_rate.max },
            constant_frame_rate: limits.constant_frame_rate,
            bit_rate_max: limits.bit_rate_max.map(int),
            duration_ms: ints(limits.duration_ms),
            bytes_max: ByteCount(limits.bytes_max),
            index_first: limits.moov_first,
            edit_list: limits.edit_list,
            closed_gop: limits.closed_gop,
            gop_ms_max: limits.gop_ms_max.map(int),
            audio: (&limits.audio).into(),
        }
    }
}

impl From<&profile::AudioLimits> for AudioLimits {
    fn from(limits: &profile::AudioLimits) -> Self {
        let range = |min: Option<u32>, max| IntRange { min: min.map(int), max: Some(int(max)) };
        Self {
            codecs: limits.codecs.clone(),
            profiles: limits.profiles.clone(),
            sample_rate: range(limits.sample_rate_min, limits.sample_rate_max),
            channels: range(limits.channels_min, limits.channels_max),
            bit_rate_max: limits.bit_rate_max.map(int),
            required: limits.required,
        }
    }
}

impl From<&profile::ImageLimits> for ImageLimits {
    fn from(limits: &profile::ImageLimits) -> Self {
        let size = SizeLimits {
            width: ints(limits.width),
            height: ints(limits.height),
            long_side: ints(limits.long_side),
            short_side: ints(limits.short_side),
            side_sum_max: limits.side_sum_max.map(int),
            pixels_max: limits.pixels_max.map(int),
            ratio: limits.ratio.into(),
        };
        Self { formats: limits.formats.clone(), size, bytes_max: ByteCount(limits.bytes_max) }
    }
}

impl From<&profile::CarouselLimits> for CarouselLimits {
    fn from(limits: &profile::CarouselLimits) -> Self {
        Self {
            items: ints(limits.items),
            mixed: limits.mixed,
            one_shape: limits.one_shape.as_ref().map(|rule| rule.ratio.into()),
            equal_size: limits.equal_size,
        }
    }
}

impl From<&profile::Preferences> for FormatPreferences {
    fn from(prefers: &profile::Preferences) -> Self {
        Self {
            ratio: prefers.ratio.into(),
            long_side: int(prefers.long_side),
            short_side: int(prefers.short_side),
            crop_up_to_percent: int(prefers.crop_up_to_percent),
            enlarge_up_to_percent: int(prefers.enlarge_up_to_percent),
        }
    }
}

impl From<&profile::TextRules> for TextLimits {
    fn from(rules: &profile::TextRules) -> Self {
        Self {
            unit: rules.unit.into(),
            caption_max: int(rules.caption_max),
            reply_max: rules.reply_max.map(int),
            title_max: rules.title_max.map(int),
            title_unit: rules.title_unit().into(),
            hashtags_max: rules.hashtags_max.map(int),
            mentions_max: rules.mentions_max.map(int),
            alt_max: rules.alt_max.map(int),
            refused_characters: rules.refused.clone(),
            source: rules.source.parse().ok().map(Url),
            as_of: LocalDate(rules.as_of),
            confidence: rules.confidence.into(),
        }
    }
}
