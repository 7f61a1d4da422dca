//! One pass over the source that feeds every output: packets to those that copy, pictures and sound
//! to the lanes that encode, and what the lanes make to all outputs that want it.

use std::thread;

use domain::engine::{InputLimits, OutputOutcome, RunRequest};
use domain::operation::{AudioOutput, VideoEncode, VideoOutput};
use domain::problem::Problem;
use ffmpeg_next::Packet;

use super::audio_lane::AudioLane;
use super::copier::Copier;
use super::timeline::Timeline;
use super::verify::{Expected, verify};
use super::video_lane::VideoLane;
use super::writer::{From, Writer};
use super::{Done, report};
use crate::av::decoder::{self, AudioDecoder, VideoDecoder};
use crate::av::input::{self, Source};
use crate::av::share;
use crate::events::Events;
use crate::probe::{Sniffed, Video};
use crate::reject;

/// Progress up to here is the pass; the rest is verifying.
const PASS_SHARE: f64 = 0.95;

/// An output to be made.
pub struct Wanted {
    pub name: String,
    pub what: VideoOutput,
}

/// All outputs of one source.
pub struct Engine<'a> {
    source: Source,
    video: &'a Video,
    timeline: Timeline,
    limits: InputLimits,
    video_lanes: Vec<Lane<VideoEncode, VideoLane>>,
    audio_lanes: Vec<Lane<AudioOutput, AudioLane>>,
    makings: Vec<Making>,
    done: Done,
}

/// A lane and what it makes; `None` once it failed.
struct Lane<Key, Open> {
    key: Key,
    open: Option<Open>,
}

/// An output that is being made.
struct Making {
    wanted: Wanted,
    writer: Result<Writer, Problem>,
}

impl<'a> Engine<'a> {
    /// Opens everything that is needed. An output whose lane or file does not open is reported.
    ///
    /// # Errors
    /// When the source cannot be opened again.
    pub fn open(
        request: &RunRequest,
        sniffed: &Sniffed,
        video: &'a Video,
        timeline: Timeline,
        wanted: Vec<Wanted>,
    ) -> Result<Self, Problem> {
        let source = input::open(&request.source, sniffed.format, &request.limits)?;
        let mut engine = Self {
            source,
            video,
            timeline,
            limits: request.limits.clone(),
            video_lanes: Vec::new(),
            audio_lanes: Vec::new(),
            makings: Vec::new(),
            done: Done::default(),
        };
        let encodes = distinct(wanted.iter().filter_map(|wanted| wanted.what.video.clone()));
        let threads = cores().div_ceil(encodes.len().max(1)).max(1);
        let mut problems = Vec::new();
        for encode in encodes {
            let lane = engine.open_video_lane(&encode, threads);
            problems.extend(lane.as_ref().err().cloned());
            engine.video_lanes.push(Lane { key: encode, open: lane.ok() });
        }
        for sound in distinct(wanted.iter().map(|wanted| wanted.what.audio.clone()).filter(is_encoded)) {
            let lane = engine.open_audio_lane(&sound);
            problems.extend(lane.as_ref().err().cloned());
            engine.audio_lanes.push(Lane { key: sound, open: lane.ok() });
        }
        for wanted in wanted {
            let writer = engine.open_writer(&wanted, problems.first());
            engine.makings.push(Making { wanted, writer });
        }
        Ok(engine)
    }

    /// Reads the source once, then verifies and names what was made.
    ///
    /// # Errors
    /// When no decoder opens.
    pub fn run(mut self, events: &mut Events) -> Result<Done, Problem> {
        self.pass(events)?;
        let encodes = self.video_lanes.iter().filter(|lane| lane.open.is_some()).count();
        self.done.encodes = u32::try_from(encodes).unwrap_or(u32::MAX);
        for making in self.makings {
            let expected =
                Expected { what: &making.wanted.what, source: &self.video.info, timeline: self.timeline };
            let made = making.writer.and_then(Writer::finish).and_then(|part| {
                let (info, sha256) = verify(&part.path(), &expected)?;
                part.keep()?;
                Ok(OutputOutcome::Made { info, sha256 })
            });
            report(events, &making.wanted.name, made);
        }
        Ok(self.done)
    }

    fn pass(&mut self, events: &mut Events) -> Result<(), Problem> {
        let mut pictures = match self.video_lanes.is_empty() {
            true => None,
            false => Some(decoder::video(&self.source, &self.limits, cores())?),
        };
        let hears = self.audio_lanes.iter().any(|lane| matches!(lane.key, AudioOutput::Aac { .. }));
        let mut sounds = match self.source.audio.filter(|_| hears) {
            Some(index) => Some(decoder::audio(&self.source, index, &self.limits)?),
            None => None,
        };
        let mut copy_video = Copier::video(&self.video.scan.video, &self.timeline);
        let mut copy_audio = self.video.scan.audio.as_ref().map(|scan| Copier::audio(scan, &self.timeline));
        while let Some(packet) = self.source.next_packet() {
            if packet.stream() == self.source.video {
                self.tell(&packet, events);
                if let Some(pictures) = &mut pictures {
                    pictures.send(&packet);
                    self.show(pictures);
                }
                if let Some(packet) = copy_video.take(packet) {
                    self.copy_video(&packet);
                }
            } else if Some(packet.stream()) == self.source.audio {
                if let Some(sounds) = &mut sounds {
                    sounds.send(&packet);
                    self.play(sounds);
                }
                if let Some(packet) = copy_audio.as_mut().and_then(|copier| copier.take(packet)) {
                    self.copy_audio(&packet);
                }
            }
        }
        if let Some(pictures) = &mut pictures {
            pictures.finish();
            self.show(pictures);
        }
        if let Some(sounds) = &mut sounds {
            sounds.finish();
            self.play(sounds);
        }
        self.finish_lanes();
        Ok(())
    }

    fn tell(&self, packet: &Packet, events: &mut Events) {
        if let Some(time) = packet.pts() {
            events.progress(self.timeline.share(self.video.scan.video.seconds(time)) * PASS_SHARE);
        }
    }

    /// Gives every picture that is ready to every lane.
    fn show(&mut self, decoder: &mut VideoDecoder) {
        let zero = self.timeline.zero(self.video.scan.video.tick);
        while let Some(mut picture) = decoder.receive() {
            self.done.frames_decoded += 1;
            let time = picture.timestamp().map(|time| time - zero);
            picture.set_pts(time);
            for index in 0..self.video_lanes.len() {
                if let Some(lane) = &mut self.video_lanes[index].open {
                    let packets = lane.push(&picture);
                    self.deliver_video(index, packets);
                }
            }
        }
    }

    /// Gives every stretch of sound that is ready to every lane that wants it.
    fn play(&mut self, decoder: &mut AudioDecoder) {
        let tick = self.video.scan.audio.as_ref().map_or(0.0, |scan| scan.tick);
        let zero = self.timeline.zero(tick);
        while let Some(mut sound) = decoder.receive() {
            let time = sound.timestamp().map(|time| time - zero);
            sound.set_pts(time);
            for index in 0..self.audio_lanes.len() {
                let wants = matches!(self.audio_lanes[index].key, AudioOutput::Aac { .. });
                if let Some(lane) = self.audio_lanes[index].open.as_mut().filter(|_| wants) {
                    let packets = lane.push(&sound);
                    self.deliver_audio(index, packets);
                }
            }
        }
    }

    fn finish_lanes(&mut self) {
        for index in 0..self.video_lanes.len() {
            if let Some(lane) = &mut self.video_lanes[index].open {
                let packets = lane.finish();
                self.deliver_video(index, packets);
            }
        }
        for index in 0..self.audio_lanes.len() {
            if let Some(lane) = &mut self.audio_lanes[index].open {
                let packets = lane.finish();
                self.deliver_audio(index, packets);
            }
        }
    }

    /// Gives packets of a lane to the outputs that want them, or its failure.
    fn deliver_video(&mut self, index: usize, packets: Result<Vec<Packet>, Problem>) {
        let lane = &mut self.video_lanes[index];
        let users =
            self.makings.iter_mut().filter(|making| making.wanted.what.video.as_ref() == Some(&lane.key));
        if packets.is_err() {
            lane.open = None;
        }
        deliver(users, &packets, Writer::video);
    }

    fn deliver_audio(&mut self, index: usize, packets: Result<Vec<Packet>, Problem>) {
        let lane = &mut self.audio_lanes[index];
        let users = self.makings.iter_mut().filter(|making| making.wanted.what.audio == lane.key);
        if packets.is_err() {
            lane.open = None;
        }
        deliver(users, &packets, Writer::audio);
    }

    fn copy_video(&mut self, packet: &Packet) {
        let users = self.makings.iter_mut().filter(|making| making.wanted.what.video.is_none());
        for user in users {
            user.write(packet, Writer::video);
        }
    }

    fn copy_audio(&mut self, packet: &Packet) {
        let users = self.makings.iter_mut().filter(|making| making.wanted.what.audio == AudioOutput::Copy);
        for user in users {
            user.write(packet, Writer::audio);
        }
    }

    fn open_video_lane(&self, encode: &VideoEncode, threads: usize) -> Result<VideoLane, Problem> {
        let stream = self.source.input.stream(self.source.video).ok_or_else(reject::unreadable)?;
        let facts = self.video.info.video.as_ref().ok_or_else(reject::unreadable)?;
        VideoLane::open(encode, facts, self.timeline, stream.time_base(), threads)
    }

    fn open_audio_lane(&self, sound: &AudioOutput) -> Result<AudioLane, Problem> {
        let (AudioOutput::Aac { bit_rate } | AudioOutput::Silent { bit_rate }) = sound else {
            return Err(reject::not_made("there is no sound to encode"));
        };
        let stream = self.source.audio.and_then(|index| self.source.input.stream(index));
        let time_base = stream.map_or((1, 1000).into(), |stream| stream.time_base());
        AudioLane::open(*bit_rate, self.timeline, time_base)
    }

    fn open_writer(&self, wanted: &Wanted, problem: Option<&Problem>) -> Result<Writer, Problem> {
        let failed = || problem.cloned().unwrap_or_else(|| reject::not_made("an encoder did not start"));
        let stream = |index: usize| self.source.input.stream(index).ok_or_else(reject::unreadable);
        let (video_stream, audio_stream) =
            (stream(self.source.video)?, self.source.audio.map(stream).transpose()?);
        let video = match &wanted.what.video {
            None => From::Source(&video_stream),
            Some(encode) => {
                let lane = self.video_lanes.iter().find(|lane| &lane.key == encode);
                let lane = lane.and_then(|lane| lane.open.as_ref()).ok_or_else(failed)?;
                From::Encoder(lane.context(), lane.tick())
            }
        };
        let audio = match &wanted.what.audio {
            AudioOutput::None => None,
            AudioOutput::Copy => audio_stream.as_ref().map(From::Source),
            encoded => {
                let lane = self.audio_lanes.iter().find(|lane| &lane.key == encoded);
                let lane = lane.and_then(|lane| lane.open.as_ref()).ok_or_else(failed)?;
                Some(From::Encoder(lane.context(), lane.tick()))
            }
        };
        Writer::create(&wanted.name, &video, audio.as_ref())
    }
}

impl Making {
    fn write(&mut self, packet: &Packet, write: fn(&mut Writer, Packet) -> Result<(), Problem>) {
        let Ok(writer) = &mut self.writer else { return };
        let shared = share(packet).map_err(|_| reject::not_made("memory ran out"));
        if let Err(problem) = shared.and_then(|packet| write(writer, packet)) {
            self.writer = Err(problem);
        }
    }
}

fn deliver<'m>(
    users: impl Iterator<Item = &'m mut Making>,
    packets: &Result<Vec<Packet>, Problem>,
    write: fn(&mut Writer, Packet) -> Result<(), Problem>,
) {
    for user in users {
        match packets {
            Ok(packets) => packets.iter().for_each(|packet| user.write(packet, write)),
            Err(problem) if user.writer.is_ok() => user.writer = Err(problem.clone()),
            Err(_) => {}
        }
    }
}

fn is_encoded(sound: &AudioOutput) -> bool {
    matches!(sound, AudioOutput::Aac { .. } | AudioOutput::Silent { .. })
}

fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
