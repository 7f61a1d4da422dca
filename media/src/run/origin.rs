//! Where pictures and sound come from: a file with streams, or an animation.

use domain::engine::RunRequest;
use domain::problem::Problem;
use ffmpeg_next::frame;

use super::lanes::Feeder;
use super::outputs::Outputs;
use super::progress::Progress;
use super::reader::Reader;
use crate::av::input::{self, Source};
use crate::av::rgb_picture;
use crate::image::animation::Animation;
use crate::probe::Sniffed;

/// A source that was opened.
pub enum Origin {
    File(Source),
    /// Times are in milliseconds.
    Animation(Animation),
}

impl Origin {
    /// Opens the source of a request.
    ///
    /// # Errors
    /// As for the probe.
    pub fn open(request: &RunRequest, sniffed: &Sniffed) -> Result<Self, Problem> {
        if sniffed.animated {
            return Animation::open(&request.source, sniffed.format, &request.limits).map(Self::Animation);
        }
        input::open(&request.source, sniffed.format, &request.limits).map(Self::File)
    }

    /// The file with streams; `None` for an animation.
    #[must_use]
    pub const fn source(&self) -> Option<&Source> {
        match self {
            Self::File(source) => Some(source),
            Self::Animation(_) => None,
        }
    }
}

/// A source that is read once.
#[expect(clippy::large_enum_variant, reason = "there is one")]
pub enum Reading<'a> {
    File(Reader<'a>),
    Animation(Animation),
}

impl Reading<'_> {
    /// Reads to the end, or until nobody takes any more. Returns how many pictures were decoded.
    pub fn read(
        self,
        shown: &mut Feeder<frame::Video>,
        heard: &mut Feeder<frame::Audio>,
        outputs: &Outputs,
        progress: Option<&Progress>,
    ) -> u64 {
        match self {
            Self::File(reader) => reader.read(shown, heard, outputs, progress),
            Self::Animation(animation) => show(&animation, shown),
        }
    }
}

/// Up to the end or to damage: the last picture stays for the rest of the time.
fn show(animation: &Animation, shown: &mut Feeder<frame::Video>) -> u64 {
    let mut decoded = 0;
    for frame in animation.frames().into_iter().flatten().map_while(Result::ok) {
        let Ok(mut picture) = rgb_picture(&frame.picture) else { break };
        picture.set_pts(Some(frame.pts_ms));
        decoded += 1;
        shown.show(&picture);
        if shown.is_idle() {
            break;
        }
    }
    decoded
}
