//! The files that are being made. Several lanes write to each at once; one that fails, fails alone.

use std::sync::{Mutex, PoisonError};

use domain::operation::VideoOutput;
use domain::problem::Problem;
use ffmpeg_next::Packet;

use super::writer::{Part, Writer};
use crate::av::share;
use crate::reject;

/// An output to be made.
pub struct Wanted {
    pub name: String,
    pub what: VideoOutput,
}

/// All outputs of one source, in the order of the request.
pub struct Outputs(Vec<Output>);

struct Output {
    wanted: Wanted,
    writer: Mutex<Result<Writer, Problem>>,
}

/// What became of an output: its file, or why there is none.
pub type Ended = (Wanted, Result<Part, Problem>);

impl Outputs {
    /// Outputs that `open` starts; one that does not start has failed.
    pub fn open(wanted: Vec<Wanted>, open: impl Fn(&Wanted) -> Result<Writer, Problem>) -> Self {
        let output = |wanted| Output { writer: Mutex::new(open(&wanted)), wanted };
        Self(wanted.into_iter().map(output).collect())
    }

    /// The indices of those outputs that `is` holds for.
    #[must_use]
    pub fn users(&self, is: impl Fn(&VideoOutput) -> bool) -> Vec<usize> {
        (0..self.0.len()).filter(|index| is(&self.0[*index].wanted.what)).collect()
    }

    /// Writes a packet of the picture to every one of `users`. `false`: all of them have failed.
    pub fn video(&self, users: &[usize], packet: &Packet) -> bool {
        users.iter().filter(|user| self.write(**user, packet, Writer::video)).count() > 0
    }

    /// Writes a packet of the sound to every one of `users`. `false`: all of them have failed.
    pub fn audio(&self, users: &[usize], packet: &Packet) -> bool {
        users.iter().filter(|user| self.write(**user, packet, Writer::audio)).count() > 0
    }

    /// What `users` waited for will not come.
    pub fn fail(&self, users: &[usize], problem: &Problem) {
        for user in users {
            let mut writer = self.0[*user].writer.lock().unwrap_or_else(PoisonError::into_inner);
            if writer.is_ok() {
                *writer = Err(problem.clone());
            }
        }
    }

    /// Ends every file.
    #[must_use]
    pub fn finish(self) -> Vec<Ended> {
        let end = |output: Output| {
            let writer = output.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
            (output.wanted, writer.and_then(Writer::finish))
        };
        self.0.into_iter().map(end).collect()
    }

    fn write(
        &self,
        user: usize,
        packet: &Packet,
        write: fn(&mut Writer, Packet) -> Result<(), Problem>,
    ) -> bool {
        // A writer is as it was when a thread panics: libav does not unwind.
        let mut state = self.0[user].writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(writer) = &mut *state else { return false };
        let shared = share(packet).map_err(|_| reject::not_made("memory ran out"));
        if let Err(problem) = shared.and_then(|packet| write(writer, packet)) {
            *state = Err(problem);
        }
        state.is_ok()
    }
}
