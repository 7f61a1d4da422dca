//! What the jail costs a job. No flag lets a request run without it, so that it is measured apart: starting and
//! entering it beside starting alone, and a small probe for comparison.

use serde_json::{Value, json};

use crate::engine::Scratch;
use crate::measure::{Taken, in_turns_of, rounded};
use crate::sources;

/// A difference of milliseconds between processes that take sixty: five rounds say nothing.
const ROUNDS: usize = 101;

/// Of a small good photo.
pub fn measure() -> Value {
    let scratch = Scratch::with(&sources::corpus("images/progressive.jpg"));
    let [probe, entered, started] = in_turns_of(
        ROUNDS,
        [&mut || scratch.probe().0, &mut || scratch.enter_jail(), &mut || scratch.start()],
    );
    let milliseconds = |taken: Taken| taken.wall.as_secs_f64() * 1000.0;
    json!({
        "small_probe": probe.told(),
        "start_and_enter": entered.told(),
        "start": started.told(),
        "rounds": ROUNDS,
        "cost_ms": rounded(milliseconds(entered) - milliseconds(started)),
    })
}
