//! Instagram's limits on media and captions (PLATFORMS §2.2, PROFILES C1 and C2, 2026-08 to 09).

use crate::instagram::error::{self, Refusal};
use crate::probe::Facts;
use crate::text::marked_words;

/// Largest image, bytes (error 36000/2207004 names 8 MiB).
pub const IMAGE_BYTES: u64 = 8 << 20;
/// Largest video, bytes.
pub const VIDEO_BYTES: u64 = 300_000_000;

const CAPTION_CHARS: usize = 2200;
const HASHTAGS: usize = 30;
const MENTIONS: usize = 20;
/// What rounding in a container's clock may add or take, in ms and in frames a second.
const ROUNDING_MS: u64 = 1;
const ROUNDING_FPS: f64 = 0.01;

/// Longest carousel video, ms.
const ITEM_MS: u64 = 60_000;
/// Longest reel, ms.
const REEL_MS: u64 = 15 * 60_000;

/// What a video is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VideoUse {
    Reel,
    CarouselItem,
}

/// Refuses a caption that is too long or has too many tags.
pub fn caption(text: &str) -> Result<(), Refusal> {
    if text.chars().count() > CAPTION_CHARS || marked_words(text, '#') > HASHTAGS {
        return Err(error::CAPTION);
    }
    if marked_words(text, '@') > MENTIONS {
        return Err(error::MENTIONS);
    }
    Ok(())
}

/// Refuses an image that is no JPEG, too narrow or of another shape than 4:5 to 1.91:1.
pub fn image(facts: Option<&Facts>) -> Result<(), Refusal> {
    let facts = facts.filter(|facts| facts.content_type == "image/jpeg").ok_or(error::IMAGE_FORMAT)?;
    let video = facts.video.as_ref().ok_or(error::IMAGE_FORMAT)?;
    if video.width < 320 {
        return Err(error::IMAGE_FORMAT);
    }
    let ratio = f64::from(video.width) / f64::from(video.height);
    // A pixel of rounding is allowed: 1080 x 1350 is exactly 0.8, 1080 x 566 just under 1.91.
    let pixel = 1.0 / f64::from(video.height);
    if ratio < 0.8 - pixel || ratio > 1.91 + pixel {
        return Err(error::IMAGE_RATIO);
    }
    Ok(())
}

/// Says in words what a video has that Instagram does not take, for the log; any of it is the
/// same error 2207026 to the client.
pub fn video(facts: Option<&Facts>, used: VideoUse, thumb_offset_ms: Option<u64>) -> Result<(), Refusal> {
    let facts = facts.ok_or(error::VIDEO_FORMAT)?;
    if let Some(fault) = video_fault(facts, used) {
        tracing::info!(fault, "Instagram refuses a video");
        return Err(error::VIDEO_FORMAT);
    }
    match thumb_offset_ms {
        Some(offset) if offset >= facts.duration_ms => Err(error::THUMB_OFFSET),
        _ => Ok(()),
    }
}

fn video_fault(facts: &Facts, used: VideoUse) -> Option<&'static str> {
    let Some(video) = &facts.video else { return Some("no video stream") };
    let ratio = f64::from(video.width) / f64::from(video.height);
    let longest = if used == VideoUse::Reel { REEL_MS } else { ITEM_MS };
    let duration = facts.duration_ms;
    let rules = [
        (matches!(facts.content_type, "video/mp4" | "video/quicktime"), "neither MP4 nor MOV"),
        (matches!(video.codec.as_str(), "h264" | "hevc"), "neither H.264 nor HEVC"),
        (matches!(video.pixel_format.as_str(), "yuv420p" | "yuvj420p" | "yuv420p10le"), "not 4:2:0"),
        (!video.interlaced, "interlaced"),
        (video.width <= 1920, "wider than 1920 px"),
        ((0.01..=10.0).contains(&ratio), "aspect ratio outside of 0.01:1 to 10:1"),
        (video.fps >= 23.0 - ROUNDING_FPS, "under 23 frames a second"),
        (video.fps <= 60.0 + ROUNDING_FPS, "over 60 frames a second"),
        (facts.bit_rate <= 25_000_000, "over 25 Mb/s"),
        (duration + ROUNDING_MS >= 3000, "shorter than 3 s"),
        (duration <= longest + ROUNDING_MS, "too long"),
        (facts.layout.moov_first, "moov is not at the front"),
        (!facts.layout.edit_list, "it has an edit list"),
    ];
    let audio = facts.audio.as_ref().map(|audio| {
        [
            (audio.codec == "aac", "audio is not AAC"),
            (audio.sample_rate <= 48_000, "audio over 48 kHz"),
            ((1..=2).contains(&audio.channels), "audio has more than two channels"),
        ]
    });
    rules.into_iter().chain(audio.into_iter().flatten()).find(|(holds, _)| !holds).map(|(_, fault)| fault)
}
