//! What people are told of a plan: in one sentence what is done to a file, and why.

use super::Fit;
use crate::operation::{AudioOutput, ImageFormat, Operation, VideoOutput};
use crate::problem::Problem;

/// One sentence, e.g. "Video copied, sound re-encoded: its sound is HE-AAC, which X does not take."
///
/// A fit that cannot be is told by its problem.
#[must_use]
pub fn summary(fit: &Result<Fit, Problem>) -> String {
    match fit {
        Ok(fit) => sentence(&deed(&fit.operation), &fit.reasons),
        Err(problem) => problem.message.clone(),
    }
}

/// What is done, without a full stop.
fn deed(operation: &Operation) -> String {
    match operation {
        Operation::Passthrough => "Sent as it is".to_owned(),
        Operation::Remux { drop_audio: false } => "Repackaged".to_owned(),
        Operation::Remux { drop_audio: true } => "Repackaged without its sound".to_owned(),
        Operation::Video(output) => video(output),
        Operation::Image(output) => match output.format {
            ImageFormat::Jpeg => "Re-encoded as a JPEG".to_owned(),
            ImageFormat::Webp => "Re-encoded as a WebP".to_owned(),
        },
    }
}

fn video(output: &VideoOutput) -> String {
    let picture = if output.video.is_some() { "Video re-encoded" } else { "Video copied" };
    match (&output.video, &output.audio) {
        (Some(_), AudioOutput::Aac { .. } | AudioOutput::None) => "Re-encoded".to_owned(),
        (_, AudioOutput::Copy) => format!("{picture}, sound copied"),
        (_, AudioOutput::Aac { .. }) => format!("{picture}, sound re-encoded"),
        (_, AudioOutput::Silent { .. }) => format!("{picture}, a silent sound track added"),
        (_, AudioOutput::None) => format!("{picture}, sound left out"),
    }
}

/// Puts the reasons, which are sentences, behind what is done.
fn sentence(deed: &str, reasons: &[String]) -> String {
    if reasons.is_empty() {
        return format!("{deed}.");
    }
    let reasons: Vec<String> = reasons.iter().map(|reason| clause(reason)).collect();
    format!("{deed}: {}.", reasons.join("; "))
}

/// A sentence that can stand within another. Those of conformance and framing begin with a plain word.
fn clause(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_info::MediaInfo;
    use crate::operation::{Framing, ImageOutput, VideoEncode};
    use crate::plan::{Want, fit};
    use crate::profile::profile;
    use crate::samples::{conforming, photo, sized, with_video};

    fn told(info: &MediaInfo, name: &str) -> String {
        let row = profile(name).unwrap_or_else(|| panic!("{name} is a profile"));
        summary(&fit(info, &Want::new(row)))
    }

    fn heard(codec_profile: &str) -> MediaInfo {
        let mut info = conforming();
        let audio = info.audio.as_mut().expect("the sample has sound");
        audio.profile = Some(codec_profile.to_owned());
        info
    }

    #[test]
    fn a_plan_is_told_in_one_sentence() {
        let small = || sized(conforming(), 720, 1280);
        let he_aac = || MediaInfo { width: 720, height: 1280, ..heard("HE-AAC") };
        let cases = [
            (small(), "x.video", "Sent as it is."),
            (
                MediaInfo { moov_first: false, ..conforming() },
                "telegram.video",
                "Repackaged: its index comes after the media: Telegram wants it in front.",
            ),
            (
                he_aac(),
                "x.video",
                "Video copied, sound re-encoded: its sound is HE-AAC, which X does not take.",
            ),
            (
                with_video(conforming(), |video| video.codec = "hevc".to_owned()),
                "telegram.video",
                "Video re-encoded, sound copied: its video is HEVC: Telegram takes H.264.",
            ),
            (
                MediaInfo { audio: None, ..sized(conforming(), 1440, 1080) },
                "instagram.reel",
                "Re-encoded: given borders, from 4:3 to 9:16: a reel fills the screen.",
            ),
            (
                MediaInfo { container: "png".to_owned(), ..photo() },
                "instagram.photo",
                "Re-encoded as a JPEG: it is a PNG file: Instagram takes JPEG.",
            ),
            (photo(), "web.webp_1600", "Re-encoded as a WebP: it is a JPEG file: Web takes WebP."),
            (
                MediaInfo { duration_ms: Some(100_000), ..conforming() },
                "facebook.reel",
                "It is 100 s long and Facebook takes at most 90 s here. Choose a shorter video, or let it be cut.",
            ),
        ];
        for (info, name, expected) in cases {
            assert_eq!(told(&info, name), expected, "{name}");
        }
    }

    #[test]
    fn every_operation_has_words_of_its_own() {
        let encode = || VideoEncode {
            width: 720,
            height: 1280,
            framing: Framing::Whole,
            frame_rate: (30, 1),
            gop_frames: 60,
            crf_tenths: 220,
            max_rate: 6_000_000,
            level: 31,
            pad_color: None,
            watermark: None,
        };
        let aac = || AudioOutput::Aac { bit_rate: 128_000 };
        let silent = || AudioOutput::Silent { bit_rate: 128_000 };
        let video = |video, audio| Operation::Video(VideoOutput::new(video, audio));
        let first = VideoOutput { first_ms: Some(60_000), ..VideoOutput::new(Some(encode()), aac()) };
        let jpeg = ImageOutput::jpeg((1080, 1080), Framing::Whole, 90, 5_000_000);
        let cases = [
            (Operation::Passthrough, "Sent as it is"),
            (Operation::Remux { drop_audio: false }, "Repackaged"),
            (Operation::Remux { drop_audio: true }, "Repackaged without its sound"),
            (video(None, aac()), "Video copied, sound re-encoded"),
            (video(None, silent()), "Video copied, a silent sound track added"),
            (video(None, AudioOutput::Copy), "Video copied, sound copied"),
            (video(None, AudioOutput::None), "Video copied, sound left out"),
            (video(Some(encode()), AudioOutput::Copy), "Video re-encoded, sound copied"),
            (video(Some(encode()), silent()), "Video re-encoded, a silent sound track added"),
            (video(Some(encode()), aac()), "Re-encoded"),
            (video(Some(encode()), AudioOutput::None), "Re-encoded"),
            (Operation::Video(first), "Re-encoded"),
            (Operation::Image(jpeg.clone()), "Re-encoded as a JPEG"),
            (Operation::Image(ImageOutput { format: ImageFormat::Webp, ..jpeg }), "Re-encoded as a WebP"),
        ];
        for (operation, expected) in cases {
            assert_eq!(deed(&operation), expected);
        }
    }
}
