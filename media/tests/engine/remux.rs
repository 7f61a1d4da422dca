//! A remux changes the wrapping and not a bit of what is inside.

use std::path::Path;

use domain::operation::{AudioOutput, Framing, Operation, VideoOutput};

use crate::harness::{AAC, Scratch, corpus, encode, ffmpeg_pipe, ffprobe, number, outcomes, stream, video};

const REMUX: Operation = Operation::Remux { drop_audio: false };

/// A hash of all packets of a stream.
fn packets(path: &Path, stream: &str) -> String {
    let hash = ffmpeg_pipe(&format!("-i {} -map 0:{stream}:0 -c copy -f streamhash", path.display()));
    String::from_utf8(hash).unwrap()
}

/// The file's own boxes: the index comes first, and no edit list is in it.
fn assert_laid_out_for_networks(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    let find = |name: &[u8]| bytes.windows(4).position(|window| window == name);
    let (index, media) = (find(b"moov").unwrap(), find(b"mdat").unwrap());
    assert!(index < media, "the index is behind the media");
    assert!(!bytes[..media].windows(4).any(|window| window == b"elst"), "an edit list is left");
}

#[test]
fn packets_stay_and_the_layout_conforms() {
    for name in ["flower-540p-h264.mp4", "rot180-720p-5s.mp4", "gopro-karma-12s.mp4", "hevc-1080p-10s.mp4"] {
        let scratch = Scratch::with(&corpus(&format!("video/{name}")));
        let before = scratch.probe().unwrap().info;
        let made = scratch.make(REMUX).unwrap_or_else(|problem| panic!("{name}: {problem:?}"));

        assert_laid_out_for_networks(&scratch.path("out"));
        let same = |stream| packets(&scratch.path("source"), stream) == packets(&scratch.path("out"), stream);
        assert!(same("v"), "{name}");
        // This one's sound starts with a packet of priming, which an edit list hides: it is left out.
        assert_eq!(same("a"), name != "hevc-1080p-10s.mp4", "{name}");
        let (was, is) = (before.video.unwrap(), made.video.unwrap());
        assert_eq!((made.width, made.height), (before.width, before.height), "{name}");
        assert_eq!(
            (is.rotation, is.frames, is.color_range),
            (was.rotation, was.frames, was.color_range),
            "{name}"
        );
        assert!(!made.has_metadata && made.other_streams == 0, "{name}");
        assert_eq!(is.codec_tag, if is.codec == "hevc" { "hvc1" } else { "avc1" });
        let judge = ffprobe(&scratch.path("out"));
        let starts = ["video", "audio"].map(|kind| number(&stream(&judge, kind).unwrap()["start_time"]));
        assert!(starts.iter().all(|start| start.abs() < 0.001), "{name}: {starts:?}");
        let tags = judge["format"]["tags"].as_object().unwrap();
        assert!(
            tags.keys()
                .all(|key| key.ends_with("brand") || key.ends_with("brands") || key == "minor_version"),
            "{tags:?}"
        );
    }
}

#[test]
fn sound_can_be_dropped_or_encoded_alone() {
    let scratch = Scratch::with(&corpus("video/phone-london-17s-360p.mp4"));
    let copied = Operation::Video(VideoOutput::new(None, AAC));
    let events = scratch.run(vec![("mute", Operation::Remux { drop_audio: true }), ("sound", copied)]);
    for (name, made) in outcomes(&events) {
        let (info, _) = made.unwrap();
        assert_eq!(info.audio.is_some(), name == "sound");
        assert_eq!(info.video.unwrap().frames, 512);
        assert_laid_out_for_networks(&scratch.path(&name));
    }
}

#[test]
fn matroska_without_decoding_times_becomes_mp4() {
    let scratch = Scratch::made_by_ffmpeg(
        "matroska",
        "-f lavfi -i testsrc=s=320x240:r=30:d=3 -c:v libx264 -bf 3 -g 30",
    );
    let made = scratch.make(REMUX).unwrap();
    assert_eq!(made.video.unwrap().frames, 90);
    assert_laid_out_for_networks(&scratch.path("out"));
    let judge = ffprobe(&scratch.path("out"));
    let mut last = f64::MIN;
    for packet in judge["packets"].as_array().unwrap() {
        let (dts, pts) = (number(&packet["dts_time"]), number(&packet["pts_time"]));
        assert!(dts > last, "decoding times go back");
        assert!(pts > -0.001, "{packet}");
        last = dts;
    }
}

#[test]
fn hidden_frames_are_not_shown() {
    // Two seconds of red, then two of blue, in one group of pictures; cut to the blue by copying,
    // which leaves the red in the file, hidden by an edit list.
    let whole = Scratch::made_by_ffmpeg(
        "mp4",
        "-f lavfi -i color=red:s=128x128:r=25:d=2 -f lavfi -i color=blue:s=128x128:r=25:d=2 \
         -filter_complex concat -g 200 -bf 0",
    );
    let cut = format!("-ss 2.2 -i {} -c copy", whole.path("source").display());
    let scratch = Scratch::made_by_ffmpeg("mp4", &cut);
    let info = scratch.probe().unwrap().info;
    assert!(info.edit_list_trims, "{info:?}");

    assert_eq!(scratch.make(REMUX).unwrap_err().code, "media.needs_encode");

    let made = scratch.make(video(encode(128, 128, Framing::Whole, (25, 1)), AudioOutput::None)).unwrap();
    assert!((1700..=1900).contains(&made.duration_ms.unwrap()), "{made:?}");
    let first =
        ffmpeg_pipe(&format!("-i {} -frames:v 1 -f rawvideo -pix_fmt rgb24", scratch.path("out").display()));
    let [red, _, blue] = [first[0], first[1], first[2]];
    assert!(red < 40 && blue > 200, "the first frame shows {:?}", &first[..3]);
}
