//! From stored pixels to the picture that was asked for: size, colours, background, orientation.

use domain::operation::{Framing, ImageOutput};
use domain::problem::Problem;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::{Photo, colour, decode as other, jpeg};
use crate::reject;
use crate::sniff::Format;

/// Decodes as large as the largest of `looks` needs it, which for a JPEG may be a fraction.
pub fn decode(photo: &Photo, looks: &[ImageOutput]) -> Result<DynamicImage, Problem> {
    match photo.format {
        Format::Jpeg => {
            let scale = looks
                .iter()
                .map(|look| Fit::new(photo.stored, look, sideways(photo)).scale())
                .fold(0.0, f64::max);
            jpeg::decode(&photo.bytes, scale)
        }
        format => other::decode(&photo.bytes, format),
    }
}

/// Makes one picture, in RGB.
pub fn render(photo: &Photo, pixels: &DynamicImage, look: &ImageOutput) -> Result<RgbImage, Problem> {
    let fit = Fit::new((pixels.width(), pixels.height()), look, sideways(photo));
    let mut picture = resize(pixels, &fit, !is_cmyk(photo))?;
    // Fewer pixels are left: now what costs time for each.
    if is_cmyk(photo) {
        picture = colour::cmyk_to_srgb(&picture, photo.icc.as_deref());
    } else {
        if !matches!(picture, DynamicImage::ImageRgba8(_)) {
            picture = DynamicImage::from(picture.into_rgb8());
        }
        if let Some(profile) = &photo.icc {
            colour::to_srgb(&mut picture, profile);
        }
    }
    let mut picture = DynamicImage::from(on_white(picture));
    let orientation = photo.info.image.as_ref().map_or(1, |facts| facts.orientation);
    picture.apply_orientation(Orientation::from_exif(orientation).unwrap_or(Orientation::NoTransforms));
    Ok(pad(picture.into_rgb8(), look))
}

fn is_cmyk(photo: &Photo) -> bool {
    photo.format == Format::Jpeg && photo.info.image.as_ref().is_some_and(|facts| facts.color_model == "cmyk")
}

fn sideways(photo: &Photo) -> bool {
    photo.info.image.as_ref().is_some_and(|facts| facts.orientation >= 5)
}

/// Which part of the stored picture becomes how large, as stored, i.e. before turning.
#[derive(Debug, PartialEq)]
struct Fit {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    scaled: (u32, u32),
}

impl Fit {
    fn new(stored: (u32, u32), look: &ImageOutput, sideways: bool) -> Self {
        let target = if sideways { (look.height, look.width) } else { (look.width, look.height) };
        let (width, height) = (f64::from(stored.0), f64::from(stored.1));
        let (shape, target_shape) = (width / height, f64::from(target.0) / f64::from(target.1));
        let whole = Self { left: 0.0, top: 0.0, width, height, scaled: target };
        match look.framing {
            Framing::Whole => whole,
            Framing::Crop if shape > target_shape => {
                let part = height * target_shape;
                Self { left: (width - part) / 2.0, width: part, ..whole }
            }
            Framing::Crop => {
                let part = width / target_shape;
                Self { top: (height - part) / 2.0, height: part, ..whole }
            }
            Framing::Pad | Framing::Blur if shape > target_shape => {
                Self { scaled: (target.0, share(target.1, target_shape / shape)), ..whole }
            }
            Framing::Pad | Framing::Blur => {
                Self { scaled: (share(target.0, shape / target_shape), target.1), ..whole }
            }
        }
    }

    /// Pixels made of a stored one, in the direction that needs more; at most 1.
    fn scale(&self) -> f64 {
        (f64::from(self.scaled.0) / self.width).max(f64::from(self.scaled.1) / self.height).min(1.0)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is one")]
fn share(length: u32, part: f64) -> u32 {
    ((f64::from(length) * part).round() as u32).clamp(1, length)
}

/// CMYK comes as four channels, too, but its fourth is no alpha.
fn resize(pixels: &DynamicImage, fit: &Fit, has_alpha: bool) -> Result<DynamicImage, Problem> {
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
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(fit.left, fit.top, fit.width, fit.height)
        .use_alpha(has_alpha);
    Resizer::new().resize(&source, &mut target, &options).map_err(|_| failed())?;
    let resized = target.into_vec();
    match kind {
        PixelType::U8 => GrayImage::from_raw(width, height, resized).map(DynamicImage::from),
        PixelType::U8x3 => RgbImage::from_raw(width, height, resized).map(DynamicImage::from),
        _ => RgbaImage::from_raw(width, height, resized).map(DynamicImage::from),
    }
    .ok_or_else(failed)
}

/// Puts what is transparent on white paper.
fn on_white(picture: DynamicImage) -> RgbImage {
    let DynamicImage::ImageRgba8(picture) = picture else { return picture.into_rgb8() };
    let mut flat = RgbImage::new(picture.width(), picture.height());
    for (from, to) in picture.chunks_exact(4).zip(flat.chunks_exact_mut(3)) {
        let alpha = u16::from(from[3]);
        for (from, to) in from.iter().zip(to) {
            let mixed = (u16::from(*from) * alpha + 255 * (255 - alpha) + 127) / 255;
            *to = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }
    flat
}

/// Borders are white, like the paper.
fn pad(picture: RgbImage, look: &ImageOutput) -> RgbImage {
    let (width, height) = (look.width, look.height);
    if picture.dimensions() == (width, height) {
        return picture;
    }
    let mut page = RgbImage::from_pixel(width, height, image::Rgb([255; 3]));
    let left = i64::from(width.saturating_sub(picture.width()) / 2);
    let top = i64::from(height.saturating_sub(picture.height()) / 2);
    image::imageops::replace(&mut page, &picture, left, top);
    page
}
