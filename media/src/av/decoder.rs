//! Decoders of one stream, under the limits of the request.

use std::ops::DerefMut;

use domain::engine::InputLimits;
use domain::problem::Problem;
use ffmpeg_next::codec::{self, threading};
use ffmpeg_next::{Error, Packet, decoder, frame};

use super::input::{Source, decoder_options};
use crate::reject;

/// A decoder that reports damage this often in a row has nothing to give for now.
const DAMAGES_MAX: u32 = 64;

/// A decoder at work.
pub struct Running<D> {
    decoder: D,
    /// It ran out of memory: what it gives is not all.
    starved: bool,
}

/// Turns packets of the shown stream into pictures in display order.
pub type VideoDecoder = Running<decoder::Video>;

/// Turns packets of the heard stream into sound.
pub type AudioDecoder = Running<decoder::Audio>;

/// Opens the decoder of the stream that is shown, with `threads` threads.
///
/// # Errors
/// `media.unsupported_format` when no decoder on our list reads it.
pub fn video(source: &Source, limits: &InputLimits, threads: usize) -> Result<VideoDecoder, Problem> {
    let opened = open(source, source.video, limits, threads)?;
    opened.video().map(Running::new).map_err(|_| reject::unsupported_codec(&source.video().codec))
}

/// Opens the decoder of stream `index`, which is a sound.
///
/// # Errors
/// As for [`video`].
pub fn audio(source: &Source, index: usize, limits: &InputLimits) -> Result<AudioDecoder, Problem> {
    let opened = open(source, index, limits, 1)?;
    opened.audio().map(Running::new).map_err(|_| reject::unsupported_codec(&source.streams[index].codec))
}

fn open(
    source: &Source,
    index: usize,
    limits: &InputLimits,
    threads: usize,
) -> Result<decoder::Opened, Problem> {
    let refused = || reject::unsupported_codec(&source.streams[index].codec);
    let stream = source.input.stream(index).ok_or_else(reject::unreadable)?;
    let mut context =
        codec::Context::from_parameters(stream.parameters()).map_err(|_| reject::unreadable())?;
    context.set_threading(threading::Config { count: threads, kind: threading::Type::Frame, safe: true });
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(stream.time_base());
    let codec = decoder::find(decoder.id()).ok_or_else(refused)?;
    decoder.open_as_with(codec, decoder_options(limits)).map_err(|_| refused())
}

impl<D: DerefMut<Target = decoder::Opened>> Running<D> {
    const fn new(decoder: D) -> Self {
        Self { decoder, starved: false }
    }

    /// Takes a packet; damage in it is skipped, as players do.
    pub fn send(&mut self, packet: &Packet) {
        let _damaged = self.decoder.send_packet(packet);
    }

    /// Nothing more comes: what is in flight follows.
    pub fn finish(&mut self) {
        let _ended = self.decoder.send_eof();
    }

    /// Whether memory ran out for something, which is missing then.
    #[must_use]
    pub const fn is_starved(&self) -> bool {
        self.starved
    }

    fn fill(&mut self, frame: &mut frame::Frame) -> bool {
        for _damaged in 0..DAMAGES_MAX {
            match self.decoder.receive_frame(frame) {
                Ok(()) => return true,
                Err(Error::Eof | Error::Other { errno: libc::EAGAIN }) => return false,
                Err(Error::Other { errno }) => {
                    self.starved |= errno == libc::ENOMEM;
                    return false;
                }
                Err(_) => {}
            }
        }
        false
    }
}

impl VideoDecoder {
    /// The next picture that is ready. Its time is in the stream's clock.
    pub fn receive(&mut self) -> Option<frame::Video> {
        let mut picture = frame::Video::empty();
        self.fill(&mut picture).then_some(picture)
    }

    /// Decodes a key frame by itself, forgetting what came before.
    pub fn decode_alone(&mut self, packet: &Packet) -> Option<frame::Video> {
        self.decoder.flush();
        self.send(packet);
        self.finish();
        let picture = self.receive();
        self.decoder.flush();
        picture
    }
}

impl AudioDecoder {
    /// The next stretch of sound that is ready. Its time is in the stream's clock.
    pub fn receive(&mut self) -> Option<frame::Audio> {
        let mut sound = frame::Audio::empty();
        self.fill(&mut sound).then_some(sound)
    }
}
