//! One defect at a time: each is found, named by its field, and nothing else is.

use super::*;
use crate::profile::profile;
use crate::samples::{conforming, photo, sized, with_video};

fn fields(info: &MediaInfo, row: &str) -> Vec<&'static str> {
    let Some(row) = profile(row) else { panic!("{row} is no profile") };
    violations(info, row).into_iter().map(|violation| violation.field).collect()
}

fn video(change: impl FnOnce(&mut VideoStream)) -> MediaInfo {
    with_video(conforming(), change)
}

fn audio(change: impl FnOnce(&mut AudioStream)) -> MediaInfo {
    let mut info = conforming();
    info.audio.as_mut().map(change);
    info
}

fn image(change: impl FnOnce(&mut ImageFacts)) -> MediaInfo {
    let mut info = photo();
    info.image.as_mut().map(change);
    info
}

#[test]
fn the_samples_have_no_defect() {
    for row in ["instagram.reel", "telegram.video", "tiktok.video", "telegram.album_video"] {
        assert_eq!(fields(&conforming(), row), Vec::<&str>::new(), "{row}");
    }
    for row in ["instagram.photo", "telegram.photo", "instagram.carousel_image", "telegram.album_photo"] {
        assert_eq!(fields(&photo(), row), Vec::<&str>::new(), "{row}");
    }
}

#[test]
fn each_defect_of_a_video_file_is_found() {
    let cases = [
        (MediaInfo { container: "webm".into(), ..conforming() }, "container"),
        (MediaInfo { bytes: 300_000_001, ..conforming() }, "bytes"),
        (MediaInfo { duration_ms: Some(2999), ..conforming() }, "duration"),
        (MediaInfo { duration_ms: Some(900_001), ..conforming() }, "duration"),
        (MediaInfo { duration_ms: None, ..conforming() }, "duration"),
        (MediaInfo { moov_first: false, ..conforming() }, "moov_first"),
        (MediaInfo { edit_list: true, ..conforming() }, "edit_list"),
        (MediaInfo { fragmented: true, ..conforming() }, "fragmented"),
        (MediaInfo { other_streams: 1, ..conforming() }, "other_streams"),
        (MediaInfo { has_metadata: true, ..conforming() }, "metadata"),
        (sized(conforming(), 1922, 1080), "size"),
        (sized(conforming(), 1010, 100), "ratio"),
    ];
    for (info, field) in cases {
        assert_eq!(fields(&info, "instagram.reel"), [field]);
    }
    assert_eq!(fields(&photo(), "instagram.reel"), ["kind"]);
    assert_eq!(fields(&conforming(), "telegram.photo"), ["kind"]);
}

#[test]
fn each_defect_of_a_stream_is_found() {
    let cases = [
        (video(|v| v.codec = "vp9".into()), "codec"),
        (video(|v| v.codec_tag = "hev1".into()), "codec_tag"),
        (video(|v| v.pixel_format = "yuv420p10le".into()), "pixel_format"),
        (video(|v| v.pixel_format = "yuvj420p".into()), "pixel_format"),
        (video(|v| v.color_transfer = "arib-std-b67".into()), "hdr"),
        (video(|v| v.rotation = 90), "rotation"),
        (video(|v| v.damaged = true), "damaged"),
        (video(|v| v.mirrored = true), "rotation"),
        (video(|v| v.sar = (12, 11)), "sar"),
        (video(|v| v.interlaced = true), "interlaced"),
        (video(|v| v.bit_rate = 25_000_001), "bit_rate"),
        (video(|v| v.frame_rate = 22.9), "frame_rate"),
        (video(|v| v.frame_rate = 60.05), "frame_rate"),
        (video(|v| v.closed_gop = false), "closed_gop"),
        (audio(|a| a.codec = "mp3".into()), "audio_codec"),
        (audio(|a| a.profile = Some("HE-AAC".into())), "audio_profile"),
        (audio(|a| a.sample_rate = 96_000), "audio_layout"),
        (audio(|a| a.channels = 6), "audio_layout"),
        (audio(|a| a.bit_rate = 256_000), "audio_bit_rate"),
    ];
    for (info, field) in cases {
        assert_eq!(fields(&info, "instagram.reel"), [field]);
    }
    assert!(fields(&MediaInfo { audio: None, ..conforming() }, "instagram.reel").is_empty());
    assert!(fields(&video(|v| v.frame_rate = 24_000.0 / 1001.0), "instagram.reel").is_empty());
}

#[test]
fn each_defect_of_an_image_is_found() {
    let of_size = |width, height| MediaInfo { width, height, ..photo() };
    let cases = [
        (MediaInfo { container: "png".into(), ..photo() }, "format"),
        (MediaInfo { bytes: 8_000_001, ..photo() }, "bytes"),
        (MediaInfo { has_metadata: true, ..photo() }, "metadata"),
        (of_size(1441, 1441), "size"),
        (of_size(319, 319), "size"),
        (of_size(1000, 1251), "ratio"),
        (of_size(1440, 753), "ratio"),
        (image(|i| i.orientation = 6), "orientation"),
        (image(|i| i.srgb = false), "srgb"),
        (image(|i| i.color_model = "cmyk".into()), "color_model"),
        (image(|i| i.bits_per_channel = 16), "bits"),
        (image(|i| i.has_alpha = true), "alpha"),
        (image(|i| i.animated = true), "animated"),
        (image(|i| i.trailing_data = true), "trailing_data"),
    ];
    for (info, field) in cases {
        assert_eq!(fields(&info, "instagram.photo"), [field]);
    }
    assert_eq!(fields(&of_size(9000, 1001), "telegram.photo"), ["side_sum"]);
    assert!(fields(&of_size(1440, 754), "instagram.photo").is_empty());
}

#[test]
fn figures_are_told_as_people_say_them() {
    assert_eq!(
        [0, 200, 2999, 45_000, 119_000, 120_000, 900_000, 725_000].map(seconds),
        ["0 s", "0.2 s", "2.9 s", "45 s", "119 s", "2 min", "15 min", "12 min 5 s"]
    );
    assert_eq!([1, 50_000_000, 50_000_001].map(megabytes), ["0.1 MB", "50 MB", "50.1 MB"]);
    assert_eq!(names(&["h264".into(), "hevc".into(), "vp8".into()]), "H.264, HEVC or VP8");
}
