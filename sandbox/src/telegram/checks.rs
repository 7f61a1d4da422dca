//! Telegram's limits on files (core.telegram.org/bots/api, checked 2026-10-01).

use crate::probe::Facts;
use crate::telegram::error::BotError;

/// Largest photo that is uploaded, bytes (TDLib `check_full_local_location`).
pub const PHOTO: u64 = 10 << 20;
/// Largest files that the server fetches from an address, bytes.
pub const PHOTO_BY_URL: u64 = 5_000_000;
pub const FILE_BY_URL: u64 = 20_000_000;

/// Width and height together, px.
const SIDES: u32 = 10_000;
const RATIO: u32 = 20;

/// What a file is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FileKind {
    Photo,
    Video,
    /// What was meant as a video and is no MP4.
    Document,
}

/// Refuses what cannot be shown as a photo.
pub fn photo(bytes: u64, facts: Option<&Facts>) -> Result<(), BotError> {
    if bytes > PHOTO {
        let message =
            format!("file of size {bytes} bytes is too big for a photo; the maximum size is {PHOTO} bytes");
        return Err(BotError::bad(message));
    }
    let known = facts.filter(|facts| {
        matches!(facts.content_type, "image/jpeg" | "image/png" | "image/webp" | "image/bmp" | "image/gif")
    });
    let picture = known.and_then(|facts| facts.video.as_ref());
    let picture = picture.ok_or_else(|| BotError::bad("IMAGE_PROCESS_FAILED"))?;
    let (long, short) = (picture.width.max(picture.height), picture.width.min(picture.height));
    if long + short > SIDES || long > short * RATIO {
        return Err(BotError::bad("PHOTO_INVALID_DIMENSIONS"));
    }
    Ok(())
}

/// Only MPEG-4 is shown as a video; everything else becomes a document.
pub fn video_kind(facts: Option<&Facts>) -> FileKind {
    let mp4 = facts.filter(|facts| facts.content_type == "video/mp4");
    let codec = mp4.and_then(|facts| facts.video.as_ref()).map(|video| video.codec.as_str());
    if matches!(codec, Some("h264" | "hevc" | "mpeg4")) { FileKind::Video } else { FileKind::Document }
}
