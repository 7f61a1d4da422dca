//! JPEG out: baseline, 4:2:0, without a byte of metadata.

use std::fs::File;
use std::io::Write;

use domain::operation::ImageOutput;
use domain::problem::Problem;
use image::RgbImage;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::reject;

const THUMBNAIL_QUALITY: i32 = 80;
/// Below this, blocks show; better to say so than to post it.
const QUALITY_MIN: i32 = 40;
/// The size model below is right within a try or two.
const TRIES_MAX: u32 = 4;

/// Encodes at the quality asked for, or the highest that a few tries find to fit `max_bytes`.
///
/// # Errors
/// `media.transcode_failed` when it does not fit at a quality worth posting.
pub fn jpeg(picture: &RgbImage, look: &ImageOutput) -> Result<Vec<u8>, Problem> {
    let mut quality = i32::from(look.quality.clamp(1, 100));
    let pitch = picture.width() as usize * 3;
    for _ in 0..TRIES_MAX {
        let jpeg = compress(picture, pitch, picture.width(), picture.height(), quality)?;
        if jpeg.len() as u64 <= look.max_bytes {
            return Ok(jpeg);
        }
        if quality <= QUALITY_MIN {
            break;
        }
        quality = lower(quality, jpeg.len() as u64, look.max_bytes);
    }
    Err(reject::not_made("the picture does not fit the network's size limit"))
}

/// Encodes rows of RGB that are `pitch` bytes apart.
///
/// # Errors
/// `media.transcode_failed` when the encoder fails.
pub fn thumbnail(rows: &[u8], pitch: usize, width: u32, height: u32) -> Result<Vec<u8>, Problem> {
    compress(rows, pitch, width, height, THUMBNAIL_QUALITY)
}

/// Writes a finished file.
///
/// # Errors
/// `media.transcode_failed` when the scratch directory does not take it.
pub fn write(name: &str, jpeg: &[u8]) -> Result<(), Problem> {
    let write = || {
        let mut file = File::create_new(name)?;
        file.write_all(jpeg)?;
        file.sync_all()
    };
    write().map_err(|_| reject::not_made("the scratch directory is full"))
}

/// Around the usual qualities the size halves every 20 steps or so; one more step for safety.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small numbers")]
fn lower(quality: i32, bytes: u64, bytes_max: u64) -> i32 {
    let halvings = (bytes as f64 / bytes_max.max(1) as f64).log2();
    (quality - (halvings * 20.0).ceil() as i32 - 1).clamp(QUALITY_MIN, quality - 1)
}

fn compress(rows: &[u8], pitch: usize, width: u32, height: u32, quality: i32) -> Result<Vec<u8>, Problem> {
    let picture = Image {
        pixels: rows,
        width: width as usize,
        pitch,
        height: height as usize,
        format: PixelFormat::RGB,
    };
    let encode = || {
        let mut compressor = Compressor::new()?;
        compressor.set_quality(quality)?;
        compressor.set_subsamp(Subsamp::Sub2x2)?;
        compressor.set_optimize(true)?;
        compressor.compress_to_vec(picture)
    };
    encode().map_err(|_| reject::not_made("the picture could not be encoded"))
}

#[cfg(test)]
mod tests {
    use super::{QUALITY_MIN, lower};

    #[test]
    fn quality_falls_with_the_excess_and_ends() {
        assert_eq!(lower(90, 2_000_000, 1_000_000), 69);
        assert_eq!(lower(90, 1_000_001, 1_000_000), 88);
        assert_eq!(lower(90, u64::MAX, 1), QUALITY_MIN);
        assert!(lower(41, 1_000_001, 1_000_000) < 41);
    }
}
