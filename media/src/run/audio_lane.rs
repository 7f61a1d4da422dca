//! One audio encode: decoded sound in, AAC-LC packets out, as long as the pictures.

use domain::problem::Problem;
use ffmpeg_next::codec;
use ffmpeg_next::format::sample::{Sample, Type};
use ffmpeg_next::{ChannelLayout, Dictionary, Error, Packet, Rational, encoder, frame};

use super::peaks::Peaks;
use super::timeline::Timeline;
use crate::av::graph::Graph;
use crate::av::{SoundShape, reference_audio, silence};
use crate::reject;

/// What every network takes, Hz.
const SAMPLE_RATE: u32 = 48_000;
const SAMPLE_RATE_INT: i32 = 48_000;
/// Of an AAC frame.
const FRAME_SAMPLES: u32 = 1024;
const FRAME_SAMPLES_INT: i32 = 1024;
/// Of silence in one piece, 10 s: the resampler would fill a gap of hours at once, in memory.
const SILENCE_SAMPLES: i32 = 480_000;

/// Filter graphs and an encoder.
pub struct AudioLane {
    timeline: Timeline,
    /// Of the source's stream.
    time_base: Rational,
    /// From the source's sound to the encoder's. Broadcasts go from 5.1 to stereo and back for advertisements: each
    /// shape has its own.
    mixer: Option<(SoundShape, Graph)>,
    /// From the source's time to that of the output.
    clock: Option<Graph>,
    /// Up to which time of the source the clock was given sound, in samples.
    heard: i64,
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
        Ok(Self {
            timeline,
            time_base,
            mixer: None,
            clock: None,
            heard: 0,
            encoder,
            encoded: 0,
            peaks: Peaks::new(),
        })
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
        self.clock.as_ref().is_some_and(Graph::has_ended)
    }

    /// Nothing more comes: fills with silence to the end of the pictures.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn finish(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Problem> {
        self.drain(deliver).map_err(|_| reject::not_made("the end of the sound could not be encoded"))
    }

    fn feed(&mut self, sound: &frame::Audio, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        let shape = SoundShape::of(sound);
        if self.mixer.as_ref().is_none_or(|(before, _)| *before != shape) {
            self.empty_mixer(deliver)?;
            self.mixer = Some((shape, Graph::audio(&shape, self.time_base, &mix(&shape), 0)?));
        }
        let shared = reference_audio(sound)?;
        if let Some((_, mixer)) = &mut self.mixer {
            mixer.push(&shared)?;
        }
        self.take_mixed(deliver)
    }

    fn drain(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        self.empty_mixer(deliver)?;
        if self.clock.is_none() {
            self.hear(&silence(FRAME_SAMPLES_INT, SAMPLE_RATE_INT)?, deliver)?;
        }
        let end = self.timeline.length_s();
        let Some(clock) = &mut self.clock else { return Err(Error::InvalidData) };
        match clock.close(end) {
            Ok(()) | Err(Error::Eof) => {}
            Err(error) => return Err(error),
        }
        self.encode_timed(deliver)?;
        self.encoder.send_eof()?;
        self.collect(deliver)
    }

    /// Lets out what the mixer holds back for what follows, and forgets it.
    fn empty_mixer(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        if let Some((_, mixer)) = &mut self.mixer {
            mixer.end()?;
        }
        self.take_mixed(deliver)?;
        self.mixer = None;
        Ok(())
    }

    fn take_mixed(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        loop {
            let mut sound = frame::Audio::empty();
            let Some((_, mixer)) = &mut self.mixer else { return Ok(()) };
            if !mixer.pull(&mut sound)? {
                return Ok(());
            }
            self.hear(&sound, deliver)?;
        }
    }

    /// Takes sound as the encoder wants it, at a time of the source, after silence for what is missing before it.
    fn hear(&mut self, sound: &frame::Audio, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        let piece = i64::from(SILENCE_SAMPLES);
        while sound.pts().is_some_and(|time| time.saturating_sub(self.heard) > piece) && !self.has_all() {
            let mut silence = silence(SILENCE_SAMPLES, SAMPLE_RATE_INT)?;
            silence.set_pts(Some(self.heard));
            self.give(&silence, deliver)?;
        }
        self.give(sound, deliver)
    }

    fn give(&mut self, sound: &frame::Audio, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        let (tick, length) = (self.tick(), self.samples());
        let clock = match &mut self.clock {
            Some(clock) => clock,
            none => {
                none.insert(Graph::audio(&SoundShape::of(sound), tick, &keep_time(length), FRAME_SAMPLES)?)
            }
        };
        // The graph takes the frame over, and with it its time.
        let end =
            sound.pts().map_or(0, |start| start.saturating_add(i64::try_from(sound.samples()).unwrap_or(0)));
        self.heard = self.heard.max(end);
        clock.push(sound)?;
        self.encode_timed(deliver)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours of samples fit")]
    fn samples(&self) -> u64 {
        (self.timeline.length_s() * f64::from(SAMPLE_RATE)).round().max(1.0) as u64
    }

    fn encode_timed(&mut self, deliver: &mut impl FnMut(&Packet)) -> Result<(), Error> {
        loop {
            let mut sound = frame::Audio::empty();
            let Some(clock) = &mut self.clock else { return Ok(()) };
            if !clock.pull(&mut sound)? {
                return Ok(());
            }
            self.peaks.hold(&mut sound);
            // The clock made the sound continuous; its times still carry the source's jitter.
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

/// 48 kHz stereo of any sound.
///
/// A single channel is heard from both sides as loud as it is; the resampler would take 3 dB off it. More than two are
/// mixed as ITU-R BS.775 says, which may add up to more than there is room for: see [`Peaks`].
fn mix(shape: &SoundShape) -> String {
    let spread = if shape.channels == 1 { "pan=stereo|c0=c0|c1=c0," } else { "" };
    format!("{spread}aresample={SAMPLE_RATE},aformat=sample_fmts=fltp:channel_layouts=stereo")
}

/// Starts at zero by cutting or silence, follows the source's clock through gaps and drift, ends with the pictures.
///
/// `flags=res`: swresample that has the right rate already begins its resampler at the first drift, and with it the
/// time: it would fill up with silence from zero on.
fn keep_time(samples: u64) -> String {
    format!(
        "aresample={SAMPLE_RATE}:async=1000:first_pts=0:flags=res,apad=whole_len={samples},atrim=end_sample={samples}"
    )
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
