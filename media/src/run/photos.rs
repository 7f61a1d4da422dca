//! Outputs of a still image: decoded once, then one JPEG after the other.

use std::fs;

use domain::engine::{OutputOutcome, RunRequest};
use domain::operation::{ImageOutput, Operation};
use domain::problem::Problem;

use super::{Done, bad_request, report};
use crate::events::Events;
use crate::image::{Photo, encode};
use crate::probe::{Sniffed, sha256};
use crate::reject;
use crate::sniff::Format;

/// Makes all outputs.
pub fn run(request: &RunRequest, format: Format, events: &mut Events) -> Result<Done, Problem> {
    let photo = Photo::open(&request.source, format, &request.limits)?;
    let looks: Vec<ImageOutput> =
        request.outputs.iter().filter_map(|output| image_of(&output.operation)).cloned().collect();
    let mut done = Done::default();
    // What is passed on as it is must decode, too; a small picture shows it soonest.
    let pixels = photo.decode(&looks)?;
    done.frames_decoded = 1;
    for output in &request.outputs {
        let made = match &output.operation {
            Operation::Passthrough => sha256(&request.source)
                .map(|sha256| OutputOutcome::Made { info: photo.info().clone(), sha256 }),
            Operation::Image(look) => {
                done.encodes += 1;
                photo.make(&pixels, look).and_then(|jpeg| keep(&output.name, &jpeg, look, request))
            }
            Operation::Remux { .. } | Operation::Video(_) => {
                Err(bad_request("A photo cannot be made into a video."))
            }
        };
        report(events, &output.name, made);
        events.progress(f64::from(done.encodes) / f64::from(u32::try_from(looks.len()).unwrap_or(1).max(1)));
    }
    Ok(done)
}

fn image_of(operation: &Operation) -> Option<&ImageOutput> {
    match operation {
        Operation::Image(look) => Some(look),
        Operation::Passthrough | Operation::Remux { .. } | Operation::Video(_) => None,
    }
}

/// Writes aside, reads back, and only then gives the file its name.
fn keep(name: &str, jpeg: &[u8], look: &ImageOutput, request: &RunRequest) -> Result<OutputOutcome, Problem> {
    let part = format!("{name}.part");
    encode::write(&part, jpeg)?;
    let verified = verify(&part, look, request);
    if verified.is_err() {
        let _gone = fs::remove_file(&part);
    }
    let outcome = verified?;
    fs::rename(&part, name).map_err(|_| reject::not_made("the file could not be named"))?;
    Ok(outcome)
}

fn verify(part: &str, look: &ImageOutput, request: &RunRequest) -> Result<OutputOutcome, Problem> {
    let sniffed = Sniffed::read(part, &request.limits)?;
    let made = Photo::open(part, sniffed.format, &request.limits)?;
    let pixels = made.decode(std::slice::from_ref(look))?;
    let info = made.info();
    let as_wanted = (info.width, info.height) == (look.width, look.height)
        && (pixels.width(), pixels.height()) == (look.width, look.height)
        && !info.has_metadata
        && info.bytes <= look.max_bytes;
    if !as_wanted {
        return Err(reject::not_made("the finished picture is not what was asked for"));
    }
    Ok(OutputOutcome::Made { info: info.clone(), sha256: sha256(part)? })
}
