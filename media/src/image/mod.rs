//! Pictures: read by memory-safe decoders, libjpeg-turbo and libheif, never by FFmpeg.

pub mod animation;
mod canvas;
mod colour;
mod decode;
pub mod encode;
mod fit;
pub mod heif;
mod jpeg;
pub mod levels;
pub mod logo;
pub mod placeholder;
mod render;
mod resize;
mod size_model;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::engine::{InputLimits, Thumbnail};
use domain::media_info::{ImageFacts, MediaInfo};
use domain::operation::{Framing, ImageFormat, ImageOutput};
use domain::platform::MediaKind;
use domain::problem::Problem;
use image::DynamicImage;

use self::colour::Profile;
use self::levels::Levels;
use self::logo::Logos;
use crate::reject;
use crate::sniff::Format;

/// Longer side of a thumbnail, px.
const THUMBNAIL_SIDE: u32 = 640;
/// A still image is read into memory whole; 64 megapixels in 16 bit take less.
const BYTES_MAX: u64 = 512 << 20;

/// A still image whose header was read and found within limits.
pub struct Photo {
    bytes: Vec<u8>,
    format: Format,
    /// `None` for colours that are sRGB already.
    profile: Option<Profile>,
    info: MediaInfo,
    /// As decoded, before orientation, px.
    stored: (u32, u32),
    limits: InputLimits,
}

/// What a header tells, whatever the format.
struct Header {
    size: (u32, u32),
    color_model: &'static str,
    bits_per_channel: u8,
    has_alpha: bool,
    profile: Option<Profile>,
    trailing_data: bool,
    /// Of one picture: what moves is no photo.
    animated: bool,
    has_metadata: bool,
}

impl Photo {
    /// Reads a photo and its header.
    ///
    /// # Errors
    /// The reason why it cannot be used; no pixel was decoded yet.
    pub fn open(path: &str, format: Format, limits: &InputLimits) -> Result<Self, Problem> {
        Self::read(read(path)?, format, limits)
    }

    /// The same, of bytes in memory.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn read(bytes: Vec<u8>, format: Format, limits: &InputLimits) -> Result<Self, Problem> {
        let header = guarded(|| match format {
            Format::Jpeg => jpeg::header(&bytes),
            Format::Heic | Format::Avif => heif::header(&bytes, limits),
            _ => decode::header(&bytes, format),
        })?;
        let (width, height) = header.size;
        check_size(header.size, limits)?;
        let exif = guarded(|| Ok(exif(&bytes)))?;
        // libheif turns the picture as the file's own boxes say; EXIF only repeats them.
        let turned = matches!(format, Format::Heic | Format::Avif);
        let orientation = if turned { 1 } else { exif.orientation };
        let shown = if orientation >= 5 { (height, width) } else { (width, height) };
        let profile = header.profile.filter(|profile| !profile.is_srgb());
        let info = MediaInfo {
            kind: MediaKind::Image,
            container: format.container(&bytes).to_owned(),
            bytes: bytes.len() as u64,
            width: shown.0,
            height: shown.1,
            duration_ms: None,
            video: None,
            audio: None,
            image: Some(ImageFacts {
                orientation,
                has_alpha: header.has_alpha,
                animated: header.animated,
                srgb: profile.is_none(),
                color_model: header.color_model.to_owned(),
                bits_per_channel: header.bits_per_channel,
                trailing_data: header.trailing_data,
            }),
            edit_list: false,
            edit_list_trims: false,
            moov_first: false,
            fragmented: false,
            other_streams: 0,
            has_metadata: header.has_metadata || exif.tells,
        };
        Ok(Self { bytes, format, profile, info, stored: header.size, limits: limits.clone() })
    }

    /// The facts.
    #[must_use]
    pub fn info(&self) -> &MediaInfo {
        &self.info
    }

    /// Decodes the photo and writes a small JPEG of it. Also gives the placeholder.
    ///
    /// # Errors
    /// `media.truncated` or `media.unreadable` when the pixels cannot be decoded.
    pub fn thumbnail(&self, name: &str) -> Result<(Thumbnail, String), Problem> {
        let (width, height) = thumbnail_size(self.info.width, self.info.height);
        let jpeg = ImageOutput::jpeg((width, height), Framing::Whole, 80, u64::MAX);
        let pixels = self.decode(std::slice::from_ref(&jpeg))?;
        let picture =
            self.render(&pixels, &ImageOutput { format: ImageFormat::Webp, ..jpeg.clone() }, &Logos::none())?;
        let placeholder = placeholder::of(&picture)?;
        let encoded = encode::encode(&DynamicImage::from(canvas::flat(picture, canvas::WHITE)), &jpeg)?;
        encode::write(name, &encoded.bytes)?;
        Ok((Thumbnail { width, height, bytes: encoded.bytes.len() as u64 }, placeholder))
    }

    /// Decodes the photo once, as large as the largest of `looks` needs it.
    ///
    /// # Errors
    /// `media.truncated` or `media.unreadable` when the pixels cannot be decoded.
    pub fn decode(&self, looks: &[ImageOutput]) -> Result<Levels, Problem> {
        guarded(|| render::decode(self, looks))
    }

    /// One picture from the decoded photo: RGB, or RGBA when it is to become a WebP.
    ///
    /// # Errors
    /// `media.transcode_failed` when it cannot be made, `media.bad_request` for a logo that is not there.
    pub fn render(
        &self,
        pixels: &Levels,
        look: &ImageOutput,
        logos: &Logos,
    ) -> Result<DynamicImage, Problem> {
        guarded(|| render::render(self, pixels, look, logos))
    }
}

/// Reads a file into memory.
fn read(path: &str) -> Result<Vec<u8>, Problem> {
    if fs::metadata(path).map_err(|_| reject::unreadable())?.len() > BYTES_MAX {
        return Err(reject::too_many_bytes(BYTES_MAX));
    }
    fs::read(path).map_err(|_| reject::unreadable())
}

fn check_size((width, height): (u32, u32), limits: &InputLimits) -> Result<(), Problem> {
    if width == 0 || height == 0 {
        return Err(reject::unreadable());
    }
    if u64::from(width) * u64::from(height) > limits.pixels || width.max(height) > limits.side {
        return Err(reject::too_many_pixels(width.into(), height.into(), limits.pixels));
    }
    Ok(())
}

/// Cores that this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
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

struct Exif {
    /// 1 to 8.
    orientation: u8,
    /// Of the camera at least.
    tells: bool,
}

fn exif(bytes: &[u8]) -> Exif {
    let mut reader = exif::Reader::new();
    // Damaged entries are left out; the orientation is usually among the first.
    reader.continue_on_error(true);
    let read = reader.read_from_container(&mut std::io::Cursor::new(bytes));
    let Ok(exif) = read.or_else(|error| error.distill_partial_result(|_damage| ())) else {
        return Exif { orientation: 1, tells: false };
    };
    let orientation = exif
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
    Exif { orientation, tells: exif.fields().any(tells) }
}
