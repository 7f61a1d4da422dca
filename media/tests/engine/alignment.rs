//! A clap is seen and heard at the same time, whatever the source's clocks did.

use domain::operation::{AudioOutput, Framing, Operation, VideoOutput};

use crate::harness::{AAC, Scratch, encode, ffmpeg_pipe, video};

/// White from second 1 on; a tone from second 1 on.
const CLAP: &str = "-f lavfi -i color=black:s=64x64:r=30:d=1 -f lavfi -i color=white:s=64x64:r=30:d=2 \
    -f lavfi -i anullsrc=r=48000:cl=mono:d=1 -f lavfi -i sine=r=48000:d=2 \
    -filter_complex [0][1]concat=n=2[v];[2][3]concat=n=2:v=0:a=1[a] -map [v] -map [a]";

/// When the picture turns white and the tone starts, s.
fn clap(scratch: &Scratch) -> (f64, f64) {
    let out = scratch.path("out");
    let luma = ffmpeg_pipe(&format!("-i {} -map 0:v -f rawvideo -pix_fmt gray -vf scale=1:1", out.display()));
    let seen = luma.iter().position(|pixel| *pixel > 128).unwrap();
    let sound = ffmpeg_pipe(&format!("-i {} -map 0:a -f s16le -ac 1 -ar 48000", out.display()));
    let samples = sound.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    let heard = samples.into_iter().position(|sample| sample.unsigned_abs() > 1000).unwrap();
    (frames(seen) / 30.0, frames(heard) / 48_000.0)
}

fn frames(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn assert_together(scratch: &Scratch, what: &str) {
    let (seen, heard) = clap(scratch);
    assert!((seen - heard).abs() < 0.04, "{what}: seen at {seen} s, heard at {heard} s");
}

#[test]
fn encoded_and_copied_sound_stay_with_the_pictures() {
    for (format, codec) in
        [("mp4", "-c:a aac"), ("matroska", "-c:a libopus"), ("mpegts", "-c:a mp2"), ("mov", "-c:a pcm_s16le")]
    {
        let scratch = Scratch::made_by_ffmpeg(format, &format!("{CLAP} -c:v libx264 {codec}"));
        scratch.make(video(encode(64, 64, Framing::Whole, (30, 1)), AAC)).unwrap();
        assert_together(&scratch, format);
        let (seen, _) = clap(&scratch);
        assert!((seen - 1.0).abs() < 0.04, "{format}: seen at {seen} s");
    }
    let scratch = Scratch::made_by_ffmpeg("mp4", &format!("{CLAP} -c:v libx264 -c:a aac"));
    for operation in [
        Operation::Remux { drop_audio: false },
        Operation::Video(VideoOutput::new(None, AAC)),
        video(encode(64, 64, Framing::Whole, (30, 1)), AudioOutput::Copy),
    ] {
        scratch.make(operation.clone()).unwrap();
        assert_together(&scratch, &format!("{operation:?}"));
        std::fs::remove_file(scratch.path("out")).unwrap();
    }
}

#[test]
fn sound_that_starts_late_or_early_is_put_in_its_place() {
    let clip = Scratch::made_by_ffmpeg("mp4", &format!("{CLAP} -c:v libx264 -c:a aac"));
    let source = clip.path("source");
    let source = source.display();
    for (what, arguments) in [
        (
            "late sound",
            format!(
                "-i {source} -ss 0.5 -i {source} -map 0:v -map 1:a -c:v copy -c:a aac -af asetpts=PTS+0.5/TB"
            ),
        ),
        (
            "late pictures",
            format!(
                "-itsoffset 0.3 -i {source} -itsoffset 0.3 -i {source} -map 0:v -map 1:a -c:v copy -c:a aac -af aresample=first_pts=0"
            ),
        ),
        ("trimmed by copying", format!("-ss 0.5 -i {source} -c copy")),
    ] {
        let scratch = Scratch::made_by_ffmpeg("mp4", &arguments);
        scratch.make(video(encode(64, 64, Framing::Whole, (30, 1)), AAC)).unwrap();
        assert_together(&scratch, what);
    }
}

#[test]
fn sound_whose_clock_is_slow_or_fast_stays_with_the_pictures() {
    for speed in [1.004, 0.996] {
        let at = 10.0 / speed;
        let scratch = Scratch::made_by_ffmpeg(
            "matroska",
            &format!(
                "-f lavfi -i color=black:s=64x64:r=30:d=10 -f lavfi -i color=white:s=64x64:r=30:d=2 \
                 -f lavfi -i anullsrc=r=48000:cl=stereo:d={at} -f lavfi -i sine=r=48000:d=2 \
                 -filter_complex [0][1]concat=n=2[v];[2][3]concat=n=2:v=0:a=1,asetpts=PTS*{speed}[a] \
                 -map [v] -map [a] -c:v libx264 -c:a pcm_f32le"
            ),
        );
        scratch.make(video(encode(64, 64, Framing::Whole, (30, 1)), AAC)).unwrap();
        assert_together(&scratch, &format!("sound at {speed} of the pictures' speed"));
    }
}
