//! What the jail costs a small job.

use serde_json::{Value, json};

use crate::engine::Scratch;
use crate::measure::{in_turns, rounded};
use crate::sources;

/// A small good photo, probed with the jail and without.
pub fn measure() -> Value {
    let scratch = Scratch::with(&sources::corpus("images/progressive.jpg"));
    let [jailed, free] = in_turns([&mut || scratch.probe().0, &mut || scratch.probe_unjailed()]);
    let milliseconds = |taken: crate::measure::Taken| taken.wall.as_secs_f64() * 1000.0;
    json!({
        "jailed": jailed.told(),
        "without": free.told(),
        "cost_ms": rounded(milliseconds(jailed) - milliseconds(free)),
    })
}
