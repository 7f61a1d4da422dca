//! Outputs of a still image: decoded once, then made side by side on all cores.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use domain::engine::{OutputOutcome, OutputRequest, RunRequest};
use domain::operation::{ImageOutput, Operation};
use domain::problem::Problem;

use super::{Done, bad_request, report};
use crate::events::Events;
use crate::image::levels::Levels;
use crate::image::logo::Logos;
use crate::image::{Photo, cores, encode};
use crate::probe::{Sniffed, sha256};
use crate::reject;
use crate::sniff::Format;

/// What became of one output, and how many encodes it took.
struct Answer<'a> {
    name: &'a str,
    made: Result<OutputOutcome, Problem>,
    encodes: u32,
}

/// What all outputs are made from.
struct Source<'a> {
    request: &'a RunRequest,
    photo: Photo,
    pixels: Levels,
    logos: Logos,
}

/// Makes all outputs.
pub fn run(request: &RunRequest, format: Format, events: &mut Events) -> Result<Done, Problem> {
    let photo = Photo::open(&request.source, format, &request.limits)?;
    let looks: Vec<ImageOutput> =
        request.outputs.iter().filter_map(|output| image_of(&output.operation)).cloned().collect();
    // What is passed on as it is must decode, too; a small picture shows it soonest.
    let pixels = photo.decode(&looks)?;
    let logos = Logos::read(&request.overlays, &request.limits);
    let source = Source { request, photo, pixels, logos };
    let mut done = Done { frames_decoded: 1, encodes: 0 };
    let (queue, next) = (largest_first(request), AtomicUsize::new(0));
    let (answers, answered) = channel();
    thread::scope(|scope| {
        for _worker in 0..cores().min(queue.len()) {
            let (answers, source, queue, next) = (answers.clone(), &source, &queue, &next);
            scope.spawn(move || source.work(queue, next, &answers));
        }
        drop(answers);
        for (count, answer) in (1u32..).zip(answered) {
            done.encodes += answer.encodes;
            report(events, answer.name, answer.made);
            events.progress(f64::from(count) / f64::from(u32::try_from(queue.len()).unwrap_or(1)));
        }
    });
    Ok(done)
}

/// The longest work first, so that no core is left with it at the end.
fn largest_first(request: &RunRequest) -> Vec<&OutputRequest> {
    let pixels = |output: &&OutputRequest| {
        image_of(&output.operation).map_or(0, |look| u64::from(look.width) * u64::from(look.height))
    };
    let mut queue: Vec<_> = request.outputs.iter().collect();
    queue.sort_by_key(|output| std::cmp::Reverse(pixels(output)));
    queue
}

impl Source<'_> {
    /// Takes outputs from the queue until it is empty.
    fn work<'q>(&self, queue: &[&'q OutputRequest], next: &AtomicUsize, answers: &Sender<Answer<'q>>) {
        while let Some(output) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (made, encodes) = self.answer(output);
            // The receiver lives as long as a sender does.
            let _heard = answers.send(Answer { name: &output.name, made, encodes });
        }
    }

    fn answer(&self, output: &OutputRequest) -> (Result<OutputOutcome, Problem>, u32) {
        match &output.operation {
            Operation::Passthrough => {
                let same = |sha256| OutputOutcome::Made { info: self.photo.info().clone(), sha256 };
                (sha256(&self.request.source).map(same), 0)
            }
            Operation::Image(look) => {
                let picture = self.photo.render(&self.pixels, look, &self.logos);
                match picture.and_then(|picture| encode::encode(&picture, look)) {
                    Ok(encoded) => (self.keep(&output.name, &encoded.bytes, look), encoded.tries),
                    Err(problem) => (Err(problem), 0),
                }
            }
            Operation::Remux { .. } | Operation::Video(_) => {
                (Err(bad_request("A photo cannot be made into a video.")), 0)
            }
        }
    }

    /// Writes aside, reads back, and only then gives the file its name.
    fn keep(&self, name: &str, bytes: &[u8], look: &ImageOutput) -> Result<OutputOutcome, Problem> {
        let part = format!("{name}.part");
        encode::write(&part, bytes)?;
        let verified = self.verify(&part, look);
        if verified.is_err() {
            let _gone = fs::remove_file(&part);
        }
        let outcome = verified?;
        fs::rename(&part, name)
            .map_err(|error| reject::not_written(error.raw_os_error(), "the file could not be named"))?;
        Ok(outcome)
    }

    fn verify(&self, part: &str, look: &ImageOutput) -> Result<OutputOutcome, Problem> {
        let sniffed = Sniffed::read(part, &self.request.limits)?;
        let made = Photo::open(part, sniffed.format, &self.request.limits)?;
        let pixels = made.decode(std::slice::from_ref(look))?;
        let info = made.info();
        let as_wanted = (info.width, info.height) == (look.width, look.height)
            && pixels.size() == (look.width, look.height)
            && info.container == look.format.as_str()
            && !info.has_metadata
            && info.bytes <= look.max_bytes;
        if !as_wanted {
            return Err(reject::not_made("the finished picture is not what was asked for"));
        }
        Ok(OutputOutcome::Made { info: info.clone(), sha256: sha256(part)? })
    }
}

fn image_of(operation: &Operation) -> Option<&ImageOutput> {
    match operation {
        Operation::Image(look) => Some(look),
        Operation::Passthrough | Operation::Remux { .. } | Operation::Video(_) => None,
    }
}
