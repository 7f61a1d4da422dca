//! What an operation costs, as far as planning has to know: which of two is dearer, and by how much.

use super::expected::frames;
use crate::media_info::MediaInfo;
use crate::operation::{AudioOutput, Operation, VideoOutput};

/// CPU time of one pixel of one frame, in hundredths of a ns, measured on 1080p clips on the machine that the
/// ladder was made on: only their ratios count.
const DECODE: u64 = 350;
const ENCODE: u64 = 2_000;
/// The same of a still image, which is resized from all of its pixels.
const IMAGE: u64 = 1_500;
/// Of a ms of sound.
const SOUND: u64 = 2_000_000;
/// Of a byte that is copied.
const COPY: u64 = 50;

/// The cost of making one file alone, in hundredths of a ns of CPU time.
#[must_use]
pub fn cost(info: &MediaInfo, operation: &Operation) -> u64 {
    match operation {
        Operation::Passthrough => 0,
        Operation::Remux { .. } => info.bytes.saturating_mul(COPY),
        Operation::Video(output) => video(info, output),
        Operation::Image(output) => {
            let source = pixels(info.width, info.height).saturating_mul(DECODE);
            source.saturating_add(pixels(output.width, output.height).saturating_mul(IMAGE))
        }
    }
}

fn video(info: &MediaInfo, output: &VideoOutput) -> u64 {
    let duration = info.duration_ms.unwrap_or(0).min(output.first_ms.unwrap_or(u64::MAX));
    let sound = match output.audio {
        AudioOutput::None | AudioOutput::Copy => 0,
        AudioOutput::Aac { .. } | AudioOutput::Silent { .. } => duration.saturating_mul(SOUND),
    };
    let picture = output.video.as_ref().map_or(info.bytes.saturating_mul(COPY), |encode| {
        let source = info.video.as_ref().map_or(0, |video| pixels(video.coded_width, video.coded_height));
        let made = pixels(encode.width, encode.height).saturating_mul(ENCODE);
        let each = source.saturating_mul(DECODE).saturating_add(made);
        frames(duration, encode.frame_rate).saturating_mul(each)
    });
    sound.saturating_add(picture)
}

fn pixels(width: u32, height: u32) -> u64 {
    u64::from(width) * u64::from(height)
}
