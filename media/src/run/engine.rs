//! One pass over the source that feeds every output: packets to those that copy, pictures and sound to the lanes
//! that encode, each on a thread of its own, and what the lanes make to all outputs that want it.
//!
//! ```text
//! demux ─ decode ─┬─▶ lane ─┬─▶ lane (a smaller picture of the same)
//!                 │         └─▶ packets ─▶ files
//!                 └─▶ lane ─▶ …
//! ```

use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, ScopedJoinHandle};

use domain::engine::{OutputOutcome, RunRequest};
use domain::operation::AudioOutput;
use domain::problem::Problem;
use ffmpeg_next::frame;

use super::lanes::{Destination, Feeder, encode_pictures, encode_sound};
use super::opening::{Opening, PictureKey, PictureLane, SoundKey, SoundLane};
use super::origin::{Origin, Reading};
use super::outputs::{Ended, Outputs, Wanted};
use super::parts::Parts;
use super::progress::Progress;
use super::reader::{Decodes, Reader};
use super::timeline::Timeline;
use super::verify::{Expected, verify};
use super::{Done, report};
use crate::av::input;
use crate::events::Events;
use crate::image::logo::Logos;
use crate::probe::{Sniffed, Video};
use crate::reject;

/// Where the pictures of the outputs come from.
pub enum Pictures {
    /// Decoded from the source, and encoded.
    Encoded,
    /// Encoded apart; `first` is the name of the first part.
    Joined { first: String, parts: Box<Parts> },
}

/// Makes all that is wanted of a video.
///
/// # Errors
/// When the source cannot be opened again, or no decoder reads it. An output that fails is reported.
pub fn run(
    request: &RunRequest,
    sniffed: &Sniffed,
    video: &Video,
    from: Pictures,
    wanted: Vec<Wanted>,
    events: &mut Events,
) -> Result<Done, Problem> {
    let timeline = Timeline::of(&video.scan);
    let origin = Origin::open(request, sniffed)?;
    let (joined, parts) = match from {
        Pictures::Encoded => (None, None),
        Pictures::Joined { first, parts } => {
            let format = Sniffed::read(&first, &request.limits)?.format;
            (Some(input::open(&first, format, &request.limits)?), Some(*parts))
        }
    };
    let opening = Opening {
        source: origin.source(),
        joined: joined.as_ref(),
        logos: &Logos::read(&request.overlays, &request.limits),
        video,
        timeline,
        span: request.span,
        cores: cores(),
    };
    let pictures = opening.pictures(&wanted)?;
    let sounds = opening.sounds(&wanted);
    let outputs = Outputs::open(wanted, |wanted| opening.writer(wanted, &pictures, &sounds));
    let encodes = u32::try_from(pictures.len()).unwrap_or(u32::MAX);
    let decodes = Decodes {
        pictures: !pictures.is_empty(),
        sounds: sounds.iter().any(|lane| matches!(lane.key.sound, AudioOutput::Aac { .. })),
    };
    let reader = match origin {
        Origin::File(source) => {
            let mut reader = Reader::open(source, video, timeline, &request.limits, decodes, cores())?;
            reader.join(parts);
            if let Some((span, lane)) = request.span.zip(pictures.first()) {
                let (times, base) = lane.key.encode.frame_rate;
                #[expect(clippy::cast_precision_loss, reason = "a number of frames stays below 2^53")]
                reader.skip_to(span.first as f64 * f64::from(base) / f64::from(times));
            }
            Reading::File(reader)
        }
        Origin::Animation(animation) => Reading::Animation(animation),
    };
    let frames_decoded = pass(reader, video, pictures, sounds, &outputs, events);
    keep(outputs.finish(), request, video, timeline, events);
    Ok(Done { frames_decoded, encodes })
}

/// Runs reader and lanes to their end. Returns how many pictures were decoded.
fn pass(
    reader: Reading<'_>,
    video: &Video,
    pictures: Vec<PictureLane>,
    sounds: Vec<SoundLane>,
    outputs: &Outputs,
    events: &mut Events,
) -> u64 {
    let copies_only = pictures.is_empty();
    let frames = pictures.iter().map(|lane| lane.frames);
    let progress = Progress::of(frames.chain(copies_only.then_some(video.scan.video.packets)));
    let progress = &progress;
    let (working, done) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || progress.tell(events, &done));
        let (mut shown, mut heard) = (Feeder::new(), Feeder::new());
        let mut lanes = Vec::new();
        let ends = wire(&pictures, &mut shown);
        for (piece, (picture, (source, children))) in pictures.into_iter().zip(ends).enumerate() {
            let users = outputs.users(|what| PictureKey::of(what).as_ref() == Some(&picture.key));
            let to = Destination { outputs, users: users.clone(), progress: Some((progress, piece)) };
            lanes.push((users, scope.spawn(move || encode_pictures(picture.lane, source, children, to))));
        }
        for SoundLane { key, lane } in sounds {
            let Ok(lane) = lane else { continue };
            let users = outputs.users(|what| SoundKey::of(what).as_ref() == Some(&key));
            let to = Destination { outputs, users: users.clone(), progress: None };
            let source = match key.sound {
                AudioOutput::Aac { .. } => heard.sounds(),
                // Silence needs no source.
                _ => Feeder::new().sounds(),
            };
            lanes.push((users, scope.spawn(move || encode_sound(lane, source, &to))));
        }
        let decoded = reader.read(&mut shown, &mut heard, outputs, copies_only.then_some(progress));
        drop((shown, heard));
        for (users, lane) in lanes {
            if lane.join().is_err() {
                outputs.fail(&users, &reject::not_made("an encoder stopped"));
            }
        }
        drop(working);
        decoded
    })
}

/// For each lane where its pictures come from, and the lanes that it feeds.
fn wire(
    lanes: &[PictureLane],
    source: &mut Feeder<frame::Video>,
) -> Vec<(Receiver<frame::Video>, Feeder<frame::Video>)> {
    let mut children: Vec<Feeder<frame::Video>> = lanes.iter().map(|_| Feeder::new()).collect();
    let pictures: Vec<_> = lanes
        .iter()
        .map(|lane| match lane.feed {
            Some(feed) => children[feed.from].pictures(),
            None => source.pictures(),
        })
        .collect();
    pictures.into_iter().zip(children).collect()
}

/// Verifies what was made, on all cores, and gives it its name.
fn keep(ended: Vec<Ended>, request: &RunRequest, video: &Video, timeline: Timeline, events: &mut Events) {
    let verified = |(wanted, part): Ended| {
        let expected = Expected { what: &wanted.what, source: &video.info, timeline, span: request.span };
        let made = part.and_then(|part| {
            let (info, sha256) = verify(&part.path(), &expected)?;
            part.keep()?;
            Ok(OutputOutcome::Made { info, sha256 })
        });
        (wanted.name, made)
    };
    let mut ended = ended.into_iter().peekable();
    while ended.peek().is_some() {
        let batch: Vec<Ended> = ended.by_ref().take(cores()).collect();
        let made: Vec<_> = thread::scope(|scope| {
            let start = |one: Ended| (one.0.name.clone(), scope.spawn(|| verified(one)));
            let threads: Vec<_> = batch.into_iter().map(start).collect();
            let end = |(name, thread): (String, ScopedJoinHandle<'_, _>)| {
                thread.join().unwrap_or_else(|_| (name, Err(reject::not_made("it could not be verified"))))
            };
            threads.into_iter().map(end).collect()
        });
        made.into_iter().for_each(|(name, made)| report(events, &name, made));
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
