//! The planner reads what the engine says of a file, and an engine that was taken over says anything:
//! no facts make it panic. Of facts that a file can have, every plan keeps its promise.
#![no_main]

use arbitrary::{Arbitrary as _, Result, Unstructured};
use domain::conformance::violations;
use domain::media_info::{AudioStream, ImageFacts, MediaInfo, VideoStream};
use domain::operation::Operation;
use domain::plan::{Want, expected_info, fit, plan};
use domain::platform::MediaKind;
use domain::profile::profiles;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Either the JSON of a corpus file, changed, or facts drawn from the bytes.
    let info = match serde_json::from_slice(bytes) {
        Ok(info) => info,
        Err(_) => match facts(&mut Unstructured::new(bytes)) {
            Ok(info) => info,
            Err(_) => return,
        },
    };
    let wants: Vec<_> = profiles().iter().map(Want::new).collect();
    let whole = plan(&info, &wants);
    assert_eq!(whole.fits.len(), wants.len());
    if !is_possible(&info) {
        return;
    }
    for (fitted, want) in whole.fits.iter().zip(&wants) {
        let Ok(fitted) = fitted else { continue };
        let result = expected_info(&info, &fitted.operation);
        assert_eq!(violations(&result, want.profile), [], "{}: {fitted:?} of {info:?}", want.profile.name);
        assert_eq!((fitted.width, fitted.height), (result.width, result.height), "{fitted:?} of {info:?}");
        let again = fit(&result, want).map(|fit| fit.operation);
        assert_eq!(again, Ok(Operation::Passthrough), "{}: after {fitted:?} of {info:?}", want.profile.name);
    }
});

/// What the engine lets through: the limits of a request, and that streams and kind belong together.
fn is_possible(info: &MediaInfo) -> bool {
    let side = 1..=16_384;
    let sides = side.contains(&info.width) && side.contains(&info.height) && info.bytes <= 4 << 30;
    let streams = match info.kind {
        MediaKind::Image => info.image.is_some() && info.video.is_none() && info.duration_ms.is_none(),
        MediaKind::Video => info.video.is_some() && info.image.is_none() && info.duration_ms.is_some(),
        MediaKind::Carousel => false,
    };
    let time = info.duration_ms.is_none_or(|ms| (1..=4 * 60 * 60 * 1000).contains(&ms));
    let picture = info.video.as_ref().is_none_or(|video| {
        (0.01..=1000.0).contains(&video.frame_rate)
            && video.sar.0 > 0
            && video.sar.1 > 0
            && (video.constant_frame_rate || video.frames > 1)
    });
    sides && streams && time && picture
}

fn facts(chance: &mut Unstructured<'_>) -> Result<MediaInfo> {
    let kind = *chance.choose(&[MediaKind::Video, MediaKind::Image, MediaKind::Carousel])?;
    let containers = ["mp4", "mov", "webm", "matroska", "avi", "jpeg", "png", "webp", "gif", "", "nonsense"];
    let usual = bool::arbitrary(chance)?;
    let mut side =
        || -> Result<u32> { if usual { chance.int_in_range(1..=5000) } else { u32::arbitrary(chance) } };
    let (width, height) = (side()?, side()?);
    Ok(MediaInfo {
        kind,
        container: (*chance.choose(&containers)?).to_owned(),
        bytes: if usual { chance.int_in_range(1..=4 << 30)? } else { u64::arbitrary(chance)? },
        width,
        height,
        duration_ms: match kind {
            MediaKind::Image if usual => None,
            _ if usual => Some(chance.int_in_range(1..=14_400_000)?),
            _ => Option::arbitrary(chance)?,
        },
        video: if kind == MediaKind::Video || !usual { Some(video(chance, usual)?) } else { None },
        audio: if bool::arbitrary(chance)? { Some(audio(chance)?) } else { None },
        image: if kind == MediaKind::Image || !usual { Some(image(chance)?) } else { None },
        edit_list: bool::arbitrary(chance)?,
        edit_list_trims: bool::arbitrary(chance)?,
        moov_first: bool::arbitrary(chance)?,
        fragmented: bool::arbitrary(chance)?,
        other_streams: u32::arbitrary(chance)?,
        has_metadata: bool::arbitrary(chance)?,
    })
}

fn video(chance: &mut Unstructured<'_>, usual: bool) -> Result<VideoStream> {
    let frame_rate = if usual {
        *chance
            .choose(&[7.22, 14.14, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, 120.0, 0.2, 999.0])?
    } else {
        let any = f64::arbitrary(chance)?;
        if any.is_finite() { any } else { 0.0 }
    };
    let sar = if usual {
        *chance.choose(&[(1, 1), (12, 11), (4, 3), (32, 27)])?
    } else {
        <(u32, u32)>::arbitrary(chance)?
    };
    let name = |chance: &mut Unstructured<'_>, names: &[&str]| Ok((*chance.choose(names)?).to_owned());
    Ok(VideoStream {
        codec: name(chance, &["h264", "hevc", "vp8", "vp9", "av1", "mpeg4", ""])?,
        profile: Some(name(chance, &["High", "Main 10", "Constrained Baseline", "High 4:2:2", ""])?),
        level: Option::arbitrary(chance)?,
        pixel_format: name(chance, &["yuv420p", "yuvj420p", "yuv420p10le", "yuv422p", "unknown"])?,
        coded_width: u32::arbitrary(chance)?,
        coded_height: u32::arbitrary(chance)?,
        sar,
        rotation: *chance.choose(&[0, 90, 180, 270, 45])?,
        mirrored: bool::arbitrary(chance)?,
        interlaced: bool::arbitrary(chance)?,
        frame_rate,
        constant_frame_rate: bool::arbitrary(chance)?,
        frames: u64::arbitrary(chance)?,
        bit_rate: if usual { chance.int_in_range(0..=100_000_000)? } else { u64::arbitrary(chance)? },
        gop_ms_max: Option::arbitrary(chance)?,
        closed_gop: bool::arbitrary(chance)?,
        color_range: name(chance, &["tv", "pc", "unknown"])?,
        color_transfer: name(chance, &["bt709", "smpte2084", "arib-std-b67", "unknown"])?,
        color_primaries: name(chance, &["bt709", "bt2020", "unknown"])?,
        color_space: name(chance, &["bt709", "bt2020nc", "unknown"])?,
        codec_tag: name(chance, &["avc1", "hvc1", "hev1", ""])?,
        damaged: bool::arbitrary(chance)?,
    })
}

fn audio(chance: &mut Unstructured<'_>) -> Result<AudioStream> {
    Ok(AudioStream {
        codec: (*chance.choose(&["aac", "mp3", "opus", "ac3", ""])?).to_owned(),
        profile: (*chance.choose(&[None, Some("LC"), Some("HE-AAC")])?).map(str::to_owned),
        sample_rate: *chance.choose(&[8000, 44_100, 48_000, 96_000, 0, u32::MAX])?,
        channels: *chance.choose(&[1, 2, 6, 0, u32::MAX])?,
        bit_rate: u64::arbitrary(chance)?,
    })
}

fn image(chance: &mut Unstructured<'_>) -> Result<ImageFacts> {
    Ok(ImageFacts {
        orientation: u8::arbitrary(chance)?,
        has_alpha: bool::arbitrary(chance)?,
        animated: bool::arbitrary(chance)?,
        srgb: bool::arbitrary(chance)?,
        color_model: (*chance.choose(&["rgb", "gray", "cmyk", ""])?).to_owned(),
        bits_per_channel: u8::arbitrary(chance)?,
        trailing_data: bool::arbitrary(chance)?,
    })
}
