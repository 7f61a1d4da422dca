//! One audio encode: decoded sound in, AAC-LC packets out, as long as the pictures.

use domain::problem::Problem;
use ffmpeg_next::codec;
use ffmpeg_next::format::sample::{Sample, Type};
use ffmpeg_next::{ChannelLayout, Dictionary, Error, Packet, Rational, encoder, frame};

use super::peaks::Peaks;
use super::timeline::Timeline;
use crate::av::graph::Graph;
use crate::av::{reference_audio, silence, sound_format};
use crate::reject;

/// What every network takes, Hz.
const SAMPLE_RATE: u32 = 48_000;
const SAMPLE_RATE_INT: i32 = 48_000;
/// Of an AAC frame.
const FRAME_SAMPLES: u32 = 1024;
const FRAME_SAMPLES_INT: i32 = 1024;

/// A filter graph and an encoder.
pub struct AudioLane {
    timeline: Timeline,
    /// Of the source's stream.
    time_base: Rational,
    graph: Option<Graph>,
    encoder: encoder::Audio,
    /// Samples given to the encoder so far, which is the time of the next.
    encoded: i64,
    peaks: Peaks,
}

impl AudioLane {
    /// Opens an AAC-LC encoder for 48 kHz stereo.
    ///
    /// # Errors
    /// `media.transcode_failed` when the encoder does not take the bit rate.
    pub fn open(bit_rate: u32, timeline: Timeline, time_base: Rational) -> Result<Self, Problem> {
        let encoder = open(bit_rate).map_err(|_| reject::not_made("the sound encoder did not start"))?;
        Ok(Self { timeline, time_base, graph: None, encoder, encoded: 0, peaks: Peaks::new() })
    }

    /// The encoder, for the muxers' headers.
    #[must_use]
    pub fn context(&self) -> &codec::Context {
        self.encoder.as_ref()
    }

    /// One tick of the packets' times: a sample.
    #[must_use]
    pub fn tick(&self) -> Rational {
        Rational::new(1, SAMPLE_RATE_INT)
    }

    /// Takes the next stretch of sound, whose time is on the stream's clock with zero as the first
    /// picture; it may be negative.
    ///
    /// # Errors
    /// `media.transcode_failed`; the lane is of no more use.
    pub fn push(&mut self, sound: &frame::Audio, deliver: &mut impl FnMut(&Packet)) -> Result<(), Problem> {
        self.feed(sound, deliver).map_err(|_| reject::not_made("the sound could not be resampled or encoded"))
    }

    /// It has all the sound that is wanted: what is heard after the pictures is not.
    #[must_use]
    pub fn has_all(&self) -> bool {
        self.graph.as_ref().is_some_and(Graph::has_ended)
    }

    /// Nothing more comes: fills with silence to the end of the pictures.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn finish(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Problem> {
        self.drain(deliver).map_err(|_| reject::not_made("the end of the sound could not be encoded"))
    }

    fn feed(&mut self, sound: &frame::Audio, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        let sound = reference_audio(sound)?;
        let length = self.samples();
        let graph = match &mut self.graph {
            Some(graph) => graph,
            none => {
                let chain = chain(channels(&sound), length);
                none.insert(Graph::audio(&sound, self.time_base, &chain, FRAME_SAMPLES)?)
            }
        };
        graph.push(&sound)?;
        self.encode_filtered(deliver)
    }

    fn drain(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        if self.graph.is_none() {
            self.time_base = self.tick();
            self.feed(&silence(FRAME_SAMPLES_INT, SAMPLE_RATE_INT)?, deliver)?;
        }
        let end = self.timeline.length_s();
        let Some(graph) = &mut self.graph else { return Err(Error::InvalidData) };
        match graph.close(end) {
            Ok(()) | Err(Error::Eof) => {}
            Err(error) => return Err(error),
        }
        self.encode_filtered(deliver)?;
        self.encoder.send_eof()?;
        self.collect(deliver)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours of samples fit")]
    fn samples(&self) -> u64 {
        (self.timeline.length_s() * f64::from(SAMPLE_RATE)).round().max(1.0) as u64
    }

    fn encode_filtered(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        loop {
            let mut sound = frame::Audio::empty();
            let Some(graph) = &mut self.graph else { return Ok(()) };
            if !graph.pull(&mut sound)? {
                return Ok(());
            }
            self.peaks.hold(&mut sound);
            // The filters made the sound continuous; their times still carry the source's jitter.
            sound.set_pts(Some(self.encoded));
            self.encoded += i64::try_from(sound.samples()).unwrap_or(0);
            self.encoder.send_frame(&sound)?;
            self.collect(deliver)?;
        }
    }

    /// The encoder's first packet is priming, before zero. Without edit list it would be heard and
    /// delay the rest by 21 ms, so it is left out: sound and pictures start together.
    fn collect(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) if packet.pts().is_some_and(|time| time < 0) => {}
                Ok(()) => deliver(&packet),
                Err(Error::Eof | Error::Other { errno: libc::EAGAIN }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Starts at zero by cutting or silence, follows the stream's clock through gaps and drift, ends
/// with the pictures.
///
/// A single channel is heard from both sides as loud as it is; the resampler would take 3 dB off it. More than two are
/// mixed as ITU-R BS.775 says, which may add up to more than there is room for: see [`Peaks`].
fn chain(channels: u32, samples: u64) -> String {
    let spread = if channels == 1 { "pan=stereo|c0=c0|c1=c0," } else { "" };
    format!(
        "{spread}aresample={SAMPLE_RATE}:async=1000:first_pts=0,aformat=sample_fmts=fltp:channel_layouts=stereo\
         ,apad=whole_len={samples},atrim=end_sample={samples}"
    )
}

fn channels(sound: &frame::Audio) -> u32 {
    let (_, _, channels) = sound_format(sound);
    channels.unsigned_abs()
}

fn open(bit_rate: u32) -> Result<encoder::Audio, Error> {
    let codec = encoder::find_by_name("aac").ok_or(Error::EncoderNotFound)?;
    let mut context = codec::Context::new_with_codec(codec);
    context.set_flags(codec::Flags::GLOBAL_HEADER);
    let mut audio = context.encoder().audio()?;
    audio.set_rate(SAMPLE_RATE_INT);
    audio.set_format(Sample::F32(Type::Planar));
    audio.set_channel_layout(ChannelLayout::STEREO);
    audio.set_channels(2);
    audio.set_time_base(Rational::new(1, SAMPLE_RATE_INT));
    audio.set_bit_rate(bit_rate as usize);
    let mut options = Dictionary::new();
    options.set("flags", "+global_header");
    options.set("profile", "aac_low");
    audio.open_as_with(codec, options)
}
