//! Outputs of a video: what can be answered at once, then the engine for the rest.

use domain::engine::{OutputOutcome, RunRequest};
use domain::media_info::MediaInfo;
use domain::operation::{AudioOutput, Operation, VideoOutput};
use domain::problem::Problem;

use super::engine::{self, Pictures};
use super::outputs::Wanted;
use super::{Done, bad_request, report};
use crate::events::Events;
use crate::probe::{Depth, Scan, Sniffed, open_video, sha256};
use crate::reject;

/// Makes all outputs.
pub fn run(request: &RunRequest, sniffed: &Sniffed, events: &mut Events) -> Result<Done, Problem> {
    let video = open_video(&request.source, sniffed, &request.limits, Depth::Packets)?;
    let whole = |what: &VideoOutput| what.video.is_none() || what.audio != AudioOutput::None;
    let mut wanted = Vec::new();
    for output in &request.outputs {
        match ask(&output.operation, sniffed, &video.info, &video.scan) {
            Ok(Some(what)) if request.span.is_some() && whole(&what) => {
                let problem = bad_request("A part is of encoded pictures without sound.");
                report(events, &output.name, Err(problem));
            }
            Ok(Some(what)) => wanted.push(Wanted { name: output.name.clone(), what }),
            Ok(None) => {
                let same = |sha256| OutputOutcome::Made { info: video.info.clone(), sha256 };
                report(events, &output.name, sha256(&request.source).map(same));
            }
            Err(problem) => report(events, &output.name, Err(problem)),
        }
    }
    if wanted.is_empty() {
        return Ok(Done::default());
    }
    engine::run(request, sniffed, &video, Pictures::Encoded, wanted, events)
}

/// What is to be made; `None` for the source as it is.
fn ask(
    operation: &Operation,
    sniffed: &Sniffed,
    info: &MediaInfo,
    scan: &Scan,
) -> Result<Option<VideoOutput>, Problem> {
    let what = match operation {
        Operation::Passthrough => return Ok(None),
        Operation::Remux { drop_audio: true } => VideoOutput::new(None, AudioOutput::None),
        Operation::Remux { drop_audio: false } => VideoOutput::new(None, AudioOutput::Copy),
        Operation::Video(what) => what.clone(),
        Operation::Image(_) => return Err(bad_request("A video cannot be made into a photo.")),
    };
    if what.first_ms.is_some() && (what.video.is_none() || what.audio == AudioOutput::Copy) {
        return Err(bad_request("A video that is cut has to be encoded, picture and sound."));
    }
    let what = match what.audio {
        AudioOutput::Aac { .. } if info.audio.is_none() => {
            return Err(bad_request("The source has no sound to encode."));
        }
        AudioOutput::Copy if info.audio.is_none() => VideoOutput { audio: AudioOutput::None, ..what },
        _ => what,
    };
    if what.video.is_none() && sniffed.animated {
        return Err(bad_request("An animation has no streams to copy."));
    }
    let copies_both = what.video.is_none() && what.audio == AudioOutput::Copy;
    if copies_both && info.edit_list_trims || what.video.is_none() && scan.video.hidden > 0 {
        return Err(reject::needs_encode());
    }
    Ok(Some(what))
}
