//! Filter graphs: one source, one sink, and a chain between them.
//!
//! ffmpeg-next's filter contexts may outlive their graph (its issue 281), so none is kept here: they
//! are looked up by name for each call, and the graph owns everything.

use ffmpeg_next::{Error, Rational, filter, frame};

use super::frames::{self, SoundShape};

const SOURCE: &str = "in";
const SINK: &str = "out";
const LOGO: &str = "logo";

/// A configured chain of filters.
pub struct Graph {
    graph: filter::Graph,
    tick: f64,
    ended: bool,
}

impl Graph {
    /// A chain for pictures like `first`, whose times are in `time_base`. `logo` is what the label of that name
    /// shows for ever.
    ///
    /// # Errors
    /// When the chain does not fit the pictures.
    pub fn video(
        first: &frame::Video,
        time_base: Rational,
        sar: (u32, u32),
        chain: &str,
        logo: Option<&frame::Video>,
    ) -> Result<Self, Error> {
        let mut graph = filter::Graph::new();
        graph.add(&find("buffer")?, SOURCE, &buffer_arguments(first, time_base, sar))?;
        if let Some(logo) = logo {
            graph.add(&find("buffer")?, LOGO, &buffer_arguments(logo, time_base, (1, 1)))?;
        }
        let mut graph = Self::connect(graph, "buffersink", chain, logo.is_some(), time_base)?;
        if let Some(logo) = logo {
            let mut logo = frames::reference(logo)?;
            logo.set_pts(Some(0));
            graph.context(LOGO)?.source().add(&logo)?;
            graph.context(LOGO)?.source().flush()?;
        }
        Ok(graph)
    }

    /// A chain for sound of a shape; times are in `time_base`. Yields `frame_samples` at a time, or with 0 what there
    /// is.
    ///
    /// # Errors
    /// When the chain does not fit the sound.
    pub fn audio(
        shape: &SoundShape,
        time_base: Rational,
        chain: &str,
        frame_samples: u32,
    ) -> Result<Self, Error> {
        let SoundShape { format, mask, channels, rate } = shape;
        let layout = if *mask == 0 { format!("{channels}c") } else { format!("{mask:#x}") };
        let arguments = format!(
            "time_base={}/{}:sample_rate={rate}:sample_fmt={format}:channel_layout={layout}",
            time_base.numerator(),
            time_base.denominator(),
        );
        let mut graph = filter::Graph::new();
        graph.add(&find("abuffer")?, SOURCE, &arguments)?;
        let mut graph = Self::connect(graph, "abuffersink", chain, false, time_base)?;
        graph.context(SINK)?.sink().set_frame_size(frame_samples);
        Ok(graph)
    }

    fn connect(
        mut graph: filter::Graph,
        sink: &str,
        chain: &str,
        has_logo: bool,
        time_base: Rational,
    ) -> Result<Self, Error> {
        graph.add(&find(sink)?, SINK, "")?;
        let mut ends = graph.output(SOURCE, 0)?;
        if has_logo {
            ends = ends.output(LOGO, 0)?;
        }
        ends.input(SINK, 0)?.parse(chain)?;
        graph.validate()?;
        Ok(Self { graph, tick: f64::from(time_base), ended: false })
    }

    /// Takes a frame over, unless all that is wanted has come out: FFmpeg would keep it for ever.
    ///
    /// # Errors
    /// When a filter fails, e.g. for want of memory.
    pub fn push(&mut self, frame: &frame::Frame) -> Result<(), Error> {
        if self.ended { Ok(()) } else { self.context(SOURCE)?.source().add(frame) }
    }

    /// Whether all that is wanted has come out.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Nothing more comes; the last frame stays until `end` seconds.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn close(&mut self, end: f64) -> Result<(), Error> {
        #[expect(clippy::cast_possible_truncation, reason = "durations are limited to hours")]
        let ticks = (end / self.tick).round() as i64;
        self.context(SOURCE)?.source().close(ticks)
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn end(&mut self) -> Result<(), Error> {
        self.context(SOURCE)?.source().flush()
    }

    /// The next frame that is ready; `false` when none is.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn pull(&mut self, frame: &mut frame::Frame) -> Result<bool, Error> {
        match self.context(SINK)?.sink().frame(frame) {
            Ok(()) => Ok(true),
            Err(Error::Eof) => {
                self.ended = true;
                Ok(false)
            }
            Err(Error::Other { errno: libc::EAGAIN }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn context(&mut self, name: &str) -> Result<filter::Context, Error> {
        self.graph.get(name).ok_or(Error::FilterNotFound)
    }
}

fn find(name: &str) -> Result<filter::Filter, Error> {
    filter::find(name).ok_or(Error::FilterNotFound)
}

fn buffer_arguments(picture: &frame::Video, time_base: Rational, sar: (u32, u32)) -> String {
    format!(
        "video_size={}x{}:pix_fmt={}:time_base={}/{}:pixel_aspect={}/{}",
        picture.width(),
        picture.height(),
        frames::pixel_format(picture),
        time_base.numerator(),
        time_base.denominator(),
        sar.0,
        sar.1
    )
}
