//! At which quality a picture that came out too large will fit.

use domain::operation::ImageFormat;

/// A quality below `quality`, at which the `bytes` of the last try become at most `bytes_max`.
pub fn lower(_format: ImageFormat, quality: u8, _bytes: u64, _bytes_max: u64) -> Option<u8> {
    Some(quality - 1)
}
