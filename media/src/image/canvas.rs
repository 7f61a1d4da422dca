//! What a picture stands on when it does not fill the shape that was asked for, or has holes.

use domain::operation::{Color, Framing, ImageOutput};
use domain::problem::Problem;
use image::{DynamicImage, Rgb, RgbImage, imageops};

use super::fit::Fit;
use super::resize::{SHARP, SMOOTH, resize};

/// The paper, when nobody chose another.
pub const WHITE: Color = Color([255; 3]);

/// Longer side of what is left of a picture when it becomes a backdrop, px.
const BACKDROP_SIDE: u32 = 64;
/// In pixels of the small backdrop: what was a face is a spot.
const BLUR_SIGMA: f32 = 3.0;

/// Puts what is transparent on paper.
#[must_use]
pub fn flat(picture: DynamicImage, Color(paper): Color) -> RgbImage {
    let DynamicImage::ImageRgba8(picture) = picture else { return picture.into_rgb8() };
    let mut flat = RgbImage::new(picture.width(), picture.height());
    for (from, to) in picture.chunks_exact(4).zip(flat.chunks_exact_mut(3)) {
        for ((channel, paper), to) in from.iter().zip(paper).zip(to) {
            *to = mix(*channel, paper, from[3]);
        }
    }
    flat
}

/// Puts the picture in the middle of the canvas, with borders as `look` wants them.
pub fn frame(picture: DynamicImage, look: &ImageOutput) -> Result<DynamicImage, Problem> {
    let (width, height) = (look.width, look.height);
    if (picture.width(), picture.height()) == (width, height) {
        return Ok(picture);
    }
    let paper = look.pad_color.unwrap_or(WHITE);
    let left = i64::from(width.saturating_sub(picture.width()) / 2);
    let top = i64::from(height.saturating_sub(picture.height()) / 2);
    if look.framing == Framing::Blur {
        let picture = DynamicImage::from(flat(picture, paper));
        let mut page = backdrop(&picture, (width, height))?;
        imageops::replace(&mut page, &picture, left, top);
        return Ok(page);
    }
    let page = RgbImage::from_pixel(width, height, Rgb(paper.0));
    Ok(match picture {
        // Holes stay holes; only the borders are painted.
        DynamicImage::ImageRgba8(picture) => {
            let mut page = DynamicImage::from(page).into_rgba8();
            imageops::replace(&mut page, &picture, left, top);
            DynamicImage::from(page)
        }
        picture => {
            let mut page = page;
            imageops::replace(&mut page, &picture.into_rgb8(), left, top);
            DynamicImage::from(page)
        }
    })
}

/// `over` with so much alpha on `under`.
pub fn mix(over: u8, under: u8, alpha: u8) -> u8 {
    let alpha = u16::from(alpha);
    let mixed = (u16::from(over) * alpha + u16::from(under) * (255 - alpha) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

/// The middle of the picture, enlarged to fill the canvas and blurred. The blur is made where it is
/// cheap, in a picture of a few thousand pixels.
fn backdrop(picture: &DynamicImage, (width, height): (u32, u32)) -> Result<DynamicImage, Problem> {
    let small = |side: u32| {
        let scaled = u64::from(side) * u64::from(BACKDROP_SIDE) / u64::from(width.max(height));
        u32::try_from(scaled).unwrap_or(BACKDROP_SIDE).max(1)
    };
    let look = ImageOutput::jpeg((small(width), small(height)), Framing::Crop, 100, u64::MAX);
    let fit = Fit::new((picture.width(), picture.height()), &look, false);
    let blurred = resize(picture, &fit, SHARP, false)?.fast_blur(BLUR_SIGMA);
    let look = ImageOutput::jpeg((width, height), Framing::Whole, 100, u64::MAX);
    resize(&blurred, &Fit::new((blurred.width(), blurred.height()), &look, false), SMOOTH, false)
}
