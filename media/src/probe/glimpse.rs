//! Decodes a few frames while the packets pass: enough to know that the file decodes, and to have a
//! picture for the thumbnail.

use domain::engine::InputLimits;
use domain::problem::Problem;
use ffmpeg_next::{Packet, frame};

use crate::av::decoder::{self, VideoDecoder};
use crate::av::input::Source;
use crate::reject;

/// First frames are often black; the first key frame after this makes the better thumbnail.
pub const THUMBNAIL_AFTER_S: f64 = 1.0;

/// How much is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Nothing: for files that were looked into before.
    Packets,
    /// The first frame, and one for the thumbnail: for copies of such files.
    First,
    /// And key frames all over, for files that nobody knows: one a second at first, then ever fewer.
    Sampled,
    /// The first frame and every key frame: for files that we made.
    EveryKey,
}

/// Watches the packets of the video.
pub struct Glimpse {
    decoder: VideoDecoder,
    depth: Depth,
    first: Option<frame::Video>,
    start: Option<f64>,
    chosen: Option<frame::Video>,
    /// When the next key frame is looked at, if not all are.
    next: f64,
    keys: u32,
    broken_keys: u32,
}

impl Glimpse {
    /// Opens a decoder of its own.
    ///
    /// # Errors
    /// When no decoder reads the video.
    pub fn new(source: &Source, limits: &InputLimits, depth: Depth) -> Result<Self, Problem> {
        // One thread gives frames at once; more would each hold one back.
        let decoder = decoder::video(source, limits, 1)?;
        Ok(Self {
            decoder,
            depth,
            first: None,
            start: None,
            chosen: None,
            next: 0.0,
            keys: 0,
            broken_keys: 0,
        })
    }

    /// Shows the next packet of the video, whose frame is due at `time` seconds.
    pub fn see(&mut self, packet: &Packet, time: f64) {
        if self.first.is_none() {
            self.decoder.send(packet);
            self.first = self.decoder.receive();
            self.start = self.start.or(Some(time));
            return;
        }
        let late = time >= self.start.unwrap_or(0.0) + THUMBNAIL_AFTER_S;
        let wanted = self.chosen.is_none() && late;
        if packet.is_key() && (wanted || self.looks_at(time)) {
            self.keys += 1;
            match self.decoder.decode_alone(packet) {
                Some(picture) if wanted => self.chosen = Some(picture),
                Some(_) => {}
                None => self.broken_keys += 1,
            }
        }
    }

    /// The last packet was shown.
    pub fn finish(&mut self) {
        if self.first.is_none() {
            self.decoder.finish();
            self.first = self.decoder.receive();
        }
    }

    /// Most of the key frames that were looked at did not decode: a cut of a few frames is no reason to refuse a video,
    /// rubbish is. The first frame, which decoded, counts as one.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.broken_keys * 2 > self.keys + 1
    }

    fn looks_at(&mut self, time: f64) -> bool {
        let since = time - self.start.unwrap_or(0.0);
        match self.depth {
            Depth::Packets | Depth::First => false,
            Depth::EveryKey => true,
            Depth::Sampled if since >= self.next => {
                self.next = since + (since / 60.0).max(1.0);
                true
            }
            Depth::Sampled => false,
        }
    }

    /// Key frames that did not decode.
    #[must_use]
    pub fn broken_keys(&self) -> u32 {
        self.broken_keys
    }

    /// A picture that shows what the video is about.
    ///
    /// # Errors
    /// `media.unreadable` when not one frame could be decoded.
    pub fn picture(self) -> Result<frame::Video, Problem> {
        self.chosen.or(self.first).ok_or_else(reject::unreadable)
    }
}
