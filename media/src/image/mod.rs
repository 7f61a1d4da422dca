//! Still images: read by memory-safe decoders and libjpeg-turbo, never by FFmpeg.

mod colour;
mod decode;
pub mod encode;
mod jpeg;
mod render;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::engine::{InputLimits, Thumbnail};
use domain::media_info::{ImageFacts, MediaInfo};
use domain::operation::{Framing, ImageOutput};
use domain::platform::MediaKind;
use domain::problem::Problem;

use crate::reject;
use crate::sniff::Format;

/// Longer side of a thumbnail, px.
const THUMBNAIL_SIDE: u32 = 640;
/// A still image is read into memory whole; 64 megapixels in 16 bit take this at most.
const BYTES_MAX: u64 = 512 << 20;

/// A still image whose header was read and found within limits.
pub struct Photo {
    bytes: Vec<u8>,
    format: Format,
    icc: Option<Vec<u8>>,
    info: MediaInfo,
    /// As stored, before orientation, px.
    stored: (u32, u32),
}

/// What a header tells, whatever the format.
struct Header {
    size: (u32, u32),
    color_model: &'static str,
    bits_per_channel: u8,
    has_alpha: bool,
    icc: Option<Vec<u8>>,
    trailing_data: bool,
    has_metadata: bool,
}

impl Photo {
    /// Reads a photo and its header.
    ///
    /// # Errors
    /// The reason why it cannot be used; no pixel was decoded yet.
    pub fn open(path: &str, format: Format, limits: &InputLimits) -> Result<Self, Problem> {
        let size = fs::metadata(path).map_err(|_| reject::unreadable())?.len();
        if size > BYTES_MAX {
            return Err(reject::too_many_bytes(BYTES_MAX));
        }
        let bytes = fs::read(path).map_err(|_| reject::unreadable())?;
        let header = guarded(|| match format {
            Format::Jpeg => jpeg::header(&bytes),
            _ => decode::header(&bytes, format),
        })?;
        let (width, height) = header.size;
        if width == 0 || height == 0 {
            return Err(reject::unreadable());
        }
        if u64::from(width) * u64::from(height) > limits.pixels || width.max(height) > limits.side {
            return Err(reject::too_many_pixels(width.into(), height.into(), limits.pixels));
        }
        let orientation = guarded(|| Ok(orientation(&bytes)))?;
        let shown = if orientation.value >= 5 { (height, width) } else { (width, height) };
        let info = MediaInfo {
            kind: MediaKind::Image,
            container: format.container(&bytes).to_owned(),
            bytes: size,
            width: shown.0,
            height: shown.1,
            duration_ms: None,
            video: None,
            audio: None,
            image: Some(ImageFacts {
                orientation: orientation.value,
                has_alpha: header.has_alpha,
                animated: false,
                srgb: header.icc.as_deref().is_none_or(colour::is_srgb),
                color_model: header.color_model.to_owned(),
                bits_per_channel: header.bits_per_channel,
                trailing_data: header.trailing_data,
            }),
            edit_list: false,
            edit_list_trims: false,
            moov_first: false,
            fragmented: false,
            other_streams: 0,
            has_metadata: header.has_metadata || orientation.in_exif,
        };
        Ok(Self { bytes, format, icc: header.icc, info, stored: header.size })
    }

    /// The facts.
    #[must_use]
    pub fn info(&self) -> &MediaInfo {
        &self.info
    }

    /// Decodes the photo and writes a small JPEG of it.
    ///
    /// # Errors
    /// `media.truncated` or `media.unreadable` when the pixels cannot be decoded.
    pub fn thumbnail(&self, name: &str) -> Result<Thumbnail, Problem> {
        let (width, height) = thumbnail_size(self.info.width, self.info.height);
        let look = ImageOutput::jpeg((width, height), Framing::Whole, 80, u64::MAX);
        let pixels = self.decode(std::slice::from_ref(&look))?;
        let jpeg = self.make(&pixels, &look)?;
        encode::write(name, &jpeg)?;
        Ok(Thumbnail { width, height, bytes: jpeg.len() as u64 })
    }

    /// Decodes the photo once, as large as the largest of `looks` needs it.
    ///
    /// # Errors
    /// `media.truncated` or `media.unreadable` when the pixels cannot be decoded.
    pub fn decode(&self, looks: &[ImageOutput]) -> Result<image::DynamicImage, Problem> {
        guarded(|| render::decode(self, looks))
    }

    /// One JPEG from the decoded photo.
    ///
    /// # Errors
    /// `media.transcode_failed` when it cannot be made, or not small enough.
    pub fn make(&self, pixels: &image::DynamicImage, look: &ImageOutput) -> Result<Vec<u8>, Problem> {
        encode::jpeg(&guarded(|| render::render(self, pixels, look))?, look)
    }
}

/// The size of a thumbnail of a picture that is shown as `width` × `height`: never enlarged.
#[must_use]
pub fn thumbnail_size(width: u32, height: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= THUMBNAIL_SIDE {
        return (width, height);
    }
    let scale = |side: u32| {
        let scaled = u64::from(side) * u64::from(THUMBNAIL_SIDE) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(THUMBNAIL_SIDE).max(1)
    };
    (scale(width), scale(height))
}

/// Some of these decoders panic on malicious input, as the changelog of `image` says. That is the
/// file's fault and no crash of the engine.
fn guarded<T>(work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| Err(reject::unreadable()))
}

struct Orientation {
    /// 1 to 8.
    value: u8,
    /// The file holds EXIF of its own, which tells of the camera at least.
    in_exif: bool,
}

fn orientation(bytes: &[u8]) -> Orientation {
    let mut reader = exif::Reader::new();
    // Damaged entries are left out; the orientation is usually among the first.
    reader.continue_on_error(true);
    let read = reader.read_from_container(&mut std::io::Cursor::new(bytes));
    let Ok(exif) = read.or_else(|error| error.distill_partial_result(|_damage| ())) else {
        return Orientation { value: 1, in_exif: false };
    };
    let value = exif
        .get_field(exif::Tag::Orientation, exif::In::PRIMARY)
        .and_then(|field| field.value.get_uint(0))
        .and_then(|value| u8::try_from(value).ok())
        .filter(|value| (1..=8).contains(value))
        .unwrap_or(1);
    let tells = |field: &exif::Field| {
        field.tag.context() != exif::Context::Tiff
            || matches!(
                field.tag,
                exif::Tag::Make | exif::Tag::Model | exif::Tag::Artist | exif::Tag::Orientation
            )
    };
    let in_exif = exif.fields().any(tells);
    Orientation { value, in_exif }
}
