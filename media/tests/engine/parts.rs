//! A long video in parts: encoded apart, joined, and the same as if it had been made at one go.

use std::path::Path;

use domain::engine::{Event, InputLimits, JoinRequest, OutputRequest, Request, RunRequest, Span};
use domain::operation::{AudioOutput, Framing, Operation};

use crate::harness::{AAC, Scratch, encode, ffmpeg_pipe, ffprobe, number, outcomes, stream, video};

/// 10 s of a moving picture at an odd rate with jittered times, and a tone.
const SOURCE: &str = "-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=10 -f lavfi -i sine=d=10 \
                      -vf setpts='PTS+if(eq(mod(N,7),3),0.3/30/TB,0)' -fps_mode vfr -g 47 -c:v libx264 -c:a aac";
const RATE: (u32, u32) = (30_000, 1001);
const GOP: u64 = 60;

fn part(scratch: &Scratch, name: &str, span: Span, operation: &Operation) {
    let outputs = vec![OutputRequest { name: name.to_owned(), operation: operation.clone() }];
    let request = RunRequest { span: Some(span), ..RunRequest::new("source", outputs) };
    let made = outcomes(&scratch.ask(&Request::Run(request))).remove(0).1;
    made.unwrap();
}

fn join(scratch: &Scratch, parts: &[&str], operation: Operation) -> Vec<Event> {
    scratch.ask(&Request::Join(JoinRequest {
        source: "source".to_owned(),
        limits: InputLimits::default(),
        parts: parts.iter().map(ToString::to_string).collect(),
        output: OutputRequest { name: "joined".to_owned(), operation },
    }))
}

/// The brightness of every pixel of every frame.
fn frames(file: &Path) -> Vec<Vec<u8>> {
    let raw = ffmpeg_pipe(&format!("-i {} -f rawvideo -pix_fmt gray", file.display()));
    raw.chunks(320 * 180).map(<[u8]>::to_vec).collect()
}

fn difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: u64 = one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

#[test]
fn joined_parts_are_the_video_frame_by_frame() {
    let scratch = Scratch::made_by_ffmpeg("mp4", SOURCE);
    let whole = video(encode(320, 180, Framing::Whole, RATE), AAC);
    let pictures = video(encode(320, 180, Framing::Whole, RATE), AudioOutput::None);
    scratch.make(whole.clone()).unwrap();
    part(&scratch, "a", Span { first: 0, frames: GOP }, &pictures);
    part(&scratch, "b", Span { first: GOP, frames: 2 * GOP }, &pictures);
    part(&scratch, "c", Span { first: 3 * GOP, frames: 10_000 }, &pictures);
    let events = join(&scratch, &["a", "b", "c"], whole);
    let (info, _) = outcomes(&events).remove(0).1.unwrap();

    let (at_once, joined) = (frames(&scratch.path("out")), frames(&scratch.path("joined")));
    assert_eq!(joined.len(), at_once.len());
    for (index, (one, other)) in at_once.iter().zip(&joined).enumerate() {
        // Neighbours differ by far more: see below.
        assert!(difference(one, other) < 2.0, "frame {index}: {}", difference(one, other));
    }
    assert!(at_once.windows(2).map(|pair| difference(&pair[0], &pair[1])).fold(0.0, f64::max) > 2.0);

    let judge = ffprobe(&scratch.path("joined"));
    let (picture, sound) = (stream(&judge, "video").unwrap(), stream(&judge, "audio").unwrap());
    assert_eq!(picture["r_frame_rate"].as_str(), Some("30000/1001"));
    assert_eq!(info.video.unwrap().frames, joined.len() as u64);
    let drift = number(&sound["duration"]) - number(&picture["duration"]);
    assert!(drift.abs() < 0.04, "{drift}");
    let packets = judge["packets"].as_array().unwrap().iter();
    let keys = packets.filter(|packet| packet["codec_type"] == "video").enumerate();
    for (index, packet) in keys {
        let key = packet["flags"].as_str().unwrap().starts_with('K');
        assert_eq!(key, (index as u64).is_multiple_of(GOP), "packet {index}");
    }
}

#[test]
fn parts_that_do_not_fit_together_are_not_joined() {
    let scratch = Scratch::made_by_ffmpeg("mp4", SOURCE);
    let wanted = video(encode(320, 180, Framing::Whole, RATE), AudioOutput::None);
    let smaller = video(encode(160, 90, Framing::Whole, RATE), AudioOutput::None);
    part(&scratch, "a", Span { first: 0, frames: GOP }, &wanted);
    part(&scratch, "rest", Span { first: GOP, frames: 10_000 }, &wanted);
    part(&scratch, "other", Span { first: GOP, frames: 10_000 }, &smaller);
    for parts in [&["a"][..], &["a", "other"], &["rest", "rest"], &[]] {
        let last = join(&scratch, parts, wanted.clone()).pop();
        let Some(Event::Rejected { problem }) = last else { panic!("{parts:?}: {last:?}") };
        assert_eq!(problem.code, "media.transcode_failed", "{parts:?}");
    }
    outcomes(&join(&scratch, &["a", "rest"], wanted)).remove(0).1.unwrap();
}
