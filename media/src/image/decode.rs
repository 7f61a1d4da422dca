//! PNG, WebP, GIF, BMP and TIFF through memory-safe decoders.

use std::io::Cursor;

use domain::problem::Problem;
use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::tiff::TiffDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageResult, Limits};

use super::Header;
use super::colour::Profile;
use crate::reject;
use crate::sniff::Format;

/// Of one decoder: 64 megapixels of 16 bit RGBA, and the copy that some make.
const ALLOC_BYTES_MAX: u64 = 1 << 30;

/// Reads the header.
pub fn header(bytes: &[u8], format: Format) -> Result<Header, Problem> {
    let mut decoder = open(bytes, format).map_err(|_| reject::unreadable())?;
    let color = decoder.original_color_type();
    let icc = decoder.icc_profile().ok().flatten();
    let model = match color {
        ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16 => "cmyk",
        color if color.channel_count() <= 2 => "gray",
        _ => "rgb",
    };
    Ok(Header {
        size: decoder.dimensions(),
        color_model: model,
        bits_per_channel: u8::try_from(color.bits_per_pixel() / u16::from(color.channel_count()))
            .unwrap_or(8),
        has_alpha: decoder.color_type().has_alpha(),
        // The decoder has turned CMYK to RGB, for which the profile does not hold.
        profile: icc.filter(|_| model == "rgb").as_deref().and_then(Profile::from_icc),
        trailing_data: false,
        animated: is_animation(bytes, format),
        has_metadata: has_text(bytes, format),
    })
}

/// Decodes to 8 bits a channel, RGB or RGBA.
pub fn decode(bytes: &[u8], format: Format) -> Result<DynamicImage, Problem> {
    let pixels = open(bytes, format).and_then(DynamicImage::from_decoder);
    let pixels = pixels.map_err(|error| match error {
        image::ImageError::IoError(_) => reject::truncated(),
        _ => reject::unreadable(),
    })?;
    Ok(if pixels.color().has_alpha() {
        DynamicImage::from(pixels.into_rgba8())
    } else {
        DynamicImage::from(pixels.into_rgb8())
    })
}

fn open(bytes: &[u8], format: Format) -> ImageResult<Box<dyn ImageDecoder + '_>> {
    let reader = Cursor::new(bytes);
    let mut decoder: Box<dyn ImageDecoder> = match format {
        Format::Png => Box::new(PngDecoder::new(reader)?),
        Format::Webp => Box::new(WebPDecoder::new(reader)?),
        Format::Gif => Box::new(GifDecoder::new(reader)?),
        Format::Bmp => Box::new(BmpDecoder::new(reader)?),
        _ => Box::new(TiffDecoder::new(reader)?),
    };
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(ALLOC_BYTES_MAX);
    decoder.set_limits(limits)?;
    Ok(decoder)
}

/// Written as an animation.
fn is_animation(bytes: &[u8], format: Format) -> bool {
    match format {
        Format::Png => png_chunks(bytes).any(|kind| &kind == b"acTL"),
        Format::Webp => webp_flags(bytes) & 2 != 0,
        _ => false,
    }
}

/// Text chunks and XMP.
fn has_text(bytes: &[u8], format: Format) -> bool {
    match format {
        Format::Png => png_chunks(bytes).any(|kind| matches!(&kind, b"tEXt" | b"zTXt" | b"iTXt")),
        Format::Webp => webp_flags(bytes) & 4 != 0,
        _ => false,
    }
}

/// What the extended header of a WebP announces; 0 without one.
fn webp_flags(bytes: &[u8]) -> u8 {
    let extended = bytes.get(12..16) == Some(b"VP8X");
    bytes.get(20).filter(|_| extended).copied().unwrap_or(0)
}

fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let length = bytes.get(at..at + 4)?.try_into().map(u32::from_be_bytes).ok()?;
        let kind = bytes.get(at + 4..at + 8)?.try_into().ok()?;
        at = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        Some(kind)
    })
}
