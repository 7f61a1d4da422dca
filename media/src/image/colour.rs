//! Colours: from the photo's own profile to sRGB, which is what every network shows.

use image::{DynamicImage, RgbImage};
use moxcms::{
    CicpColorPrimaries, CicpProfile, CmsError, ColorProfile, DataColorSpace, Layout, MatrixCoefficients,
    TransferCharacteristics, TransformOptions,
};

/// Differences that nobody sees, in 8-bit steps: written profiles round.
const SAME_WITHIN: u8 = 2;
/// Transfer characteristics of H.273: of HDR, as absolute light.
const PQ: u8 = 16;
/// What is white on paper, and the brightest light that is told from brighter, nits: as for videos.
const WHITE_NITS: f64 = 203.0;
const PEAK_NITS: f64 = 1000.0;

/// What the numbers of a picture mean.
pub struct Profile {
    profile: ColorProfile,
    /// Applied to each channel before the profile holds.
    curve: Option<[u8; 256]>,
}

impl Profile {
    /// From an ICC profile; `None` when it cannot be read, or not for photos: viewers ignore it then.
    #[must_use]
    pub fn from_icc(bytes: &[u8]) -> Option<Self> {
        let profile = ColorProfile::new_from_slice(bytes).ok()?;
        matches!(profile.color_space, DataColorSpace::Rgb | DataColorSpace::Cmyk)
            .then_some(Self { profile, curve: None })
    }

    /// From code points of primaries and transfer (ITU-T H.273), which HEIC and AVIF may have instead.
    #[must_use]
    pub fn from_code_points(primaries: u8, transfer: u8) -> Option<Self> {
        let color_primaries = CicpColorPrimaries::try_from(primaries).ok()?;
        let transfer_characteristics = match transfer {
            // Video curves in a photo mean sRGB to every viewer. HLG was made to look right on one.
            1 | 2 | 6 | 14 | 15 | 18 | PQ => TransferCharacteristics::Srgb,
            other => TransferCharacteristics::try_from(other).ok()?,
        };
        let profile = ColorProfile::new_from_cicp(CicpProfile {
            color_primaries,
            transfer_characteristics,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        });
        Some(Self { profile, curve: (transfer == PQ).then(pq_to_srgb) })
    }

    /// The profile leaves colours as sRGB has them.
    #[must_use]
    pub fn is_srgb(&self) -> bool {
        const SAMPLES: [u8; 24] = [
            255, 0, 0, 0, 255, 0, 0, 0, 255, 128, 128, 128, 230, 120, 40, 20, 90, 200, 60, 60, 60, 255, 255,
            255,
        ];
        if self.is_cmyk() || self.curve.is_some() {
            return false;
        }
        let mut converted = [0; SAMPLES.len()];
        match self.convert(Layout::Rgb, &SAMPLES, &mut converted) {
            Ok(()) => SAMPLES.iter().zip(converted).all(|(from, to)| from.abs_diff(to) <= SAME_WITHIN),
            Err(_) => true,
        }
    }

    fn is_cmyk(&self) -> bool {
        self.profile.color_space == DataColorSpace::Cmyk
    }

    /// Converts RGB or RGBA pixels in place.
    pub fn to_srgb(&self, pixels: &mut DynamicImage) {
        if self.is_cmyk() {
            return;
        }
        let alpha = pixels.color().has_alpha();
        if let (Some(curve), Some(channels)) = (&self.curve, bytes_of(pixels)) {
            for pixel in channels.chunks_exact_mut(if alpha { 4 } else { 3 }) {
                pixel[..3].iter_mut().for_each(|channel| *channel = curve[usize::from(*channel)]);
            }
        }
        let layout = if alpha { Layout::Rgba } else { Layout::Rgb };
        let mut target = vec![0; pixels.as_bytes().len()];
        if self.convert(layout, pixels.as_bytes(), &mut target).is_err() {
            return;
        }
        if let Some(channels) = bytes_of(pixels) {
            channels.copy_from_slice(&target);
        }
    }

    fn convert(&self, layout: Layout, from: &[u8], to: &mut [u8]) -> Result<(), CmsError> {
        let options = TransformOptions::default();
        self.profile
            .create_transform_8bit(layout, &ColorProfile::new_srgb(), layout, options)?
            .transform(from, to)
    }
}

fn bytes_of(pixels: &mut DynamicImage) -> Option<&mut [u8]> {
    match pixels {
        DynamicImage::ImageRgb8(image) => Some(image),
        DynamicImage::ImageRgba8(image) => Some(image),
        _ => None,
    }
}

/// From SMPTE ST 2084 to the curve of sRGB: up to a third of white as it is, brighter light rolled off
/// (Möbius, as FFmpeg's `tonemap` does for videos).
fn pq_to_srgb() -> [u8; 256] {
    const KNEE: f64 = 0.3;
    let peak = PEAK_NITS / WHITE_NITS;
    let a = -KNEE * KNEE * (peak - 1.0) / (KNEE * KNEE - 2.0 * KNEE + peak);
    let b = (KNEE * KNEE - 2.0 * KNEE * peak + peak) / (peak - 1.0);
    let rolled = |light: f64| {
        if light <= KNEE {
            light
        } else {
            (b * b + 2.0 * b * KNEE + KNEE * KNEE) / (b - a) * (light + a) / (light + b)
        }
    };
    std::array::from_fn(|code| {
        #[expect(clippy::cast_precision_loss, reason = "256 codes")]
        let signal = (code as f64 / 255.0).powf(1.0 / 78.843_75);
        let base = (signal - 0.835_937_5).max(0.0) / (18.851_562_5 - 18.687_5 * signal);
        let light = rolled(base.powf(1.0 / 0.159_301_757_812_5) * 10_000.0 / WHITE_NITS).min(1.0);
        let coded = if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
        {
            (coded * 255.0).round() as u8
        }
    })
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
        let transform = profile.profile.create_transform_8bit(
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

#[cfg(test)]
mod tests {
    use image::{DynamicImage, Rgb, RgbImage};

    use super::{Profile, pq_to_srgb};

    #[test]
    fn absolute_light_becomes_what_a_screen_can_show() {
        let curve = pq_to_srgb();
        assert!(curve.is_sorted() && curve[0] == 0 && curve[255] == 255);
        // White paper (203 nits) is bright, and leaves room for what shines.
        assert!((185..240).contains(&curve[148]), "{}", curve[148]);
        // An eighth of it is what it was.
        assert!((92..105).contains(&curve[96]), "{}", curve[96]);
    }

    #[test]
    fn code_points_are_taken_for_what_they_mean() {
        let srgb =
            |primaries, transfer| Profile::from_code_points(primaries, transfer).is_none_or(|p| p.is_srgb());
        assert!(srgb(1, 13) && srgb(1, 1) && srgb(2, 2));
        assert!(!srgb(12, 13) && !srgb(9, 16) && !srgb(9, 18));
        // A red of Display P3 that sRGB does not reach.
        let mut pixel = DynamicImage::from(RgbImage::from_pixel(1, 1, Rgb([230, 20, 20])));
        if let Some(profile) = Profile::from_code_points(12, 13) {
            profile.to_srgb(&mut pixel);
        }
        assert!(pixel.as_bytes()[0] > 245, "{:?}", pixel.as_bytes());
    }
}
