//! Real files, one line each: what every profile makes of them.

use crate::media_info::{ImageFacts, MediaInfo};
use crate::operation::{AudioOutput, Framing, Operation};
use crate::plan::{Fit, Overrides, Want, fit, plan};
use crate::problem::Problem;
use crate::profile::{Profile, profile};
use crate::samples::{conforming, photo, sized, with_video};

pub(super) fn row(name: &str) -> &'static Profile {
    profile(name).unwrap_or_else(|| panic!("{name} is no profile"))
}

fn planned(info: &MediaInfo, name: &str) -> Result<Fit, Problem> {
    fit(info, &Want::new(row(name)))
}

/// One word for a fit: what it costs, and of an encode the shape, size, rate, cap and sound.
pub(super) fn told(fit: &Result<Fit, Problem>) -> String {
    let fit = match fit {
        Ok(fit) => fit,
        Err(problem) => return problem.code.clone(),
    };
    match &fit.operation {
        Operation::Passthrough => "passthrough".to_owned(),
        Operation::Remux { .. } => "remux".to_owned(),
        Operation::Image(image) => {
            format!("jpeg {} {}x{}", framing(fit.framing), image.width, image.height)
        }
        Operation::Video(output) => match &output.video {
            None => format!("copy + {}", sound(&output.audio)),
            Some(video) => format!(
                "{} {}x{} {}/{} L{} {}k {}",
                framing(fit.framing),
                video.width,
                video.height,
                video.frame_rate.0,
                video.frame_rate.1,
                video.level,
                video.max_rate / 1000,
                sound(&output.audio),
            ),
        },
    }
}

fn framing(framing: Framing) -> &'static str {
    match framing {
        Framing::Whole => "whole",
        Framing::Crop => "crop",
        Framing::Pad | Framing::Blur => "pad",
    }
}

fn sound(audio: &AudioOutput) -> &'static str {
    match audio {
        AudioOutput::None => "mute",
        AudioOutput::Copy => "copy",
        AudioOutput::Aac { .. } => "aac",
        AudioOutput::Silent { .. } => "silent",
    }
}

fn upright(info: MediaInfo, codec: &str) -> MediaInfo {
    with_video(info, |video| {
        codec.clone_into(&mut video.codec);
        video.codec_tag = if codec == "hevc" { "hvc1" } else { "avc1" }.to_owned();
    })
}

fn phone_hevc() -> MediaInfo {
    let info = with_video(upright(conforming(), "hevc"), |video| {
        (video.coded_width, video.coded_height, video.rotation) = (1920, 1080, 90);
        video.frame_rate = 29.98;
        video.constant_frame_rate = false;
    });
    MediaInfo { container: "mov".to_owned(), moov_first: false, edit_list: true, has_metadata: true, ..info }
}

fn rate(info: MediaInfo, frame_rate: f64, constant: bool) -> MediaInfo {
    with_video(info, |video| {
        video.frame_rate = frame_rate;
        video.constant_frame_rate = constant;
    })
}

fn mute(info: MediaInfo) -> MediaInfo {
    MediaInfo { audio: None, ..info }
}

pub(super) fn lasting(info: MediaInfo, ms: u64) -> MediaInfo {
    MediaInfo { duration_ms: Some(ms), ..info }
}

/// Plans every case for every one of `names` and compares what is told of the fits.
fn check<const N: usize>(names: [&str; N], cases: Vec<(&str, MediaInfo, [&str; N])>) {
    let mut wrong = Vec::new();
    for (case, info, expected) in cases {
        for (name, expected) in names.into_iter().zip(expected) {
            let got = told(&planned(&info, name));
            if got != expected {
                wrong.push(format!("{case} for {name}: {got}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

const VIDEO_ROWS: [&str; 3] = ["instagram.reel", "telegram.video", "tiktok.video"];

#[test]
fn streams_are_copied_where_the_network_takes_them() {
    let loud = || {
        let mut info = conforming();
        if let Some(audio) = &mut info.audio {
            audio.bit_rate = 256_000;
        }
        info
    };
    check(
        VIDEO_ROWS,
        vec![
            ("conforming", conforming(), ["passthrough"; 3]),
            (
                "index behind, edit list",
                MediaInfo { moov_first: false, edit_list: true, ..conforming() },
                ["remux", "remux", "passthrough"],
            ),
            ("with the place in it", MediaInfo { has_metadata: true, ..conforming() }, ["remux"; 3]),
            ("data tracks", MediaInfo { other_streams: 3, ..conforming() }, ["remux"; 3]),
            ("loud sound", loud(), ["copy + aac", "passthrough", "passthrough"]),
            ("rotated phone HEVC", phone_hevc(), ["whole 1080x1920 30000/1001 L40 6000k copy"; 3]),
            (
                "upright HEVC in MP4",
                upright(conforming(), "hevc"),
                ["passthrough", "whole 1080x1920 30/1 L40 6000k copy", "passthrough"],
            ),
            (
                "hev1",
                with_video(upright(conforming(), "hevc"), |v| v.codec_tag = "hev1".into()),
                ["remux", "whole 1080x1920 30/1 L40 6000k copy", "remux"],
            ),
        ],
    );
}

#[test]
fn shapes_sizes_and_rates_become_what_each_network_takes() {
    let landscape = || sized(conforming(), 1920, 1080);
    check(
        VIDEO_ROWS,
        vec![
            ("landscape", landscape(), ["pad 1080x1920 30/1 L40 6000k copy", "passthrough", "passthrough"]),
            (
                "4:5",
                sized(conforming(), 1080, 1350),
                ["crop 756x1344 30/1 L32 6000k copy", "passthrough", "passthrough"],
            ),
            (
                "4:3",
                sized(conforming(), 1440, 1080),
                ["pad 1080x1920 30/1 L40 6000k copy", "passthrough", "passthrough"],
            ),
            (
                "screen recording of a phone",
                sized(rate(conforming(), 47.3, false), 886, 1920),
                ["crop 882x1568 50/1 L42 6000k copy", "passthrough", "passthrough"],
            ),
            (
                "screen recording of a desktop",
                sized(mute(rate(conforming(), 7.22, false)), 3026, 1386),
                ["pad 1080x1920 30/1 L40 6000k mute", "passthrough", "whole 1920x880 30/1 L40 6000k mute"],
            ),
            (
                "4K at 60",
                sized(rate(conforming(), 60.0, true), 2160, 3840),
                ["whole 1080x1920 60/1 L42 6000k copy", "passthrough", "passthrough"],
            ),
            (
                "slow motion",
                rate(conforming(), 119.88, true),
                [
                    "whole 1080x1920 60000/1001 L42 6000k copy",
                    "passthrough",
                    "whole 1080x1920 60000/1001 L42 6000k copy",
                ],
            ),
            (
                "a little over 60",
                rate(conforming(), 60.06, true),
                ["whole 1080x1920 60/1 L42 6000k copy", "passthrough", "whole 1080x1920 60/1 L42 6000k copy"],
            ),
            ("film", rate(conforming(), 23.976, true), ["passthrough"; 3]),
            (
                "tiny",
                sized(mute(conforming()), 161, 121),
                ["pad 144x256 30/1 L30 6000k mute", "passthrough", "media.too_small"],
            ),
            (
                "small and portrait",
                sized(conforming(), 200, 360),
                ["passthrough", "passthrough", "whole 360x648 30/1 L30 6000k copy"],
            ),
        ],
    );
}

#[test]
fn durations_and_byte_limits_decide_what_can_be_sent() {
    check(
        VIDEO_ROWS,
        vec![
            ("0.2 s", lasting(conforming(), 200), ["media.too_short", "passthrough", "passthrough"]),
            ("six minutes", lasting(conforming(), 362_767), ["passthrough"; 3]),
            (
                "eleven minutes",
                lasting(conforming(), 660_000),
                ["passthrough", "passthrough", "media.too_long"],
            ),
            (
                "five hours",
                lasting(conforming(), 18_000_000),
                ["media.too_long", "passthrough", "media.too_long"],
            ),
            (
                "five heavy hours",
                MediaInfo { bytes: 3_000_000_000, ..lasting(conforming(), 18_000_000) },
                ["media.too_long", "media.too_long", "media.too_long"],
            ),
            (
                "five heavy minutes",
                MediaInfo { bytes: 200_000_000, ..lasting(conforming(), 300_000) },
                ["passthrough", "whole 720x1280 30/1 L31 1146k copy", "passthrough"],
            ),
            (
                "hidden beginning",
                MediaInfo { edit_list: true, edit_list_trims: true, ..conforming() },
                ["whole 1080x1920 30/1 L40 6000k aac", "passthrough", "passthrough"],
            ),
            (
                "hidden beginning and a place",
                MediaInfo { edit_list: true, edit_list_trims: true, has_metadata: true, ..conforming() },
                ["whole 1080x1920 30/1 L40 6000k aac"; 3],
            ),
        ],
    );
}

pub(super) fn image(width: u32, height: u32) -> MediaInfo {
    MediaInfo { width, height, ..photo() }
}

fn facts(info: MediaInfo, change: impl FnOnce(&mut ImageFacts)) -> MediaInfo {
    let mut info = info;
    if let Some(image) = &mut info.image {
        change(image);
    }
    info
}

#[test]
fn real_images_become_what_each_network_takes() {
    check(
        ["instagram.photo", "telegram.photo"],
        vec![
            ("conforming", photo(), ["passthrough"; 2]),
            (
                "phone, 3:4 with a place",
                MediaInfo { has_metadata: true, ..image(3024, 4032) },
                ["jpeg crop 1440x1800", "jpeg whole 1920x2560"],
            ),
            ("turned", facts(image(1200, 1500), |image| image.orientation = 6), ["jpeg whole 1200x1500"; 2]),
            (
                "gain map behind",
                facts(image(1000, 1000), |image| image.trailing_data = true),
                ["jpeg whole 1000x1000"; 2],
            ),
            ("9:16", image(1080, 1920), ["jpeg pad 1440x1800", "passthrough"]),
            ("panorama", image(6000, 1500), ["jpeg pad 1440x754", "passthrough"]),
            ("enormous panorama", image(30_000, 1000), ["jpeg pad 1440x754", "jpeg pad 2560x128"]),
            (
                "PNG",
                MediaInfo { container: "png".into(), ..image(900, 600) },
                ["jpeg whole 900x600", "passthrough"],
            ),
            (
                "transparent PNG",
                facts(MediaInfo { container: "png".into(), ..image(1024, 768) }, |image| {
                    image.has_alpha = true
                }),
                ["jpeg whole 1024x768"; 2],
            ),
            ("Display P3", facts(photo(), |image| image.srgb = false), ["jpeg whole 1080x1350"; 2]),
            (
                "for print",
                facts(photo(), |image| image.color_model = "cmyk".into()),
                ["jpeg whole 1080x1350"; 2],
            ),
            ("small", image(200, 200), ["jpeg whole 320x320", "passthrough"]),
            ("rounded back into the range", image(1003, 300), ["jpeg pad 1003x526", "passthrough"]),
            ("tiny", image(8, 8), ["media.too_small", "passthrough"]),
            ("a line", image(1000, 1), ["jpeg pad 1000x524", "jpeg pad 1000x50"]),
        ],
    );
}

#[test]
fn a_persons_framing_wins_where_the_network_allows_it() {
    let landscape = sized(conforming(), 1920, 1080);
    let asked = |framing| told(&fit(&landscape, &Want { framing, ..Want::new(row("instagram.reel")) }));
    assert_eq!(asked(None), "pad 1080x1920 30/1 L40 6000k copy");
    assert_eq!(asked(Some(Framing::Crop)), "crop 594x1056 30/1 L31 6000k copy");
    assert_eq!(asked(Some(Framing::Whole)), "passthrough");
    let wide = image(3000, 1000);
    let photo = fit(&wide, &Want { framing: Some(Framing::Whole), ..Want::new(row("instagram.photo")) });
    assert_eq!(told(&photo), "jpeg pad 1440x754", "what the network refuses whole gets borders");
}

#[test]
fn one_master_serves_all_networks() {
    let wants = ["instagram.reel", "telegram.video", "tiktok.video"].map(|name| Want::new(row(name)));
    let plan = plan(&phone_hevc(), &wants);
    assert_eq!(plan.works.len(), 1);
    assert_eq!(plan.works[0].wants, [0, 1, 2]);
}

#[test]
fn reasons_are_sentences_for_people() {
    let reasons = planned(&sized(conforming(), 1440, 1080), "instagram.reel").map(|fit| fit.reasons);
    assert_eq!(reasons, Ok(vec!["Given borders, from 4:3 to 9:16: a reel fills the screen.".to_owned()]));
    let crop = Want { framing: Some(Framing::Crop), ..Want::new(row("instagram.reel")) };
    let reasons = fit(&sized(conforming(), 1440, 1080), &crop).map(|fit| fit.reasons);
    assert_eq!(reasons, Ok(vec!["Cut from 4:3 to 9:16: a reel fills the screen.".to_owned()]));
    let hevc = planned(&upright(conforming(), "hevc"), "telegram.video").map(|fit| fit.reasons);
    assert_eq!(hevc, Ok(vec!["Its video is HEVC: Telegram takes H.264.".to_owned()]));
    let long = planned(&lasting(conforming(), 660_000), "tiktok.video").map_err(|problem| problem.message);
    assert_eq!(
        long.err().as_deref(),
        Some(
            "It is 11 min long and TikTok takes at most 10 min here. Choose a shorter video, or let it be cut."
        )
    );
}

#[test]
fn an_account_may_be_stricter_than_its_network_and_never_laxer() {
    let with = |max, duration| {
        let overrides = Overrides { max_duration_ms: Some(max) };
        fit(&lasting(conforming(), duration), &Want { overrides, ..Want::new(row("tiktok.video")) })
    };
    let message = |fit: Result<Fit, Problem>| fit.err().map(|problem| problem.message).unwrap_or_default();
    let account = message(with(60_000, 100_000));
    assert_eq!(
        account,
        "It is 100 s long and this account may post at most 60 s on TikTok. Choose a shorter video or another account, or let it be cut."
    );
    assert_eq!(told(&with(100_000, 100_000)), "passthrough", "the limit itself is allowed");
    assert_eq!(told(&with(3_600_000, 100_000)), "passthrough");
    let network = message(with(3_600_000, 700_000));
    assert!(network.contains("TikTok takes at most 10 min"), "{network}");
}

#[test]
fn a_profile_of_another_kind_is_a_problem_and_not_a_guess() {
    for (info, name) in
        [(photo(), "instagram.reel"), (conforming(), "telegram.photo"), (photo(), "telegram.album")]
    {
        assert_eq!(told(&planned(&info, name)), "media.unsupported_kind");
    }
}
