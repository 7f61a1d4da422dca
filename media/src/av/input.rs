//! A source, opened with the one demuxer that its first bytes call for.

use std::cmp::Reverse;

use domain::engine::InputLimits;
use domain::problem::Problem;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Dictionary, Error, Packet};

use super::raw::{self, Medium, StreamFacts};
use crate::sniff::Format;
use crate::{machine, reject};

/// Decoders that may run: what phones, cameras and editors write. All others stay shut.
const CODECS: &[&str] = &[
    "h264",
    "hevc",
    "vp8",
    "vp9",
    "libdav1d",
    "av1",
    "mpeg4",
    "mpeg2video",
    "mpeg1video",
    "h263",
    "mjpeg",
    "prores",
    "dnxhd",
    "aac",
    "mp3",
    "mp3float",
    "mp2",
    "mp2float",
    "opus",
    "vorbis",
    "ac3",
    "eac3",
    "alac",
    "flac",
    "amrnb",
    "amrwb",
    "pcm_s16le",
    "pcm_s16be",
    "pcm_s24le",
    "pcm_s24be",
    "pcm_s32le",
    "pcm_f32le",
    "pcm_u8",
    "pcm_mulaw",
    "pcm_alaw",
];

/// A demuxer that reports damage this often in a row stands still.
const DAMAGES_MAX: u32 = 1000;

/// A source and what is known of its streams.
pub struct Source {
    pub input: Input,
    pub streams: Vec<StreamFacts>,
    /// Index of the stream that is shown.
    pub video: usize,
    /// Index of the stream that is heard.
    pub audio: Option<usize>,
}

/// Opens `path`, which lies in the scratch directory, and chooses its streams.
///
/// # Errors
/// The reason why the file cannot be used; nothing was decoded before its limits were checked.
pub fn open(path: &str, format: Format, limits: &InputLimits) -> Result<Source, Problem> {
    let demuxer = format.demuxer().ok_or_else(reject::not_media)?;
    let mut input = raw::open(&format!("file:{path}"), demuxer, options(demuxer, limits))
        .map_err(|_| reject::unreadable())?;
    check_streams(&input, limits)?;
    raw::find_stream_info(&mut input, &decoder_options(limits)).map_err(|_| reject::unreadable())?;
    // Some containers reveal streams and sizes only while reading.
    check_streams(&input, limits)?;
    let streams: Vec<StreamFacts> = input.streams().map(|stream| raw::stream_facts(&stream)).collect();
    let (video, audio) = choose(&streams)?;
    Ok(Source { input, streams, video, audio })
}

impl Source {
    /// The stream that is shown.
    #[must_use]
    pub fn video(&self) -> &StreamFacts {
        &self.streams[self.video]
    }

    /// The stream that is heard.
    #[must_use]
    pub fn audio(&self) -> Option<&StreamFacts> {
        self.audio.map(|index| &self.streams[index])
    }

    /// A sound that cannot be decoded is a reason to refuse the file: without it, it would be another one.
    ///
    /// # Errors
    /// `media.unsupported_format` with its codec.
    pub fn check_sound(&self) -> Result<(), Problem> {
        match self.audio() {
            Some(sound) if !CODECS.contains(&sound.decoder.as_str()) => {
                Err(reject::unsupported_codec(&sound.codec))
            }
            _ => Ok(()),
        }
    }

    /// Seconds in a tick of a stream's clock.
    #[must_use]
    pub fn tick(&self, stream: usize) -> f64 {
        self.input.stream(stream).map_or(0.0, |stream| f64::from(stream.time_base()))
    }

    /// Goes to the key frame at `time` of the shown stream's clock, or one before it. Where the container has no
    /// index to find it by, nothing changes: reading goes on from where it is.
    pub fn seek(&mut self, time: i64) {
        let _stays = raw::seek(&mut self.input, self.video, time);
    }

    /// The next packet of any stream; `None` at the end, or where the rest cannot be read.
    pub fn next_packet(&mut self) -> Option<Packet> {
        let mut packet = Packet::empty();
        for _damaged in 0..DAMAGES_MAX {
            match packet.read(&mut self.input) {
                Ok(()) => return Some(packet),
                // A damaged packet; the demuxer goes on behind it.
                Err(Error::InvalidData) => {}
                Err(_) => {
                    machine::check(raw::read_failure(&self.input));
                    return None;
                }
            }
        }
        None
    }
}

/// The codecs as FFmpeg's options want them.
pub fn codec_list() -> String {
    CODECS.join(",")
}

/// Options for every decoder that is opened.
pub fn decoder_options(limits: &InputLimits) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("max_pixels", &limits.pixels.to_string());
    options.set("codec_whitelist", &codec_list());
    options
}

fn options(demuxer: &str, limits: &InputLimits) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("protocol_whitelist", "file");
    options.set("format_whitelist", demuxer);
    options.set("codec_whitelist", &codec_list());
    options.set("max_streams", &(limits.streams + 1).to_string());
    options.set("probesize", "20000000");
    options.set("analyzeduration", "10000000");
    if demuxer == "mov" {
        options.set("enable_drefs", "0");
        options.set("use_absolute_path", "0");
    }
    options
}

fn check_streams(input: &Input, limits: &InputLimits) -> Result<(), Problem> {
    if input.nb_streams() > limits.streams {
        return Err(reject::too_many_streams(limits.streams));
    }
    let duration_ms = u64::try_from(input.duration() / 1000).unwrap_or(0);
    if duration_ms > limits.duration_ms {
        return Err(reject::too_long(limits.duration_ms));
    }
    for stream in input.streams() {
        let facts = raw::stream_facts(&stream);
        let (width, height) = (u64::from(facts.width), u64::from(facts.height));
        if width * height > limits.pixels || width.max(height) > u64::from(limits.side) {
            return Err(reject::too_many_pixels(width, height, limits.pixels));
        }
    }
    Ok(())
}

/// The largest video that is no cover picture. Of the sounds that we read, if there are any, the file's default, then
/// the one with stereo or more, then with most samples. Among equals the first.
fn choose(streams: &[StreamFacts]) -> Result<(usize, Option<usize>), Problem> {
    let of =
        |medium| streams.iter().filter(move |stream| stream.medium == medium && !stream.attached_picture);
    let pixels = |stream: &StreamFacts| u64::from(stream.width) * u64::from(stream.height);
    let video = of(Medium::Video)
        .max_by_key(|stream| (pixels(stream), stream.default, Reverse(stream.index)))
        .map(|stream| stream.index);
    let is_read = |stream: &StreamFacts| CODECS.contains(&stream.decoder.as_str());
    let audio = of(Medium::Audio)
        .filter(|stream| stream.channels > 0)
        .max_by_key(|stream| {
            let quality = (stream.channels.min(2), stream.sample_rate);
            (is_read(stream), stream.default, quality, Reverse(stream.index))
        })
        .map(|stream| stream.index);
    match video {
        Some(video) if streams[video].width > 0 && streams[video].height > 0 => Ok((video, audio)),
        Some(_) => Err(reject::unreadable()),
        None if streams.iter().any(|stream| stream.medium == Medium::Audio) => Err(reject::no_video()),
        None => Err(reject::unreadable()),
    }
}
