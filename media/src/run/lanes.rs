//! The threads of a run: one for each encode, fed over short queues with references to shared frames.

use std::cell::Cell;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use domain::problem::Problem;
use ffmpeg_next::{Error, Packet, frame};

use super::audio_lane::AudioLane;
use super::outputs::Outputs;
use super::progress::Progress;
use super::video_lane::{Sink, VideoLane};
use crate::av::{reference, reference_audio};
use crate::machine;

/// Pictures that wait for a lane: enough to bridge a slow frame, few enough to hold little memory (12 MB each at 4K).
const PICTURES: usize = 6;
/// Stretches of sound that wait for a lane; they are small.
const SOUNDS: usize = 64;

/// The sending ends of lanes that take the same frames.
pub struct Feeder<T>(Vec<SyncSender<T>>);

impl<T> Feeder<T> {
    /// Feeds nobody yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Nobody takes any more.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, capacity: usize) -> Receiver<T> {
        let (sender, receiver) = sync_channel(capacity);
        self.0.push(sender);
        receiver
    }

    /// Gives every lane a reference, waiting for the slowest. Who has gone is left out.
    fn give(&mut self, reference: impl Fn() -> Result<T, Error>) {
        let reference = || reference().unwrap_or_else(|_| machine::failed("memory ran out"));
        self.0.retain(|lane| lane.send(reference()).is_ok());
    }
}

impl Feeder<frame::Video> {
    /// Another lane: where its pictures come from.
    pub fn pictures(&mut self) -> Receiver<frame::Video> {
        self.add(PICTURES)
    }

    /// Gives every lane the picture; no pixel is copied.
    pub fn show(&mut self, picture: &frame::Video) {
        self.give(|| reference(picture));
    }
}

impl Feeder<frame::Audio> {
    /// Another lane: where its sound comes from.
    pub fn sounds(&mut self) -> Receiver<frame::Audio> {
        self.add(SOUNDS)
    }

    /// Gives every lane the sound; no sample is copied.
    pub fn play(&mut self, sound: &frame::Audio) {
        self.give(|| reference_audio(sound));
    }
}

/// Where a lane's packets go.
pub struct Destination<'a> {
    pub outputs: &'a Outputs,
    /// Indices of the outputs that want them.
    pub users: Vec<usize>,
    /// Where its frames count, and as which piece of the work.
    pub progress: Option<(&'a Progress, usize)>,
}

/// The work of a thread that encodes pictures, and feeds other lanes with them.
pub fn encode_pictures(
    mut lane: VideoLane,
    pictures: Receiver<frame::Video>,
    children: Feeder<frame::Video>,
    to: Destination<'_>,
) {
    let mut sink = PictureSink { children, has_users: true, to };
    let work = || -> Result<(), Problem> {
        for picture in pictures {
            if !lane.push(&picture, &mut sink)? {
                break;
            }
        }
        lane.finish(&mut sink)
    };
    if let Err(problem) = work() {
        sink.failed(&problem);
    }
    if let Some((progress, piece)) = sink.to.progress {
        progress.end(piece);
    }
}

struct PictureSink<'a> {
    children: Feeder<frame::Video>,
    has_users: bool,
    to: Destination<'a>,
}

impl Sink for PictureSink<'_> {
    fn picture(&mut self, picture: &frame::Video) {
        self.children.show(picture);
        if let Some((progress, piece)) = self.to.progress {
            progress.step(piece);
        }
    }

    fn packet(&mut self, packet: &Packet) {
        self.has_users = self.to.outputs.video(&self.to.users, packet);
    }

    fn failed(&mut self, problem: &Problem) {
        self.to.outputs.fail(&self.to.users, problem);
    }

    fn has_users(&self) -> bool {
        self.has_users
    }

    fn is_of_use(&self) -> bool {
        !self.children.is_idle()
    }
}

/// The work of a thread that encodes sound.
pub fn encode_sound(mut lane: AudioLane, sounds: Receiver<frame::Audio>, to: &Destination<'_>) {
    let has_users = Cell::new(true);
    let mut deliver = |packet: &Packet| has_users.set(to.outputs.audio(&to.users, packet));
    let work = || -> Result<(), Problem> {
        for sound in sounds {
            lane.push(&sound, &mut deliver)?;
            if lane.has_all() || !has_users.get() {
                break;
            }
        }
        lane.finish(&mut deliver)
    };
    if let Err(problem) = work() {
        to.outputs.fail(&to.users, &problem);
    }
}
