//! The frames of an animation, one at a time.

use std::fs::File;
use std::io::BufReader;

use domain::problem::Problem;
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageResult, Limits, RgbImage};

use super::Animation;
use crate::image::canvas::{WHITE, flat};
use crate::image::guarded;
use crate::reject;
use crate::sniff::Format;

/// Of one decoder: two canvases of 64 megapixels, and what it needs besides.
const ALLOC_BYTES_MAX: u64 = 1 << 30;

/// A whole picture, on white.
pub struct Shown {
    pub picture: RgbImage,
    pub pts_ms: i64,
}

/// Frames in the order in which they are shown. Ends with the first that cannot be decoded.
pub struct Frames<'a> {
    animation: &'a Animation,
    decoded: image::Frames<'a>,
    next: usize,
    failed: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn open(animation: &'a Animation) -> Result<Self, Problem> {
        let open = || -> ImageResult<image::Frames<'a>> {
            let file = BufReader::new(File::open(&animation.path)?);
            Ok(match animation.format {
                Format::Gif => limited(GifDecoder::new(file)?)?.into_frames(),
                Format::Webp => limited(WebPDecoder::new(file)?)?.into_frames(),
                _ => limited(PngDecoder::new(file)?)?.apng()?.into_frames(),
            })
        };
        let decoded = guarded(|| open().map_err(reason))?;
        Ok(Self { animation, decoded, next: 0, failed: false })
    }

    fn decode(&mut self) -> Option<Result<RgbImage, Problem>> {
        let frame = guarded(|| self.decoded.next().transpose().map_err(reason)).transpose()?;
        Some(frame.and_then(|frame| {
            let picture = frame.into_buffer();
            // The decoder may believe another header than the one whose limits were checked.
            if picture.dimensions() != self.animation.size {
                return Err(reject::unreadable());
            }
            Ok(flat(DynamicImage::from(picture), WHITE))
        }))
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Shown, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let times = &self.animation.times;
        let pts_ms = *times.get(self.next).filter(|_| !self.failed)?;
        let picture = self.decode()?;
        self.next += 1;
        self.failed = picture.is_err();
        Some(picture.map(|picture| Shown { picture, pts_ms }))
    }
}

fn limited<D: ImageDecoder>(mut decoder: D) -> ImageResult<D> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(ALLOC_BYTES_MAX);
    decoder.set_limits(limits)?;
    Ok(decoder)
}

fn reason(error: ImageError) -> Problem {
    match error {
        ImageError::IoError(_) => reject::truncated(),
        _ => reject::unreadable(),
    }
}
