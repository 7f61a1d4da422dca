//! A phone's 4K HEVC clip for every network that takes videos.

use std::collections::BTreeMap;

use domain::operation::{Operation, VideoEncode, VideoOutput};
use domain::plan::{Want, fit};
use serde_json::{Value, json};

use crate::engine::{Scratch, files, plan_for_all, works};
use crate::measure::{Taken, in_turns, ratio, rounded};
use crate::{rivals, sources};

/// Against one command for each target, and against one command that decodes once and makes our set of encodes.
pub fn measure() -> Value {
    let source = sources::phone_clip();
    let scratch = Scratch::with(&source);
    let (_, info) = scratch.probe();
    let video = info.video.clone().unwrap();
    let (plan, rows) = plan_for_all(&info);
    let (operations, served) = works(&plan);
    let each: Vec<VideoOutput> = rows
        .iter()
        .filter_map(|row| match fit(&info, &Want::new(row)).ok()?.operation {
            Operation::Video(output) if output.video.is_some() => Some(output),
            _ => None,
        })
        .collect();
    let set = distinct_encodes(&operations);
    let folder = rivals::folder();
    let names: Vec<String> = (0..set.len()).map(|index| format!("split{index}.mp4")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let split = rivals::many(&source, &video, &set.iter().collect::<Vec<_>>(), folder.path(), &names);
    let mut encodes = 0;
    let [ours, one_each, one_split] = in_turns([
        &mut || {
            let (taken, counted) = scratch.make(&operations);
            encodes = counted;
            taken
        },
        &mut || {
            let run = |(index, output): (usize, &VideoOutput)| {
                let to = folder.path().join(format!("each{index}.mp4"));
                rivals::ffmpeg(&rivals::one(&source, &video, output, &to))
            };
            each.iter().enumerate().map(run).reduce(Taken::then).unwrap()
        },
        &mut || rivals::ffmpeg(&split),
    ]);
    let quality: Vec<Value> = set
        .iter()
        .zip(&names)
        .map(|(output, name)| {
            let encode = output.video.as_ref().unwrap();
            let index = operations.iter().position(|operation| picture(operation) == Some(encode)).unwrap();
            let (mine, theirs) = (scratch.path(&index.to_string()), folder.path().join(name));
            compare(&mine, &theirs, &source, &video, encode)
        })
        .collect();
    json!({
        "source": format!("{}x{} {} {} s", info.width, info.height, video.codec, info.duration_ms.unwrap() / 1000),
        "targets": rows.len(),
        "served": served,
        "files_made": operations.len(),
        "files": files(&plan, &rows),
        "encodes": encodes,
        "ours": ours.told(),
        "ffmpeg_each": one_each.told(),
        "ffmpeg_split": one_split.told(),
        "ratio_to_each": ratio(ours, one_each),
        "ratio_to_split": ratio(ours, one_split),
        "quality": quality,
    })
}

/// How our file and theirs compare to the source, and in bytes.
pub fn compare(
    mine: &std::path::Path,
    theirs: &std::path::Path,
    source: &std::path::Path,
    video: &domain::media_info::VideoStream,
    encode: &VideoEncode,
) -> Value {
    let bytes = |path: &std::path::Path| std::fs::metadata(path).unwrap().len() as f64;
    let (ours, other) =
        (rivals::ssim(mine, source, video, encode), rivals::ssim(theirs, source, video, encode));
    json!({
        "size": format!("{}x{}", encode.width, encode.height),
        "ssim_y": rounded(ours),
        "ssim_y_difference": (ours - other).abs(),
        "bytes_ratio": rounded(bytes(mine) / bytes(theirs)),
    })
}

fn picture(operation: &Operation) -> Option<&VideoEncode> {
    match operation {
        Operation::Video(output) => output.video.as_ref(),
        _ => None,
    }
}

/// Each encode of pictures once: several files may share it.
fn distinct_encodes(operations: &[Operation]) -> Vec<VideoOutput> {
    let outputs = operations.iter().filter_map(|operation| match operation {
        Operation::Video(output) => Some((output.video.clone()?, output.clone())),
        _ => None,
    });
    outputs.collect::<BTreeMap<_, _>>().into_values().collect()
}
