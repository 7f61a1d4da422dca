//! Writes one MP4 as networks want it: index in front, no edit list, no metadata, one video and at
//! most one audio stream. It is written aside and gets its name only when it was verified.

use std::fs::{self, File};

use domain::problem::Problem;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::format::stream::Stream;
use ffmpeg_next::{Dictionary, Error, Packet, Rational, codec, format};

use crate::av::{close_file, copy_stream};
use crate::reject;

/// Where the packets of a stream come from, and what a tick of theirs is.
pub enum From<'a> {
    Encoder(&'a codec::Context, Rational),
    Source(&'a Stream<'a>),
}

/// An MP4 that is being written.
pub struct Writer {
    output: Output,
    part: Part,
    video: Track,
    audio: Option<Track>,
}

/// A stream of the file.
#[derive(Clone, Copy)]
struct Track {
    index: usize,
    /// A tick of the packets as they come, and as they are written.
    from: Rational,
    to: Rational,
}

impl Writer {
    /// Starts the file that will be called `name`.
    ///
    /// # Errors
    /// `media.transcode_failed` when MP4 cannot hold the streams.
    pub fn create(name: &str, video: &From<'_>, audio: Option<&From<'_>>) -> Result<Self, Problem> {
        start(name, video, audio).map_err(|error| not_written(error, "an MP4 cannot hold these streams"))
    }

    /// Writes a packet of the video.
    ///
    /// # Errors
    /// `media.transcode_failed`; the file is of no use.
    pub fn video(&mut self, packet: Packet) -> Result<(), Problem> {
        self.write(packet, self.video)
    }

    /// Writes a packet of the sound, if the file has any.
    ///
    /// # Errors
    /// `media.transcode_failed`; the file is of no use.
    pub fn audio(&mut self, packet: Packet) -> Result<(), Problem> {
        self.audio.map_or(Ok(()), |track| self.write(packet, track))
    }

    /// Ends the file and gives what is needed to verify and name it.
    ///
    /// # Errors
    /// `media.transcode_failed` when it could not be written to its end.
    pub fn finish(self) -> Result<Part, Problem> {
        let Self { mut output, part, .. } = self;
        let ended = output.write_trailer().and_then(|()| close_file(&mut output));
        ended.map_err(|error| not_written(error, "the file could not be written to its end"))?;
        Ok(part)
    }

    fn write(&mut self, mut packet: Packet, track: Track) -> Result<(), Problem> {
        packet.rescale_ts(track.from, track.to);
        packet.set_stream(track.index);
        packet.set_position(-1);
        packet
            .write_interleaved(&mut self.output)
            .map_err(|error| not_written(error, "a packet could not be written"))
    }
}

/// A finished file without a name. Dropped without [`Part::keep`], it is removed.
pub struct Part {
    name: String,
}

impl Part {
    /// Where it lies for now.
    #[must_use]
    pub fn path(&self) -> String {
        part_path(&self.name)
    }

    /// Brings it to disk and gives it its name.
    ///
    /// # Errors
    /// `media.transcode_failed` when the scratch directory does not take it.
    pub fn keep(self) -> Result<(), Problem> {
        let keep = || {
            File::open(self.path())?.sync_all()?;
            fs::rename(self.path(), &self.name)
        };
        keep().map_err(|error| reject::not_written(error.raw_os_error(), "the file could not be named"))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone already when it was kept.
        let _gone = fs::remove_file(self.path());
    }
}

fn not_written(error: Error, what: &str) -> Problem {
    let errno = match error {
        Error::Other { errno } => Some(errno),
        _ => None,
    };
    reject::not_written(errno, what)
}

fn part_path(name: &str) -> String {
    format!("{name}.part")
}

fn start(name: &str, video: &From<'_>, audio: Option<&From<'_>>) -> Result<Writer, Error> {
    let url = format!("file:{}", part_path(name));
    let mut output = format::output_as_with(&url, "mp4", Dictionary::new())?;
    let part = Part { name: name.to_owned() };
    let video = add(&mut output, video)?;
    let audio = audio.map(|audio| add(&mut output, audio)).transpose()?;
    let mut options = Dictionary::new();
    // Measured: of all combinations, this one writes no `elst` and still starts the video at zero.
    options.set("movflags", "+faststart+negative_cts_offsets");
    options.set("use_editlist", "0");
    // No name and version of the encoder, no time of creation.
    options.set("fflags", "+bitexact");
    output.write_header_with(options)?;
    let settle = |(index, from)| {
        let to = output.stream(index).ok_or(Error::StreamNotFound)?.time_base();
        Ok::<_, Error>(Track { index, from, to })
    };
    let (video, audio) = (settle(video)?, audio.map(settle).transpose()?);
    Ok(Writer { output, part, video, audio })
}

/// Adds a stream; its index, and a tick of its packets as they come.
fn add(output: &mut Output, from: &From<'_>) -> Result<(usize, Rational), Error> {
    match from {
        From::Encoder(context, tick) => {
            let mut stream = output.add_stream_with(context)?;
            stream.set_time_base(*tick);
            stream.set_avg_frame_rate(context.frame_rate());
            Ok((stream.index(), *tick))
        }
        From::Source(stream) => Ok((copy_stream(stream, output)?, stream.time_base())),
    }
}
