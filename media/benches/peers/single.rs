//! One target alone, beside the ffmpeg command that makes the same.

use domain::operation::Operation;
use domain::plan::{Want, fit};
use domain::profile::profile;
use serde_json::{Value, json};

use crate::engine::Scratch;
use crate::measure::{in_turns, ratio};
use crate::{clip, rivals, sources};

/// What is measured is decode, filters, encode, writing and, with ours, reading the file again.
pub fn measure() -> Value {
    let source = sources::phone_clip();
    let scratch = Scratch::with(&source);
    let (_, info) = scratch.probe();
    let video = info.video.clone().unwrap();
    let operation = fit(&info, &Want::new(profile("instagram.reel").unwrap())).unwrap().operation;
    let Operation::Video(output) = &operation else { panic!("{operation:?} is no encode") };
    let folder = rivals::folder();
    let theirs = folder.path().join("one.mp4");
    let command = rivals::one(&source, &video, output, &theirs);
    let operations = [operation.clone()];
    let [ours, other] = in_turns([&mut || scratch.make(&operations).0, &mut || rivals::ffmpeg(&command)]);
    let encode = output.video.as_ref().unwrap();
    json!({
        "ours": ours.told(),
        "ffmpeg": other.told(),
        "ratio": ratio(ours, other),
        "quality": clip::compare(&scratch.path("0"), &theirs, &source, &video, encode),
    })
}
