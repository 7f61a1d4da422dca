//! What is to be done with one file to get another: the unit of identical work.
//!
//! An [`Operation`] is complete: two equal operations on equal bytes by the same engine version
//! give the same picture and sound, if not the same bytes, so results are found by [`Operation::key`] and not made again.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use crate::image_format::ImageFormat;

/// How a picture gets into another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// It has that shape, or may keep its own.
    Whole,
    /// Cut to the middle.
    Crop,
    /// Whole, with borders of one colour.
    Pad,
    /// Whole, with borders that show the picture again, enlarged and blurred.
    Blur,
}

impl Framing {
    /// The whole picture is smaller than the canvas that it stands on.
    #[must_use]
    pub const fn has_borders(self) -> bool {
        matches!(self, Self::Pad | Self::Blur)
    }
}

/// Red, green and blue of sRGB or BT.709, full range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// Reads `#rrggbb`, in either case; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut color = [0; 3];
        let digits = text.strip_prefix('#')?;
        hex::decode_to_slice(digits, &mut color).ok().map(|()| Self(color))
    }
}

/// A logo that is drawn over the picture.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Watermark {
    /// SHA-256 of its file in hex, which names it: an image, best a PNG with alpha.
    pub sha256: String,
    pub corner: Corner,
    /// Its width, thousandths of the output's width: 10 to 500.
    pub width_permille: u32,
    /// From both edges of the corner, thousandths of the output's shorter side: 0 to 200.
    pub margin_permille: u32,
}

/// Where a logo stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

/// One way to make one file out of another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Operation {
    /// The very same bytes.
    Passthrough,
    /// Same streams in a new MP4: index in front, no edit list, no metadata, one video and at most
    /// one audio stream. `drop_audio` leaves the audio out.
    Remux { drop_audio: bool },
    /// A new MP4 of which at least one stream is encoded.
    Video(VideoOutput),
    /// A new JPEG or WebP.
    Image(ImageOutput),
}

/// An MP4 with H.264 and AAC. `video: None` copies the video stream, `audio: Copy` the audio.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VideoOutput {
    pub video: Option<VideoEncode>,
    pub audio: AudioOutput,
    /// Only the beginning, of so many ms; needs `video` and no copy of the audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<u64>,
}

/// One H.264 encode: 4:2:0 8 bit, BT.709 limited range, SAR 1:1, rotation baked in, closed GOPs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VideoEncode {
    /// Of the output, px, even.
    pub width: u32,
    pub height: u32,
    pub framing: Framing,
    /// Constant frame rate of the output as a fraction, e.g. (30000, 1001).
    pub frame_rate: (u32, u32),
    /// GOP length in frames; key frames fall on its multiples exactly.
    pub gop_frames: u32,
    /// Constant-quality target of x264, in tenths (215 = crf 21.5).
    pub crf_tenths: u32,
    /// Highest bit rate, bit/s; the buffer is twice that.
    pub max_rate: u32,
    /// e.g. 40 for level 4.0.
    pub level: u32,
    /// Of the borders of [`Framing::Pad`]; `None`: black.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_color: Option<Color>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Watermark>,
}

/// What becomes of the sound.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "audio", rename_all = "snake_case")]
pub enum AudioOutput {
    /// No audio stream in the output.
    None,
    Copy,
    /// AAC-LC at 48 kHz stereo, bit/s.
    Aac {
        bit_rate: u32,
    },
    /// A silent AAC-LC track, where a network wants one and the source has none.
    Silent {
        bit_rate: u32,
    },
}

/// One still image: sRGB, orientation baked in, no metadata.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImageOutput {
    #[serde(default)]
    pub format: ImageFormat,
    pub width: u32,
    pub height: u32,
    pub framing: Framing,
    /// 1 to 100, the start; lowered by the engine until `max_bytes` is met.
    pub quality: u8,
    pub max_bytes: u64,
    /// Of the borders of [`Framing::Pad`], and of the paper under what is transparent; `None`: white.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad_color: Option<Color>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Watermark>,
}

impl VideoOutput {
    /// All of the source's time.
    #[must_use]
    pub const fn new(video: Option<VideoEncode>, audio: AudioOutput) -> Self {
        Self { video, audio, first_ms: None }
    }
}

impl ImageOutput {
    /// A JPEG on white, without a logo; sides in px.
    #[must_use]
    pub const fn jpeg((width, height): (u32, u32), framing: Framing, quality: u8, max_bytes: u64) -> Self {
        let format = ImageFormat::Jpeg;
        Self { format, width, height, framing, quality, max_bytes, pad_color: None, watermark: None }
    }
}

impl Operation {
    /// Names the operation for look-up: SHA-256 in hex of its canonical JSON.
    #[must_use]
    pub fn key(&self) -> String {
        // Serialising a plain data enum to a string cannot fail: no maps with odd keys, no IO.
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(canonical))
    }
}
