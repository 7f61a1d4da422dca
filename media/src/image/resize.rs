//! Resizing with SIMD, for every kind of pixel that is decoded here.

use domain::problem::Problem;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::fit::Fit;
use crate::reject;

/// Sharp, for pictures that are looked at.
pub const SHARP: FilterType = FilterType::Lanczos3;
/// Without the ringing of a sharp filter, for enlarging what is blurred.
pub const SMOOTH: FilterType = FilterType::Bilinear;

/// The part of `pixels` that `fit` says, in the size that it says. `alpha`: the fourth channel is
/// alpha, and what is transparent has no say in colours.
pub fn resize(
    pixels: &DynamicImage,
    fit: &Fit,
    filter: FilterType,
    alpha: bool,
) -> Result<DynamicImage, Problem> {
    let failed = || reject::not_made("the picture could not be resized");
    let kind = match pixels {
        DynamicImage::ImageLuma8(_) => PixelType::U8,
        DynamicImage::ImageRgb8(_) => PixelType::U8x3,
        DynamicImage::ImageRgba8(_) => PixelType::U8x4,
        _ => return Err(failed()),
    };
    let (width, height) = fit.scaled;
    let source =
        ImageRef::new(pixels.width(), pixels.height(), pixels.as_bytes(), kind).map_err(|_| failed())?;
    let mut target = Image::new(width, height, kind);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(fit.left, fit.top, fit.width, fit.height)
        .use_alpha(alpha);
    Resizer::new().resize(&source, &mut target, &options).map_err(|_| failed())?;
    let resized = target.into_vec();
    match kind {
        PixelType::U8 => GrayImage::from_raw(width, height, resized).map(DynamicImage::from),
        PixelType::U8x3 => RgbImage::from_raw(width, height, resized).map(DynamicImage::from),
        _ => RgbaImage::from_raw(width, height, resized).map(DynamicImage::from),
    }
    .ok_or_else(failed)
}
