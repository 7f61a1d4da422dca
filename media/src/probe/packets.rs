//! One pass over all packets of a file: when frames are shown, where groups start, how many bytes
//! they take. Counted, not believed from headers.

use domain::engine::InputLimits;
use domain::problem::Problem;
use ffmpeg_next::Packet;

use super::glimpse::Glimpse;
use super::nal::{Codec, Seen, Units};
use crate::av::input::Source;
use crate::av::is_hidden;
use crate::reject;

/// Packets of sound come up to some hundred a second; more to a picture than this is an attack on memory.
const SOUNDS_A_FRAME: u64 = 8;

/// What was seen of the chosen streams.
#[derive(Debug)]
pub struct Scan {
    pub video: TrackScan,
    pub audio: Option<TrackScan>,
}

/// What was seen of one stream; times are in its ticks.
#[derive(Debug, Default)]
pub struct TrackScan {
    /// Seconds in a tick.
    pub tick: f64,
    pub packets: u64,
    pub bytes: u64,
    /// When frames are shown, in that order.
    pub times: Vec<i64>,
    pub key_times: Vec<i64>,
    /// Packets that an edit list hides.
    pub hidden: u64,
    /// End of the frame that is shown last.
    pub end: i64,
    pub open_group: bool,
    /// A packet is built as no encoder does.
    pub damaged: bool,
    /// A packet came without decoding time, as in Matroska.
    pub lacks_dts: bool,
    /// By how much a frame must be decoded before it is shown, for all to be in time.
    pub delay: i64,
}

/// Reads all packets, showing those of the video to `glimpse`.
///
/// # Errors
/// When there are more frames or there is more time than allowed, or no frame at all.
pub fn scan(
    source: &mut Source,
    limits: &InputLimits,
    mut glimpse: Option<&mut Glimpse>,
) -> Result<Scan, Problem> {
    let mut video = Track::new(source, source.video);
    let mut audio = source.audio.map(|index| Track::new(source, index));
    let (video_index, audio_index) = (source.video, source.audio);
    while let Some(packet) = source.next_packet() {
        if packet.stream() == video_index {
            let time = video.see(&packet);
            if let Some(glimpse) = &mut glimpse {
                glimpse.see(&packet, time);
            }
            if video.scan.packets > limits.frames {
                return Err(reject::too_many_frames(limits.frames));
            }
            if video.scan.seconds_seen() * 1000.0 > to_f64(limits.duration_ms) {
                return Err(reject::too_long(limits.duration_ms));
            }
        } else if let Some(audio) = audio.as_mut().filter(|_| Some(packet.stream()) == audio_index) {
            audio.see(&packet);
            if audio.scan.packets > limits.frames.saturating_mul(SOUNDS_A_FRAME) {
                return Err(reject::too_many_frames(limits.frames));
            }
        }
    }
    if let Some(glimpse) = glimpse {
        glimpse.finish();
    }
    let video = video.finish();
    if video.times.is_empty() {
        return Err(reject::unreadable());
    }
    Ok(Scan { video, audio: audio.map(Track::finish).filter(|audio| !audio.times.is_empty()) })
}

impl TrackScan {
    /// Time of the first frame, s.
    #[must_use]
    pub fn start_s(&self) -> f64 {
        self.times.first().map_or(0.0, |time| self.seconds(*time))
    }

    /// End of the last frame, s.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.seconds(self.end)
    }

    /// A time of this stream in seconds.
    #[must_use]
    pub fn seconds(&self, ticks: i64) -> f64 {
        to_f64(ticks) * self.tick
    }

    /// bit/s over the time that is shown, and over a second at least: what a few frames take is no rate.
    #[must_use]
    pub fn bit_rate(&self) -> u64 {
        let seconds = self.end_s() - self.start_s();
        if seconds > 0.0 { round(to_f64(self.bytes) * 8.0 / seconds.max(1.0)) } else { 0 }
    }

    /// Frames per second by their times; `None` for a single frame.
    #[must_use]
    pub fn frame_rate(&self) -> Option<f64> {
        let span = self.seconds(self.times.last()? - self.times.first()?);
        (span > 0.0).then(|| to_f64(self.times.len() as u64 - 1) / span)
    }

    /// All frames are where a constant rate would have them, within 1 ms or a tick either way.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        let Some(rate) = self.frame_rate() else { return true };
        let tolerance = (1.0 / rate * 0.01).max(0.001).max(self.tick) * 1.01;
        self.times.windows(2).all(|pair| (self.seconds(pair[1] - pair[0]) - 1.0 / rate).abs() <= tolerance)
    }

    /// The longest group of pictures, ms; the last one counts too. `None` with one key frame.
    #[must_use]
    pub fn longest_group_ms(&self) -> Option<u64> {
        let last = self.end - self.key_times.last()?;
        let longest = self.key_times.windows(2).map(|pair| pair[1] - pair[0]).max()?;
        Some(round(self.seconds(longest.max(last)) * 1000.0))
    }

    fn seconds_seen(&self) -> f64 {
        self.times.first().map_or(0.0, |first| self.seconds(self.end - first))
    }
}

/// A stream while it is being read.
struct Track {
    scan: TrackScan,
    codec: Option<(Codec, Units)>,
    /// Time of the newest key frame: frames that come later and are shown earlier lead it.
    key: i64,
    /// The time that is shown last, so far.
    latest: i64,
    /// Where a packet without a time is taken to be.
    next: i64,
}

impl Track {
    fn new(source: &Source, index: usize) -> Self {
        let facts = &source.streams[index];
        let codec = Codec::of(&facts.codec).map(|codec| (codec, codec.units(&facts.extradata)));
        let scan = TrackScan { tick: source.tick(index), end: i64::MIN, ..TrackScan::default() };
        Self { scan, codec, key: i64::MIN, latest: i64::MIN, next: 0 }
    }

    /// Notes a packet and gives its time in seconds.
    fn see(&mut self, packet: &Packet) -> f64 {
        let scan = &mut self.scan;
        let time = packet.pts().or(packet.dts()).unwrap_or(self.next);
        let end = time.saturating_add(packet.duration().max(0));
        self.next = end;
        scan.packets += 1;
        scan.bytes += packet.size() as u64;
        if packet.is_key() {
            self.key = time;
        }
        let seen = match (self.codec, packet.data()) {
            (Some((codec, units)), Some(data)) => codec.look(packet.is_key(), units, data),
            (Some(_), None) => Seen::default(),
            (None, _) => Seen { open_group: time < self.key, damaged: false },
        };
        scan.open_group |= seen.open_group;
        scan.damaged |= seen.damaged;
        scan.lacks_dts |= packet.dts().is_none();
        if is_hidden(packet) {
            scan.hidden += 1;
        } else {
            scan.times.push(time);
            // A frame in the middle that is said to last longer than the rest has no say.
            if time >= self.latest {
                (self.latest, scan.end) = (time, end);
            }
            if packet.is_key() {
                scan.key_times.push(time);
            }
        }
        scan.seconds(time)
    }

    fn finish(self) -> TrackScan {
        let mut scan = self.scan;
        let coded = scan.times.clone();
        scan.times.sort_unstable();
        scan.delay = scan.times.iter().zip(&coded).map(|(shown, coded)| shown - coded).max().unwrap_or(0);
        scan.key_times.sort_unstable();
        // A container that gives no durations, or nonsense, ends with a frame of the usual length.
        if let (Some(last), Some(rate)) = (scan.times.last().copied(), scan.frame_rate()) {
            let usual = round(1.0 / rate / scan.tick).cast_signed();
            if scan.end <= last || scan.end - last < usual / 2 && scan.is_constant() {
                scan.end = last + usual;
            }
        }
        scan
    }
}

trait Number {
    fn to_f64(self) -> f64;
}

impl Number for u64 {
    #[expect(clippy::cast_precision_loss, reason = "bytes, ticks and frames of a file stay below 2^53")]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Number for i64 {
    #[expect(clippy::cast_precision_loss, reason = "bytes, ticks and frames of a file stay below 2^53")]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

fn to_f64(number: impl Number) -> f64 {
    number.to_f64()
}

/// The nearest whole number; 0 for what is negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
pub fn round(number: f64) -> u64 {
    number.round() as u64
}
