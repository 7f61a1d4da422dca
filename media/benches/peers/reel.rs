//! A conforming reel for every network that takes videos: nothing is encoded.

use serde_json::{Value, json};

use crate::engine::{Scratch, plan_for_all, works};
use crate::measure::{in_turns, ratio};
use crate::{rivals, sources};

/// Ours is what a worker does after the upload: nothing for who takes the very bytes, one run for the rest. The others
/// write a file for each target.
pub fn measure() -> Value {
    let source = sources::reel();
    let scratch = Scratch::with(&source);
    let (_, info) = scratch.probe();
    let (plan, rows) = plan_for_all(&info);
    let (operations, served) = works(&plan);
    let folder = rivals::folder();
    let mut encodes = 0;
    let [ours, probe, copies] = in_turns([
        &mut || {
            if operations.is_empty() {
                return crate::measure::Taken::default();
            }
            let (taken, counted) = scratch.make(&operations);
            encodes = counted;
            taken
        },
        &mut || scratch.probe().0,
        &mut || {
            let copy = |row: usize| {
                rivals::ffmpeg(&rivals::copy(&source, &folder.path().join(format!("{row}.mp4"))))
            };
            (0..served).map(copy).reduce(crate::measure::Taken::then).unwrap()
        },
    ]);
    json!({
        "profiles": rows.len(),
        "served": served,
        "files_made": operations.len(),
        "encodes": encodes,
        "ours": ours.told(),
        "probe_at_upload": probe.told(),
        "ffmpeg_copy_each": copies.told(),
        "ratio": ratio(ours, copies),
        "ratio_with_probe": ratio(ours.then(probe), copies),
    })
}
