//! Opens the lanes and files of a run: each distinct encode once, fed from the next larger one where that is as
//! good, and every output beside what it wants.

use std::collections::BTreeSet;

use domain::engine::Span;
use domain::operation::{AudioOutput, VideoEncode, VideoOutput};
use domain::plan::{Feed, encoded_stream, feeds};
use domain::problem::Problem;
use ffmpeg_next::Rational;
use ffmpeg_next::format::stream::Stream;

use super::audio_lane::AudioLane;
use super::outputs::Wanted;
use super::timeline::Timeline;
use super::video_lane::{LaneInput, Logo, VideoLane, frame_time};
use super::writer::{From, Writer};
use crate::av::input::Source;
use crate::av::picture::Timing;
use crate::av::rgba_picture;
use crate::image::logo::Logos;
use crate::probe::Video;
use crate::reject;

const MILLISECONDS: Rational = Rational(1, 1000);

/// What lanes and files are opened for.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// `None` for an animation, whose times are in ms.
    pub source: Option<&'a Source>,
    /// The first of the parts that pictures are copied from, instead of being encoded.
    pub joined: Option<&'a Source>,
    pub logos: &'a Logos,
    pub video: &'a Video,
    pub timeline: Timeline,
    pub span: Option<Span>,
    pub cores: usize,
}

/// Which encode a lane does: outputs that want the same share it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PictureKey {
    pub encode: VideoEncode,
    pub first_ms: Option<u64>,
}

/// A lane of pictures before its thread starts.
pub struct PictureLane {
    pub key: PictureKey,
    /// The lane that feeds it; `None`: the source does.
    pub feed: Option<Feed>,
    /// How many frames it is to make.
    pub frames: u64,
    pub lane: VideoLane,
}

/// Which sound a lane makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SoundKey {
    pub sound: AudioOutput,
    pub first_ms: Option<u64>,
}

/// A lane of sound before its thread starts.
pub struct SoundLane {
    pub key: SoundKey,
    pub lane: Result<AudioLane, Problem>,
}

impl PictureKey {
    /// The encode that an output wants, if any.
    #[must_use]
    pub fn of(what: &VideoOutput) -> Option<Self> {
        Some(Self { encode: what.video.clone()?, first_ms: what.first_ms })
    }
}

impl SoundKey {
    /// The sound that has to be encoded for an output, if any.
    #[must_use]
    pub fn of(what: &VideoOutput) -> Option<Self> {
        let encoded = matches!(what.audio, AudioOutput::Aac { .. } | AudioOutput::Silent { .. });
        encoded.then(|| Self { sound: what.audio.clone(), first_ms: what.first_ms })
    }
}

impl Opening<'_> {
    /// A lane for each distinct encode.
    ///
    /// # Errors
    /// When the source has no pictures.
    pub fn pictures(&self, wanted: &[Wanted]) -> Result<Vec<PictureLane>, Problem> {
        let encoded = wanted.iter().filter(|_| self.joined.is_none());
        let keys = distinct(encoded.filter_map(|wanted| PictureKey::of(&wanted.what)));
        let encodes: Vec<VideoEncode> = keys.iter().map(|key| key.encode.clone()).collect();
        let info = &self.video.info;
        let threads = threads(encodes.len(), self.cores);
        let feeds = feeds(&encodes, (info.width, info.height));
        let feed =
            |index: usize| feeds[index].filter(|feed| keys[feed.from].first_ms == keys[index].first_ms);
        (0..keys.len())
            .map(|index| {
                let (key, feed) = (keys[index].clone(), feed(index));
                let timing = self.timing(&key);
                let input = match feed {
                    Some(feed) => LaneInput {
                        source: encoded_stream(&encodes[feed.from], 0),
                        time_base: frame_time(&encodes[feed.from]),
                        framing: feed.framing,
                        timing: None,
                        logo: self.logo(&key),
                    },
                    None => self.source_input(&key, timing)?,
                };
                let length_s = self.timeline.first(key.first_ms).length_s();
                let frames = self.timeline.first(key.first_ms).frames(key.encode.frame_rate);
                let frames = timing.frames.unwrap_or(frames);
                Ok(PictureLane {
                    lane: VideoLane::open(&key.encode, input, length_s, threads),
                    key,
                    feed,
                    frames,
                })
            })
            .collect()
    }

    /// A lane for each distinct sound that has to be encoded.
    #[must_use]
    pub fn sounds(&self, wanted: &[Wanted]) -> Vec<SoundLane> {
        let keys = distinct(wanted.iter().filter_map(|wanted| SoundKey::of(&wanted.what)));
        keys.into_iter().map(|key| SoundLane { lane: self.sound(&key), key }).collect()
    }

    /// The file of an output.
    ///
    /// # Errors
    /// When a lane that it needs did not open, or an MP4 cannot hold the streams.
    pub fn writer(
        &self,
        wanted: &Wanted,
        pictures: &[PictureLane],
        sounds: &[SoundLane],
    ) -> Result<Writer, Problem> {
        let (video_stream, audio_stream) = (self.video_stream(), self.audio_stream());
        let missing = || reject::not_made("an encoder did not start");
        let joined = self.joined.map(|part| part.input.stream(part.video).ok_or_else(reject::unreadable));
        let joined = joined.transpose()?;
        let video = match (PictureKey::of(&wanted.what), &joined) {
            (None, _) => From::Source(video_stream.as_ref().ok_or_else(reject::unreadable)?),
            (Some(_), Some(part)) => From::Source(part),
            (Some(key), None) => {
                let lane = pictures.iter().find(|lane| lane.key == key).ok_or_else(missing)?;
                From::Encoder(lane.lane.context()?, lane.lane.tick())
            }
        };
        let audio = match SoundKey::of(&wanted.what) {
            None if wanted.what.audio == AudioOutput::Copy => audio_stream.as_ref().map(From::Source),
            None => None,
            Some(key) => {
                let lane = sounds.iter().find(|lane| lane.key == key).ok_or_else(missing)?;
                let lane = lane.lane.as_ref().map_err(Clone::clone)?;
                Some(From::Encoder(lane.context(), lane.tick()))
            }
        };
        Writer::create(&wanted.name, &video, audio.as_ref())
    }

    fn timing(&self, key: &PictureKey) -> Timing {
        let frame_rate = key.encode.frame_rate;
        match self.span {
            Some(span) => {
                let left =
                    self.timeline.first(key.first_ms).frames(frame_rate).saturating_sub(span.first).max(1);
                Timing { frame_rate, first: span.first, frames: Some(span.frames.min(left)) }
            }
            None => {
                let frames = key.first_ms.map(|_| self.timeline.first(key.first_ms).frames(frame_rate));
                Timing { frame_rate, first: 0, frames }
            }
        }
    }

    fn source_input(&self, key: &PictureKey, timing: Timing) -> Result<LaneInput, Problem> {
        Ok(LaneInput {
            source: self.video.info.video.clone().ok_or_else(reject::unreadable)?,
            time_base: self.video_stream().map_or(MILLISECONDS, |stream| stream.time_base()),
            framing: key.encode.framing,
            timing: Some(timing),
            logo: self.logo(key),
        })
    }

    /// The logo that an encode wants, as large as it wants it.
    fn logo(&self, key: &PictureKey) -> Result<Option<Logo>, Problem> {
        let Some(mark) = &key.encode.watermark else { return Ok(None) };
        let (logo, place) = self.logos.placed(mark, (key.encode.width, key.encode.height))?;
        let picture = rgba_picture(&logo).map_err(|_| reject::not_made("memory ran out"))?;
        Ok(Some(Logo { picture, place: (place.left, place.top) }))
    }

    fn video_stream(&self) -> Option<Stream<'_>> {
        self.source.and_then(|source| source.input.stream(source.video))
    }

    fn audio_stream(&self) -> Option<Stream<'_>> {
        self.source.and_then(|source| source.input.stream(source.audio?))
    }

    fn sound(&self, key: &SoundKey) -> Result<AudioLane, Problem> {
        let (AudioOutput::Aac { bit_rate } | AudioOutput::Silent { bit_rate }) = key.sound else {
            return Err(reject::not_made("there is no sound to encode"));
        };
        let time_base = self.audio_stream().map_or(MILLISECONDS, |stream| stream.time_base());
        AudioLane::open(bit_rate, self.timeline.first(key.first_ms), time_base)
    }
}

/// Threads of each of so many encoders. A single one needs more than the cores to keep all of them busy while it
/// waits for its own. Several overlap each other, but none may have one thread only: the scheduler would give it too
/// little, and all others wait for it (measured on 2 cores with 2 encoders: 88 % of the cores with one each, 96 % with
/// two, no more with three).
fn threads(encoders: usize, cores: usize) -> usize {
    match encoders {
        0 | 1 => cores + cores.div_ceil(2),
        _ => (cores * 2).div_ceil(encoders).max(2),
    }
}

fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<BTreeSet<_>>().into_iter().collect()
}
