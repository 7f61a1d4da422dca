//! One file for several targets: who asks for an encode takes another one's file, where that is as good.

use super::cost::cost;
use super::expected::expected_info;
use super::framing::{SHAPE_TOLERANCE, SHAPE_TOLERANCE_PX, is_near};
use crate::conformance::violations;
use crate::media_info::MediaInfo;
use crate::operation::{AudioOutput, ImageOutput, Operation, VideoEncode, VideoOutput};
use crate::profile::{Accepts, Profile, Role, profiles};

/// What each of `wants` gets made of the source `info`: the file that it asked for, or the cheapest at least as good
/// of `existing` and of what the others ask for.
///
/// Nobody's file gets worse, and no further merge of two files into one of them would save anything. What is only
/// copied stays as it is: it costs next to nothing and loses nothing.
#[must_use]
pub fn share(info: &MediaInfo, wants: &[(&Profile, Operation)], existing: &[Operation]) -> Vec<Operation> {
    let mut given: Vec<Operation> = wants.iter().map(|(_, own)| own.clone()).collect();
    for (given, (profile, own)) in given.iter_mut().zip(wants) {
        let taken = existing.iter().filter(|other| *other != own && accepts(info, profile, own, other));
        if let Some(other) = taken.min_by(|a, b| in_order(info, a, b)).filter(|_| !existing.contains(own)) {
            *given = other.clone();
        }
    }
    let made = |given: &[Operation]| {
        let mut made: Vec<Operation> =
            given.iter().filter(|operation| !existing.contains(operation)).cloned().collect();
        // What saves most is tried first.
        made.sort_by(|a, b| in_order(info, b, a));
        made.dedup();
        made
    };
    while let Some((from, to)) = made(&given).iter().find_map(|from| {
        let to = made(&given).into_iter().rev().filter(|to| to != from);
        to.into_iter().find(|to| all_accept(info, wants, &given, from, to)).map(|to| (from.clone(), to))
    }) {
        given
            .iter_mut()
            .filter(|operation| **operation == from)
            .for_each(|operation| *operation = to.clone());
    }
    given
}

/// Cheaper first; among equals in an order that depends on nothing else.
fn in_order(info: &MediaInfo, a: &Operation, b: &Operation) -> std::cmp::Ordering {
    cost(info, a).cmp(&cost(info, b)).then_with(|| a.cmp(b))
}

/// Everybody who gets `from` would be as well served by `to`.
fn all_accept(
    info: &MediaInfo,
    wants: &[(&Profile, Operation)],
    given: &[Operation],
    from: &Operation,
    to: &Operation,
) -> bool {
    let mut users = wants.iter().zip(given).filter(|(_, given)| *given == from);
    users.all(|((profile, own), _)| accepts(info, profile, own, to))
}

/// Whether `other` gives a file that `profile` takes and that is at least as good as that of `own`.
#[must_use]
pub fn accepts(info: &MediaInfo, profile: &Profile, own: &Operation, other: &Operation) -> bool {
    if own != other && has_the_size_of_others(profile) {
        return false;
    }
    let as_good = match (own, other) {
        (Operation::Video(own), Operation::Video(other)) => is_video_as_good(own, other),
        (Operation::Image(own), Operation::Image(other)) => is_image_as_good(own, other),
        _ => own == other,
    };
    as_good && violations(&expected_info(info, other), profile).is_empty()
}

/// An item of carousels whose items are all of one size: which size, it has from the others.
fn has_the_size_of_others(profile: &Profile) -> bool {
    let sized = |row: &Profile| matches!(&row.accepts, Accepts::Carousel(limits) if limits.equal_size);
    profile.role == Role::Item && profiles().iter().any(|row| row.platform == profile.platform && sized(row))
}

fn is_video_as_good(own: &VideoOutput, other: &VideoOutput) -> bool {
    let (Some(own_picture), Some(picture)) = (&own.video, &other.video) else { return own == other };
    own.first_ms == other.first_ms
        && is_picture_as_good(own_picture, picture)
        && fidelity(&other.audio) >= fidelity(&own.audio)
}

fn is_picture_as_good(own: &VideoEncode, other: &VideoEncode) -> bool {
    let same = own.framing == other.framing
        && own.frame_rate == other.frame_rate
        && own.pad_color == other.pad_color
        && own.watermark == other.watermark;
    same && is_larger((own.width, own.height), (other.width, other.height))
        && other.max_rate >= own.max_rate
        && other.crf_tenths <= own.crf_tenths
}

fn is_image_as_good(own: &ImageOutput, other: &ImageOutput) -> bool {
    let same = own.format == other.format
        && own.framing == other.framing
        && own.pad_color == other.pad_color
        && own.watermark == other.watermark;
    same && is_larger((own.width, own.height), (other.width, other.height))
        && other.max_bytes >= own.max_bytes
        && other.quality >= own.quality
}

/// The same shape, and no side is smaller.
fn is_larger((own_width, own_height): (u32, u32), (width, height): (u32, u32)) -> bool {
    let [own_w, own_h, w, h] = [own_width, own_height, width, height].map(f64::from);
    // Measured on both: 2 px are much of a tiny picture, and what is near enough has to need no further work.
    let stretched = (own_w * h / w - own_h).abs();
    width >= own_width
        && height >= own_height
        && stretched <= SHAPE_TOLERANCE_PX
        && is_near((w, h), own_w / own_h, SHAPE_TOLERANCE)
}

/// How much of the source's sound is left; with silence at the end of the list, which harms nobody.
const fn fidelity(audio: &AudioOutput) -> (u8, u32) {
    match audio {
        AudioOutput::None => (0, 0),
        AudioOutput::Silent { bit_rate } => (1, *bit_rate),
        AudioOutput::Aac { bit_rate } => (2, *bit_rate),
        AudioOutput::Copy => (3, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::{accepts, share};
    use crate::media_info::MediaInfo;
    use crate::operation::{AudioOutput, Framing, ImageOutput, Operation};
    use crate::plan::{Want, fit};
    use crate::profile::{Profile, profile};
    use crate::samples::{conforming, photo, sized, with_video};

    fn row(name: &str) -> &'static Profile {
        profile(name).unwrap_or_else(|| panic!("{name} is no profile"))
    }

    fn jpeg(width: u32, height: u32, max_bytes: u64) -> Operation {
        Operation::Image(ImageOutput::jpeg((width, height), Framing::Whole, 90, max_bytes))
    }

    #[test]
    fn a_larger_file_serves_who_takes_it_and_nobody_gets_a_smaller_one() {
        let source = sized(photo(), 4000, 5000);
        let (large, small) = (jpeg(2048, 2560, 5_000_000), jpeg(1440, 1800, 5_000_000));
        let telegram = || row("telegram.photo");
        let wants = [(telegram(), small.clone()), (telegram(), large.clone())];
        assert_eq!(share(&source, &wants, &[]), [large.clone(), large.clone()]);
        // Instagram takes no more than 1440 px.
        let wants = [(row("instagram.photo"), small.clone()), (telegram(), large.clone())];
        assert_eq!(share(&source, &wants, &[]), [small.clone(), large.clone()]);
        assert!(!accepts(&source, telegram(), &large, &small), "a smaller file is worse");
    }

    #[test]
    fn a_tiny_picture_keeps_its_shape_too() {
        let line = sized(photo(), 61, 1);
        let thumbnail = row("youtube.thumbnail");
        let own = fit(&line, &Want::new(thumbnail)).map(|fit| fit.operation);
        let Ok(own @ Operation::Image(image)) = &own else { panic!("{own:?}") };
        assert_eq!((image.width, image.height), (48, 27));
        let wider = Operation::Image(ImageOutput { width: 61, height: 32, ..image.clone() });
        assert!(!accepts(&line, thumbnail, own, &wider), "1.91:1 is not 16:9");
    }

    #[test]
    fn what_is_there_already_is_not_made_again() {
        let source = sized(photo(), 4000, 5000);
        let (there, wanted) = (jpeg(2048, 2560, 5_000_000), jpeg(1440, 1800, 5_000_000));
        let wants = [(row("telegram.photo"), wanted.clone())];
        assert_eq!(share(&source, &wants, std::slice::from_ref(&there)), std::slice::from_ref(&there));
        assert_eq!(share(&source, &wants, &[there, wanted.clone()]), [wanted]);
    }

    #[test]
    fn a_silent_track_harms_nobody() {
        let film = with_video(conforming(), |video| "mpeg4".clone_into(&mut video.codec));
        let source = MediaInfo { audio: None, ..film };
        let own = fit(&source, &Want::new(row("telegram.video"))).map(|fit| fit.operation);
        let Ok(Operation::Video(mute)) = own else { panic!("{own:?}") };
        let mut silent = mute.clone();
        silent.audio = AudioOutput::Silent { bit_rate: 128_000 };
        let (mute, silent) = (Operation::Video(mute), Operation::Video(silent));
        let wants = [(row("telegram.video"), mute.clone()), (row("telegram.video"), silent.clone())];
        assert_eq!(share(&source, &wants, &[]), [silent.clone(), silent]);
    }
}
