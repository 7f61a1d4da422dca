//! From stored pixels to the picture that was asked for: size, colours, orientation, canvas, logo.

use domain::operation::{ImageFormat, ImageOutput};
use domain::problem::Problem;
use image::DynamicImage;
use image::metadata::Orientation;

use super::fit::Fit;
use super::levels::Levels;
use super::logo::Logos;
use super::resize::{SHARP, resize};
use super::{Photo, canvas, colour, decode as other, heif, jpeg};
use crate::reject;
use crate::sniff::Format;

/// Decodes as large as the largest of `looks` needs it, which for a JPEG may be a fraction.
pub fn decode(photo: &Photo, looks: &[ImageOutput]) -> Result<Levels, Problem> {
    let scales = |size| looks.iter().map(move |look| Fit::new(size, look, sideways(photo)).scale());
    let decoded = match photo.format {
        Format::Jpeg => jpeg::decode(&photo.bytes, scales(photo.stored).fold(0.0, f64::max)),
        Format::Heic | Format::Avif => heif::decode(&photo.bytes, &photo.limits),
        format => other::decode(&photo.bytes, format),
    }?;
    Levels::new(decoded, |size| scales(size).fold(1.0, f64::min), !is_cmyk(photo))
}

/// Makes one picture: RGB, or RGBA where something stays transparent.
pub fn render(
    photo: &Photo,
    pixels: &Levels,
    look: &ImageOutput,
    logos: &Logos,
) -> Result<DynamicImage, Problem> {
    let best = pixels.best(|size| Fit::new(size, look, sideways(photo)));
    let (level, fit) = best.ok_or_else(reject::unreadable)?;
    // CMYK comes as four channels, too, but its fourth is no alpha.
    let mut picture = resize(level, &fit, SHARP, !is_cmyk(photo))?;
    // Fewer pixels are left: now what costs time for each.
    if is_cmyk(photo) {
        picture = colour::cmyk_to_srgb(&picture, photo.profile.as_ref());
    } else {
        if matches!(picture, DynamicImage::ImageLuma8(_)) {
            picture = DynamicImage::from(picture.into_rgb8());
        }
        if let Some(profile) = &photo.profile {
            profile.to_srgb(&mut picture);
        }
    }
    let orientation = photo.info.image.as_ref().map_or(1, |facts| facts.orientation);
    picture.apply_orientation(Orientation::from_exif(orientation).unwrap_or(Orientation::NoTransforms));
    if look.format == ImageFormat::Jpeg {
        let paper = look.pad_color.unwrap_or(canvas::WHITE);
        picture = DynamicImage::from(canvas::flat(picture, paper));
    }
    let mut picture = canvas::frame(picture, look)?;
    if let Some(mark) = &look.watermark {
        logos.draw(&mut picture, mark)?;
    }
    Ok(picture)
}

fn is_cmyk(photo: &Photo) -> bool {
    photo.format == Format::Jpeg && photo.info.image.as_ref().is_some_and(|facts| facts.color_model == "cmyk")
}

fn sideways(photo: &Photo) -> bool {
    photo.info.image.as_ref().is_some_and(|facts| facts.orientation >= 5)
}
