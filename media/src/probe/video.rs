//! The facts of a video, from its boxes, its streams and all of its packets.

use std::fs::File;

use domain::engine::InputLimits;
use domain::media_info::{AudioStream, MediaInfo, VideoStream};
use domain::platform::MediaKind;
use domain::problem::Problem;
use ffmpeg_next::frame;

use super::glimpse::{Depth, Glimpse};
use super::matrix::orientation;
use super::packets::{Scan, TrackScan, round, scan};
use super::{Sniffed, animated};
use crate::av::input::{self, Source};
use crate::av::{StreamFacts, metadata_keys};
use crate::boxes::{self, Boxes};
use crate::reject;
use crate::sniff::Format;

/// Without edit list, streams that start this far apart would be heard apart (lip-sync tolerance).
const SKEW_S_MAX: f64 = 0.04;
/// Entries that say nothing of who, where or with what.
const TECHNICAL_METADATA: [&str; 12] = [
    "major_brand",
    "minor_version",
    "compatible_brands",
    "handler_name",
    "vendor_id",
    "language",
    "encoder",
    "creation_time",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
];

/// A video that was read from end to end.
pub struct Video {
    pub info: MediaInfo,
    pub scan: Scan,
    /// One decoded frame; `None` at [`Depth::Packets`].
    pub picture: Option<frame::Video>,
}

/// Reads a video from end to end.
///
/// # Errors
/// The reason why it cannot be used.
pub fn open(path: &str, sniffed: &Sniffed, limits: &InputLimits, depth: Depth) -> Result<Video, Problem> {
    if sniffed.animated {
        return animated::open(path, sniffed.format, limits, depth);
    }
    let boxes = match sniffed.format {
        Format::Mp4(_) => {
            let file = File::open(path).map_err(|_| reject::unreadable())?;
            boxes::read(&file).map_err(|_| reject::unreadable())?
        }
        _ => Boxes::default(),
    };
    if boxes.cut_off && !boxes.has_index {
        return Err(reject::truncated());
    }
    let mut source = input::open(path, sniffed.format, limits)?;
    if matches!(sniffed.format, Format::Mp4(_)) && indexed_bytes(&source) > sniffed.bytes {
        return Err(reject::truncated());
    }
    if depth == Depth::Sampled {
        source.check_sound()?;
    }
    let mut glimpse = match depth {
        Depth::Packets => None,
        _ => Some(Glimpse::new(&source, limits, depth)?),
    };
    let scan = scan(&mut source, limits, glimpse.as_mut())?;
    if ends_early(&source, &scan, sniffed.format) {
        return Err(reject::truncated());
    }
    if depth == Depth::Sampled && glimpse.as_ref().is_some_and(Glimpse::is_damaged) {
        return Err(reject::damaged());
    }
    let mut info = info(&source, &scan, sniffed, &boxes);
    if let Some(video) = &mut info.video {
        video.damaged |= glimpse.as_ref().is_some_and(|glimpse| glimpse.broken_keys() > 0);
    }
    Ok(Video { info, scan, picture: glimpse.map(Glimpse::picture).transpose()? })
}

fn indexed_bytes(source: &Source) -> u64 {
    let chosen = [Some(source.video()), source.audio()];
    chosen.into_iter().flatten().map(|stream| stream.indexed_bytes).max().unwrap_or(0)
}

/// Containers without an index of samples name their length up front: a tenth of it is missing.
fn ends_early(source: &Source, scan: &Scan, format: Format) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "a duration in µs stays below 2^53")]
    let declared = source.input.duration() as f64 / 1e6;
    let seen = scan.end_s();
    matches!(format, Format::Matroska | Format::Avi) && declared > seen * 1.1 + 1.0
}

fn info(source: &Source, scan: &Scan, sniffed: &Sniffed, boxes: &Boxes) -> MediaInfo {
    let video = video_stream(source.video(), &scan.video);
    let (width, height) = displayed(&video);
    let audio = source.audio().zip(scan.audio.as_ref()).map(|(facts, scan)| audio_stream(facts, scan));
    let used = 1 + u32::from(audio.is_some());
    MediaInfo {
        kind: MediaKind::Video,
        container: sniffed.container.to_owned(),
        bytes: sniffed.bytes,
        width,
        height,
        duration_ms: Some(round((scan.end_s() - scan.start_s()) * 1000.0)),
        video: Some(video),
        audio,
        image: None,
        edit_list: boxes.has_edits(),
        edit_list_trims: copies_badly(scan),
        moov_first: boxes.index_first,
        fragmented: boxes.fragmented,
        other_streams: source.input.nb_streams().saturating_sub(used),
        has_metadata: metadata_keys(&source.input)
            .iter()
            .any(|key| !TECHNICAL_METADATA.contains(&key.split('-').next().unwrap_or(key))),
    }
}

impl Scan {
    /// Where what is seen and heard starts, s.
    #[must_use]
    pub fn start_s(&self) -> f64 {
        self.audio.as_ref().map_or(f64::MAX, TrackScan::start_s).min(self.video.start_s())
    }

    /// Where what is seen and heard ends, s.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.audio.as_ref().map_or(f64::MIN, TrackScan::end_s).max(self.video.end_s())
    }
}

/// Copying the packets without the edit list would show frames that it hides, or let the sound start
/// before its time. Sound from before the first picture is no trouble: it is left out.
fn copies_badly(scan: &Scan) -> bool {
    let sound_is_late = |audio: &TrackScan| audio.start_s() - scan.video.start_s() > SKEW_S_MAX;
    scan.video.hidden > 0 || scan.audio.as_ref().is_some_and(sound_is_late)
}

fn video_stream(facts: &StreamFacts, scan: &TrackScan) -> VideoStream {
    let orientation = facts.display_matrix.map(orientation).unwrap_or_default();
    VideoStream {
        codec: facts.codec.clone(),
        profile: facts.profile.clone(),
        level: (facts.level > 0).then_some(facts.level),
        pixel_format: facts.pixel_format.clone(),
        coded_width: facts.width,
        coded_height: facts.height,
        sar: facts.sar,
        rotation: orientation.clockwise,
        mirrored: orientation.mirrored,
        interlaced: facts.interlaced,
        frame_rate: scan.frame_rate().unwrap_or(facts.rate_hint),
        constant_frame_rate: scan.is_constant(),
        frames: scan.times.len() as u64,
        bit_rate: scan.bit_rate(),
        gop_ms_max: scan.longest_group_ms(),
        closed_gop: !scan.open_group,
        // The old full-range formats say it in their name.
        color_range: if facts.pixel_format.starts_with("yuvj") {
            "pc".into()
        } else {
            facts.color_range.clone()
        },
        color_transfer: facts.color_transfer.clone(),
        color_primaries: facts.color_primaries.clone(),
        color_space: facts.color_space.clone(),
        codec_tag: facts.tag.clone(),
        damaged: scan.damaged,
    }
}

fn audio_stream(facts: &StreamFacts, scan: &TrackScan) -> AudioStream {
    AudioStream {
        codec: facts.codec.clone(),
        profile: facts.profile.clone(),
        sample_rate: facts.sample_rate,
        channels: facts.channels,
        bit_rate: scan.bit_rate(),
    }
}

/// After sample aspect ratio and turn.
fn displayed(video: &VideoStream) -> (u32, u32) {
    let width = u64::from(video.coded_width) * u64::from(video.sar.0);
    let half = u64::from(video.sar.1) / 2;
    let width = u32::try_from((width + half) / u64::from(video.sar.1)).unwrap_or(u32::MAX).max(1);
    if video.rotation % 180 == 90 { (video.coded_height, width) } else { (width, video.coded_height) }
}
