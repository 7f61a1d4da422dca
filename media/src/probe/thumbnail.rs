//! The small JPEG that stands for a video in lists.

use domain::engine::Thumbnail;
use domain::media_info::MediaInfo;
use domain::operation::Framing;
use domain::problem::Problem;
use ffmpeg_next::{Rational, frame};

use crate::av::graph::Graph;
use crate::av::picture::{BLACK, Look, chain};
use crate::image::{encode, thumbnail_size};
use crate::reject;

/// Writes `picture`, a decoded frame of the video `info`, as it is displayed.
///
/// # Errors
/// `media.unreadable` when the frame cannot be shown.
pub fn write(picture: &frame::Video, info: &MediaInfo, name: &str) -> Result<Thumbnail, Problem> {
    let video = info.video.as_ref().ok_or_else(reject::unreadable)?;
    let (width, height) = thumbnail_size(info.width, info.height);
    let look =
        Look { width, height, framing: Framing::Whole, pad_color: BLACK, timing: None, pixels: "rgb24" };
    let mut shown = frame::Video::empty();
    let mut render = || {
        let mut graph =
            Graph::video(picture, Rational::new(1, 1000), video.sar, &chain(video, &look, None), None)?;
        graph.push(picture)?;
        graph.close(0.0)?;
        graph.pull(&mut shown)
    };
    if !render().map_err(|_| reject::unreadable())? {
        return Err(reject::unreadable());
    }
    let jpeg = encode::thumbnail(shown.data(0), shown.stride(0), shown.width(), shown.height())?;
    encode::write(name, &jpeg)?;
    Ok(Thumbnail { width: shown.width(), height: shown.height(), bytes: jpeg.len() as u64 })
}
