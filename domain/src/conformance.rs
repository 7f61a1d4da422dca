//! The exact test of a file against a profile: everything that keeps it from being sent as it is.
//!
//! Two rules are the house's own and hold for every network: no metadata (a phone writes the place
//! into its files) and no streams or bytes that nobody asked for.

use crate::media_info::{AudioStream, ImageFacts, MediaInfo, VideoStream};
use crate::platform::Platform;
use crate::profile::{Accepts, AudioLimits, ImageLimits, Profile, Range, Ratio, VideoLimits};

/// Measured frame rates are rational numbers read from times: this much over a limit is noise.
const FRAME_RATE_NOISE: f64 = 0.005;

/// One thing about a file that a network, or the house, does not accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which limit, e.g. `codec`.
    pub field: &'static str,
    /// A plain sentence for people.
    pub reason: String,
}

/// Everything that keeps `info` from being sent to `profile` byte for byte; empty when nothing does.
///
/// The shape that a placement merely prefers is not asked for here.
#[must_use]
pub fn violations(info: &MediaInfo, profile: &Profile) -> Vec<Violation> {
    let mut found = Findings { network: profile.platform, list: Vec::new() };
    match &profile.accepts {
        Accepts::Video(limits, _) => found.video_file(info, limits),
        Accepts::Image(limits, _) => found.image_file(info, limits),
        Accepts::Carousel(_) => found.add("kind", "A carousel is tested item by item.".to_owned()),
    }
    found.list
}

/// Whether a network takes such a sound beside a video.
pub(crate) fn is_sound_taken(audio: &AudioStream, limits: &AudioLimits) -> bool {
    let mut found = Findings { network: Platform::Web, list: Vec::new() };
    found.sound(audio, limits);
    found.list.is_empty()
}

/// Whether `width` to `height` lies in `range`, exactly.
#[must_use]
pub fn ratio_holds(range: &Range<Ratio>, width: u32, height: u32) -> bool {
    let (width, height) = (u64::from(width), u64::from(height));
    let above = |min: Ratio| width * u64::from(min.1) >= height * u64::from(min.0);
    let below = |max: Ratio| width * u64::from(max.1) <= height * u64::from(max.0);
    range.min.is_none_or(above) && range.max.is_none_or(below)
}

struct Findings {
    network: Platform,
    list: Vec<Violation>,
}

impl Findings {
    fn add(&mut self, field: &'static str, reason: String) {
        self.list.push(Violation { field, reason });
    }

    fn unless(&mut self, fine: bool, field: &'static str, reason: impl FnOnce(&str) -> String) {
        if !fine {
            self.add(field, reason(self.network.display_name()));
        }
    }

    fn video_file(&mut self, info: &MediaInfo, limits: &VideoLimits) {
        let Some(video) = &info.video else {
            return self.add("kind", "It has no moving picture.".to_owned());
        };
        self.container(info, limits);
        self.unless(info.bytes <= limits.bytes_max, "bytes", |network| {
            format!(
                "The file has {}: {network} takes at most {}.",
                megabytes(info.bytes),
                megabytes(limits.bytes_max)
            )
        });
        let duration = info.duration_ms.unwrap_or(0);
        self.unless(limits.duration_ms.holds(duration), "duration", |network| {
            format!("It is {} long, which {network} does not take.", seconds(duration))
        });
        self.size(info, [limits.width, limits.height], [limits.long_side, limits.short_side], &limits.ratio);
        self.picture(video, limits);
        self.timing(video, limits, duration);
        match &info.audio {
            Some(audio) => self.sound(audio, &limits.audio),
            None => self.unless(!limits.audio.required, "audio", |network| {
                format!("It has no sound: {network} wants a sound track.")
            }),
        }
    }

    fn container(&mut self, info: &MediaInfo, limits: &VideoLimits) {
        let known = limits.containers.contains(&info.container);
        self.unless(known, "container", |network| {
            format!("It is a {} file: {network} takes {}.", name(&info.container), names(&limits.containers))
        });
        let boxes = matches!(info.container.as_str(), "mp4" | "mov" | "3gp");
        self.unless(!limits.moov_first || !boxes || info.moov_first, "moov_first", |network| {
            format!("Its index comes after the media: {network} wants it in front.")
        });
        self.unless(limits.edit_list || !info.edit_list, "edit_list", |network| {
            format!("It has an edit list, which {network} does not take.")
        });
        self.unless(!info.fragmented, "fragmented", |_| "It is cut into fragments.".to_owned());
        self.unless(info.other_streams == 0, "other_streams", |_| {
            "It carries further streams besides picture and sound.".to_owned()
        });
        self.metadata(info);
    }

    fn metadata(&mut self, info: &MediaInfo) {
        self.unless(!info.has_metadata, "metadata", |_| {
            "It carries metadata, such as the place or the camera: that is left out.".to_owned()
        });
    }

    fn size(
        &mut self,
        info: &MediaInfo,
        [width, height]: [Range<u32>; 2],
        [long, short]: [Range<u32>; 2],
        ratio: &Range<Ratio>,
    ) {
        let (w, h) = (info.width, info.height);
        let fits = width.holds(w) && height.holds(h) && long.holds(w.max(h)) && short.holds(w.min(h));
        self.unless(fits, "size", |network| format!("It has {w}×{h} px, which {network} does not take."));
        self.unless(ratio_holds(ratio, w, h), "ratio", |network| {
            format!("Its shape of {w}×{h} px is outside what {network} takes.")
        });
    }

    fn picture(&mut self, video: &VideoStream, limits: &VideoLimits) {
        let known = limits.codecs.contains(&video.codec);
        self.unless(known, "codec", |network| {
            format!("Its video is {}: {network} takes {}.", name(&video.codec), names(&limits.codecs))
        });
        // Apple's players show HEVC only under this tag, and networks test for it.
        self.unless(video.codec_tag != "hev1", "codec_tag", |_| {
            "Its HEVC is tagged hev1, not hvc1.".to_owned()
        });
        self.unless(limits.pixel_formats.contains(&video.pixel_format), "pixel_format", |_| {
            format!("Its colours are stored as {}, which not every player shows.", video.pixel_format)
        });
        let level = video.level.filter(|_| video.codec == "h264");
        let fits = level.zip(limits.h264_level_max).is_none_or(|(level, max)| level <= max);
        self.unless(fits, "level", |network| {
            let level = level.unwrap_or(0);
            format!("Its H.264 is of level {}.{}, more than {network} takes.", level / 10, level % 10)
        });
        self.unless(limits.hdr || !video.is_hdr(), "hdr", |_| {
            "It is HDR: it is brought to standard colours.".to_owned()
        });
        self.unless(video.rotation == 0 && !video.mirrored, "rotation", |_| {
            "It is stored turned and relies on the player to turn it.".to_owned()
        });
        self.unless(video.sar.0 == video.sar.1, "sar", |_| "Its pixels are not square.".to_owned());
        self.unless(!video.interlaced, "interlaced", |_| "It is interlaced.".to_owned());
        self.unless(!video.damaged, "damaged", |_| {
            "Some of its frames are damaged: they are mended as far as a player would.".to_owned()
        });
        let rate = video.bit_rate;
        self.unless(limits.bit_rate_max.is_none_or(|max| rate <= max), "bit_rate", |network| {
            format!("Its bit rate is {} Mb/s, more than {network} takes.", rate.div_ceil(1_000_000))
        });
    }

    fn timing(&mut self, video: &VideoStream, limits: &VideoLimits, duration_ms: u64) {
        let rate = video.frame_rate;
        let range = Range {
            min: limits.frame_rate.min.map(|min| min - FRAME_RATE_NOISE),
            max: limits.frame_rate.max.map(|max| max + FRAME_RATE_NOISE),
        };
        self.unless(range.holds(rate), "frame_rate", |network| {
            format!("It has {rate:.2} frames a second, which {network} does not take.")
        });
        let steady = !limits.constant_frame_rate || video.constant_frame_rate;
        self.unless(steady, "constant_frame_rate", |network| {
            format!("Its frames come at uneven intervals: {network} wants a fixed frame rate.")
        });
        let gop = video.gop_ms_max.unwrap_or(duration_ms);
        self.unless(limits.gop_ms_max.is_none_or(|max| gop <= max), "gop", |network| {
            format!("Its key frames are up to {} apart, more than {network} takes.", seconds(gop))
        });
        self.unless(!limits.closed_gop || video.closed_gop, "closed_gop", |network| {
            format!("Its groups of pictures are open: {network} wants them closed.")
        });
    }

    fn sound(&mut self, audio: &AudioStream, limits: &AudioLimits) {
        self.unless(limits.codecs.contains(&audio.codec), "audio_codec", |network| {
            format!("Its sound is {}: {network} takes {}.", name(&audio.codec), names(&limits.codecs))
        });
        let profile = audio.profile.as_deref().unwrap_or("LC");
        let known = limits.profiles.is_empty() || limits.profiles.iter().any(|accepted| accepted == profile);
        self.unless(known, "audio_profile", |network| {
            format!("Its sound is {profile}, which {network} does not take.")
        });
        let rates = Range { min: limits.sample_rate_min, max: Some(limits.sample_rate_max) };
        let channels = Range { min: limits.channels_min, max: Some(limits.channels_max) };
        let plain = rates.holds(audio.sample_rate) && channels.holds(audio.channels);
        self.unless(plain, "audio_layout", |network| {
            format!(
                "Its sound has {} channels at {} Hz: {network} takes {} at {} Hz.",
                audio.channels, audio.sample_rate, limits.channels_max, limits.sample_rate_max
            )
        });
        let rate = audio.bit_rate;
        self.unless(limits.bit_rate_max.is_none_or(|max| rate <= max), "audio_bit_rate", |network| {
            format!("Its sound takes {} kb/s, more than {network} takes.", rate.div_ceil(1000))
        });
    }

    fn image_file(&mut self, info: &MediaInfo, limits: &ImageLimits) {
        let Some(image) = &info.image else {
            return self.add("kind", "It is no still picture.".to_owned());
        };
        self.unless(limits.formats.contains(&info.container), "format", |network| {
            format!("It is a {} file: {network} takes {}.", name(&info.container), names(&limits.formats))
        });
        self.unless(info.bytes <= limits.bytes_max, "bytes", |network| {
            format!(
                "The file has {}: {network} takes at most {}.",
                megabytes(info.bytes),
                megabytes(limits.bytes_max)
            )
        });
        self.size(info, [limits.width, limits.height], [limits.long_side, limits.short_side], &limits.ratio);
        let pixels = u64::from(info.width) * u64::from(info.height);
        self.unless(limits.pixels_max.is_none_or(|max| pixels <= max), "pixels", |network| {
            format!("It has {} megapixels, more than {network} takes.", pixels / 1_000_000)
        });
        let sum = info.width.saturating_add(info.height);
        self.unless(limits.side_sum_max.is_none_or(|max| sum <= max), "side_sum", |network| {
            format!("Width and height together are {sum} px, more than {network} takes.")
        });
        self.pixels(image, limits);
        self.metadata(info);
        self.unless(!image.trailing_data, "trailing_data", |_| {
            "Further data follows the picture in the file: that is left out.".to_owned()
        });
    }

    fn pixels(&mut self, image: &ImageFacts, limits: &ImageLimits) {
        self.unless(image.orientation == 1, "orientation", |_| {
            "It is stored turned and relies on the viewer to turn it.".to_owned()
        });
        self.unless(image.srgb, "srgb", |_| "Its colours are not sRGB.".to_owned());
        self.unless(matches!(image.color_model.as_str(), "rgb" | "gray"), "color_model", |_| {
            format!("Its colours are {}, made for print.", image.color_model.to_uppercase())
        });
        self.unless(image.bits_per_channel <= 8, "bits", |_| {
            format!("It has {} bits a channel.", image.bits_per_channel)
        });
        self.unless(limits.alpha || !image.has_alpha, "alpha", |_| {
            "It is partly transparent: it is put on one colour.".to_owned()
        });
        self.unless(!image.animated, "animated", |_| {
            "It is an animation: its first picture is taken.".to_owned()
        });
    }
}

/// What people call a codec or a container.
pub(crate) fn name(technical: &str) -> String {
    match technical {
        "h264" => "H.264".to_owned(),
        "hevc" | "aac" | "mp4" | "mov" | "avi" | "gif" | "png" | "jpeg" | "tiff" | "bmp" | "vp8" | "vp9"
        | "av1" | "mp3" | "3gp" => technical.to_uppercase(),
        "webm" => "WebM".to_owned(),
        "webp" => "WebP".to_owned(),
        "matroska" => "Matroska".to_owned(),
        "mpegps" | "mpegts" => "MPEG".to_owned(),
        "mpeg4" => "MPEG-4 part 2".to_owned(),
        "mpeg2video" => "MPEG-2".to_owned(),
        "h263" => "H.263".to_owned(),
        "ac3" => "AC-3".to_owned(),
        "opus" => "Opus".to_owned(),
        "vorbis" => "Vorbis".to_owned(),
        other => other.to_owned(),
    }
}

fn names(technical: &[String]) -> String {
    let named: Vec<String> = technical.iter().map(|one| name(one)).collect();
    match named.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => named.concat(),
    }
}

/// e.g. `12.3 MB`, of 10^6 bytes.
pub(crate) fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    if tenths.is_multiple_of(10) {
        format!("{} MB", tenths / 10)
    } else {
        format!("{}.{} MB", tenths / 10, tenths % 10)
    }
}

/// e.g. `0.2 s`, `45 s` or `15 min`.
pub(crate) fn seconds(ms: u64) -> String {
    match ms {
        0..10_000 if !ms.is_multiple_of(1000) => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        0..120_000 => format!("{} s", ms / 1000),
        _ if ms % 60_000 < 1000 => format!("{} min", ms / 60_000),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
    }
}

#[cfg(test)]
mod tests;
