//! What moves is a video: told from stills by its frames, judged by its times before any is decoded, and
//! made into an MP4 that shows them when they are due.

use domain::engine::InputLimits;
use domain::operation::{AudioOutput, Framing, Operation};
use domain::platform::MediaKind;

use crate::harness::{Scratch, corpus, encode, ffmpeg_pipe, outcomes, video};

/// File, container, size, frames, ms, pixel format.
type Animation = (&'static str, &'static str, (u32, u32), u64, u64, &'static str);

#[rustfmt::skip]
const ANIMATIONS: &[Animation] = &[
    ("images/demo-animated.gif", "gif", (978, 720), 125, 7890, "rgba"),
    ("images/animated-alpha.webp", "webp", (80, 80), 9, 900, "rgba"),
    ("images/animated-apng.png", "png", (100, 100), 20, 1500, "rgba"),
];

#[test]
fn animations_are_videos_with_facts() {
    for (name, container, size, frames, ms, pixels) in ANIMATIONS {
        let probed =
            Scratch::with(&corpus(name)).probe().unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
        let info = probed.info;
        let video = info.video.as_ref().unwrap();
        assert_eq!((info.kind, info.container.as_str()), (MediaKind::Video, *container), "{name}");
        assert_eq!((info.width, info.height), *size, "{name}");
        assert_eq!((video.frames, info.duration_ms), (*frames, Some(*ms)), "{name}");
        assert_eq!((video.codec.as_str(), video.pixel_format.as_str()), (*container, *pixels), "{name}");
        assert!(info.image.is_none() && info.audio.is_none(), "{name}");
        assert!(probed.thumbnail.is_some() && probed.placeholder.is_some(), "{name}");
    }
}

#[test]
fn an_animation_becomes_an_mp4_as_long_as_itself() {
    for (name, _, (width, height), _, ms, _) in ANIMATIONS {
        let scratch = Scratch::with(&corpus(name));
        let silent = AudioOutput::Silent { bit_rate: 128_000 };
        let events = scratch.run(vec![
            (
                "whole",
                video(encode(width / 2 * 2, height / 2 * 2, Framing::Whole, (30, 1)), AudioOutput::None),
            ),
            ("pad", video(encode(360, 640, Framing::Pad, (30, 1)), silent)),
            ("same", Operation::Passthrough),
            ("copy", Operation::Remux { drop_audio: false }),
        ]);
        for (output, made) in outcomes(&events) {
            if output == "copy" {
                assert_eq!(made.unwrap_err().code, "media.bad_request", "{name}");
                continue;
            }
            let (info, _) = made.unwrap_or_else(|problem| panic!("{name} {output}: {problem:?}"));
            let off = info.duration_ms.unwrap().abs_diff(*ms);
            assert!(off <= 34, "{name} {output}: {off} ms");
            assert_eq!(info.container == "mp4", output != "same", "{name} {output}");
        }
    }
}

/// A GIF of 4 × 4 pixels: each frame has a colour of its own and a delay in hundredths of a second.
fn gif(frames: &[(u8, u16)]) -> Vec<u8> {
    let mut bytes = b"GIF89a\x04\0\x04\0\xf1\0\0".to_vec();
    // Black, red, green, blue.
    bytes.extend([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]);
    for (colour, delay) in frames {
        bytes.extend([0x21, 0xf9, 4, 0]);
        bytes.extend(delay.to_le_bytes());
        bytes.extend([0, 0, 0x2c, 0, 0, 0, 0, 4, 0, 4, 0, 0, 2]);
        // Sixteen times the colour, in codes of three bits with a reset before each pair.
        let codes = std::iter::repeat_n([4, *colour, *colour], 8).flatten().chain([5]);
        let mut packed = codes.enumerate().fold(vec![0u8; 10], |mut packed, (index, code)| {
            for bit in 0..3 {
                packed[(index * 3 + bit) / 8] |= (code >> bit & 1) << ((index * 3 + bit) % 8);
            }
            packed
        });
        packed.insert(0, 10);
        packed.push(0);
        bytes.extend(packed);
    }
    bytes.push(0x3b);
    bytes
}

#[test]
fn frames_are_shown_when_they_are_due() {
    let scratch = Scratch::new();
    // Red for half a second, green for "as fast as you can", which is a tenth; blue for a second.
    scratch.put("source", &gif(&[(1, 50), (2, 1), (3, 100)]));
    let info = scratch.probe().unwrap().info;
    assert_eq!((info.duration_ms, info.video.unwrap().frames), (Some(1600), 3));
    scratch
        .make(video(encode(64, 64, Framing::Whole, (20, 1)), AudioOutput::None))
        .unwrap_or_else(|problem| panic!("{problem:?}"));
    let out = scratch.path("out");
    let pixels =
        ffmpeg_pipe(&format!("-i {} -vf crop=2:2:32:32,scale=1:1 -f rawvideo -pix_fmt rgb24", out.display()));
    let shown: Vec<char> = pixels
        .chunks_exact(3)
        .map(|rgb| match rgb.iter().enumerate().max_by_key(|(_, light)| **light) {
            Some((0, _)) => 'r',
            Some((1, _)) => 'g',
            _ => 'b',
        })
        .collect();
    assert_eq!(shown.iter().collect::<String>(), "rrrrrrrrrrggbbbbbbbbbbbbbbbbbbbb");
}

#[test]
fn one_frame_is_a_still() {
    let scratch = Scratch::new();
    scratch.put("source", &gif(&[(1, 50)]));
    let info = scratch.probe().unwrap().info;
    assert_eq!((info.kind, info.container.as_str(), info.duration_ms), (MediaKind::Image, "gif", None));
    // A WebP that says that it moves, and holds one frame.
    let moving = std::fs::read(corpus("images/animated-alpha.webp")).unwrap();
    let first = moving.windows(4).position(|kind| kind == b"ANMF").unwrap();
    let length = u32::from_le_bytes(moving[first + 4..first + 8].try_into().unwrap());
    let mut one = moving[..first + 8 + usize::try_from(length).unwrap()].to_vec();
    let riff = u32::try_from(one.len() - 8).unwrap();
    one[4..8].copy_from_slice(&riff.to_le_bytes());
    let scratch = Scratch::new();
    scratch.put("source", &one);
    let info = scratch.probe().unwrap().info;
    assert_eq!((info.kind, info.width), (MediaKind::Image, 80));
    assert!(info.image.unwrap().has_alpha);
}

#[test]
fn animations_that_are_too_much_are_refused_before_a_frame_is_decoded() {
    let probe = |bytes: &[u8]| {
        let scratch = Scratch::new();
        scratch.put("source", bytes);
        let problem = scratch.probe().unwrap_err();
        assert_eq!(scratch.names(), ["source"]);
        problem.code
    };
    // A million frames, each for a tenth of a second.
    assert_eq!(probe(&gif(&vec![(1, 0); 1_000_000])), "media.too_long");
    // Few and short, on a canvas of 60 megapixels.
    let mut large = gif(&vec![(1, 2); 200]);
    large[6..10].copy_from_slice(&[0x60, 0x1e, 0x60, 0x1e]);
    assert_eq!(probe(&large), "media.too_long");
    large[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(probe(&large), "media.too_large");
    let scratch = Scratch::with(&corpus("images/demo-animated.gif"));
    let few = InputLimits { frames: 124, ..InputLimits::default() };
    assert_eq!(scratch.probe_within(few).unwrap_err().code, "media.too_long");
    let short = InputLimits { duration_ms: 7889, ..InputLimits::default() };
    assert_eq!(scratch.probe_within(short).unwrap_err().code, "media.too_long");
}

#[test]
fn animations_that_are_cut_off_or_lie_are_refused() {
    for (name, ..) in ANIMATIONS {
        let whole = std::fs::read(corpus(name)).unwrap();
        let scratch = Scratch::new();
        scratch.put("source", &whole[..whole.len() * 2 / 3]);
        assert_eq!(scratch.probe().unwrap_err().code, "media.truncated", "{name}");
    }
    // Frames that claim to be larger than the canvas.
    let mut lies = std::fs::read(corpus("images/animated-alpha.webp")).unwrap();
    let frame = lies.windows(4).position(|kind| kind == b"ANMF").unwrap();
    lies[frame + 14..frame + 17].copy_from_slice(&[0xff, 0x3f, 0]);
    let scratch = Scratch::new();
    scratch.put("source", &lies);
    assert_eq!(scratch.probe().unwrap_err().code, "media.unreadable");
}
