//! What holds for every file and every set of wants.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, option, prop_assert, prop_assert_eq, proptest, sample};

use crate::conformance::violations;
use crate::media_info::{AudioStream, ImageFacts, MediaInfo};
use crate::operation::{Color, Framing, Operation};
use crate::plan::{Effort, Overrides, Style, Want, accepts, cost, expected_info, fit, plan};
use crate::platform::MediaKind;
use crate::profile::{Profile, profiles};
use crate::samples::{conforming, photo, with_video};

pub(super) fn video() -> impl Strategy<Value = MediaInfo> {
    let picture = (
        sample::select(vec!["h264", "hevc", "vp9", "av1", "mpeg4", "mpeg2video"]),
        sample::select(vec!["yuv420p", "yuvj420p", "yuv420p10le", "yuv422p"]),
        prop_oneof![Just((1u32, 1u32)), Just((12, 11))],
        sample::select(vec![0u16, 90, 180, 270]),
        prop_oneof![sample::select(vec![23.976, 24.0, 25.0, 29.97, 30.0, 59.94, 60.0]), 0.01..300.0f64],
        any::<[bool; 4]>(),
        1_000u64..80_000_000,
    );
    let file = (
        sample::select(vec!["mp4", "mov", "webm", "matroska", "avi"]),
        sides(),
        prop_oneof![1u64..120_000, 1u64..4_000_000],
        1u64..4_000_000_000,
        any::<[bool; 5]>(),
        0u32..3,
    );
    (picture, file, option::of(audio())).prop_map(|(picture, file, audio)| {
        let (codec, pixel_format, sar, rotation, frame_rate, flags, bit_rate) = picture;
        let [constant, closed, interlaced, mirrored] = flags;
        let (container, (width, height), duration, bytes, more, other_streams) = file;
        let [edit_list, trims, moov_first, fragmented, has_metadata] = more;
        let info = with_video(conforming(), |video| {
            codec.clone_into(&mut video.codec);
            pixel_format.clone_into(&mut video.pixel_format);
            (video.sar, video.rotation, video.frame_rate) = (sar, rotation, frame_rate);
            (video.constant_frame_rate, video.closed_gop) = (constant, closed);
            (video.interlaced, video.mirrored, video.bit_rate) = (interlaced, mirrored, bit_rate);
        });
        MediaInfo {
            container: container.to_owned(),
            bytes,
            width,
            height,
            duration_ms: Some(duration),
            audio,
            edit_list,
            edit_list_trims: edit_list && trims,
            moov_first,
            fragmented,
            other_streams,
            has_metadata,
            ..info
        }
    })
}

/// Any size, and those about 9:16, where a shape is just near enough or just not.
fn sides() -> impl Strategy<Value = (u32, u32)> {
    let near = (100u32..2800, 970u32..1030)
        .prop_map(|(width, thousandths)| (width, width * 16 / 9 * thousandths / 1000));
    prop_oneof![(1u32..5000, 1u32..5000), near]
}

fn audio() -> impl Strategy<Value = AudioStream> {
    let rates = sample::select(vec![8000u32, 44_100, 48_000, 96_000]);
    (sample::select(vec!["aac", "mp3", "opus", "ac3"]), rates, 1u32..9, 8000u64..512_000).prop_map(
        |(codec, sample_rate, channels, bit_rate)| AudioStream {
            codec: codec.to_owned(),
            profile: (codec == "aac").then(|| "LC".to_owned()),
            sample_rate,
            channels,
            bit_rate,
        },
    )
}

pub(super) fn image() -> impl Strategy<Value = MediaInfo> {
    let facts = (1u8..9, any::<[bool; 4]>(), sample::select(vec!["rgb", "gray", "cmyk"]), 1u8..17);
    let file = (
        sample::select(vec!["jpeg", "png", "webp", "gif"]),
        1u32..16_000,
        1u32..16_000,
        1u64..60_000_000,
        any::<bool>(),
    );
    (facts, file).prop_map(
        |((orientation, flags, model, bits), (container, width, height, bytes, has_metadata))| {
            let [has_alpha, animated, srgb, trailing_data] = flags;
            MediaInfo {
                container: container.to_owned(),
                bytes,
                width,
                height,
                has_metadata,
                image: Some(ImageFacts {
                    orientation,
                    has_alpha,
                    animated,
                    srgb,
                    color_model: model.to_owned(),
                    bits_per_channel: bits,
                    trailing_data,
                }),
                ..photo()
            }
        },
    )
}

fn rows(kind: MediaKind) -> Vec<&'static Profile> {
    profiles().iter().filter(|row| row.kind() == kind).collect()
}

fn want(kind: MediaKind) -> impl Strategy<Value = Want<'static>> {
    let framing =
        option::of(sample::select(vec![Framing::Whole, Framing::Crop, Framing::Pad, Framing::Blur]));
    (sample::select(rows(kind)), framing, option::of(1u64..700_000), any::<bool>(), any::<bool>()).prop_map(
        |(profile, framing, max, trim, branded)| {
            let overrides = Overrides { max_duration_ms: max, ..Overrides::default() };
            let style = if branded { branded_style() } else { Style::PLAIN };
            Want { framing, overrides, trim, style, ..Want::new(profile) }
        },
    )
}

/// A colour and no logo: with one, a file is never passed on as it is.
fn branded_style() -> &'static Style {
    const STYLE: &Style = &Style { pad_color: Some(Color([12, 34, 56])), watermark: None };
    STYLE
}

fn case() -> impl Strategy<Value = (MediaInfo, Vec<Want<'static>>)> {
    prop_oneof![
        (video(), collection::vec(want(MediaKind::Video), 1..8)),
        (image(), collection::vec(want(MediaKind::Image), 1..8)),
    ]
}

/// Facts come from a process that reads untrusted media: nonsense in them stops nobody.
#[test]
fn facts_that_cannot_be_do_not_stop_the_planner() {
    for duration in [0, u64::MAX, u64::MAX - 1999, u64::MAX / 60_000] {
        let info = MediaInfo { duration_ms: Some(duration), moov_first: false, ..conforming() };
        for info in [info.clone(), with_video(info, |video| "vp9".clone_into(&mut video.codec))] {
            let wants: Vec<_> = rows(MediaKind::Video).into_iter().map(Want::new).collect();
            assert_eq!(plan(&info, &wants).fits.len(), wants.len());
        }
    }
}

proptest! {
    #[test]
    fn every_target_gets_a_file_that_it_accepts((info, wants) in case()) {
        let plan = plan(&info, &wants);
        prop_assert_eq!(plan.fits.len(), wants.len());
        for (fit, want) in plan.fits.iter().zip(&wants) {
            let Ok(fit) = fit else { continue };
            let result = expected_info(&info, &fit.operation);
            prop_assert_eq!(violations(&result, want.profile), vec![], "{:?}", fit);
            prop_assert_eq!((fit.width, fit.height), (result.width, result.height));
            if let Operation::Video(output) = &fit.operation && let Some(video) = &output.video {
                prop_assert!(video.width.is_multiple_of(2) && video.height.is_multiple_of(2));
            }
        }
    }

    #[test]
    fn what_was_made_is_planned_as_it_is((info, wants) in case()) {
        for want in &wants {
            let Ok(made) = fit(&info, want) else { continue };
            let result = expected_info(&info, &made.operation);
            let again = fit(&result, want).map(|fit| fit.operation);
            prop_assert_eq!(again, Ok(Operation::Passthrough), "after {:?}", made);
        }
    }

    #[test]
    fn another_target_makes_nobodys_file_worse((info, wants) in case()) {
        let all = plan(&info, &wants);
        prop_assert_eq!(&all, &plan(&info, &wants), "the same again");
        for (index, want) in wants.iter().enumerate() {
            let alone = plan(&info, &[*want]).fits.remove(0);
            match (&alone, &all.fits[index]) {
                (Ok(alone), Ok(shared)) => prop_assert!(
                    alone.operation == shared.operation
                        || accepts(&info, want.profile, &alone.operation, &shared.operation),
                    "{:?} instead of {:?}", shared.operation, alone.operation
                ),
                (alone, shared) => prop_assert_eq!(alone, shared),
            }
        }
    }

    #[test]
    fn no_plan_costs_more_than_a_file_for_each_or_than_one_merged_further((info, wants) in case()) {
        let plan = plan(&info, &wants);
        let total: u64 = plan.works.iter().map(|work| cost(&info, &work.operation)).sum();
        let each = wants.iter().filter_map(|want| fit(&info, want).ok());
        prop_assert!(total <= each.map(|fit| cost(&info, &fit.operation)).sum());
        for from in plan.works.iter().filter(|work| cost(&info, &work.operation) > 0) {
            for to in plan.works.iter().filter(|work| work.operation != from.operation) {
                let all = from.wants.iter().all(|want| {
                    let own = fit(&info, &wants[*want]).map(|fit| fit.operation);
                    own.is_ok_and(|own| accepts(&info, wants[*want].profile, &own, &to.operation))
                });
                prop_assert!(!all, "{:?} could have been {:?}", from.operation, to.operation);
            }
        }
    }

    #[test]
    fn no_operation_is_done_twice_and_each_target_is_served_once((info, wants) in case()) {
        let plan = plan(&info, &wants);
        let mut served: Vec<usize> = plan.works.iter().flat_map(|work| work.wants.clone()).collect();
        served.sort_unstable();
        let met: Vec<usize> = (0..wants.len()).filter(|index| plan.fits[*index].is_ok()).collect();
        prop_assert_eq!(served, met);
        for (index, work) in plan.works.iter().enumerate() {
            prop_assert!(plan.works[..index].iter().all(|other| other.operation != work.operation));
        }
    }

    #[test]
    fn nothing_is_enlarged_beyond_twice_its_size((info, wants) in case()) {
        for want in &wants {
            let Ok(fit) = fit(&info, want) else { continue };
            if fit.effort() == Effort::Transcode && fit.framing == Framing::Whole {
                // Two more pixels for rounding to whole steps.
                prop_assert!(fit.width <= 2 * info.width + 2 && fit.height <= 2 * info.height + 2, "{:?}", fit);
            }
        }
    }

    #[test]
    fn a_file_without_violations_in_a_fitting_shape_is_never_touched((info, wants) in case()) {
        for want in &wants {
            let Ok(fit) = fit(&info, want) else { continue };
            if violations(&info, want.profile).is_empty() && fit.framing == Framing::Whole {
                prop_assert_eq!(fit.operation, Operation::Passthrough);
            }
        }
    }
}
