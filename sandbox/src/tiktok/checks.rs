//! TikTok's limits on videos (PROFILES C1, media transfer guide of 2026-08-09).

use crate::probe::Facts;

/// What rounding in a container's clock may add or take, in frames a second and ms.
const ROUNDING_FPS: f64 = 0.01;
const ROUNDING_MS: u64 = 1;
/// By API, whatever the creator may do by hand, s.
const DURATION_MAX_S: u64 = 600;

/// The facts of a video that TikTok takes, or the `fail_reason` for one that it does not.
pub fn video(facts: Option<&Facts>, creator_max_s: u64) -> Result<&Facts, &'static str> {
    const FORMAT: &str = "file_format_check_failed";
    let facts = facts.ok_or(FORMAT)?;
    let video = facts.video.as_ref().ok_or(FORMAT)?;
    let container = matches!(facts.content_type, "video/mp4" | "video/quicktime" | "video/webm");
    let codec = matches!(video.codec.as_str(), "h264" | "hevc" | "vp8" | "vp9");
    if !container || !codec {
        return Err(FORMAT);
    }
    let longest_ms = creator_max_s.min(DURATION_MAX_S) * 1000;
    if facts.duration_ms == 0 || facts.duration_ms > longest_ms + ROUNDING_MS {
        return Err("duration_check_failed");
    }
    if !(23.0 - ROUNDING_FPS..=60.0 + ROUNDING_FPS).contains(&video.fps) {
        return Err("frame_rate_check_failed");
    }
    let side = |pixels: u32| (360..=4096).contains(&pixels);
    if !side(video.width) || !side(video.height) {
        return Err("picture_size_check_failed");
    }
    Ok(facts)
}
