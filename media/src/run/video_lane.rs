//! One video encode: decoded pictures in, H.264 packets out.

use domain::media_info::VideoStream;
use domain::operation::VideoEncode;
use domain::problem::Problem;
use ffmpeg_next::codec;
use ffmpeg_next::{Dictionary, Error, Packet, Rational, encoder, format, frame, picture};

use super::timeline::Timeline;
use crate::av::graph::Graph;
use crate::av::picture::{Look, chain};
use crate::av::{pixel_format, reference};
use crate::reject;

/// The knee of the curve: `faster` costs 1.8 times the time and writes no fewer bytes (measured).
const PRESET: &str = "veryfast";

/// A filter graph and an encoder. Pictures are shared with the other lanes, never copied.
pub struct VideoLane {
    encode: VideoEncode,
    source: VideoStream,
    timeline: Timeline,
    /// Of the source's stream.
    time_base: Rational,
    graph: Option<Graph>,
    /// What the graph was made for.
    shape: (u32, u32, i32),
    encoder: encoder::Video,
}

impl VideoLane {
    /// Opens the encoder with `threads` threads; filters follow with the first picture.
    ///
    /// # Errors
    /// `media.transcode_failed` when x264 does not take the settings.
    pub fn open(
        encode: &VideoEncode,
        source: &VideoStream,
        timeline: Timeline,
        time_base: Rational,
        threads: usize,
    ) -> Result<Self, Problem> {
        let encoder =
            open(encode, threads).map_err(|_| reject::not_made("the video encoder did not start"))?;
        let (encode, source) = (encode.clone(), source.clone());
        Ok(Self { encode, source, timeline, time_base, graph: None, shape: (0, 0, 0), encoder })
    }

    /// The encoder, for the muxers' headers.
    #[must_use]
    pub fn context(&self) -> &codec::Context {
        self.encoder.as_ref()
    }

    /// One tick of the packets' times: a frame.
    #[must_use]
    pub fn tick(&self) -> Rational {
        frame_time(&self.encode)
    }

    /// Takes the next picture, whose time is on the stream's clock with zero as the first.
    ///
    /// # Errors
    /// `media.transcode_failed`; the lane is of no more use.
    pub fn push(&mut self, picture: &frame::Video) -> Result<Vec<Packet>, Problem> {
        self.feed(picture).map_err(|_| reject::not_made("a picture could not be filtered or encoded"))
    }

    /// Nothing more comes: the packets in flight.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn finish(&mut self) -> Result<Vec<Packet>, Problem> {
        self.drain().map_err(|_| reject::not_made("the last pictures could not be encoded"))
    }

    fn feed(&mut self, picture: &frame::Video) -> Result<Vec<Packet>, Error> {
        let picture = reference(picture)?;
        let shape = (picture.width(), picture.height(), pixel_format(&picture));
        let graph = match &mut self.graph {
            Some(graph) if shape == self.shape => graph,
            // Players do not follow a change of size in mid-stream alike; neither do we.
            Some(_) => return Err(Error::InputChanged),
            none => {
                self.shape = shape;
                let look = look(&self.encode);
                none.insert(Graph::video(
                    &picture,
                    self.time_base,
                    self.source.sar,
                    &chain(&self.source, &look),
                )?)
            }
        };
        graph.push(&picture)?;
        self.encode_filtered()
    }

    fn drain(&mut self) -> Result<Vec<Packet>, Error> {
        let Some(graph) = &mut self.graph else { return Err(Error::InvalidData) };
        graph.close(self.timeline.length_s())?;
        let mut packets = self.encode_filtered()?;
        self.encoder.send_eof()?;
        self.collect(&mut packets)?;
        Ok(packets)
    }

    fn encode_filtered(&mut self) -> Result<Vec<Packet>, Error> {
        let mut packets = Vec::new();
        loop {
            let mut picture = frame::Video::empty();
            let Some(graph) = &mut self.graph else { return Ok(packets) };
            if !graph.pull(&mut picture)? {
                return Ok(packets);
            }
            // The decoder's frame types would be taken for orders.
            picture.set_kind(picture::Type::None);
            self.encoder.send_frame(&picture)?;
            self.collect(&mut packets)?;
        }
    }

    fn collect(&mut self, packets: &mut Vec<Packet>) -> Result<(), Error> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {
                    // One frame each: without it, the last frame of the file would last no time.
                    packet.set_duration(1);
                    packets.push(packet);
                }
                Err(Error::Eof | Error::Other { errno: libc::EAGAIN }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

fn look(encode: &VideoEncode) -> Look {
    Look {
        width: encode.width,
        height: encode.height,
        framing: encode.framing,
        frame_rate: Some(encode.frame_rate),
        pixels: "yuv420p",
    }
}

fn frame_time(encode: &VideoEncode) -> Rational {
    let int = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    Rational::new(int(encode.frame_rate.1), int(encode.frame_rate.0))
}

fn open(encode: &VideoEncode, threads: usize) -> Result<encoder::Video, Error> {
    let codec = encoder::find_by_name("libx264").ok_or(Error::EncoderNotFound)?;
    let mut context = codec::Context::new_with_codec(codec);
    // The index of an MP4 carries the headers once, for all frames.
    context.set_flags(codec::Flags::GLOBAL_HEADER);
    let mut video = context.encoder().video()?;
    video.set_width(encode.width);
    video.set_height(encode.height);
    video.set_format(format::Pixel::YUV420P);
    video.set_aspect_ratio((1, 1));
    video.set_time_base(frame_time(encode));
    video.set_frame_rate(Some(frame_time(encode).invert()));
    video.open_as_with(codec, options(encode, threads))
}

/// Closed groups of exactly the same length, quality by crf under a ceiling, BT.709 named.
fn options(encode: &VideoEncode, threads: usize) -> Dictionary<'static> {
    let gop = encode.gop_frames.to_string();
    let max_rate = encode.max_rate.to_string();
    let buffer = (u64::from(encode.max_rate) * 2).to_string();
    let crf = format!("{}.{}", encode.crf_tenths / 10, encode.crf_tenths % 10);
    let level = format!("{}.{}", encode.level / 10, encode.level % 10);
    let threads = threads.to_string();
    let mut options = Dictionary::new();
    for (key, value) in [
        ("preset", PRESET),
        ("profile", "high"),
        ("level", &level),
        ("crf", &crf),
        ("maxrate", &max_rate),
        ("bufsize", &buffer),
        ("g", &gop),
        ("keyint_min", &gop),
        ("sc_threshold", "0"),
        ("flags", "+global_header+cgop"),
        ("x264-params", "open-gop=0:scenecut=0"),
        ("a53cc", "0"),
        ("threads", &threads),
        ("color_range", "tv"),
        ("colorspace", "bt709"),
        ("color_primaries", "bt709"),
        ("color_trc", "bt709"),
    ] {
        options.set(key, value);
    }
    options
}
