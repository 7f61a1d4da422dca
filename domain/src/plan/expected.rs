//! What a file will be after an operation, as far as a profile can tell: the fixpoint of planning.

use super::parts::starts;
use crate::media_info::{AudioStream, ImageFacts, MediaInfo, VideoStream};
use crate::operation::{AudioOutput, Framing, ImageFormat, ImageOutput, Operation, VideoEncode, VideoOutput};

/// The facts that `operation` is to give when it is run on `source`.
///
/// Sizes in bytes and bit rates are the most that can come out, so that what conforms here
/// conforms when it is made.
#[must_use]
pub fn expected_info(source: &MediaInfo, operation: &Operation) -> MediaInfo {
    match operation {
        Operation::Passthrough => source.clone(),
        Operation::Remux { drop_audio } => {
            let audio = if *drop_audio { None } else { source.audio.clone() };
            MediaInfo { audio, ..remuxed(source) }
        }
        Operation::Video(output) => video(source, output),
        Operation::Image(output) => image(source, output),
    }
}

/// The same video stream in a new MP4.
fn remuxed(source: &MediaInfo) -> MediaInfo {
    let video = source.video.clone().map(|video| VideoStream {
        codec_tag: if video.codec == "hevc" { "hvc1" } else { "avc1" }.to_owned(),
        ..video
    });
    // Tables of MP4 take more for a packet than the headers of other containers.
    let grown = match (source.container.as_str(), &source.video) {
        ("mp4" | "mov" | "3gp", _) | (_, None) => 0,
        (_, Some(video)) => {
            let sound = source.duration_ms.unwrap_or(0);
            video.frames.saturating_mul(24).saturating_add(sound).saturating_add(100_000)
        }
    };
    MediaInfo {
        container: "mp4".to_owned(),
        bytes: source.bytes.saturating_add(grown),
        video,
        edit_list: false,
        edit_list_trims: false,
        moov_first: true,
        fragmented: false,
        other_streams: 0,
        has_metadata: false,
        ..source.clone()
    }
}

fn video(source: &MediaInfo, output: &VideoOutput) -> MediaInfo {
    let trimmed = output.first_ms.map(|first| MediaInfo {
        duration_ms: source.duration_ms.map(|duration| duration.min(first)),
        ..source.clone()
    });
    let source = trimmed.as_ref().unwrap_or(source);
    let audio = match output.audio {
        AudioOutput::None => None,
        AudioOutput::Copy => source.audio.clone(),
        AudioOutput::Aac { bit_rate } | AudioOutput::Silent { bit_rate } => Some(aac(bit_rate)),
    };
    let base = remuxed(source);
    let Some(encode) = &output.video else {
        let grown = audio.as_ref().map_or(0, |audio| audio.bit_rate);
        let shrunk = source.audio.as_ref().map_or(0, |audio| audio.bit_rate);
        let more = taken(grown.saturating_sub(shrunk), source.duration_ms.unwrap_or(0));
        return MediaInfo { audio, bytes: base.bytes.saturating_add(more), ..base };
    };
    let duration = source.duration_ms.unwrap_or(0);
    let sound = audio.as_ref().map_or(0, |audio| audio.bit_rate);
    let stream = encoded_stream(encode, duration);
    let bytes = taken(u64::from(encode.max_rate), buffered(duration))
        .saturating_add(taken(sound, duration))
        .saturating_add(container_bytes(duration, encode.frame_rate));
    MediaInfo { bytes, width: encode.width, height: encode.height, video: Some(stream), audio, ..base }
}

/// The rate control's buffer holds this much of the rate on top of the duration, each time that it starts.
const BUFFER_MS: u64 = 2000;

/// The time that the highest rate can be written for in `duration_ms`, ms.
pub(super) const fn buffered(duration_ms: u64) -> u64 {
    duration_ms.saturating_add(BUFFER_MS.saturating_mul(starts(duration_ms)))
}

/// The most that an MP4 adds to its streams, bytes: 24 a frame, a kilobyte a second for the sound,
/// and the head.
pub(super) const fn container_bytes(duration_ms: u64, frame_rate: (u32, u32)) -> u64 {
    frames(duration_ms, frame_rate).saturating_mul(24).saturating_add(duration_ms).saturating_add(100_000)
}

/// Frames in a duration, rounded up.
pub(super) const fn frames(duration_ms: u64, (times, base): (u32, u32)) -> u64 {
    duration_ms.saturating_mul(times as u64).div_ceil(1000 * base as u64)
}

/// Bytes that `rate` bit/s take in `ms`.
const fn taken(rate: u64, ms: u64) -> u64 {
    rate.saturating_mul(ms).div_ceil(8000)
}

fn aac(bit_rate: u32) -> AudioStream {
    AudioStream {
        codec: "aac".to_owned(),
        profile: Some("LC".to_owned()),
        sample_rate: 48_000,
        channels: 2,
        bit_rate: u64::from(bit_rate),
    }
}

/// The stream that an encode gives.
#[must_use]
pub fn encoded_stream(encode: &VideoEncode, duration_ms: u64) -> VideoStream {
    let (times, base) = encode.frame_rate;
    let gop_ms = u64::from(encode.gop_frames) * 1000 * u64::from(base) / u64::from(times.max(1));
    VideoStream {
        codec: "h264".to_owned(),
        profile: Some("High".to_owned()),
        level: i32::try_from(encode.level).ok(),
        pixel_format: "yuv420p".to_owned(),
        coded_width: encode.width,
        coded_height: encode.height,
        sar: (1, 1),
        rotation: 0,
        mirrored: false,
        interlaced: false,
        frame_rate: f64::from(times) / f64::from(base),
        constant_frame_rate: true,
        frames: frames(duration_ms, encode.frame_rate),
        bit_rate: u64::from(encode.max_rate),
        gop_ms_max: Some(gop_ms),
        closed_gop: true,
        color_range: "tv".to_owned(),
        color_transfer: "bt709".to_owned(),
        color_primaries: "bt709".to_owned(),
        color_space: "bt709".to_owned(),
        codec_tag: "avc1".to_owned(),
        damaged: false,
    }
}

fn image(source: &MediaInfo, output: &ImageOutput) -> MediaInfo {
    MediaInfo {
        container: output.format.as_str().to_owned(),
        bytes: output.max_bytes,
        width: output.width,
        height: output.height,
        image: Some(ImageFacts {
            orientation: 1,
            has_alpha: source.image.as_ref().is_some_and(|image| image.has_alpha)
                && output.format == ImageFormat::Webp
                && output.framing != Framing::Blur,
            animated: false,
            srgb: true,
            color_model: "rgb".to_owned(),
            bits_per_channel: 8,
            trailing_data: false,
        }),
        has_metadata: false,
        other_streams: 0,
        ..source.clone()
    }
}
