//! Files that mean harm, are damaged, or are too much: each is refused with its reason, nothing is
//! left behind, and nobody is called.

use std::fs;

use domain::engine::InputLimits;

use crate::canary::Canary;
use crate::harness::{Scratch, corpus};

/// Every file of the folder, and the code of its refusal; `None` for what is harmless after all.
pub const NASTY: &[(&str, Option<&str>)] = &[
    ("bomb-65536x65536.png", Some("media.too_large")),
    ("clusterfuzz-mp4.mp4", Some("media.unreadable")),
    ("external-refs.svg", Some("media.unsupported_format")),
    ("ffconcat-as.mp4", Some("media.unsupported_format")),
    ("hls-passwd-as.mp4", Some("media.unsupported_format")),
    ("hls-playlist-as.mp4", Some("media.unsupported_format")),
    ("jpeg-named-tiff.tiff", None),
    ("mdat-too-long.mp4", None),
    ("moov-points-past-eof.mp4", Some("media.truncated")),
    ("motionphoto-jpeg+mp4.jpg", Some("media.truncated")),
    ("polyglot-jpeg+zip.jpg", None),
    ("stsc-chunk-out-of-range.mp4", Some("media.unreadable")),
    ("truncated.jpg", Some("media.truncated")),
    ("zero-byte.heic", Some("media.empty")),
];

#[test]
fn every_nasty_file_is_answered() {
    let canary = Canary::laid_out();
    for (name, code) in NASTY {
        let scratch = Scratch::with(&corpus(&format!("nasty/{name}")));
        let probed = scratch.probe();
        assert_eq!(probed.as_ref().err().map(|problem| problem.code.as_str()), *code, "{name}: {probed:?}");
        if code.is_some() {
            assert_eq!(scratch.names(), ["source"], "{name}");
        }
    }
    assert!(canary.is_untouched(), "somebody followed the playlist");
    let mut listed: Vec<_> = NASTY.iter().map(|(name, _)| (*name).to_owned()).collect();
    let folder = corpus("nasty");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    listed.sort();
    found.sort();
    assert_eq!(listed, found);
}

#[test]
fn formats_for_later_are_named() {
    for (format, codecs, word) in [("flv", "-c:v flv1", "FLV"), ("asf", "-c:v wmv2", "Windows Media")] {
        let clip = format!("-f lavfi -i testsrc=s=64x64:r=25:d=0.2 {codecs}");
        let problem = Scratch::made_by_ffmpeg(format, &clip).probe().unwrap_err();
        assert_eq!(problem.code, "media.unsupported_format", "{word}");
        assert!(problem.message.starts_with(&format!("{word} is not supported yet. Upload")), "{problem:?}");
    }
}

#[test]
fn a_cut_off_video_is_told_from_a_broken_one() {
    let index_first = fs::read(corpus("video/flower-540p-h264.mp4")).unwrap();
    let index_last = fs::read(corpus("video/phone-london-17s-360p.mp4")).unwrap();
    let matroska = fs::read(corpus("video/bbb-30s-720p-vp8.webm")).unwrap();
    for whole in [index_first, index_last, matroska] {
        let scratch = Scratch::new();
        scratch.put("source", &whole[..whole.len() / 2]);
        assert_eq!(scratch.probe().unwrap_err().code, "media.truncated");
    }
    let scratch = Scratch::new();
    scratch.put("source", b"\0\0\0\x18ftypmp42 and then words, words, words, and no more boxes at all");
    assert_eq!(scratch.probe().unwrap_err().code, "media.unreadable");
}

#[test]
fn text_called_a_video_is_no_video() {
    let scratch = Scratch::new();
    scratch.put("source", b"Dear diary, today I renamed a file.");
    assert_eq!(scratch.probe().unwrap_err().code, "media.unsupported_format");
}

#[test]
fn sound_alone_is_no_video() {
    for format in ["mp4", "wav", "mp3", "matroska"] {
        let scratch = Scratch::made_by_ffmpeg(format, "-f lavfi -i sine=d=1");
        assert_eq!(scratch.probe().unwrap_err().code, "media.no_video", "{format}");
    }
}

#[test]
fn very_short_and_very_long_videos() {
    let short = Scratch::made_by_ffmpeg("mp4", "-f lavfi -i testsrc=s=64x64:r=25:d=0.2");
    assert_eq!(short.probe().unwrap().info.duration_ms, Some(200));
    let long = Scratch::made_by_ffmpeg("mp4", "-f lavfi -i color=s=16x16:r=1/5:d=18000 -preset ultrafast");
    assert_eq!(long.probe().unwrap_err().code, "media.too_long");
}

#[test]
fn limits_of_the_request_hold() {
    let scratch = Scratch::with(&corpus("video/flower-540p-h264.mp4"));
    let free = InputLimits::default;
    for (limits, code) in [
        (InputLimits { pixels: 960 * 540 - 1, ..free() }, "media.too_large"),
        (InputLimits { side: 959, ..free() }, "media.too_large"),
        (InputLimits { bytes: 1_000_000, ..free() }, "media.too_large"),
        (InputLimits { duration_ms: 5_000, ..free() }, "media.too_long"),
        (InputLimits { frames: 149, ..free() }, "media.too_long"),
        (InputLimits { streams: 1, ..free() }, "media.unsupported_format"),
    ] {
        assert_eq!(scratch.probe_within(limits.clone()).unwrap_err().code, code, "{limits:?}");
    }
}
