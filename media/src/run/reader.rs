//! The thread that reads: packets to the files that copy them, decoded pictures and sound to the lanes.

use domain::engine::InputLimits;
use domain::operation::AudioOutput;
use domain::problem::Problem;
use ffmpeg_next::{Packet, frame};

use super::copier::Copier;
use super::lanes::Feeder;
use super::outputs::Outputs;
use super::parts::Parts;
use super::progress::Progress;
use super::timeline::Timeline;
use crate::av::decoder::{self, AudioDecoder, VideoDecoder};
use crate::av::input::Source;
use crate::probe::{TrackScan, Video};
use crate::reject;

/// A source that is read once.
pub struct Reader<'a> {
    source: Source,
    video: &'a Video,
    timeline: Timeline,
    pictures: Option<VideoDecoder>,
    /// Else why outputs whose sound is encoded cannot be made.
    sounds: Result<Option<AudioDecoder>, Problem>,
    parts: Option<Parts>,
    decoded: u64,
}

/// Which streams are to be decoded.
#[derive(Clone, Copy, Debug)]
pub struct Decodes {
    pub pictures: bool,
    pub sounds: bool,
}

impl<'a> Reader<'a> {
    /// Opens the decoders with `threads` threads for the pictures.
    ///
    /// # Errors
    /// `media.unsupported_format` when no decoder opens.
    pub fn open(
        source: Source,
        video: &'a Video,
        timeline: Timeline,
        limits: &InputLimits,
        decodes: Decodes,
        threads: usize,
    ) -> Result<Self, Problem> {
        let pictures = match decodes.pictures {
            true => Some(decoder::video(&source, limits, threads)?),
            false => None,
        };
        let sounds = source.audio.filter(|_| decodes.sounds);
        let sounds = sounds.map(|index| decoder::audio(&source, index, limits)).transpose();
        Ok(Self { source, video, timeline, pictures, sounds, parts: None, decoded: 0 })
    }

    /// Gives the encoded outputs the pictures of `parts`.
    pub fn join(&mut self, parts: Option<Parts>) {
        self.parts = parts;
    }

    /// Starts at a key frame from which on everything after `seconds` of the output decodes; from the beginning
    /// where the container cannot say where that is.
    pub fn skip_to(&mut self, seconds: f64) {
        let scan = &self.video.scan.video;
        let due = self.timeline.zero(scan.tick) + ticks(seconds, scan);
        // Containers find packets by when they are decoded, which is before they are shown: one group of reserve.
        let before = scan.key_times.partition_point(|time| *time <= due);
        if let Some(key) = before.checked_sub(2).map(|index| scan.key_times[index]) {
            self.source.seek(key);
        }
    }

    /// Reads to the end, or until nobody takes any more. Returns how many pictures were decoded.
    pub fn read(
        mut self,
        shown: &mut Feeder<frame::Video>,
        heard: &mut Feeder<frame::Audio>,
        outputs: &Outputs,
        progress: Option<&Progress>,
    ) -> u64 {
        if let Err(problem) = &self.sounds {
            outputs.fail(&with_encoded_sound(outputs), problem);
        }
        let copies_video = outputs.users(|what| what.video.is_none());
        let copies_audio = outputs.users(|what| what.audio == AudioOutput::Copy);
        let joined = outputs.users(|what| what.video.is_some() && self.parts.is_some());
        let copies = !copies_video.is_empty() || !copies_audio.is_empty() || !joined.is_empty();
        let mut copy_video = Copier::video(&self.video.scan.video, &self.timeline);
        let mut copy_audio = self.video.scan.audio.as_ref().map(|scan| Copier::audio(scan, &self.timeline));
        while copies || !shown.is_idle() || !heard.is_idle() {
            let Some(packet) = self.source.next_packet() else { break };
            if packet.stream() == self.source.video {
                if let Some(progress) = progress {
                    progress.step(0);
                }
                self.decode_pictures(Some(&packet), shown);
                self.join_until(Some(&packet), &joined, outputs);
                if let Some(packet) = copy_video.take(packet) {
                    outputs.video(&copies_video, &packet);
                }
            } else if Some(packet.stream()) == self.source.audio {
                self.decode_sound(Some(&packet), heard);
                if let Some(packet) = copy_audio.as_mut().and_then(|copier| copier.take(packet)) {
                    outputs.audio(&copies_audio, &packet);
                }
            }
        }
        self.decode_pictures(None, shown);
        self.decode_sound(None, heard);
        self.join_until(None, &joined, outputs);
        self.tell_what_is_missing(outputs);
        self.decoded
    }

    /// Outputs that lack pictures or sound are none.
    fn tell_what_is_missing(&self, outputs: &Outputs) {
        let starved = reject::not_made("memory ran out");
        if self.pictures.as_ref().is_some_and(VideoDecoder::is_starved) {
            outputs.fail(&outputs.users(|what| what.video.is_some()), &starved);
        }
        if self.sounds.as_ref().is_ok_and(|sounds| sounds.as_ref().is_some_and(AudioDecoder::is_starved)) {
            outputs.fail(&with_encoded_sound(outputs), &starved);
        }
    }

    /// Gives packets of the parts up to where the source's pictures are, so that they do not wait for the sound in
    /// memory; with `None` all that are left.
    fn join_until(&mut self, packet: Option<&Packet>, users: &[usize], outputs: &Outputs) {
        let Some(parts) = &mut self.parts else { return };
        let scan = &self.video.scan.video;
        let time = packet.map(|packet| packet.pts().map_or(0.0, |time| scan.seconds(time) - scan.start_s()));
        let deliver = |packet: &Packet| {
            outputs.video(users, packet);
        };
        if let Err(problem) = parts.until(time, deliver) {
            outputs.fail(users, &problem);
            self.parts = None;
        }
    }

    /// Decodes a packet, or with `None` what is in flight, and gives every picture that is ready to every lane.
    fn decode_pictures(&mut self, packet: Option<&Packet>, shown: &mut Feeder<frame::Video>) {
        let zero = self.timeline.zero(self.video.scan.video.tick);
        let Some(decoder) = self.pictures.as_mut().filter(|_| !shown.is_idle()) else { return };
        match packet {
            Some(packet) => decoder.send(packet),
            None => decoder.finish(),
        }
        while let Some(mut picture) = decoder.receive() {
            self.decoded += 1;
            let time = picture.timestamp().map(|time| time - zero);
            picture.set_pts(time);
            shown.show(&picture);
        }
    }

    /// The same for sound.
    fn decode_sound(&mut self, packet: Option<&Packet>, heard: &mut Feeder<frame::Audio>) {
        let tick = self.video.scan.audio.as_ref().map_or(0.0, |scan| scan.tick);
        let zero = self.timeline.zero(tick);
        let Ok(Some(decoder)) = &mut self.sounds else { return };
        if heard.is_idle() {
            return;
        }
        match packet {
            Some(packet) => decoder.send(packet),
            None => decoder.finish(),
        }
        while let Some(mut sound) = decoder.receive() {
            let time = sound.timestamp().map(|time| time - zero);
            sound.set_pts(time);
            heard.play(&sound);
        }
    }
}

fn with_encoded_sound(outputs: &Outputs) -> Vec<usize> {
    outputs.users(|what| matches!(what.audio, AudioOutput::Aac { .. }))
}

#[expect(clippy::cast_possible_truncation, reason = "times are limited to hours")]
fn ticks(seconds: f64, scan: &TrackScan) -> i64 {
    if scan.tick > 0.0 { (seconds / scan.tick).floor() as i64 } else { 0 }
}
