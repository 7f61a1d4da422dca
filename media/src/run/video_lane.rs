//! One video encode: pictures in, H.264 packets out.

use domain::media_info::VideoStream;
use domain::operation::{Framing, VideoEncode};
use domain::problem::Problem;
use ffmpeg_next::codec;
use ffmpeg_next::{Dictionary, Error, Packet, Rational, encoder, format, frame, picture};

use crate::av::graph::Graph;
use crate::av::picture::{BLACK, Look, Timing, chain};
use crate::av::{pixel_format, reference};
use crate::reject;

/// The knee of the curve: `faster` costs 1.8 times the time and writes no fewer bytes (measured).
const PRESET: &str = "veryfast";

/// A filter graph and an encoder. Pictures are shared with the other lanes, never copied.
pub struct VideoLane {
    encode: VideoEncode,
    input: LaneInput,
    /// Seconds from the first picture to the end of the last.
    length_s: f64,
    graph: Option<Graph>,
    /// What the graph was made for.
    shape: (u32, u32, i32),
    /// One that failed does not stop the pictures: other lanes may be fed with them.
    encoder: Result<encoder::Video, Problem>,
}

/// What comes into a lane, and what is wanted of it.
pub struct LaneInput {
    /// What the pictures are like.
    pub source: VideoStream,
    /// Of their times.
    pub time_base: Rational,
    /// How they get onto the canvas.
    pub framing: Framing,
    /// Which frames are wanted; `None`: the pictures come at the output's rate already.
    pub timing: Option<Timing>,
    /// What is drawn over them; else why it cannot be.
    pub logo: Result<Option<Logo>, Problem>,
}

/// A logo as large as it is drawn.
pub struct Logo {
    /// In RGBA.
    pub picture: frame::Video,
    /// Where its upper left corner stands, px.
    pub place: (u32, u32),
}

/// Where a lane's work goes as it is done.
pub trait Sink {
    /// A picture as it is encoded, before it is.
    fn picture(&mut self, picture: &frame::Video);
    /// A packet, in the order of decoding.
    fn packet(&mut self, packet: &Packet);
    /// No packets come any more; pictures may.
    fn failed(&mut self, problem: &Problem);
    /// A file still takes the packets.
    fn has_users(&self) -> bool;
    /// Somebody wants the pictures even so.
    fn is_of_use(&self) -> bool;
}

impl VideoLane {
    /// Opens the encoder with `threads` threads; filters follow with the first picture.
    #[must_use]
    pub fn open(encode: &VideoEncode, input: LaneInput, length_s: f64, threads: usize) -> Self {
        let started =
            || open(encode, threads).map_err(|_| reject::not_made("the video encoder did not start"));
        let encoder = input.logo.as_ref().map_err(Clone::clone).and_then(|_| started());
        Self { encode: encode.clone(), input, length_s, graph: None, shape: (0, 0, 0), encoder }
    }

    /// The encoder, for the muxers' headers.
    ///
    /// # Errors
    /// `media.transcode_failed` when x264 does not take the settings.
    pub fn context(&self) -> Result<&codec::Context, Problem> {
        self.encoder.as_ref().map(|encoder| &****encoder).map_err(Clone::clone)
    }

    /// One tick of the packets' times: a frame.
    #[must_use]
    pub fn tick(&self) -> Rational {
        frame_time(&self.encode)
    }

    /// Takes the next picture. `false`: it has all that are wanted.
    ///
    /// # Errors
    /// `media.transcode_failed`; the lane is of no more use.
    pub fn push(&mut self, picture: &frame::Video, sink: &mut impl Sink) -> Result<bool, Problem> {
        self.feed(picture, sink).map_err(|_| reject::not_made("a picture could not be filtered"))
    }

    /// Nothing more comes: what is in flight goes out.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub fn finish(&mut self, sink: &mut impl Sink) -> Result<(), Problem> {
        self.drain(sink).map_err(|_| reject::not_made("the last pictures could not be filtered"))
    }

    fn feed(&mut self, picture: &frame::Video, sink: &mut impl Sink) -> Result<bool, Error> {
        let picture = reference(picture)?;
        let shape = (picture.width(), picture.height(), pixel_format(&picture));
        let graph = match &mut self.graph {
            Some(graph) if shape == self.shape => graph,
            // Players do not follow a change of size in mid-stream alike; neither do we.
            Some(_) => return Err(Error::InputChanged),
            none => {
                self.shape = shape;
                let logo = self.input.logo.as_ref().ok().and_then(Option::as_ref);
                let place = logo.map(|logo| logo.place);
                let chain = chain(&self.input.source, &look(&self.encode, &self.input), place);
                let (tick, sar) = (self.input.time_base, self.input.source.sar);
                none.insert(Graph::video(&picture, tick, sar, &chain, logo.map(|logo| &logo.picture))?)
            }
        };
        graph.push(&picture)?;
        self.encode_filtered(sink)?;
        let wants_more = self.graph.as_ref().is_some_and(|graph| !graph.has_ended());
        Ok(wants_more && (self.encoder.is_ok() && sink.has_users() || sink.is_of_use()))
    }

    fn drain(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        let Some(graph) = &mut self.graph else { return Err(Error::InvalidData) };
        match graph.close(self.length_s) {
            Ok(()) | Err(Error::Eof) => {}
            Err(error) => return Err(error),
        }
        self.encode_filtered(sink)?;
        self.encode(None, sink);
        Ok(())
    }

    fn encode_filtered(&mut self, sink: &mut impl Sink) -> Result<(), Error> {
        loop {
            let mut picture = frame::Video::empty();
            let Some(graph) = &mut self.graph else { return Ok(()) };
            if !graph.pull(&mut picture)? {
                return Ok(());
            }
            // The decoder's frame types would be taken for orders.
            picture.set_kind(picture::Type::None);
            sink.picture(&picture);
            self.encode(Some(&picture), sink);
        }
    }

    /// Encodes a picture, or with `None` what is in flight.
    fn encode(&mut self, picture: Option<&frame::Video>, sink: &mut impl Sink) {
        let Ok(encoder) = &mut self.encoder else { return };
        let sent = match picture {
            Some(picture) => encoder.send_frame(picture),
            None => encoder.send_eof(),
        };
        if sent.and_then(|()| collect(encoder, sink)).is_err() {
            let problem = reject::not_made("a picture could not be encoded");
            sink.failed(&problem);
            self.encoder = Err(problem);
        }
    }
}

fn collect(encoder: &mut encoder::Video, sink: &mut impl Sink) -> Result<(), Error> {
    loop {
        let mut packet = Packet::empty();
        match encoder.receive_packet(&mut packet) {
            Ok(()) => {
                // One frame each: without it, the last frame of the file would last no time.
                packet.set_duration(1);
                sink.packet(&packet);
            }
            Err(Error::Eof | Error::Other { errno: libc::EAGAIN }) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn look(encode: &VideoEncode, input: &LaneInput) -> Look {
    Look {
        width: encode.width,
        height: encode.height,
        framing: input.framing,
        pad_color: encode.pad_color.unwrap_or(BLACK),
        timing: input.timing,
        pixels: "yuv420p",
    }
}

/// One frame's time.
#[must_use]
pub fn frame_time(encode: &VideoEncode) -> Rational {
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
