//! How loud a source is heard: as loud as it is, from both sides, and never beyond what there is room for.

use domain::engine::{OutputRequest, Request, RunRequest};
use domain::operation::{AudioOutput, Framing};

use crate::harness::{AAC, Scratch, encode, ffmpeg, ffmpeg_pipe, outcomes, video};

/// The highest level of left and right, 1 for full scale, of the second that starts at `second`.
fn peaks_at(scratch: &Scratch, second: u32) -> [f32; 2] {
    let raw =
        ffmpeg_pipe(&format!("-ss {second} -t 1 -i {} -vn -f f32le -ac 2", scratch.path("out").display()));
    let samples = raw.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect::<Vec<_>>();
    let peak = |side: usize| samples.iter().skip(side).step_by(2).fold(0.0, |peak: f32, s| peak.max(s.abs()));
    [peak(0), peak(1)]
}

/// The highest levels of a sound that lasts three seconds, in the middle of what is made of it.
fn peaks(sound: &str) -> [f32; 2] {
    let arguments = format!(
        "-f lavfi -i testsrc2=s=160x90:r=25:d=3 -f lavfi -i {sound} -shortest -c:v mpeg4 -c:a pcm_s16le"
    );
    let scratch = Scratch::made_by_ffmpeg("mov", &arguments);
    scratch.make(video(encode(160, 90, Framing::Whole, (25, 1)), AAC)).unwrap();
    peaks_at(&scratch, 1)
}

#[track_caller]
fn assert_near(peaks: [f32; 2], wanted: f32) {
    assert!(peaks.iter().all(|peak| (peak - wanted).abs() < 0.04), "{peaks:?} instead of {wanted}");
}

#[test]
fn one_channel_is_heard_from_both_sides_as_loud_as_it_is() {
    assert_near(peaks("sine=d=3:r=48000,volume=4,aformat=channel_layouts=mono"), 0.5);
    assert_near(peaks("sine=d=3:r=48000,volume=4,pan=stereo|c0=c0|c1=c0"), 0.5);
}

#[test]
fn six_channels_are_mixed_and_their_peaks_held_down() {
    // ITU-R BS.775: the centre goes to both sides, 3 dB lower.
    assert_near(peaks("sine=d=3:r=48000,volume=4,pan=5.1|FC=c0"), 0.354);
    assert_near(peaks("sine=d=3:r=48000,volume=4,pan=5.1|FL=c0|FR=c0"), 0.5);
    let all = peaks("sine=d=3:r=48000,volume=7.9,pan=5.1|FL=c0|FR=c0|FC=c0|BL=c0|BR=c0");
    assert!(all.iter().all(|peak| (0.9..1.0).contains(peak)), "{all:?}");
}

#[test]
fn where_a_network_wants_sound_it_gets_silence() {
    let scratch = Scratch::made_by_ffmpeg("mov", "-f lavfi -i testsrc2=s=160x90:r=25:d=3 -c:v mpeg4");
    let silent = AudioOutput::Silent { bit_rate: 128_000 };
    let info = scratch.make(video(encode(160, 90, Framing::Whole, (25, 1)), silent)).unwrap();
    assert_eq!(info.audio.map(|audio| (audio.channels, audio.sample_rate)), Some((2, 48_000)));
}

#[test]
fn a_broadcast_that_changes_its_channels_is_heard_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = [("5.1|FC=c0", 48_000), ("stereo|c0=c0|c1=c0", 44_100), ("mono|c0=c0", 48_000)];
    let mut broadcast = Vec::new();
    for (index, (channels, rate)) in pieces.into_iter().enumerate() {
        let path = folder.path().join("piece.ts");
        ffmpeg(&format!(
            "-f lavfi -i testsrc2=s=160x90:r=25:d=3 -f lavfi -i sine=d=3:r={rate},volume=4,pan={channels} \
             -c:v mpeg2video -c:a ac3 -output_ts_offset {} {}",
            index * 3,
            path.display()
        ));
        broadcast.extend(std::fs::read(path).unwrap());
    }
    let scratch = Scratch::new();
    scratch.put("source", &broadcast);
    let info = scratch.make(video(encode(160, 90, Framing::Whole, (25, 1)), AAC)).unwrap();
    assert!(info.duration_ms.unwrap().abs_diff(9_000) < 100, "{info:?}");
    assert_near(peaks_at(&scratch, 1), 0.354);
    assert_near(peaks_at(&scratch, 4), 0.5);
    assert_near(peaks_at(&scratch, 7), 0.5);
}

/// Twenty minutes of silence in one piece would be half a gigabyte, and be there twice.
#[test]
fn a_long_gap_in_the_sound_is_silence_and_takes_no_memory() {
    let scratch = Scratch::made_by_ffmpeg(
        "matroska",
        "-f lavfi -i color=s=64x64:r=1:d=1200 -f lavfi -i sine=d=4:r=48000,volume=4,asetpts=if(gt(T\\,2)\\,PTS+1190/TB\\,PTS) \
         -c:v mpeg4 -c:a pcm_s16le",
    );
    let operation = video(encode(64, 64, Framing::Whole, (1, 1)), AAC);
    let request = RunRequest::new("source", vec![OutputRequest { name: "out".to_owned(), operation }]);
    let events = scratch.ask_within(900_000_000, &Request::Run(request));
    assert!(outcomes(&events).iter().all(|(_, made)| made.is_ok()), "{events:?}");
    assert_near(peaks_at(&scratch, 0), 0.5);
    assert_near(peaks_at(&scratch, 600), 0.0);
    assert_near(peaks_at(&scratch, 1192), 0.5);
}

#[test]
fn of_several_languages_the_default_is_heard() {
    let scratch = Scratch::made_by_ffmpeg(
        "matroska",
        "-f lavfi -i testsrc2=s=160x90:r=25:d=3 -f lavfi -i sine=d=3:r=48000,volume=8,pan=stereo|c0=c0|c1=c0 \
         -f lavfi -i sine=d=3:r=44100,volume=2 -map 0 -map 1 -map 2 -c:v mpeg4 -c:a pcm_s16le -disposition:a:0 0 \
         -disposition:a:1 default",
    );
    scratch.make(video(encode(160, 90, Framing::Whole, (25, 1)), AAC)).unwrap();
    assert_near(peaks_at(&scratch, 1), 0.25);
}
