//! The small JPEG that stands for a video in lists, and the blur that stands for the JPEG.

use domain::engine::Thumbnail;
use domain::media_info::MediaInfo;
use domain::operation::Framing;
use domain::problem::Problem;
use ffmpeg_next::{Rational, frame};
use image::{DynamicImage, RgbImage};

use crate::av::graph::Graph;
use crate::av::picture::{BLACK, Look, chain};
use crate::image::{encode, placeholder, thumbnail_size};
use crate::reject;

/// Writes `picture`, a decoded frame of the video `info`, as it is displayed.
///
/// # Errors
/// `media.unreadable` when the frame cannot be shown.
pub fn write(picture: &frame::Video, info: &MediaInfo, name: &str) -> Result<(Thumbnail, String), Problem> {
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
    let thumbnail = Thumbnail { width: shown.width(), height: shown.height(), bytes: jpeg.len() as u64 };
    Ok((thumbnail, placeholder::of(&pixels(&shown).ok_or_else(reject::unreadable)?)?))
}

/// Rows of RGB without the gaps between them.
fn pixels(shown: &frame::Video) -> Option<DynamicImage> {
    let row = shown.width() as usize * 3;
    let rows = shown.data(0).chunks(shown.stride(0)).take(shown.height() as usize);
    let bytes = rows.flat_map(|padded| &padded[..row]).copied().collect();
    RgbImage::from_raw(shown.width(), shown.height(), bytes).map(DynamicImage::from)
}
