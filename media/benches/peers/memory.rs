//! The most memory that several encodes of one source hold, beside one ffmpeg command that makes the same.

use domain::operation::{AudioOutput, Framing, Operation, VideoEncode, VideoOutput};
use serde_json::{Value, json};

use crate::engine::Scratch;
use crate::measure::in_turns;
use crate::{rivals, sources};

/// Upright sizes, the largest first.
const SIZES: [(u32, u32); 4] = [(1080, 1920), (720, 1280), (540, 960), (360, 640)];

/// Of one lane, then two, and so on.
pub fn measure() -> Value {
    let source = sources::short_reel();
    let scratch = Scratch::with(&source);
    let (_, info) = scratch.probe();
    let video = info.video.clone().unwrap();
    let folder = rivals::folder();
    let of = |lanes: usize| {
        let outputs: Vec<VideoOutput> = SIZES[..lanes].iter().map(|size| output(*size)).collect();
        let operations: Vec<Operation> = outputs.iter().cloned().map(Operation::Video).collect();
        let names: Vec<String> = (0..lanes).map(|index| format!("{index}.mp4")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let command =
            rivals::many(&source, &video, &outputs.iter().collect::<Vec<_>>(), folder.path(), &names);
        let [ours, other] = in_turns([&mut || scratch.make(&operations).0, &mut || rivals::ffmpeg(&command)]);
        json!({
            "lanes": lanes,
            "peak_mb": ours.peak_bytes / 1_000_000,
            "peak_mb_per_lane": ours.peak_bytes / 1_000_000 / lanes as u64,
            "ffmpeg_peak_mb": other.peak_bytes / 1_000_000,
            "ffmpeg_peak_mb_per_lane": other.peak_bytes / 1_000_000 / lanes as u64,
        })
    };
    json!([of(1), of(2), of(4)])
}

fn output((width, height): (u32, u32)) -> VideoOutput {
    let encode = VideoEncode {
        width,
        height,
        framing: Framing::Whole,
        frame_rate: (30, 1),
        gop_frames: 60,
        crf_tenths: 220,
        max_rate: 6_000_000,
        level: 40,
        pad_color: None,
        watermark: None,
    };
    VideoOutput::new(Some(encode), AudioOutput::Copy)
}
