//! Colours: from the photo's own profile to sRGB, which is what every network shows.

use image::{DynamicImage, RgbImage};
use moxcms::{
    CicpColorPrimaries, CicpProfile, CmsError, ColorProfile, DataColorSpace, Layout, MatrixCoefficients,
    TransferCharacteristics, TransformOptions,
};

/// Differences that nobody sees, in 8-bit steps: written profiles round.
const SAME_WITHIN: u8 = 2;
/// `TransferCharacteristics` as numbers of H.273.
const PQ: u8 = 16;

/// What the numbers of a picture mean.
pub struct Profile(ColorProfile);

impl Profile {
    /// From an ICC profile; `None` when it cannot be read, or not for photos: viewers ignore it then.
    #[must_use]
    pub fn from_icc(bytes: &[u8]) -> Option<Self> {
        let profile = ColorProfile::new_from_slice(bytes).ok()?;
        matches!(profile.color_space, DataColorSpace::Rgb | DataColorSpace::Cmyk).then_some(Self(profile))
    }

    /// From code points of primaries and transfer (ITU-T H.273), which HEIC and AVIF may have instead.
    #[must_use]
    pub fn from_code_points(primaries: u8, transfer: u8) -> Option<Self> {
        let color_primaries = CicpColorPrimaries::try_from(primaries).ok()?;
        let transfer_characteristics = match transfer {
            // Video curves in a photo mean sRGB to every viewer. HLG was made to look right on one.
            1 | 2 | 6 | 14 | 15 | 18 => TransferCharacteristics::Srgb,
            PQ => TransferCharacteristics::Smpte2084,
            other => TransferCharacteristics::try_from(other).ok()?,
        };
        Some(Self(ColorProfile::new_from_cicp(CicpProfile {
            color_primaries,
            transfer_characteristics,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        })))
    }

    /// The profile leaves colours as sRGB has them.
    #[must_use]
    pub fn is_srgb(&self) -> bool {
        const SAMPLES: [u8; 24] = [
            255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 128, 230, 120, 40, 20, 90, 200, 60, 60, 60, 255, 255,
            255,
        ];
        if self.is_cmyk() {
            return false;
        }
        let mut converted = [0; SAMPLES.len()];
        match self.convert(Layout::Rgb, &SAMPLES, &mut converted) {
            Ok(()) => SAMPLES.iter().zip(converted).all(|(from, to)| from.abs_diff(to) <= SAME_WITHIN),
            Err(_) => true,
        }
    }

    fn is_cmyk(&self) -> bool {
        self.0.color_space == DataColorSpace::Cmyk
    }

    /// Converts RGB or RGBA pixels in place.
    pub fn to_srgb(&self, pixels: &mut DynamicImage) {
        if self.is_cmyk() {
            return;
        }
        let layout = if pixels.color().has_alpha() { Layout::Rgba } else { Layout::Rgb };
        let mut target = vec![0; pixels.as_bytes().len()];
        if self.convert(layout, pixels.as_bytes(), &mut target).is_err() {
            return;
        }
        match pixels {
            DynamicImage::ImageRgb8(image) => image.copy_from_slice(&target),
            DynamicImage::ImageRgba8(image) => image.copy_from_slice(&target),
            _ => {}
        }
    }

    fn convert(&self, layout: Layout, from: &[u8], to: &mut [u8]) -> Result<(), CmsError> {
        let options = TransformOptions::default();
        self.0.create_transform_8bit(layout, &ColorProfile::new_srgb(), layout, options)?.transform(from, to)
    }
}

/// Turns CMYK, with 255 for no ink as Adobe writes it, into sRGB: by its profile, else by the plain
/// formula that browsers use.
#[must_use]
pub fn cmyk_to_srgb(pixels: &DynamicImage, profile: Option<&Profile>) -> DynamicImage {
    let (width, height) = (pixels.width(), pixels.height());
    let inks = pixels.as_bytes();
    let mut rgb = RgbImage::new(width, height);
    let by_profile = profile.filter(|profile| profile.is_cmyk()).is_some_and(|profile| {
        let inks: Vec<u8> = inks.iter().map(|ink| 255 - ink).collect();
        let transform = profile.0.create_transform_8bit(
            Layout::Rgba,
            &ColorProfile::new_srgb(),
            Layout::Rgb,
            TransformOptions::default(),
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
