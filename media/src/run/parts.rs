//! Pictures that were encoded apart, one part after the other, as one stream.

use domain::engine::InputLimits;
use domain::problem::Problem;
use ffmpeg_next::{Packet, Rational};

use crate::av::input::{self, Source};
use crate::probe::{Depth, Sniffed, open_video};
use crate::reject;

/// The parts of one encode, read in order; one is open at a time.
pub struct Parts {
    names: std::vec::IntoIter<String>,
    limits: InputLimits,
    open: Option<Source>,
    ahead: Option<Packet>,
    /// Ticks of a frame, and of the stream's clock in a second.
    frame: i64,
    time_base: Rational,
    /// Frames that have to be decoded before the first is shown.
    delay: i64,
    /// Frames before the open part, and packets before the next.
    frames_before: i64,
    packets: i64,
    lengths: std::vec::IntoIter<i64>,
    length: i64,
}

impl Parts {
    /// Looks through all parts. `frame_time` is how long each of their frames is shown.
    ///
    /// # Errors
    /// When one does not read, or is not of the same encode as the first.
    pub fn open(names: Vec<String>, frame_time: Rational, limits: &InputLimits) -> Result<Self, Problem> {
        let other = || reject::not_made("its parts do not fit together");
        let (mut lengths, mut delay) = (Vec::new(), 0);
        let mut first: Option<(Vec<u8>, f64)> = None;
        for name in &names {
            let sniffed = Sniffed::read(name, limits)?;
            let facts = input::open(name, sniffed.format, limits)?.video().extradata.clone();
            let scan = open_video(name, &sniffed, limits, Depth::Packets)?.scan.video;
            let (headers, tick) = first.get_or_insert_with(|| (facts.clone(), scan.tick));
            if *headers != facts || (*tick - scan.tick).abs() > f64::EPSILON {
                return Err(other());
            }
            lengths.push(i64::try_from(scan.times.len()).map_err(|_overflow| other())?);
            delay = delay.max(scan.delay);
        }
        let Some(name) = names.first() else { return Err(other()) };
        let opened = input::open(name, Sniffed::read(name, limits)?.format, limits)?;
        let time_base = opened.input.stream(opened.video).ok_or_else(other)?.time_base();
        let ticks = f64::from(frame_time) / f64::from(time_base);
        #[expect(clippy::cast_possible_truncation, reason = "a frame is far below 2^63 ticks")]
        let frame = ticks.round() as i64;
        if frame < 1 || (ticks - ticks.round()).abs() > 1e-6 {
            return Err(other());
        }
        Ok(Self {
            names: names.into_iter(),
            limits: limits.clone(),
            open: None,
            ahead: None,
            frame,
            time_base,
            delay: delay / frame,
            frames_before: 0,
            packets: 0,
            lengths: lengths.into_iter(),
            length: 0,
        })
    }

    /// All frames of all parts.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.lengths.as_slice().iter().sum::<i64>().cast_unsigned()
    }

    /// The packets that are decoded before `seconds`, or with `None` all that are left; at one go no more than there
    /// are in the open part.
    ///
    /// # Errors
    /// When a part does not read any more.
    pub fn until(&mut self, seconds: Option<f64>, mut give: impl FnMut(&Packet)) -> Result<(), Problem> {
        while let Some(packet) = self.next()? {
            let due = packet.dts().unwrap_or(0);
            #[expect(clippy::cast_precision_loss, reason = "hours of ticks stay below 2^53")]
            if seconds.is_some_and(|seconds| due as f64 * f64::from(self.time_base) > seconds) {
                self.ahead = Some(packet);
                return Ok(());
            }
            give(&packet);
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Packet>, Problem> {
        if let Some(packet) = self.ahead.take() {
            return Ok(Some(packet));
        }
        loop {
            let Some(source) = &mut self.open else {
                let Some(name) = self.names.next() else { return Ok(None) };
                let sniffed = Sniffed::read(&name, &self.limits)?;
                self.open = Some(input::open(&name, sniffed.format, &self.limits)?);
                self.length = self.lengths.next().unwrap_or(0);
                continue;
            };
            match source.next_packet() {
                Some(packet) if packet.stream() != source.video => {}
                Some(packet) => return Ok(Some(self.placed(packet))),
                None => {
                    self.open = None;
                    self.frames_before += self.length;
                }
            }
        }
    }

    /// Moves a packet behind the parts before its own. Its time of decoding follows from its number: parts may differ
    /// in how far they decode ahead.
    fn placed(&mut self, mut packet: Packet) -> Packet {
        packet.set_pts(packet.pts().map(|time| time + self.frames_before * self.frame));
        packet.set_dts(Some((self.packets - self.delay) * self.frame));
        packet.set_duration(self.frame);
        self.packets += 1;
        packet
    }
}
