//! Makes all outputs of one source: one decode, as many encodes as there are different ones. An
//! output that fails fails alone.

mod audio_lane;
mod copier;
mod engine;
mod join;
mod lanes;
mod opening;
mod origin;
mod outputs;
mod parts;
mod peaks;
mod photos;
mod progress;
mod reader;
mod timeline;
mod verify;
mod video_lane;
mod videos;
mod writer;

use std::collections::BTreeSet;
use std::path::Path;

use domain::engine::{Event, OutputOutcome, OutputResult, RunRequest};
use domain::platform::MediaKind;
use domain::problem::{Problem, Remedy};

use crate::events::Events;
use crate::names;
use crate::probe::Sniffed;

/// More targets than networks exist; a bound on encoders in memory.
const OUTPUTS_MAX: usize = 32;

pub use join::run as join;

/// Answers a run request: an event for each output, and the last event.
///
/// # Errors
/// The reason why the source cannot be used; no output was made.
pub fn run(request: &RunRequest, events: &mut Events) -> Result<Event, Problem> {
    check(request)?;
    let sniffed = Sniffed::read(&request.source, &request.limits)?;
    let done = match sniffed.kind() {
        MediaKind::Image => photos::run(request, sniffed.format, events)?,
        _ => videos::run(request, &sniffed, events)?,
    };
    Ok(Event::Finished { frames_decoded: done.frames_decoded, encodes: done.encodes })
}

/// What it took.
#[derive(Debug, Default)]
struct Done {
    frames_decoded: u64,
    encodes: u32,
}

fn check(request: &RunRequest) -> Result<(), Problem> {
    names::check(&request.source)?;
    let mut seen = BTreeSet::from([request.source.as_str()]);
    for output in &request.outputs {
        names::check(&output.name)?;
        if !seen.insert(&output.name) || Path::new(&output.name).exists() {
            return Err(bad_request("Two files of the request have the same name."));
        }
    }
    if request.outputs.len() > OUTPUTS_MAX {
        return Err(bad_request("The request has too many outputs."));
    }
    Ok(())
}

/// The caller's mistake, not the file's.
fn bad_request(message: &str) -> Problem {
    Problem::new("media.bad_request", message, Remedy::Retry)
}

/// Tells what became of an output.
fn report(events: &mut Events, name: &str, made: Result<OutputOutcome, Problem>) {
    let outcome = made.unwrap_or_else(|problem| OutputOutcome::Failed { problem });
    events.send(&Event::Output(OutputResult { name: name.to_owned(), outcome }));
}
