//! Long videos are encoded in parts, by several workers at once, and joined without encoding again.

use crate::engine::Span;
use crate::operation::VideoEncode;

/// Shorter ones are encoded at one go: what parts save would be lost on starting them, ms.
const LONG_MS: u64 = 180_000;

/// The length of a part in groups of pictures, which are of two seconds.
const PART_GROUPS: u64 = 60;

/// The parts in which `encode` is made of a source of `duration_ms`; empty: at one go. They follow each other without
/// gap from frame 0, each begins with a group of pictures, and the last takes the rest: half of the usual length to
/// one and a half.
#[must_use]
pub fn parts(duration_ms: u64, encode: &VideoEncode) -> Vec<Span> {
    let (times, base) = encode.frame_rate;
    if duration_ms < LONG_MS || times == 0 || base == 0 || encode.gop_frames == 0 {
        return Vec::new();
    }
    // One frame more than there can be: the engine makes those that there are.
    let all = duration_ms.saturating_mul(u64::from(times)).div_ceil(1000 * u64::from(base)) + 1;
    let length = PART_GROUPS * u64::from(encode.gop_frames);
    let count = ((all + length / 2) / length).max(1);
    let frames = |part: u64| if part + 1 == count { all - part * length } else { length };
    (0..count).map(|part| Span { first: part * length, frames: frames(part) }).collect()
}

/// How many times the rate control starts with a full buffer in a video of `duration_ms`.
pub(super) const fn starts(duration_ms: u64) -> u64 {
    if duration_ms < LONG_MS { 1 } else { duration_ms.div_ceil(PART_GROUPS * 2_000) + 1 }
}

#[cfg(test)]
mod tests {
    use super::{parts, starts};
    use crate::operation::{Framing, VideoEncode};

    #[test]
    fn parts_follow_each_other_and_begin_with_a_group() {
        for (duration_ms, frame_rate, gop_frames) in [
            (180_000, (30, 1), 60),
            (3_600_000, (30_000, 1001), 60),
            (200_000, (24_000, 1001), 48),
            (181_017, (25, 1), 50),
        ] {
            let encode = VideoEncode {
                width: 1280,
                height: 720,
                framing: Framing::Whole,
                frame_rate,
                gop_frames,
                crf_tenths: 220,
                max_rate: 6_000_000,
                level: 31,
                pad_color: None,
                watermark: None,
            };
            let parts = parts(duration_ms, &encode);
            assert!(parts.len() > 1);
            let mut next = 0;
            for part in &parts {
                assert_eq!(part.first, next);
                assert_eq!(part.first % u64::from(gop_frames), 0);
                next += part.frames;
            }
            let frames = duration_ms * u64::from(frame_rate.0) / (1000 * u64::from(frame_rate.1));
            assert!(next > frames && parts[parts.len() - 1].first <= frames, "{next} {frames}");
            assert!(starts(duration_ms) >= parts.len() as u64);
            assert!(super::parts(179_999, &encode).is_empty());
        }
    }
}
