//! Joins parts that were encoded apart. Their pictures are copied; the sound is that of the source.

use domain::engine::{Event, JoinRequest, RunRequest};
use domain::operation::{AudioOutput, Operation};
use domain::problem::Problem;

use super::engine::{self, Pictures};
use super::outputs::Wanted;
use super::parts::Parts;
use super::timeline::Timeline;
use super::video_lane::frame_time;
use super::{bad_request, check};
use crate::events::Events;
use crate::names;
use crate::probe::{Depth, Sniffed, open_video};
use crate::reject;

/// Answers a join request: an event for the output, and the last event.
///
/// # Errors
/// The reason why source or parts cannot be used.
pub fn run(request: &JoinRequest, events: &mut Events) -> Result<Event, Problem> {
    let JoinRequest { source, limits, parts, output } = request;
    let as_run = RunRequest { limits: limits.clone(), ..RunRequest::new(source, vec![output.clone()]) };
    check(&as_run)?;
    parts.iter().try_for_each(|part| names::check(part))?;
    let Operation::Video(what) = &output.operation else {
        return Err(bad_request("Only a video can be joined."));
    };
    let Some(encode) = &what.video else { return Err(bad_request("Only an encode can be joined.")) };
    let sniffed = Sniffed::read(source, limits)?;
    let video = open_video(source, &sniffed, limits, Depth::Packets)?;
    if matches!(what.audio, AudioOutput::Aac { .. }) && video.info.audio.is_none() {
        return Err(bad_request("The source has no sound to encode."));
    }
    let first = parts.first().cloned().unwrap_or_default();
    let parts = Parts::open(parts.clone(), frame_time(encode), limits)?;
    if parts.frames() != Timeline::of(&video.scan).first(what.first_ms).frames(encode.frame_rate) {
        return Err(reject::not_made("its parts are not all of it"));
    }
    let parts = Pictures::Joined { first, parts: Box::new(parts) };
    let wanted = vec![Wanted { name: output.name.clone(), what: what.clone() }];
    let done = engine::run(&as_run, &sniffed, &video, parts, wanted, events)?;
    Ok(Event::Finished { frames_decoded: done.frames_decoded, encodes: done.encodes })
}
