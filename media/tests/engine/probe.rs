//! What is read from good files is what is in them.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::platform::MediaKind;

use crate::harness::{Scratch, corpus};

/// Container, shown size, rotation, frame rate, frames, transfer, audio (codec, channels).
type Facts = (&'static str, u32, u32, u16, f64, u64, &'static str, Option<(&'static str, u32)>);

#[rustfmt::skip]
const VIDEOS: &[(&str, Facts)] = &[
    ("android-1080p-issue102.mp4", ("mp4", 1920, 1080, 0, 30.0, 106, "unknown", Some(("aac", 2)))),
    ("bbb-30s-720p-vp8.webm", ("webm", 1280, 720, 0, 24.0, 720, "unknown", Some(("vorbis", 2)))),
    ("bbb-hevc-1080p-10s-noaudio.mp4", ("mp4", 1920, 1080, 0, 30.0, 300, "unknown", None)),
    ("bear-vp9-161x121.webm", ("webm", 161, 121, 0, 29.96, 30, "unknown", None)),
    ("city-mpeg2-noaudio.mpg", ("mpegps", 720, 405, 0, 25.0, 190, "unknown", None)),
    ("flower-540p-h264.mp4", ("mp4", 960, 540, 0, 29.97, 150, "smpte170m", Some(("aac", 2)))),
    ("fmp4-rot90-51audio.mp4", ("mp4", 1080, 1920, 90, 24.0, 45, "bt709", Some(("aac", 6)))),
    ("gopro-karma-12s.mp4", ("mp4", 854, 480, 0, 29.97, 362, "bt709", Some(("aac", 2)))),
    ("h264-ac3-srt.mkv", ("matroska", 1080, 720, 0, 29.99, 30, "unknown", Some(("ac3", 1)))),
    ("hevc-1080p-10s.mp4", ("mp4", 1920, 1080, 0, 30.0, 300, "unknown", Some(("aac", 2)))),
    ("iphone-dolbyvision-hdr-rot90.MOV", ("mov", 720, 1280, 90, 30.0, 4, "arib-std-b67", Some(("aac", 2)))),
    ("iphone-hlg-10bit-editlist-rot90.mp4", ("mov", 1080, 1920, 90, 29.98, 77, "arib-std-b67", Some(("aac", 2)))),
    ("iphone-ios9-h264-rot90.mov", ("mov", 720, 1280, 90, 30.0, 14, "bt709", Some(("aac", 1)))),
    ("mpeg4asp-720p.avi", ("avi", 1280, 720, 0, 30.0, 30, "unknown", None)),
    ("nasa-multistream-13s.mp4", ("mp4", 480, 270, 0, 29.97, 390, "bt709", Some(("aac", 2)))),
    ("one-frame-rot90.mp4", ("mp4", 60, 100, 90, 24.0, 1, "unknown", None)),
    ("phone-4k60-portrait-rot90.mp4", ("mp4", 2160, 3840, 90, 60.06, 18, "smpte170m", Some(("aac", 2)))),
    ("phone-h263-aac8k-mono.3gp", ("3gp", 384, 288, 0, 14.12, 71, "unknown", Some(("aac", 1)))),
    ("phone-london-17s-360p.mp4", ("mp4", 640, 360, 0, 30.01, 512, "bt709", Some(("aac", 2)))),
    ("portrait-720x1080-h264-aac.mp4", ("mp4", 720, 1080, 0, 29.97, 30, "unknown", Some(("aac", 1)))),
    ("portrait-720x1280-av1-hdr10.mp4", ("mp4", 720, 1280, 0, 29.97, 127, "smpte2084", Some(("aac", 2)))),
    ("rot180-720p-5s.mp4", ("mp4", 1280, 720, 180, 29.97, 149, "bt709", Some(("aac", 2)))),
    ("screenrec-vfr-3026x1386.mp4", ("mp4", 3026, 1386, 0, 8.66, 63, "bt709", None)),
    ("six-minutes-1080p-lowbitrate.mp4", ("mp4", 1920, 1080, 0, 30.0, 10_883, "unknown", Some(("aac", 2)))),
];

#[test]
fn every_video_has_its_facts() {
    for (name, facts) in VIDEOS {
        let scratch = Scratch::with(&corpus(&format!("video/{name}")));
        let probed = scratch.probe().unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
        let info = probed.info;
        let video = info.video.as_ref().unwrap();
        let audio = info.audio.as_ref();
        let (container, width, height, rotation, rate, frames, transfer, sound) = *facts;
        assert_eq!(info.kind, MediaKind::Video, "{name}");
        assert_eq!((info.container.as_str(), info.width, info.height), (container, width, height), "{name}");
        assert_eq!((video.rotation, video.frames), (rotation, frames), "{name}");
        assert!((video.frame_rate - rate).abs() < 0.01, "{name}: {}", video.frame_rate);
        assert_eq!(video.color_transfer, transfer, "{name}");
        assert_eq!(audio.map(|audio| (audio.codec.as_str(), audio.channels)), sound, "{name}");
        assert!(probed.placeholder.is_some(), "{name}");
        let thumbnail = probed.thumbnail.unwrap();
        assert!(thumbnail.width.max(thumbnail.height) <= 640, "{name}: {thumbnail:?}");
        assert_eq!(thumbnail.width > thumbnail.height, width > height, "{name}: {thumbnail:?}");
        let written = turbojpeg::read_header(&fs::read(scratch.path("thumbnail.jpg")).unwrap()).unwrap();
        assert_eq!(
            (written.width, written.height),
            (thumbnail.width as usize, thumbnail.height as usize),
            "{name}"
        );
    }
    assert_eq!(VIDEOS.len(), fs::read_dir(corpus("video")).unwrap().count());
}

#[test]
fn traits_that_decide_a_plan() {
    let info = |name: &str| Scratch::with(&corpus(&format!("video/{name}"))).probe().unwrap().info;
    let hlg = info("iphone-hlg-10bit-editlist-rot90.mp4");
    assert!(hlg.edit_list && hlg.edit_list_trims && hlg.moov_first);
    assert!(hlg.video.as_ref().unwrap().is_hdr());
    assert_eq!(hlg.other_streams, 2);
    let gopro = info("gopro-karma-12s.mp4");
    assert_eq!(gopro.video.as_ref().unwrap().color_range, "pc");
    assert_eq!((gopro.other_streams, gopro.moov_first, gopro.edit_list_trims), (3, false, false));
    let fragmented = info("fmp4-rot90-51audio.mp4");
    assert!(fragmented.fragmented && fragmented.moov_first && !fragmented.edit_list);
    let screen = info("screenrec-vfr-3026x1386.mp4");
    assert!(!screen.video.unwrap().constant_frame_rate);
    let flower = info("flower-540p-h264.mp4");
    let video = flower.video.unwrap();
    assert!(video.constant_frame_rate && video.closed_gop && flower.moov_first && flower.edit_list);
    assert_eq!((video.gop_ms_max, flower.duration_ms), (Some(3003), Some(5055)));
    assert_eq!(
        (video.profile.as_deref(), video.level, video.codec_tag.as_str()),
        (Some("High"), Some(31), "avc1")
    );
    assert!(info("iphone-ios9-h264-rot90.mov").has_metadata);
}

#[test]
fn interlace_mirror_and_open_groups_are_seen() {
    let clip = "-f lavfi -i testsrc=s=320x240:r=25:d=2";
    let interlaced = Scratch::made_by_ffmpeg(
        "mp4",
        &format!("{clip} -vf setfield=tff -flags +ilme+ildct -x264-params tff=1"),
    );
    assert!(interlaced.probe().unwrap().info.video.unwrap().interlaced);
    let open =
        Scratch::made_by_ffmpeg("mp4", &format!("{clip} -g 10 -x264-params open-gop=1:bframes=2:scenecut=0"));
    assert!(!open.probe().unwrap().info.video.unwrap().closed_gop);
    let closed = Scratch::made_by_ffmpeg("mp4", &format!("{clip} -g 10 -bf 2"));
    assert!(closed.probe().unwrap().info.video.unwrap().closed_gop);
}

/// Size after orientation, orientation, alpha, sRGB, model, bits, trailing data.
type Photo = (u32, u32, u8, bool, bool, &'static str, u8, bool);

const PHOTOS: &[(&str, Photo)] = &[
    ("alpha-1024x768.png", (1024, 768, 1, true, true, "rgb", 8, false)),
    ("cmyk-noprofile.jpg", (500, 333, 1, false, true, "cmyk", 8, false)),
    ("display-p3-tiny.png", (8, 8, 1, true, false, "rgb", 8, false)),
    ("sofa-grid.avif", (1024, 770, 1, false, true, "rgb", 8, false)),
    ("iphone8plus-p3.heic", (3024, 4032, 1, false, false, "rgb", 8, false)),
    ("exif-orient-5.jpg", (1200, 1800, 5, false, true, "rgb", 8, false)),
    ("exif-orient-6.jpg", (1800, 1200, 6, false, true, "rgb", 8, false)),
    ("exif-orient-8.jpg", (1200, 1800, 8, false, true, "rgb", 8, false)),
    ("pixel8-ultrahdr-3072x4080.jpg", (3072, 4080, 1, false, true, "rgb", 8, true)),
    ("progressive.jpg", (650, 470, 1, false, true, "rgb", 8, false)),
    ("rgb16.png", (900, 600, 1, false, true, "rgb", 16, false)),
    ("rgb16.tiff", (157, 151, 1, false, true, "rgb", 16, false)),
    ("rgba32.bmp", (127, 64, 1, true, true, "rgb", 8, false)),
];

#[test]
fn every_photo_has_its_facts() {
    for (name, facts) in PHOTOS {
        let probed = Scratch::with(&corpus(&format!("images/{name}"))).probe().unwrap();
        let info = probed.info;
        let image = info.image.unwrap();
        let read = (
            info.width,
            info.height,
            image.orientation,
            image.has_alpha,
            image.srgb,
            image.color_model.as_str(),
            image.bits_per_channel,
            image.trailing_data,
        );
        assert_eq!(read, *facts, "{name}");
        assert_eq!((info.kind, info.duration_ms), (MediaKind::Image, None), "{name}");
        assert!(probed.thumbnail.is_some() && probed.placeholder.is_some(), "{name}");
    }
}

/// Of a photo and of a video: what it shows, shown by someone else's decoder of the hash.
#[test]
fn a_placeholder_has_the_shape_and_the_colour_of_the_picture() {
    let hash = |scratch: &Scratch| STANDARD.decode(scratch.probe().unwrap().placeholder.unwrap()).unwrap();
    for (format, picture) in [("image2", "-frames:v 1 -c:v png"), ("mp4", "-pix_fmt yuv420p")] {
        let scratch = Scratch::made_by_ffmpeg(
            format,
            &format!("-f lavfi -i color=0x2050c0:s=400x200:r=5:d=2 {picture}"),
        );
        let hash = hash(&scratch);
        assert!(hash.len() <= 30, "{format}: {} bytes", hash.len());
        let (red, green, blue, alpha) = thumbhash::thumb_hash_to_average_rgba(&hash).unwrap();
        for (shown, wanted) in [(red, 0x20u8), (green, 0x50), (blue, 0xc0)] {
            assert!((shown * 255.0 - f32::from(wanted)).abs() < 12.0, "{format}: {red} {green} {blue}");
        }
        assert!(alpha > 0.99);
        let shape = thumbhash::thumb_hash_to_approximate_aspect_ratio(&hash).unwrap();
        assert!((1.6..2.4).contains(&shape), "{format}: {shape}");
    }
    let (.., alpha) =
        thumbhash::thumb_hash_to_average_rgba(&hash(&Scratch::with(&corpus("images/alpha-1024x768.png"))))
            .unwrap();
    assert!(alpha < 0.95, "{alpha}");
}

#[test]
fn the_hash_is_of_the_whole_file() {
    let probed = Scratch::with(&corpus("video/flower-540p-h264.mp4")).probe().unwrap();
    assert_eq!(probed.sha256, "0cd83d944a6ca7822b4a8306cecc60a36e859b041f6702c6a1ad9ead78924451");
}
