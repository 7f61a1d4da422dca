//! Videos: copied where possible, else encoded on the canonical ladder.

use super::expected::{buffered, container_bytes, expected_info};
use super::framing::{Bounds, SHAPE_TOLERANCE, Shape, marked, reason, shape, size};
use super::{Fit, Want};
use crate::conformance::{is_sound_taken, seconds, violations};
use crate::media_info::MediaInfo;
use crate::operation::{AudioOutput, Framing, Operation, VideoEncode, VideoOutput};
use crate::problem::{Problem, Remedy};
use crate::profile::{Preferences, Range, VideoLimits};

/// x264's constant quality: networks encode again, so bits are spent rather than preset time.
const CRF_TENTHS: u32 = 220;

/// The cap of every encode, bit/s. 60 s of it are 45 MB, so the master also fits Telegram's 50 MB.
const MASTER_RATE: u64 = 6_000_000;

/// AAC at 48 kHz stereo, bit/s.
pub(super) const AUDIO_RATE: u32 = 128_000;

/// Sound of at most this is as good as what we would make, bit/s.
const AUDIO_COPY_MAX: u64 = 140_000;

/// Smaller sizes, tried when a network's byte limit leaves too little for the larger: long and
/// short side, px.
const LADDER: [(u32, u32); 3] = [(1280, 720), (854, 480), (640, 360)];

/// Below this many bits for a pixel a smaller picture looks better: thousandths of a bit.
const MILLIBITS_PER_PIXEL: u64 = 30;

/// Frame rates that are kept or aimed at.
const STANDARD_RATES: [(u32, u32); 8] =
    [(24_000, 1001), (24, 1), (25, 1), (30_000, 1001), (30, 1), (50, 1), (60_000, 1001), (60, 1)];

/// Plans one video for one want; its duration is checked already.
pub(super) fn fit(
    info: &MediaInfo,
    want: &Want<'_>,
    limits: &VideoLimits,
    prefers: &Preferences,
    first_ms: Option<u64>,
) -> Result<Fit, Problem> {
    let found = violations(info, want.profile);
    let size = (info.width, info.height);
    let near = shape(size, limits.ratio, prefers, want, SHAPE_TOLERANCE);
    let copied = copies(info)
        .into_iter()
        .filter(|_| near.framing == Framing::Whole && first_ms.is_none() && want.style.watermark.is_none())
        .find(|operation| violations(&expected_info(info, operation), want.profile).is_empty());
    let (operation, shape) = match copied {
        Some(operation) => (operation, near),
        None => {
            let exact = shape(size, limits.ratio, prefers, want, 0.0);
            (encode(info, want, limits, prefers, &exact, first_ms)?, exact)
        }
    };
    let result = expected_info(info, &operation);
    // The cut answers that it is too long.
    let told = found.into_iter().filter(|violation| first_ms.is_none() || violation.field != "duration");
    let mut reasons: Vec<String> = told.map(|violation| violation.reason).collect();
    reasons.extend(first_ms.map(|first_ms| format!("Only its first {} are taken.", seconds(first_ms))));
    reasons.extend(reason(shape.framing, (info.width, info.height), (result.width, result.height), want));
    reasons.extend(want.style.watermark.is_some().then(marked));
    Ok(Fit { operation, framing: shape.framing, width: result.width, height: result.height, reasons })
}

/// The ways without an encode of the picture, cheapest first.
fn copies(info: &MediaInfo) -> Vec<Operation> {
    let mut ways = vec![Operation::Passthrough];
    let video = info.video.as_ref().map_or("", |video| video.codec.as_str());
    // A copy starts at the first stored frame: it would show what the edit list hides.
    if !matches!(video, "h264" | "hevc") || info.edit_list_trims {
        return ways;
    }
    if info.audio.as_ref().is_none_or(|audio| audio.codec == "aac") {
        ways.push(Operation::Remux { drop_audio: false });
    }
    let audio = match info.audio {
        Some(_) => AudioOutput::Aac { bit_rate: AUDIO_RATE },
        None => AudioOutput::Silent { bit_rate: AUDIO_RATE },
    };
    ways.push(Operation::Video(VideoOutput::new(None, audio)));
    ways
}

fn encode(
    info: &MediaInfo,
    want: &Want<'_>,
    limits: &VideoLimits,
    prefers: &Preferences,
    shape: &Shape,
    first_ms: Option<u64>,
) -> Result<Operation, Problem> {
    let Some(video) = &info.video else {
        return Err(Problem::new(
            "media.no_video",
            "It has no moving picture. Choose another file.",
            Remedy::ChangeMedia,
        ));
    };
    let audio = sound(info, limits, first_ms);
    let frame_rate = taken(frame_rate(video.frame_rate, video.constant_frame_rate), limits.frame_rate);
    let duration = info.duration_ms.unwrap_or(0).min(first_ms.unwrap_or(u64::MAX));
    let max_rate = rate_for(limits, duration, frame_rate, &audio);
    let preferred = (prefers.long_side, prefers.short_side);
    let smaller = LADDER.into_iter().filter(|(long, _)| *long < prefers.long_side);
    for (long_side, short_side) in std::iter::once(preferred).chain(smaller) {
        let bounds = Bounds {
            width: limits.width,
            height: limits.height,
            longer: limits.long_side,
            shorter: limits.short_side,
            enlarge_max: f64::from(prefers.enlarge_up_to_percent) / 100.0,
            long_side,
            short_side,
            step: 2,
        };
        let (width, height) = size(shape, &bounds, want.profile)?;
        let level = level(width, height, frame_rate);
        let is_over = limits.h264_level_max.is_some_and(|max| i64::from(level) > i64::from(max));
        if max_rate < least_rate(width, height, frame_rate) || is_over {
            continue;
        }
        let encode = VideoEncode {
            width,
            height,
            framing: shape.framing,
            frame_rate,
            gop_frames: (2 * frame_rate.0).div_ceil(frame_rate.1),
            crf_tenths: CRF_TENTHS,
            max_rate: u32::try_from(max_rate).unwrap_or(u32::MAX),
            level,
            pad_color: want.style.pad_color.filter(|_| shape.framing == Framing::Pad),
            watermark: want.style.watermark.clone(),
        };
        return Ok(Operation::Video(VideoOutput { video: Some(encode), audio, first_ms }));
    }
    let network = want.profile.platform.display_name();
    Err(too_long_to_look_good(duration, network, longest(limits, frame_rate)))
}

/// In the bytes that the network takes.
fn too_long_to_look_good(duration: u64, network: &str, max: u64) -> Problem {
    Problem::new(
        "media.too_long",
        format!(
            "It is {} long: in the size of file that {network} takes, at most {} look good. Choose a shorter video.",
            seconds(duration),
            seconds(max)
        ),
        Remedy::ChangeMedia,
    )
}

/// The sound beside an encoded picture: copied where it is what we would make and the network takes it.
fn sound(info: &MediaInfo, limits: &VideoLimits, first_ms: Option<u64>) -> AudioOutput {
    let Some(audio) = &info.audio else {
        let bit_rate = AUDIO_RATE;
        return if limits.audio.required { AudioOutput::Silent { bit_rate } } else { AudioOutput::None };
    };
    let canonical = audio.codec == "aac"
        && audio.profile.as_deref() == Some("LC")
        && matches!(audio.sample_rate, 44_100 | 48_000)
        && audio.channels == 2
        && audio.bit_rate <= AUDIO_COPY_MAX
        && is_sound_taken(audio, &limits.audio);
    if canonical && !info.edit_list_trims && first_ms.is_none() {
        AudioOutput::Copy
    } else {
        AudioOutput::Aac { bit_rate: AUDIO_RATE }
    }
}

/// Keeps the rate where it is a usual one between 23 and 60; jittered times go to the nearest
/// usual rate, slow ones to a multiple of themselves.
fn frame_rate(rate: f64, constant: bool) -> (u32, u32) {
    let distance = |standard: (u32, u32)| (rate / value(standard)).ln().abs();
    let nearest =
        STANDARD_RATES.into_iter().min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or((30, 1));
    if !rate.is_finite() || rate <= 0.0 {
        return (30, 1);
    }
    if rate < 23.0 {
        let is_multiple = |standard: &(u32, u32)| {
            let times = value(*standard) / rate;
            (times - times.round()).abs() < 0.01 * times
        };
        let multiple = [(24, 1), (25, 1), (30, 1)].into_iter().find(is_multiple).filter(|_| constant);
        return multiple.unwrap_or((30, 1));
    }
    if rate > 60.0 {
        // Slow motion: a whole fraction of the rate drops frames evenly.
        let is_fraction = |standard: &(u32, u32)| {
            let times = rate / value(*standard);
            (times - times.round()).abs() < 0.0005 * times
        };
        return STANDARD_RATES.into_iter().rev().find(is_fraction).unwrap_or((60, 1));
    }
    if constant && distance(nearest) > 0.002 {
        // An unusual but steady rate is kept: resampling it would make it stutter.
        return (to_u32((rate * 100.0).round()), 100);
    }
    nearest
}

/// A rate that the network does not take becomes the nearest usual one that it does.
fn taken(rate: (u32, u32), range: Range<f64>) -> (u32, u32) {
    let distance = |standard: (u32, u32)| (value(rate) / value(standard)).ln().abs();
    let usual = STANDARD_RATES.into_iter().filter(|usual| range.holds(value(*usual)));
    let nearest = usual.min_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    if range.holds(value(rate)) { rate } else { nearest.unwrap_or(rate) }
}

fn value(rate: (u32, u32)) -> f64 {
    f64::from(rate.0) / f64::from(rate.1)
}

/// Rates are small and positive, so the cast loses nothing.
fn to_u32(value: f64) -> u32 {
    value as u32
}

/// The highest bit rate of the picture, bit/s, with which the file stays within the byte limit.
fn rate_for(limits: &VideoLimits, duration_ms: u64, frame_rate: (u32, u32), audio: &AudioOutput) -> u64 {
    let sound = sound_rate(audio).saturating_mul(duration_ms).div_ceil(8000);
    let fixed = sound.saturating_add(container_bytes(duration_ms, frame_rate));
    let allowed = limits.bytes_max.saturating_sub(fixed) * 8 / buffered(duration_ms) * 1000;
    let hard = limits.bit_rate_max.map_or(u64::MAX, |max| max * 9 / 10);
    MASTER_RATE.min(allowed).min(hard)
}

const fn sound_rate(audio: &AudioOutput) -> u64 {
    match audio {
        AudioOutput::None => 0,
        AudioOutput::Copy => AUDIO_COPY_MAX,
        AudioOutput::Aac { bit_rate } | AudioOutput::Silent { bit_rate } => *bit_rate as u64 * 11 / 10,
    }
}

fn least_rate(width: u32, height: u32, rate: (u32, u32)) -> u64 {
    let pixels = u64::from(width) * u64::from(height) * u64::from(rate.0) / u64::from(rate.1);
    pixels * MILLIBITS_PER_PIXEL / 1000
}

/// How long a video may be at the smallest size of the ladder, in whole minutes, ms.
fn longest(limits: &VideoLimits, frame_rate: (u32, u32)) -> u64 {
    let (long, short) = LADDER[LADDER.len() - 1];
    let needed = least_rate(long, short, frame_rate) + AUDIO_COPY_MAX + 20_000;
    let seconds = limits.bytes_max * 8 / needed;
    (seconds / 60).max(1) * 60_000
}

/// The lowest H.264 level that holds the picture size and rate (Table A-1 of the standard, and A.3.1 for the sides).
fn level(width: u32, height: u32, rate: (u32, u32)) -> u32 {
    const LEVELS: [(u32, u64, u64); 7] = [
        (30, 1620, 40_500),
        (31, 3600, 108_000),
        (32, 5120, 216_000),
        (40, 8192, 245_760),
        (42, 8704, 522_240),
        (50, 22_080, 589_824),
        (51, 36_864, 983_040),
    ];
    let blocks = u64::from(width.div_ceil(16)) * u64::from(height.div_ceil(16));
    let per_second = (blocks * u64::from(rate.0)).div_ceil(u64::from(rate.1));
    let side = u64::from(width.max(height).div_ceil(16));
    let holds =
        |level: &&(u32, u64, u64)| blocks <= level.1 && per_second <= level.2 && side * side <= 8 * level.1;
    LEVELS.iter().find(holds).map_or(52, |level| level.0)
}
