//! Reads a finished video again, as a stranger would, before it counts.

use domain::engine::{InputLimits, Span};
use domain::media_info::MediaInfo;
use domain::operation::{AudioOutput, VideoOutput};
use domain::problem::Problem;

use super::timeline::Timeline;
use crate::probe::{Depth, Sniffed, Video, open_video, sha256};
use crate::reject;

/// A frame at 24 frames a second, an AAC frame, and rounding.
const LENGTH_TOLERANCE_S: f64 = 0.1;
/// Lip-sync tolerance.
const SKEW_S_MAX: f64 = 0.04;

/// What a finished video must be.
pub struct Expected<'a> {
    pub what: &'a VideoOutput,
    pub source: &'a MediaInfo,
    pub timeline: Timeline,
    /// Only these frames were wanted.
    pub span: Option<Span>,
}

impl Expected<'_> {
    fn length_s(&self, frame_rate: Option<(u32, u32)>) -> f64 {
        match (frame_rate, self.span) {
            #[expect(clippy::cast_precision_loss, reason = "a count of frames stays below 2^53")]
            (Some((times, base)), Some(_)) => {
                self.frames((times, base)) as f64 * f64::from(base) / f64::from(times)
            }
            _ => self.timeline.first(self.what.first_ms).length_s(),
        }
    }

    fn frames(&self, frame_rate: (u32, u32)) -> u64 {
        let all = self.timeline.first(self.what.first_ms).frames(frame_rate);
        self.span.map_or(all, |span| span.frames.min(all.saturating_sub(span.first)))
    }
}

/// The facts and the hash of a finished video.
///
/// # Errors
/// `media.transcode_failed` with what is wrong with it: it must not be used.
pub fn verify(path: &str, expected: &Expected<'_>) -> Result<(MediaInfo, String), Problem> {
    let limits = InputLimits::default();
    let depth = if expected.what.video.is_some() { Depth::EveryKey } else { Depth::First };
    let made = Sniffed::read(path, &limits).and_then(|sniffed| open_video(path, &sniffed, &limits, depth));
    let made = made.map_err(|problem| {
        reject::not_made(&format!("the finished file does not read ({})", problem.code))
    })?;
    if let Some(wrong) = what_is_wrong(&made, expected) {
        return Err(reject::not_made(&format!("the finished file {wrong}")));
    }
    Ok((made.info, sha256(path)?))
}

fn what_is_wrong(made: &Video, expected: &Expected<'_>) -> Option<&'static str> {
    let info = &made.info;
    let video = info.video.as_ref()?;
    if video.damaged {
        return Some("has damaged pictures");
    }
    if !info.moov_first || info.edit_list || info.fragmented || info.has_metadata || info.other_streams > 0 {
        return Some("is not laid out as networks want it");
    }
    if info.audio.is_some() != (expected.what.audio != AudioOutput::None) {
        return Some("has the wrong streams");
    }
    if made
        .scan
        .audio
        .as_ref()
        .is_some_and(|audio| (audio.start_s() - made.scan.video.start_s()).abs() > SKEW_S_MAX)
    {
        return Some("has sound and pictures that drift apart");
    }
    let length = made.scan.video.end_s() - made.scan.video.start_s();
    let frame_rate = expected.what.video.as_ref().map(|encode| encode.frame_rate);
    if (length - expected.length_s(frame_rate)).abs() > LENGTH_TOLERANCE_S {
        return Some("is not as long as the source");
    }
    match &expected.what.video {
        Some(encode) => {
            let off = video.frames.abs_diff(expected.frames(encode.frame_rate));
            let as_wanted = (info.width, info.height) == (encode.width, encode.height)
                && (video.codec.as_str(), video.pixel_format.as_str()) == ("h264", "yuv420p")
                && video.constant_frame_rate
                && video.closed_gop;
            // A part has to fit between its neighbours.
            if off > u64::from(expected.span.is_none()) {
                return Some("has too few or too many frames");
            }
            (!as_wanted).then_some("is not what was asked for")
        }
        None => {
            let source = expected.source.video.as_ref()?;
            (video.frames != source.frames || video.rotation != source.rotation).then_some("lost frames")
        }
    }
}
