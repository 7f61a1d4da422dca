//! JPEG and WebP out, without a byte of metadata, and never more bytes than allowed.

use std::fs::File;
use std::io::Write;

use domain::operation::{ImageFormat, ImageOutput};
use domain::problem::Problem;
use image::DynamicImage;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::size_model;
use crate::reject;

const THUMBNAIL_QUALITY: u8 = 80;
/// Of libwebp's 0 (fast) to 6: 4 is its default.
const WEBP_METHOD: i32 = 4;
/// The model is right with the second try nearly always; the third is for pictures that defy it.
const TRIES_MAX: u32 = 3;

/// A finished picture.
#[derive(Debug)]
pub struct Encoded {
    pub bytes: Vec<u8>,
    /// Encodes that it took.
    pub tries: u32,
}

/// Encodes at the quality asked for, or the highest that the size model finds to fit `max_bytes`.
///
/// # Errors
/// `media.transcode_failed` when it does not fit at a quality worth posting.
pub fn encode(picture: &DynamicImage, look: &ImageOutput) -> Result<Encoded, Problem> {
    let mut quality = look.quality.clamp(1, 100);
    for tries in 1..=TRIES_MAX {
        let bytes = compress(picture, look.format, quality)?;
        let size = bytes.len() as u64;
        if size <= look.max_bytes {
            return Ok(Encoded { bytes, tries });
        }
        match size_model::lower(look.format, quality, size, look.max_bytes, tries > 1) {
            Some(lower) => quality = lower,
            None => break,
        }
    }
    Err(reject::not_made("the picture does not fit the network's size limit"))
}

/// Encodes rows of RGB that are `pitch` bytes apart as a JPEG.
///
/// # Errors
/// `media.transcode_failed` when the encoder fails.
pub fn thumbnail(rows: &[u8], pitch: usize, width: u32, height: u32) -> Result<Vec<u8>, Problem> {
    jpeg(rows, pitch, width, height, THUMBNAIL_QUALITY)
}

/// Writes a finished file.
///
/// # Errors
/// `media.transcode_failed` when the scratch directory does not take it.
pub fn write(name: &str, bytes: &[u8]) -> Result<(), Problem> {
    let write = || File::create_new(name)?.write_all(bytes);
    write().map_err(|error| reject::not_written(error.raw_os_error(), "the picture could not be written"))
}

fn compress(picture: &DynamicImage, format: ImageFormat, quality: u8) -> Result<Vec<u8>, Problem> {
    match (format, picture) {
        (ImageFormat::Jpeg, DynamicImage::ImageRgb8(rgb)) => {
            jpeg(rgb.as_raw(), rgb.width() as usize * 3, rgb.width(), rgb.height(), quality)
        }
        (ImageFormat::Webp, DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_)) => {
            webp(picture, quality)
        }
        _ => Err(reject::not_made("the picture has colours that are not encoded")),
    }
}

fn webp(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, Problem> {
    let layout = if picture.color().has_alpha() { webp::PixelLayout::Rgba } else { webp::PixelLayout::Rgb };
    let encoder = webp::Encoder::new(picture.as_bytes(), layout, picture.width(), picture.height());
    let failed = || reject::not_made("the picture could not be encoded");
    let mut config = webp::WebPConfig::new().map_err(|()| failed())?;
    config.quality = f32::from(quality);
    // Lossless, alpha alone may be more than is allowed.
    config.alpha_quality = i32::from(quality);
    config.method = WEBP_METHOD;
    encoder.encode_advanced(&config).map(|encoded| encoded.to_vec()).map_err(|_| failed())
}

fn jpeg(rows: &[u8], pitch: usize, width: u32, height: u32, quality: u8) -> Result<Vec<u8>, Problem> {
    let picture = Image {
        pixels: rows,
        width: width as usize,
        pitch,
        height: height as usize,
        format: PixelFormat::RGB,
    };
    let encode = || {
        let mut compressor = Compressor::new()?;
        compressor.set_quality(i32::from(quality))?;
        compressor.set_subsamp(Subsamp::Sub2x2)?;
        compressor.set_optimize(true)?;
        compressor.compress_to_vec(picture)
    };
    encode().map_err(|_| reject::not_made("the picture could not be encoded"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::path::Path;

    use domain::engine::InputLimits;
    use domain::operation::{Framing, ImageFormat, ImageOutput};

    use super::encode;
    use crate::image::Photo;
    use crate::image::logo::Logos;
    use crate::sniff::sniff;

    const PHOTOS: [&str; 7] = [
        "exif-orient-5.jpg",
        "exif-orient-6.jpg",
        "pixel8-ultrahdr-3072x4080.jpg",
        "progressive.jpg",
        "cmyk-noprofile.jpg",
        "iphone8plus-p3.heic",
        "sofa-grid.avif",
    ];

    fn photo(name: &str) -> Photo {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/shared/media/images").join(name);
        let bytes = std::fs::read(path).unwrap();
        let format = sniff(&bytes[..bytes.len().min(4096)]).unwrap();
        Photo::read(bytes, format, &InputLimits::default()).unwrap()
    }

    /// Real photos, two formats, five caps each: 19 of 20 that are over meet it with the second encode.
    #[test]
    fn the_second_encode_meets_the_cap() {
        let (mut over, mut late, mut used) = (0, Vec::new(), 0.0);
        for name in PHOTOS {
            let photo = photo(name);
            for (width, height, format) in [
                (1080, 1350, ImageFormat::Jpeg),
                (480, 600, ImageFormat::Jpeg),
                (1200, 628, ImageFormat::Webp),
                (480, 480, ImageFormat::Webp),
            ] {
                let jpeg = ImageOutput::jpeg((width, height), Framing::Crop, 90, u64::MAX);
                let look = ImageOutput { format, ..jpeg };
                let pixels = photo.decode(std::slice::from_ref(&look)).unwrap();
                let picture = photo.render(&pixels, &look, &Logos::none()).unwrap();
                let free = encode(&picture, &look).unwrap().bytes.len() as u64;
                for percent in [95, 80, 65, 55, 45] {
                    let capped = ImageOutput { max_bytes: free * percent / 100, ..look.clone() };
                    let encoded = encode(&picture, &capped).unwrap();
                    assert!(encoded.bytes.len() as u64 <= capped.max_bytes);
                    over += 1;
                    used += f64::from(u32::try_from(encoded.bytes.len()).unwrap())
                        / f64::from(u32::try_from(capped.max_bytes).unwrap());
                    if encoded.tries > 2 {
                        late.push((name, width, format, percent));
                    }
                }
            }
        }
        assert!(late.len() * 20 <= over, "{} of {over} took a third encode: {late:?}", late.len());
        // The cap is used, not just kept.
        let used = used / f64::from(u32::try_from(over).unwrap());
        assert!(used > 0.75, "{used}");
    }
}
