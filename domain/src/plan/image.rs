//! Still images: sent as they are, or made anew as a JPEG.

use super::framing::{Bounds, SHAPE_TOLERANCE, marked, reason, shape, size};
use super::{Fit, Want};
use crate::conformance::violations;
use crate::media_info::MediaInfo;
use crate::operation::{Framing, ImageOutput, Operation};
use crate::problem::Problem;
use crate::profile::{ImageLimits, Preferences};

/// Where the quality starts; the engine lowers it until the byte limit is met.
const QUALITY: u8 = 90;

/// No network shows more than this buys, and Telegram fetches at most this by address, bytes.
const BYTES_AIM: u64 = 5_000_000;

/// A JPEG at the first quality has fewer, whatever it shows (noise has 0.83 a pixel, measured): a higher limit is none,
/// and networks that differ in it only share a file.
const fn bytes_at_most(width: u32, height: u32) -> u64 {
    width as u64 * height as u64 * 3 / 2 + 10_000
}

/// Plans one image for one want.
pub(super) fn fit(
    info: &MediaInfo,
    want: &Want<'_>,
    limits: &ImageLimits,
    prefers: &Preferences,
) -> Result<Fit, Problem> {
    let found = violations(info, want.profile);
    let source = (info.width, info.height);
    let near = shape(source, limits.ratio, prefers, want, SHAPE_TOLERANCE);
    let has_size = want.size.is_none_or(|size| size == source);
    if found.is_empty() && has_size && near.framing == Framing::Whole && want.style.watermark.is_none() {
        return Ok(Fit {
            operation: Operation::Passthrough,
            framing: Framing::Whole,
            width: info.width,
            height: info.height,
            reasons: Vec::new(),
        });
    }
    let shape = shape(source, limits.ratio, prefers, want, 0.0);
    let bounds = Bounds {
        width: limits.width,
        height: limits.height,
        longer: limits.long_side,
        shorter: limits.short_side,
        enlarge_max: f64::from(prefers.enlarge_up_to_percent) / 100.0,
        long_side: prefers.long_side,
        short_side: prefers.short_side,
        step: 1,
    };
    let (width, height) = match want.size {
        Some(size) => size,
        None => size(&shape, &bounds, want.profile)?,
    };
    let max_bytes = BYTES_AIM.min(limits.bytes_max).min(bytes_at_most(width, height));
    let operation = Operation::Image(ImageOutput {
        format: prefers.format,
        pad_color: want.style.pad_color.filter(|_| shape.framing == Framing::Pad || info.has_alpha()),
        watermark: want.style.watermark.clone(),
        ..ImageOutput::jpeg((width, height), shape.framing, QUALITY, max_bytes)
    });
    let mut reasons: Vec<String> = found.into_iter().map(|violation| violation.reason).collect();
    reasons.extend(reason(shape.framing, source, (width, height), want));
    reasons.extend(want.style.watermark.is_some().then(marked));
    Ok(Fit { operation, framing: shape.framing, width, height, reasons })
}
