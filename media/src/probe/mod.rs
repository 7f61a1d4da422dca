//! Reads the facts of a file: what it is, whether it can be used, how it looks.

mod animated;
mod glimpse;
mod hash;
mod matrix;
mod nal;
mod packets;
mod thumbnail;
mod video;

use std::fs::File;
use std::io::Read;

use domain::engine::{Event, InputLimits, ProbeRequest, Probed};
use domain::platform::MediaKind;
use domain::problem::Problem;

use crate::image::animation;
use crate::sniff::{self, Format};
use crate::{image, names, reject};

pub use glimpse::Depth;
pub use hash::sha256;
pub use packets::{Scan, TrackScan};
pub use video::{Video, open as open_video};

/// Answers a probe request.
///
/// # Errors
/// The reason why the file cannot be used.
pub fn probe(request: &ProbeRequest) -> Result<Event, Problem> {
    names::check(&request.source)?;
    names::check(&request.thumbnail)?;
    let sniffed = Sniffed::read(&request.source, &request.limits)?;
    let (info, (thumbnail, placeholder)) = match sniffed.kind() {
        MediaKind::Image => {
            let photo = image::Photo::open(&request.source, sniffed.format, &request.limits)?;
            (photo.info().clone(), photo.thumbnail(&request.thumbnail)?)
        }
        _ => {
            let video = open_video(&request.source, &sniffed, &request.limits, Depth::Sampled)?;
            let picture = video.picture.as_ref().ok_or_else(reject::unreadable)?;
            let thumbnail = thumbnail::write(picture, &video.info, &request.thumbnail)?;
            (video.info, thumbnail)
        }
    };
    let sha256 = sha256(&request.source)?;
    Ok(Event::Probed(Probed { info, sha256, thumbnail: Some(thumbnail), placeholder: Some(placeholder) }))
}

/// What is known of a file without a decoder.
pub struct Sniffed {
    pub format: Format,
    pub container: &'static str,
    pub bytes: u64,
    /// A GIF, WebP or PNG with more than one frame.
    pub animated: bool,
}

impl Sniffed {
    /// Looks at the first bytes of a file.
    ///
    /// # Errors
    /// When it is empty, too large, or nothing that we read.
    pub fn read(path: &str, limits: &InputLimits) -> Result<Self, Problem> {
        let file = File::open(path).map_err(|_| reject::unreadable())?;
        let bytes = file.metadata().map_err(|_| reject::unreadable())?.len();
        if bytes == 0 {
            return Err(reject::empty());
        }
        if bytes > limits.bytes {
            return Err(reject::too_many_bytes(limits.bytes));
        }
        let mut head = Vec::with_capacity(sniff::HEAD_BYTES);
        file.take(sniff::HEAD_BYTES as u64).read_to_end(&mut head).map_err(|_| reject::unreadable())?;
        let format = sniff::sniff(&head)?;
        let animated = animation::may_move(format) && animation::moves(path, format);
        Ok(Self { format, container: format.container(&head), bytes, animated })
    }

    /// `Image` or `Video`: what moves is a video.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        if self.format.demuxer().is_some() || self.animated { MediaKind::Video } else { MediaKind::Image }
    }
}
