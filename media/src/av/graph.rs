//! Filter graphs: one source, one sink, and a chain between them.
//!
//! ffmpeg-next's filter contexts may outlive their graph (its issue 281), so none is kept here: they
//! are looked up by name for each call, and the graph owns everything.

use ffmpeg_next::{Error, Rational, filter, frame};

use super::raw;

const SOURCE: &str = "in";
const SINK: &str = "out";

/// A configured chain of filters.
pub struct Graph {
    graph: filter::Graph,
    tick: f64,
}

impl Graph {
    /// A chain for pictures like `first`, whose times are in `time_base`.
    ///
    /// # Errors
    /// When the chain does not fit the pictures.
    pub fn video(
        first: &frame::Video,
        time_base: Rational,
        sar: (u32, u32),
        chain: &str,
    ) -> Result<Self, Error> {
        let format = raw::pixel_format(first);
        let arguments = format!(
            "video_size={}x{}:pix_fmt={format}:time_base={}/{}:pixel_aspect={}/{}",
            first.width(),
            first.height(),
            time_base.numerator(),
            time_base.denominator(),
            sar.0,
            sar.1
        );
        Self::build(["buffer", "buffersink"], &arguments, chain, time_base)
    }

    /// A chain for sound like `first`; times are in `time_base`. Yields `frame_samples` at a time.
    ///
    /// # Errors
    /// When the chain does not fit the sound.
    pub fn audio(
        first: &frame::Audio,
        time_base: Rational,
        chain: &str,
        frame_samples: u32,
    ) -> Result<Self, Error> {
        let (format, mask, channels) = raw::sound_format(first);
        let layout = if mask == 0 { format!("{channels}c") } else { format!("{mask:#x}") };
        let arguments = format!(
            "time_base={}/{}:sample_rate={}:sample_fmt={format}:channel_layout={layout}",
            time_base.numerator(),
            time_base.denominator(),
            first.rate(),
        );
        let mut graph = Self::build(["abuffer", "abuffersink"], &arguments, chain, time_base)?;
        graph.context(SINK)?.sink().set_frame_size(frame_samples);
        Ok(graph)
    }

    fn build(ends: [&str; 2], arguments: &str, chain: &str, time_base: Rational) -> Result<Self, Error> {
        let mut graph = filter::Graph::new();
        let find = |name| filter::find(name).ok_or(Error::FilterNotFound);
        graph.add(&find(ends[0])?, SOURCE, arguments)?;
        graph.add(&find(ends[1])?, SINK, "")?;
        graph.output(SOURCE, 0)?.input(SINK, 0)?.parse(chain)?;
        graph.validate()?;
        Ok(Self { graph, tick: f64::from(time_base) })
    }

    /// Takes a frame over.
    ///
    /// # Errors
    /// When a filter fails, e.g. for want of memory.
    pub fn push(&mut self, frame: &frame::Frame) -> Result<(), Error> {
        self.context(SOURCE)?.source().add(frame)
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

    /// The next frame that is ready; `false` when none is.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn pull(&mut self, frame: &mut frame::Frame) -> Result<bool, Error> {
        match self.context(SINK)?.sink().frame(frame) {
            Ok(()) => Ok(true),
            Err(Error::Eof | Error::Other { errno: libc::EAGAIN }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn context(&mut self, name: &str) -> Result<filter::Context, Error> {
        self.graph.get(name).ok_or(Error::FilterNotFound)
    }
}
