//! HEIC and AVIF through libheif: what iPhones and newer cameras write.

mod items;
mod raw;

use domain::engine::InputLimits;
use domain::problem::Problem;
use image::{DynamicImage, RgbImage, RgbaImage};

pub use raw::load;

use self::raw::{Failure, Pixels, Primary};
use super::colour::Profile;
use super::{Header, cores};
use crate::reject;

/// Reads the header of the primary picture.
///
/// # Errors
/// The reason why it cannot be used; no pixel was decoded.
pub(super) fn header(bytes: &[u8], limits: &InputLimits) -> Result<Header, Problem> {
    let primary = open(bytes, limits)?;
    let size = primary.size();
    let profile = primary.icc().as_deref().and_then(Profile::from_icc);
    Ok(Header {
        size,
        color_model: "rgb",
        bits_per_channel: primary.bits_per_channel().unwrap_or(8),
        has_alpha: primary.has_alpha(),
        profile: profile.or_else(|| {
            primary.code_points().and_then(|points| Profile::from_code_points(points.0, points.1))
        }),
        trailing_data: false,
        animated: false,
        has_metadata: false,
    })
}

/// Decodes the primary picture to 8 bits a channel, upright.
///
/// # Errors
/// `media.truncated` or `media.unreadable`.
pub fn decode(bytes: &[u8], limits: &InputLimits) -> Result<DynamicImage, Problem> {
    let primary = open(bytes, limits)?;
    let alpha = primary.has_alpha();
    let Pixels { width, height, bytes } =
        primary.decode(alpha).map_err(|failure| reason(failure, limits.side))?;
    // The pixels may be others than the boxes promised.
    if (width, height) != primary.size() {
        return Err(reject::unreadable());
    }
    let picture = if alpha {
        let mut picture = RgbaImage::from_raw(width, height, bytes);
        if let Some(picture) = picture.as_mut().filter(|_| primary.is_premultiplied()) {
            divide_by_alpha(picture);
        }
        picture.map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, bytes).map(DynamicImage::from)
    };
    picture.ok_or_else(reject::unreadable)
}

fn open<'a>(bytes: &'a [u8], limits: &InputLimits) -> Result<Primary<'a>, Problem> {
    if items::count(bytes) > items::ITEMS_MAX {
        return Err(reject::too_many_items(items::ITEMS_MAX));
    }
    Primary::open(bytes, limits.side, cores()).map_err(|failure| reason(failure, limits.side))
}

fn reason(failure: Failure, side_max: u32) -> Problem {
    match failure {
        Failure::Truncated => reject::truncated(),
        Failure::TooLarge => reject::too_long_a_side(side_max),
        Failure::Unsupported => reject::unsupported_photo(),
        Failure::Damaged => reject::unreadable(),
    }
}

fn divide_by_alpha(picture: &mut RgbaImage) {
    for pixel in picture.pixels_mut() {
        let alpha = u16::from(pixel[3]).max(1);
        for channel in &mut pixel.0[..3] {
            *channel = u8::try_from((u16::from(*channel) * 255 + alpha / 2) / alpha).unwrap_or(u8::MAX);
        }
    }
}
