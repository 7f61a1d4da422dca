//! JPEG through libjpeg-turbo, and the segments around its pixels.

use domain::problem::Problem;
use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use turbojpeg::{Colorspace, Decompressor, Error, Image, PixelFormat, ScalingFactor};

use super::Header;
use super::colour::Profile;
use crate::reject;

/// A progressive file may hold thousands of scans, each of which is a pass over all pixels.
const SCANS_MAX: u32 = 100;
/// An ICC profile may come in 255 chunks of 64 KiB.
const ICC_MARK: &[u8] = b"ICC_PROFILE\0";

/// Reads the header and the segments before the pixels.
pub fn header(bytes: &[u8]) -> Result<Header, Problem> {
    let header = turbojpeg::read_header(bytes).map_err(|_| reject::unreadable())?;
    let side = |side: usize| u32::try_from(side).map_err(|_| reject::unreadable());
    let Segments { icc_chunks, has_metadata, trailing_data, has_end: _ } = Segments::read(bytes);
    Ok(Header {
        size: (side(header.width)?, side(header.height)?),
        color_model: model(header.colorspace),
        bits_per_channel: 8,
        has_alpha: false,
        profile: join(icc_chunks).as_deref().and_then(Profile::from_icc),
        trailing_data,
        animated: false,
        has_metadata,
    })
}

/// What libjpeg says of files that it decoded to the last pixel: bytes between segments, zeros where a baseline file
/// repeats what it is, a later JFIF, and an unknown transform of Adobe's.
const HARMLESS: [&str; 4] =
    ["extraneous bytes", "Invalid SOS parameters", "unknown JFIF revision", "Adobe color transform"];

/// Decodes, at the smallest of the cheap scales that is at least `scale` (0 to 1). CMYK comes as
/// four channels in the alpha form, with 255 for no ink.
pub fn decode(bytes: &[u8], scale: f64) -> Result<DynamicImage, Problem> {
    let mut decompressor = Decompressor::new().map_err(|_| reject::unreadable())?;
    let limited = decompressor.set_scan_limit(SCANS_MAX);
    let header = limited.and_then(|()| decompressor.read_header(bytes)).map_err(|_| reject::unreadable())?;
    let factor = [ScalingFactor::ONE_EIGHTH, ScalingFactor::ONE_QUARTER, ScalingFactor::ONE_HALF]
        .into_iter()
        .find(|factor| !header.is_lossless && num(factor.num()) / num(factor.denom()) >= scale)
        .unwrap_or(ScalingFactor::ONE);
    decompressor.set_scaling_factor(factor).map_err(|_| reject::unreadable())?;
    let scaled = header.scaled(factor);
    let format = match model(header.colorspace) {
        "cmyk" => PixelFormat::CMYK,
        "gray" => PixelFormat::GRAY,
        _ => PixelFormat::RGB,
    };
    let pitch = scaled.width * format.size();
    let mut pixels = vec![0; pitch * scaled.height];
    let output =
        Image { pixels: pixels.as_mut_slice(), width: scaled.width, pitch, height: scaled.height, format };
    match decompressor.decompress(bytes, output) {
        Ok(()) => {}
        // Warnings come as errors, too, and only the first is told: behind one that every viewer puts up with, there may
        // be the end of a file that was cut off.
        Err(Error::TurboJpegError(message)) if HARMLESS.iter().any(|text| message.contains(text)) => {
            if !Segments::read(bytes).has_end {
                return Err(reject::truncated());
            }
        }
        Err(Error::TurboJpegError(message)) if message.to_lowercase().contains("premature end") => {
            return Err(reject::truncated());
        }
        Err(_) => return Err(reject::unreadable()),
    }
    let (Ok(width), Ok(height)) = (u32::try_from(scaled.width), u32::try_from(scaled.height)) else {
        return Err(reject::unreadable());
    };
    match format {
        PixelFormat::CMYK => RgbaImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::GRAY => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
    }
    .ok_or_else(reject::unreadable)
}

fn model(colorspace: Colorspace) -> &'static str {
    match colorspace {
        Colorspace::CMYK | Colorspace::YCCK => "cmyk",
        Colorspace::Gray => "gray",
        _ => "rgb",
    }
}

#[expect(clippy::cast_precision_loss, reason = "scaling factors are small numbers")]
fn num(number: usize) -> f64 {
    number as f64
}

/// The segments of a JPEG file up to its first scan, and what follows its last.
#[derive(Default)]
struct Segments<'a> {
    icc_chunks: Vec<(u8, &'a [u8])>,
    has_metadata: bool,
    trailing_data: bool,
    /// The mark of the end is there.
    has_end: bool,
}

impl<'a> Segments<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        let mut segments = Self::default();
        let mut at = 2;
        while let Some([0xff, marker]) = bytes.get(at..at + 2) {
            if *marker == 0xff {
                at += 1;
                continue;
            }
            let Some([high, low]) = bytes.get(at + 2..at + 4) else { break };
            let length = usize::from(*high) << 8 | usize::from(*low);
            let body = bytes.get(at + 4..at + 2 + length.max(2)).unwrap_or(&[]);
            segments.visit(*marker, body);
            at += 2 + length.max(2);
            if *marker == 0xda {
                let end = end_of_image(bytes, at);
                segments.has_end = end.is_some();
                segments.trailing_data = end.is_some_and(|end| end < bytes.len());
                break;
            }
        }
        segments
    }

    fn visit(&mut self, marker: u8, body: &'a [u8]) {
        match marker {
            0xe2 if body.starts_with(ICC_MARK) && body.len() > ICC_MARK.len() + 2 => {
                self.icc_chunks.push((body[ICC_MARK.len()], &body[ICC_MARK.len() + 2..]));
            }
            // XMP and maker notes, Photoshop's IPTC, and comments.
            0xe1 if body.starts_with(b"http://ns.adobe.com/") => self.has_metadata = true,
            0xed | 0xfe => self.has_metadata = true,
            _ => {}
        }
    }
}

fn join(mut icc_chunks: Vec<(u8, &[u8])>) -> Option<Vec<u8>> {
    icc_chunks.sort_by_key(|(number, _)| *number);
    let profile: Vec<u8> = icc_chunks.iter().flat_map(|(_, chunk)| *chunk).copied().collect();
    (!profile.is_empty()).then_some(profile)
}

/// The first byte after the end marker that closes the scans which start at `at`. Segments between
/// scans are skipped by their length, so that a thumbnail in one does not end the picture.
fn end_of_image(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(0xff, bytes.get(at..)?)?;
        match *bytes.get(at + 1)? {
            0xd9 => return Some(at + 2),
            // A stuffed byte, a restart marker, or padding.
            0x00 | 0xd0..=0xd7 | 0x01 => at += 2,
            0xff => at += 1,
            _ => at += 2 + (usize::from(*bytes.get(at + 2)?) << 8 | usize::from(*bytes.get(at + 3)?)).max(2),
        }
    }
}
