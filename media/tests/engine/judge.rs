//! What is said of a finished file by those who did not make it: its profiles, the planner, a second
//! probe, ffmpeg and ffprobe.

use std::path::Path;
use std::process::Command;

use domain::conformance::violations;
use domain::media_info::MediaInfo;
use domain::operation::{AudioOutput, Operation, VideoOutput};
use domain::plan::{Want, fit};
use domain::profile::{Profile, profiles};
use serde_json::Value;

use crate::harness::{Scratch, number, stream};

/// The lip-sync tolerance, s.
const DRIFT_MAX: f64 = 0.04;

/// One finished file and where it comes from.
pub struct Finished<'a> {
    pub path: &'a Path,
    pub info: &'a MediaInfo,
    pub source: &'a MediaInfo,
    pub operation: &'a Operation,
    /// What it was made for.
    pub profiles: Vec<&'static Profile>,
}

/// Every row for files of the kind of `info`.
pub fn profiles_for(info: &MediaInfo) -> Vec<&'static Profile> {
    profiles().iter().filter(|profile| profile.kind() == info.kind).collect()
}

impl Finished<'_> {
    /// Everything that is wrong with it, in words.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.refusals();
        faults.extend(self.other_facts());
        faults.extend(decoding(self.path, self.is_made_of_new_streams()));
        faults.extend(self.lost_frames());
        faults.extend(self.drift());
        faults
    }

    /// Made anew as a whole, so that no damage of the source can be in it.
    fn is_made_of_new_streams(&self) -> bool {
        match self.operation {
            Operation::Image(_) => true,
            Operation::Video(VideoOutput { video, audio, .. }) => {
                video.is_some() && *audio != AudioOutput::Copy
            }
            Operation::Passthrough | Operation::Remux { .. } => false,
        }
    }

    /// Profiles that refuse it, and those that would have it changed again.
    fn refusals(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for profile in &self.profiles {
            for violation in violations(self.info, profile) {
                faults.push(format!("{} refuses it: {}", profile.name, violation.reason));
            }
            match fit(self.info, &Want::new(profile)) {
                Ok(again) if again.operation == Operation::Passthrough => {}
                again => faults.push(format!("{} is not done with it: {again:?}", profile.name)),
            }
        }
        faults
    }

    /// Read again, it is the file that was promised.
    fn other_facts(&self) -> Option<String> {
        if *self.operation == Operation::Passthrough {
            return None;
        }
        let again = Scratch::with(self.path).probe().map(|probed| probed.info);
        (again.as_ref() != Ok(self.info)).then(|| format!("read again, it is {again:?}"))
    }

    fn lost_frames(&self) -> Option<String> {
        let (made, source) = (self.info.video.as_ref()?, self.source.video.as_ref()?);
        let (made, frames) = (to_f64(made.frames), to_f64(source.frames));
        if source.frame_rate <= 0.0 {
            // A single frame has no rate.
            return (made < 1.0).then(|| "it has no frame".to_owned());
        }
        let expected = match self.operation {
            Operation::Video(VideoOutput { video: Some(encode), .. }) => {
                let rate = f64::from(encode.frame_rate.0) / f64::from(encode.frame_rate.1);
                let length = frames / source.frame_rate * rate;
                // How long the last frame is shown is not in the average.
                let held = to_f64(self.source.duration_ms?) / 1000.0 * rate;
                if source.constant_frame_rate {
                    length - 1.0..=length.max(held) + 1.0
                } else {
                    length - rate / source.frame_rate - 1.0..=held + 2.0
                }
            }
            _ => frames..=frames,
        };
        (!expected.contains(&made)).then(|| format!("it has {made} frames instead of {expected:?}"))
    }

    /// Sound that was made anew ends with the pictures.
    fn drift(&self) -> Option<String> {
        let Operation::Video(VideoOutput {
            audio: AudioOutput::Aac { .. } | AudioOutput::Silent { .. }, ..
        }) = self.operation
        else {
            return None;
        };
        let judge = ffprobe_streams(self.path);
        let end = |kind| {
            let stream = stream(&judge, kind)?;
            Some(number(&stream["start_time"]) + number(&stream["duration"]))
        };
        let drift = end("audio")? - end("video")?;
        (drift.abs() >= DRIFT_MAX).then(|| format!("sound and pictures end {drift} s apart"))
    }
}

/// ffmpeg decodes it from end to end. Where streams were copied it may report damage in them, as long
/// as it gets to the end.
fn decoding(path: &Path, strictly: bool) -> Option<String> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-protocol_whitelist", "file"]).arg("-i").arg(path);
    let output = command.args(["-map", "0", "-f", "null", "-"]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    let fine = output.status.success() && (!strictly || log.is_empty());
    // Of the first complaints the others follow.
    let first: Vec<&str> = log.lines().take(3).collect();
    (!fine).then(|| format!("ffmpeg decodes it with {}: {}", output.status, first.join("; ")))
}

fn ffprobe_streams(path: &Path) -> Value {
    let arguments = ["-v", "error", "-of", "json", "-show_entries", "stream=codec_type,start_time,duration"];
    let run = Command::new("ffprobe").args(arguments).arg(path).output().unwrap();
    serde_json::from_slice(&run.stdout).unwrap()
}

/// Frames and milliseconds of hours at most.
fn to_f64(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
