//! `make bench-media`: the engine beside what people use instead, on the same machine in the same run, and prints one
//! JSON line for each figure. `make bench-media ARGS="clip photos"` measures those.
//!
//! Ours and the others take turns, so that what else the machine does meets all of them; the figures are medians of
//! five. Sources are made once, under the target directory.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

mod clip;
mod engine;
mod jail;
mod measure;
mod memory;
mod photos;
mod reel;
mod rivals;
mod single;
mod sources;

use serde_json::{Value, json};

/// Measures and tells.
type Measure = fn() -> Value;

/// Every figure, in the order of their making.
const FIGURES: [(&str, Measure); 6] = [
    ("reel", reel::measure),
    ("clip", clip::measure),
    ("single", single::measure),
    ("photos", photos::measure),
    ("jail", jail::measure),
    ("memory", memory::measure),
];

fn main() {
    // Cargo says `--bench`; the rest are names.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for name in &asked {
        let known = FIGURES.iter().any(|(figure, _)| figure == name);
        assert!(known, "there is no figure `{name}`: choose of {:?}", FIGURES.map(|(figure, _)| figure));
    }
    for (figure, measure) in FIGURES {
        if asked.is_empty() || asked.iter().any(|name| name == figure) {
            let load_before = measure::load();
            let measured = measure();
            let machine = json!({ "cores": measure::cores(), "load_before": load_before });
            println!("{}", json!({ "figure": figure, "machine": machine, "measured": measured }));
        }
    }
}
