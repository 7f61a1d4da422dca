//! An animation, seen as the video that it is.

use domain::engine::InputLimits;
use domain::problem::Problem;

use super::glimpse::{Depth, THUMBNAIL_AFTER_S};
use super::video::Video;
use crate::av::rgb_picture;
use crate::image::animation::Animation;
use crate::reject;
use crate::sniff::Format;

/// Reads an animation: all that it announces, and the frames up to the one for the thumbnail.
///
/// # Errors
/// The reason why it cannot be used.
pub fn open(path: &str, format: Format, limits: &InputLimits, depth: Depth) -> Result<Video, Problem> {
    let animation = Animation::open(path, format, limits)?;
    let scan = animation.scan();
    if depth == Depth::Packets {
        return Ok(Video { info: animation.info(), scan, picture: None });
    }
    let mut shown = None;
    for frame in animation.frames()? {
        let frame = frame?;
        let late = scan.video.seconds(frame.pts_ms) >= THUMBNAIL_AFTER_S;
        shown = Some(frame.picture);
        if late {
            break;
        }
    }
    let picture = shown.ok_or_else(reject::unreadable)?;
    let picture = rgb_picture(&picture).map_err(|_| reject::unreadable())?;
    Ok(Video { info: animation.info(), scan, picture: Some(picture) })
}
