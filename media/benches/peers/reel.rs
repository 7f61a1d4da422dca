//! A conforming reel for every network that takes videos: nothing is encoded.

use std::path::Path;

use serde_json::{Value, json};

use crate::engine::{Scratch, files, plan_for_all, works};
use crate::measure::{Taken, in_turns, ratio};
use crate::{rivals, sources};

/// As it is taken by all, as an editor exports it, and in a size that X does not take.
pub fn measure() -> Value {
    json!({
        "as_it_is": one(&sources::reel()),
        "exported": one(&sources::exported_reel()),
        "1080x1920": one(&sources::large_reel()),
    })
}

/// Ours is all that a worker does: the probe after the upload, nothing for who takes the very bytes, and one run for
/// the rest. The others write a file for each target, and probe nothing.
fn one(source: &Path) -> Value {
    let scratch = Scratch::with(source);
    let (_, info) = scratch.probe();
    let (plan, rows) = plan_for_all(&info);
    let (operations, served) = works(&plan);
    let folder = rivals::folder();
    let mut encodes = 0;
    let [ours, copies] = in_turns([
        &mut || {
            let (probe, _) = scratch.probe();
            if operations.is_empty() {
                return probe;
            }
            let (run, counted) = scratch.make(&operations);
            encodes = counted;
            probe.then(run)
        },
        &mut || {
            let copy =
                |row: usize| rivals::ffmpeg(&rivals::copy(source, &folder.path().join(format!("{row}.mp4"))));
            (0..served).map(copy).reduce(Taken::then).unwrap()
        },
    ]);
    json!({
        "targets": rows.len(),
        "served": served,
        "files_made": operations.len(),
        "files": files(&plan, &rows),
        "encodes": encodes,
        "ours": ours.told(),
        "ffmpeg_copy_each": copies.told(),
        "ratio": ratio(ours, copies),
    })
}
