//! Logos over pictures: read once for all outputs, drawn in the size that each wants.

use std::collections::BTreeMap;

use domain::engine::{InputLimits, Overlay};
use domain::operation::{Framing, ImageFormat, ImageOutput, Watermark};
use domain::overlay::{Place, place};
use domain::problem::{Problem, Remedy};
use image::{DynamicImage, RgbaImage, imageops};

use super::fit::Fit;
use super::resize::{SHARP, resize};
use super::{Photo, canvas};
use crate::names;
use crate::probe::Sniffed;

/// Longer side that a logo is kept in, px: half of the widest output.
const SIDE_MAX: u32 = 2048;

/// The logos of a request by their hash; one that cannot be used keeps the reason.
#[derive(Default)]
pub struct Logos(BTreeMap<String, Result<DynamicImage, Problem>>);

impl Logos {
    /// No logo at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Decodes the files of a request.
    #[must_use]
    pub fn read(overlays: &[Overlay], limits: &InputLimits) -> Self {
        let decoded = |overlay: &Overlay| (overlay.sha256.clone(), decode(&overlay.name, limits));
        Self(overlays.iter().map(decoded).collect())
    }

    /// The logo of a mark in the size that a picture of `picture` px wants, and where it stands.
    ///
    /// # Errors
    /// `media.bad_request` when the request did not bring it, or why it cannot be read.
    pub fn placed(&self, mark: &Watermark, picture: (u32, u32)) -> Result<(RgbaImage, Place), Problem> {
        let missing = || {
            let message = "An output wants a logo that is not among the overlays of the request.";
            Err(Problem::new("media.bad_request", message, Remedy::Retry))
        };
        let logo = self.0.get(&mark.sha256).cloned().unwrap_or_else(missing)?;
        let stands = place((logo.width(), logo.height()), picture, mark);
        let size = ImageOutput::jpeg((stands.width, stands.height), Framing::Whole, 100, u64::MAX);
        let fit = Fit::new((logo.width(), logo.height()), &size, false);
        Ok((resize(&logo, &fit, SHARP, true)?.into_rgba8(), stands))
    }

    /// Draws the logo of a mark over a picture.
    ///
    /// # Errors
    /// As for [`Self::placed`].
    pub fn draw(&self, picture: &mut DynamicImage, mark: &Watermark) -> Result<(), Problem> {
        let (logo, stands) = self.placed(mark, (picture.width(), picture.height()))?;
        match picture {
            DynamicImage::ImageRgb8(picture) => {
                for (x, y, over) in logo.enumerate_pixels() {
                    let under = picture.get_pixel_mut(stands.left + x, stands.top + y);
                    for (channel, over_channel) in under.0.iter_mut().zip(over.0) {
                        *channel = canvas::mix(over_channel, *channel, over.0[3]);
                    }
                }
            }
            picture => {
                imageops::overlay(picture, &DynamicImage::from(logo), stands.left.into(), stands.top.into())
            }
        }
        Ok(())
    }
}

/// Upright, in sRGB, with alpha.
fn decode(name: &str, limits: &InputLimits) -> Result<DynamicImage, Problem> {
    let read = || {
        names::check(name)?;
        let sniffed = Sniffed::read(name, limits)?;
        let photo = Photo::open(name, sniffed.format, limits)?;
        let info = photo.info();
        let shrink = (f64::from(SIDE_MAX) / f64::from(info.width.max(info.height))).min(1.0);
        let side = |side: u32| super::fit::share(side, shrink);
        let look = ImageOutput::jpeg((side(info.width), side(info.height)), Framing::Whole, 100, u64::MAX);
        let look = ImageOutput { format: ImageFormat::Webp, ..look };
        let pixels = photo.decode(std::slice::from_ref(&look))?;
        photo.render(&pixels, &look, &Logos::none()).map(|logo| DynamicImage::from(logo.into_rgba8()))
    };
    read().map_err(|problem| {
        let message = format!("The brand's logo cannot be used: {} Choose another logo.", problem.message);
        Problem::new(&problem.code, message, problem.remedy)
    })
}
