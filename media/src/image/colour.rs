//! Colours: from the photo's own profile to sRGB, which is what every network shows.

use image::{DynamicImage, RgbImage};
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Differences that nobody sees, in 8-bit steps: written profiles round.
const SAME_WITHIN: u8 = 2;

/// The profile leaves colours as sRGB has them. `true` for one that cannot be read: viewers ignore it.
#[must_use]
pub fn is_srgb(profile: &[u8]) -> bool {
    const SAMPLES: [u8; 24] = [
        255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 128, 230, 120, 40, 20, 90, 200, 60, 60, 60, 255, 255, 255,
    ];
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return true };
    match profile.color_space {
        DataColorSpace::Rgb => {}
        DataColorSpace::Gray => return true,
        _ => return false,
    }
    let mut converted = [0; SAMPLES.len()];
    match convert(&profile, Layout::Rgb, &SAMPLES, &mut converted) {
        Ok(()) => SAMPLES.iter().zip(converted).all(|(from, to)| from.abs_diff(to) <= SAME_WITHIN),
        Err(_) => true,
    }
}

/// Converts RGB or RGBA pixels in place. Without a usable profile they are taken for sRGB.
pub fn to_srgb(pixels: &mut DynamicImage, profile: &[u8]) {
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let layout = if pixels.color().has_alpha() { Layout::Rgba } else { Layout::Rgb };
    let source = pixels.as_bytes().to_vec();
    let mut target = vec![0; source.len()];
    if convert(&profile, layout, &source, &mut target).is_err() {
        return;
    }
    match pixels {
        DynamicImage::ImageRgb8(image) => image.copy_from_slice(&target),
        DynamicImage::ImageRgba8(image) => image.copy_from_slice(&target),
        _ => {}
    }
}

/// Turns CMYK, with 255 for no ink as Adobe writes it, into sRGB: by its profile, else by the plain
/// formula that browsers use.
#[must_use]
pub fn cmyk_to_srgb(pixels: &DynamicImage, profile: Option<&[u8]>) -> DynamicImage {
    let (width, height) = (pixels.width(), pixels.height());
    let inks = pixels.as_bytes();
    let mut rgb = RgbImage::new(width, height);
    let by_profile = profile
        .and_then(|profile| ColorProfile::new_from_slice(profile).ok())
        .filter(|profile| profile.color_space == DataColorSpace::Cmyk)
        .is_some_and(|profile| {
            let inks: Vec<u8> = inks.iter().map(|ink| 255 - ink).collect();
            let transform = profile.create_transform_8bit(
                Layout::Rgba,
                &ColorProfile::new_srgb(),
                Layout::Rgb,
                options(),
            );
            transform.is_ok_and(|transform| transform.transform(&inks, &mut rgb).is_ok())
        });
    if !by_profile {
        for (inks, colour) in inks.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
            for (ink, channel) in inks.iter().zip(colour) {
                let light = (u16::from(*ink) * u16::from(inks[3]) + 127) / 255;
                *channel = u8::try_from(light).unwrap_or(u8::MAX);
            }
        }
    }
    DynamicImage::from(rgb)
}

fn convert(profile: &ColorProfile, layout: Layout, from: &[u8], to: &mut [u8]) -> Result<(), CmsError> {
    profile.create_transform_8bit(layout, &ColorProfile::new_srgb(), layout, options())?.transform(from, to)
}

fn options() -> TransformOptions {
    TransformOptions::default()
}
