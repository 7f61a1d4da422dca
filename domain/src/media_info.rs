//! What a file really is: the facts that `reelmill-media` reads from it, and that every plan is
//! made from. Serialised into `media_assets.info` and `transcoded_media.info`.

use serde::{Deserialize, Serialize};

use crate::platform::MediaKind;

/// Facts of one file. Exact where the file says so; `None` where it does not or cannot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// `Image` or `Video`, by content, never by name.
    pub kind: MediaKind,
    /// Normalised container: `mp4`, `mov`, `webm`, `matroska`, `avi`, `mpegps`, `mpegts`, `3gp`,
    /// `jpeg`, `png`, `webp`, `gif`, `heic`, `avif`, `bmp`, `tiff`.
    pub container: String,
    pub bytes: u64,
    /// As displayed, i.e. after rotation and sample aspect ratio, px.
    pub width: u32,
    pub height: u32,
    /// `None` for a still image.
    pub duration_ms: Option<u64>,
    pub video: Option<VideoStream>,
    pub audio: Option<AudioStream>,
    pub image: Option<ImageFacts>,
    /// An edit list (`elst`) is present in a video or audio track.
    pub edit_list: bool,
    /// A remux is not enough: without edit list, streams copied from here would show frames that it
    /// hides, or start the sound more than 40 ms before its time. Has to be encoded.
    pub edit_list_trims: bool,
    /// The index precedes the media (`moov` before `mdat`). `false` where it does not apply.
    pub moov_first: bool,
    pub fragmented: bool,
    /// Streams that are neither the chosen video nor the chosen audio (data, subtitles, extra).
    pub other_streams: u32,
    /// GPS, camera names and the like are present in the file.
    pub has_metadata: bool,
}

impl MediaInfo {
    /// A still image that is partly transparent.
    #[must_use]
    pub fn has_alpha(&self) -> bool {
        self.image.as_ref().is_some_and(|image| image.has_alpha)
    }
}

/// The stream that is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoStream {
    /// FFmpeg's codec name: `h264`, `hevc`, `vp8`, `vp9`, `av1`, `mpeg4`, `mpeg2video`, `h263` …; of an
    /// animation `gif`, `webp` or `png`.
    pub codec: String,
    /// e.g. `High`, `Main 10`.
    pub profile: Option<String>,
    /// The codec's own number, e.g. 40 for H.264 level 4.0.
    pub level: Option<i32>,
    /// Pixel format name, e.g. `yuv420p`, `yuvj420p`, `yuv420p10le`.
    pub pixel_format: String,
    /// As stored, before rotation and sample aspect ratio, px.
    pub coded_width: u32,
    pub coded_height: u32,
    /// Sample aspect ratio, numerator and denominator; `(1, 1)` when the file does not say.
    pub sar: (u32, u32),
    /// Clockwise turn that a player applies: 0, 90, 180 or 270.
    pub rotation: u16,
    /// The display matrix also mirrors.
    pub mirrored: bool,
    pub interlaced: bool,
    /// Frames per second, averaged over the whole stream by packet times.
    pub frame_rate: f64,
    /// All frame intervals are equal within 1 ms (or one tick of the time base).
    pub constant_frame_rate: bool,
    pub frames: u64,
    /// bit/s of this stream, from packet sizes.
    pub bit_rate: u64,
    /// Longest distance between key frames, or from the last one to the end, in ms; `None` with a
    /// single key frame.
    pub gop_ms_max: Option<u64>,
    /// Every GOP starts with an IDR frame that no later-shown frame refers past.
    pub closed_gop: bool,
    /// `tv`, `pc` or `unknown`.
    pub color_range: String,
    /// FFmpeg names: `bt709`, `smpte2084`, `arib-std-b67`, `unknown` …
    pub color_transfer: String,
    pub color_primaries: String,
    pub color_space: String,
    /// `avc1`, `hvc1`, `hev1` …; empty where the container has no tags.
    pub codec_tag: String,
    /// Some of its frames are broken, or built as no encoder does: players show something, networks may refuse it.
    #[serde(default)]
    pub damaged: bool,
}

impl VideoStream {
    /// PQ or HLG: has to be tone-mapped for a network that shows BT.709.
    #[must_use]
    pub fn is_hdr(&self) -> bool {
        matches!(self.color_transfer.as_str(), "smpte2084" | "arib-std-b67")
    }
}

/// The stream that is heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AudioStream {
    /// FFmpeg's codec name: `aac`, `mp3`, `opus`, `vorbis`, `ac3` …
    pub codec: String,
    /// e.g. `LC`, `HE-AAC`.
    pub profile: Option<String>,
    pub sample_rate: u32,
    pub channels: u32,
    /// bit/s, from packet sizes.
    pub bit_rate: u64,
}

/// What only still images have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// EXIF orientation, 1 to 8; 1 when absent, and for HEIC and AVIF, which are decoded upright. `width` and `height` of the file are after it.
    pub orientation: u8,
    pub has_alpha: bool,
    pub animated: bool,
    /// Colours are sRGB: no profile, or a profile that says sRGB.
    pub srgb: bool,
    /// `rgb`, `gray`, `cmyk`.
    pub color_model: String,
    pub bits_per_channel: u8,
    /// Bytes follow the end of the picture (gain maps, motion photos, archives).
    pub trailing_data: bool,
}
