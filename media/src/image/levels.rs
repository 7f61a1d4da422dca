//! A decoded photo, and the same in halves: small outputs are made from a picture that is not much
//! larger than they are, which costs a fraction and looks the same.

use domain::problem::Problem;
use fast_image_resize::FilterType;
use image::DynamicImage;

use super::fit::Fit;
use super::resize::resize;

/// A level is used while it has at least twice the pixels of the output in either direction: below
/// that, its own filter would show.
const REDUCTION_MIN: f64 = 2.0;

/// The photo as it was decoded, then each level half as wide and high as the one before.
pub struct Levels(Vec<DynamicImage>);

impl Levels {
    /// As many as the smallest of the outputs has use for. `fits` says of a picture of a size, px, by
    /// how much each output makes it smaller (at most 1). `alpha` as for [`resize`].
    pub fn new(
        decoded: DynamicImage,
        fits: impl Fn((u32, u32)) -> f64,
        alpha: bool,
    ) -> Result<Self, Problem> {
        let mut levels = vec![decoded];
        while let Some(last) = levels.last().filter(|last| fits(size(last)) <= 0.5 / REDUCTION_MIN) {
            let half = (last.width().div_ceil(2), last.height().div_ceil(2));
            let whole = Fit {
                left: 0.0,
                top: 0.0,
                width: f64::from(last.width()),
                height: f64::from(last.height()),
                scaled: half,
            };
            let half = resize(last, &whole, FilterType::Box, alpha)?;
            levels.push(half);
        }
        Ok(Self(levels))
    }

    /// Of the largest, px.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        self.0.first().map_or((0, 0), size)
    }

    /// The smallest level that is large enough, and what is made of it.
    #[must_use]
    pub fn best(&self, fit: impl Fn((u32, u32)) -> Fit) -> Option<(&DynamicImage, Fit)> {
        let with_fit = |level| (level, fit(size(level)));
        let enough = |(_, fit): &(&DynamicImage, Fit)| fit.scale() <= 1.0 / REDUCTION_MIN;
        self.0.iter().rev().map(with_fit).find(enough).or_else(|| self.0.first().map(with_fit))
    }
}

fn size(picture: &DynamicImage) -> (u32, u32) {
    (picture.width(), picture.height())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use domain::operation::{Framing, ImageOutput};
    use image::DynamicImage;

    use super::{Fit, Levels};
    use crate::image::resize::{SHARP, resize};

    /// Of a real photo, against resizing all of it in one step: 40 dB is where nobody tells them apart.
    #[test]
    fn a_level_in_between_does_not_show() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/shared/media/images/exif-orient-5.jpg");
        let photo =
            turbojpeg::decompress(&std::fs::read(path).unwrap(), turbojpeg::PixelFormat::RGB).unwrap();
        let side = |side: usize| u32::try_from(side).unwrap();
        let photo = image::RgbImage::from_raw(side(photo.width), side(photo.height), photo.pixels).unwrap();
        let photo = DynamicImage::from(photo);
        for longer in [160, 320, 440] {
            let look = ImageOutput::jpeg((longer, longer * 2 / 3), Framing::Whole, 90, u64::MAX);
            let fit = |size| Fit::new(size, &look, false);
            let levels = Levels::new(photo.clone(), |size| fit(size).scale(), false).unwrap();
            let (level, level_fit) = levels.best(fit).unwrap();
            assert!(level.width() < photo.width(), "{longer}");
            let made = resize(level, &level_fit, SHARP, false).unwrap().into_rgb8();
            let direct =
                resize(&photo, &fit((photo.width(), photo.height())), SHARP, false).unwrap().into_rgb8();
            let squares: f64 =
                made.iter().zip(direct.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
            let mean = squares / f64::from(u32::try_from(made.len()).unwrap());
            let psnr = 10.0 * (255.0 * 255.0 / mean).log10();
            assert!(psnr > 40.0, "{longer}: {psnr} dB");
        }
    }
}
