//! Animated GIF, WebP and PNG: videos without sound, decoded frame by frame in memory-safe code.

mod frames;
mod index;

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::ops::ControlFlow;

use domain::engine::InputLimits;
use domain::media_info::{MediaInfo, VideoStream};
use domain::platform::MediaKind;
use domain::problem::Problem;

pub use self::frames::Frames;
use self::index::{Seen, walk};
use super::check_size;
use crate::probe::{Scan, TrackScan};
use crate::reject;
use crate::sniff::Format;

/// Browsers show a frame that asks for less than this …
const DELAY_MS_MIN: u64 = 20;
/// … for so long.
const DELAY_MS_USUAL: u64 = 100;
/// Pixels of all frames: two minutes of 1080p at 30 frames a second.
const PIXELS_MAX: u64 = 8_000_000_000;
/// Seconds in a tick of the times here.
const TICK_S: f64 = 0.001;

/// Pictures of this format may move.
#[must_use]
pub const fn may_move(format: Format) -> bool {
    matches!(format, Format::Gif | Format::Webp | Format::Png)
}

/// A file that may move has more than one frame. One that makes no sense has not.
#[must_use]
pub fn moves(path: &str, format: Format) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut frames = 0;
    let second = |seen| {
        frames += u32::from(matches!(seen, Seen::Frame { .. }));
        if frames > 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let _size = walk(BufReader::new(file), format, second);
    frames > 1
}

/// An animation whose frames were counted and found within limits.
pub struct Animation {
    path: String,
    format: Format,
    bytes: u64,
    /// Of the canvas, px.
    size: (u32, u32),
    /// When each frame is shown, ms; the first at zero.
    times: Vec<i64>,
    /// Of all frames, which may be larger than the canvas.
    pixels: u64,
    end: i64,
    transparent: bool,
    has_metadata: bool,
}

impl Animation {
    /// Counts frames and time.
    ///
    /// # Errors
    /// The reason why it cannot be used; no pixel was decoded yet.
    pub fn open(path: &str, format: Format, limits: &InputLimits) -> Result<Self, Problem> {
        let file = File::open(path).map_err(|_| reject::unreadable())?;
        let bytes = file.metadata().map_err(|_| reject::unreadable())?.len();
        let mut animation = Self {
            path: path.to_owned(),
            format,
            bytes,
            size: (0, 0),
            times: Vec::new(),
            pixels: 0,
            end: 0,
            transparent: false,
            has_metadata: false,
        };
        let mut wrong = None;
        let walked = walk(BufReader::new(file), format, |seen| {
            wrong = animation.see(seen, limits).err();
            if wrong.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        animation.size = walked.map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => reject::truncated(),
            _ => reject::unreadable(),
        })?;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        check_size(animation.size, limits)?;
        let frames = animation.times.len() as u64;
        let canvas = u64::from(animation.size.0) * u64::from(animation.size.1);
        let pixels = animation.pixels.max(canvas.saturating_mul(frames));
        if pixels > PIXELS_MAX {
            return Err(reject::too_many_frames(PIXELS_MAX / (pixels / frames).max(1)));
        }
        Ok(animation)
    }

    fn see(&mut self, seen: Seen, limits: &InputLimits) -> Result<(), Problem> {
        match seen {
            Seen::Transparent => self.transparent = true,
            Seen::Metadata => self.has_metadata = true,
            Seen::Frame { delay_ms, pixels } => {
                self.pixels = self.pixels.saturating_add(pixels);
                let shown_ms = if delay_ms < DELAY_MS_MIN { DELAY_MS_USUAL } else { delay_ms };
                self.times.push(self.end);
                self.end = self.end.saturating_add_unsigned(shown_ms);
                if self.times.len() as u64 > limits.frames {
                    return Err(reject::too_many_frames(limits.frames));
                }
                if self.end > i64::try_from(limits.duration_ms).unwrap_or(i64::MAX) {
                    return Err(reject::too_long(limits.duration_ms));
                }
            }
        }
        Ok(())
    }

    /// The frames from the first on, decoded as they are asked for.
    ///
    /// # Errors
    /// `media.unreadable` when no decoder reads it.
    pub fn frames(&self) -> Result<Frames<'_>, Problem> {
        Frames::open(self)
    }

    /// When frames are shown, as the engine wants to know it of every video. Times are in ms.
    #[must_use]
    pub fn scan(&self) -> Scan {
        let video = TrackScan {
            tick: TICK_S,
            packets: self.times.len() as u64,
            bytes: self.bytes,
            times: self.times.clone(),
            key_times: self.times.first().copied().into_iter().collect(),
            end: self.end,
            ..TrackScan::default()
        };
        Scan { video, audio: None }
    }

    /// The facts.
    #[must_use]
    pub fn info(&self) -> MediaInfo {
        let (width, height) = self.size;
        let scan = self.scan().video;
        let name = self.format.container(&[]);
        let video = VideoStream {
            codec: name.to_owned(),
            profile: None,
            level: None,
            pixel_format: if self.transparent { "rgba" } else { "rgb24" }.to_owned(),
            coded_width: width,
            coded_height: height,
            sar: (1, 1),
            rotation: 0,
            mirrored: false,
            interlaced: false,
            frame_rate: scan.frame_rate().unwrap_or(0.0),
            constant_frame_rate: scan.is_constant(),
            frames: scan.packets,
            bit_rate: scan.bit_rate(),
            gop_ms_max: None,
            closed_gop: true,
            color_range: "pc".to_owned(),
            color_transfer: "iec61966-2-1".to_owned(),
            color_primaries: "bt709".to_owned(),
            color_space: "gbr".to_owned(),
            codec_tag: String::new(),
            damaged: false,
        };
        MediaInfo {
            kind: MediaKind::Video,
            container: name.to_owned(),
            bytes: self.bytes,
            width,
            height,
            duration_ms: u64::try_from(self.end).ok(),
            video: Some(video),
            audio: None,
            image: None,
            edit_list: false,
            edit_list_trims: false,
            moov_first: false,
            fragmented: false,
            other_streams: 0,
            has_metadata: self.has_metadata,
        }
    }
}
