//! At which quality a picture that came out too large will fit.
//!
//! The bytes of a photo fall with a power of the step that its coefficients are divided by. The power
//! differs from photo to photo; the one here is what 19 of 20 reach, so that the second try fits.

use domain::operation::ImageFormat;

/// Below this, blocks show; better to say so than to post it.
const QUALITY_MIN: u8 = 40;
/// Fitted to the corpus, 40 to 95, for pictures of 0.3 to 3 megapixels.
const JPEG_POWER: f64 = 0.49;
const WEBP_POWER: f64 = 0.79;

/// The highest quality below `quality` at which the `bytes` of the last try become `bytes_max` or
/// less. `missed`: the model was wrong about this picture (alpha, say, follows a law of its own), and there
/// is one try left: twice as far. `None` when there is none worth a try.
#[must_use]
pub fn lower(format: ImageFormat, quality: u8, bytes: u64, bytes_max: u64, missed: bool) -> Option<u8> {
    if quality <= QUALITY_MIN {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "bytes of a picture stay below 2^53")]
    let excess = bytes as f64 / bytes_max.max(1) as f64;
    let power = match format {
        ImageFormat::Jpeg => JPEG_POWER,
        ImageFormat::Webp => WEBP_POWER,
    };
    let caution = if missed { 2.0 } else { 1.0 };
    let wanted = step(format, quality) * excess.powf(caution / power);
    let fits = (QUALITY_MIN..quality).rev().find(|quality| step(format, *quality) >= wanted);
    Some(fits.unwrap_or(QUALITY_MIN))
}

/// How coarsely an encoder divides at a quality, in units of its own, and a little that was fitted:
/// near the best quality, bytes fall less than the power says.
fn step(format: ImageFormat, quality: u8) -> f64 {
    let quality = f64::from(quality);
    match format {
        // The percentage that libjpeg scales its tables by.
        ImageFormat::Jpeg if quality < 50.0 => 5000.0 / quality + 3.0,
        ImageFormat::Jpeg => 200.0 - 2.0 * quality + 3.0,
        // libwebp's quantiser index, as its `QualityToCompression` has it.
        ImageFormat::Webp => {
            let share = quality / 100.0;
            let linear = if share < 0.75 { share * (2.0 / 3.0) } else { 2.0 * share - 1.0 };
            127.0 * (1.0 - linear.cbrt()) + 10.0
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::operation::ImageFormat::{Jpeg, Webp};

    use super::{QUALITY_MIN, lower};

    #[test]
    fn quality_falls_with_the_excess_and_ends() {
        for format in [Jpeg, Webp] {
            let a_little = lower(format, 90, 1_000_001, 1_000_000, false);
            let half = lower(format, 90, 2_000_000, 1_000_000, false);
            assert!(
                lower(format, 90, 1_300_000, 1_000_000, true)
                    < lower(format, 90, 1_300_000, 1_000_000, false)
            );
            assert_eq!(a_little, Some(89), "{format:?}");
            assert!(half < Some(75) && half > Some(50), "{format:?} {half:?}");
            assert_eq!(lower(format, 90, u64::MAX, 1, false), Some(QUALITY_MIN), "{format:?}");
            assert_eq!(lower(format, QUALITY_MIN, 2, 1, true), None, "{format:?}");
        }
    }
}
