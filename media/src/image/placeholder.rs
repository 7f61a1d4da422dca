//! Some 25 bytes that show a picture as a blur while it loads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::operation::{Framing, ImageOutput};
use domain::problem::Problem;
use image::DynamicImage;

use super::fit::{Fit, share};
use super::resize::{SHARP, resize};

/// What the hash is made from is at most so wide and high, px.
const SIDE_MAX: u32 = 100;

/// The thumbhash of a picture, in base64.
///
/// # Errors
/// `media.transcode_failed` for a kind of pixel that is not resized here.
pub fn of(picture: &DynamicImage) -> Result<String, Problem> {
    let shrink = (f64::from(SIDE_MAX) / f64::from(picture.width().max(picture.height()))).min(1.0);
    let size = (share(picture.width(), shrink), share(picture.height(), shrink));
    let look = ImageOutput::jpeg(size, Framing::Whole, 100, u64::MAX);
    let fit = Fit::new((picture.width(), picture.height()), &look, false);
    let small = resize(picture, &fit, SHARP, picture.color().has_alpha())?.into_rgba8();
    let hash = thumbhash::rgba_to_thumb_hash(size.0 as usize, size.1 as usize, small.as_raw());
    Ok(STANDARD.encode(hash))
}
