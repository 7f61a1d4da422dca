//! The others: ffmpeg commands with the very settings of our encodes.

use std::path::Path;
use std::process::Command;

use domain::media_info::VideoStream;
use domain::operation::{AudioOutput, Framing, VideoEncode, VideoOutput};
use tempfile::TempDir;

use crate::measure::{Taken, run};

/// What ffmpeg takes to run with these arguments.
pub fn ffmpeg(arguments: &[String]) -> Taken {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]).args(arguments);
    run(&mut command, &[]).0
}

/// What a person writes for one target: one command, the copy of all streams.
pub fn copy(source: &Path, to: &Path) -> Vec<String> {
    let mut arguments = input(source);
    arguments.extend(words("-c copy -movflags +faststart"));
    arguments.push(to.display().to_string());
    arguments
}

/// One command for one output.
pub fn one(source: &Path, video: &VideoStream, output: &VideoOutput, to: &Path) -> Vec<String> {
    many(source, video, &[output], to.parent().unwrap(), &[to.file_name().unwrap().to_str().unwrap()])
}

/// One command for several: decoded once, split, each encoded with its own filters.
pub fn many(
    source: &Path,
    video: &VideoStream,
    outputs: &[&VideoOutput],
    folder: &Path,
    names: &[&str],
) -> Vec<String> {
    let mut arguments = vec!["-noautorotate".to_owned()];
    arguments.extend(input(source));
    let labels: String = (0..outputs.len()).map(|index| format!("[s{index}]")).collect();
    let mut graph = vec![format!("[0:v:0]split={}{labels}", outputs.len())];
    for (index, output) in outputs.iter().enumerate() {
        let encode = output.video.as_ref().unwrap();
        graph.push(format!("[s{index}]{}[v{index}]", filters(video, encode)));
    }
    arguments.extend(["-filter_complex".to_owned(), graph.join(";")]);
    for (index, (output, name)) in outputs.iter().zip(names).enumerate() {
        arguments.extend(words(&format!("-map [v{index}]")));
        arguments.extend(settings(output.video.as_ref().unwrap()));
        arguments.extend(sound(&output.audio));
        arguments.extend(words(
            "-map_metadata -1 -movflags +faststart+negative_cts_offsets -use_editlist 0 -f mp4",
        ));
        arguments.push(folder.join(name).display().to_string());
    }
    arguments
}

/// A folder for what is thrown away.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The mean SSIM of the brightness of `file` against the source, scaled and turned as the encode wants it.
pub fn ssim(file: &Path, source: &Path, video: &VideoStream, encode: &VideoEncode) -> f64 {
    let mut command = Command::new("ffmpeg");
    let graph = format!(
        "[1:v:0]{},setpts=N[reference];[0:v:0]setpts=N[made];[made][reference]ssim=stats_file=-",
        filters(video, encode)
    );
    command.args(["-v", "error", "-nostdin", "-noautorotate"]).args(input(file));
    command.args(["-noautorotate"]).args(input(source));
    command.args(["-filter_complex", &graph, "-an", "-f", "null", "/dev/null"]);
    let (_, printed) = run(&mut command, &[]);
    let text = String::from_utf8(printed).unwrap();
    let of_frame = |line: &str| line.split("Y:").nth(1)?.split(' ').next()?.parse().ok();
    let scores: Vec<f64> = text.lines().filter_map(of_frame).collect();
    scores.iter().sum::<f64>() / scores.len() as f64
}

fn input(source: &Path) -> Vec<String> {
    vec!["-i".to_owned(), source.display().to_string()]
}

fn words(arguments: &str) -> Vec<String> {
    arguments.split_whitespace().map(str::to_owned).collect()
}

/// Our own chain, in the order that costs least: dropped, cut, scaled, then turned.
fn filters(video: &VideoStream, encode: &VideoEncode) -> String {
    let sideways = video.rotation % 180 == 90;
    let as_stored = |(width, height)| if sideways { (height, width) } else { (width, height) };
    let (width, height) = as_stored((encode.width, encode.height));
    let (source_width, source_height) = (f64::from(video.coded_width), f64::from(video.coded_height));
    let (shape, target) = (source_width / source_height, f64::from(width) / f64::from(height));
    let even = |side: f64| (side / 2.0).round() as u32 * 2;
    let rate = format!("fps={}/{}:start_time=0", encode.frame_rate.0, encode.frame_rate.1);
    let mut filters = vec![rate];
    let mut scaled = (width, height);
    match encode.framing {
        Framing::Whole => {}
        Framing::Crop if shape > target => {
            filters.push(format!("crop={}:{}", even(source_height * target), video.coded_height));
        }
        Framing::Crop => filters.push(format!("crop={}:{}", video.coded_width, even(source_width / target))),
        Framing::Pad | Framing::Blur if shape > target => scaled = (width, even(f64::from(width) / shape)),
        Framing::Pad | Framing::Blur => scaled = (even(f64::from(height) * shape), height),
    }
    filters.push(format!(
        "scale={}:{}:flags=bicubic+accurate_rnd:in_color_matrix=bt709:out_color_matrix=bt709:out_range=tv,format=yuv420p",
        scaled.0, scaled.1
    ));
    filters.extend(match video.rotation {
        90 => Some("transpose=clock".to_owned()),
        180 => Some("hflip,vflip".to_owned()),
        270 => Some("transpose=cclock".to_owned()),
        _ => None,
    });
    if encode.framing.has_borders() {
        filters.push(format!("pad={}:{}:(ow-iw)/2:(oh-ih)/2", encode.width, encode.height));
    }
    filters.push("setsar=1".to_owned());
    filters.join(",")
}

fn settings(encode: &VideoEncode) -> Vec<String> {
    words(&format!(
        "-c:v libx264 -preset veryfast -profile:v high -level {}.{} -crf {}.{} -maxrate {} -bufsize {} -g {} -keyint_min {} \
         -sc_threshold 0 -x264-params open-gop=0:scenecut=0 -color_range tv -colorspace bt709 -color_primaries bt709 \
         -color_trc bt709",
        encode.level / 10,
        encode.level % 10,
        encode.crf_tenths / 10,
        encode.crf_tenths % 10,
        encode.max_rate,
        u64::from(encode.max_rate) * 2,
        encode.gop_frames,
        encode.gop_frames,
    ))
}

fn sound(audio: &AudioOutput) -> Vec<String> {
    words(match audio {
        AudioOutput::Copy => "-map 0:a:0 -c:a copy",
        AudioOutput::Aac { .. } => "-map 0:a:0 -c:a aac -b:a 128k -ar 48000 -ac 2",
        AudioOutput::None | AudioOutput::Silent { .. } => "-an",
    })
}
