//! Packets that are copied as they are, moved to the outputs' clock.

use ffmpeg_next::Packet;

use super::timeline::Timeline;
use crate::av::is_hidden;
use crate::probe::TrackScan;

/// Copies the packets of one stream.
pub struct Copier {
    /// The tick that becomes zero.
    zero: i64,
    /// Decoding times in order, for a source that has none.
    missing_dts: Option<std::vec::IntoIter<i64>>,
    /// What ends before zero is left out: only sound may.
    cuts: bool,
}

impl Copier {
    /// For the stream that is shown.
    #[must_use]
    pub fn video(scan: &TrackScan, timeline: &Timeline) -> Self {
        // The n-th frame to be decoded is decoded when the n-th is shown, less the delay.
        let dts = || scan.times.iter().map(|time| time - scan.delay).collect::<Vec<_>>().into_iter();
        Self { zero: timeline.zero(scan.tick), missing_dts: scan.lacks_dts.then(dts), cuts: false }
    }

    /// For the stream that is heard.
    #[must_use]
    pub fn audio(scan: &TrackScan, timeline: &Timeline) -> Self {
        Self { zero: timeline.zero(scan.tick), missing_dts: None, cuts: true }
    }

    /// Moves the packet in time; `None` for one that is not wanted.
    pub fn take(&mut self, mut packet: Packet) -> Option<Packet> {
        let shown = packet.pts().or(packet.dts())? - self.zero;
        let before = shown + packet.duration() / 2 < 0;
        if is_hidden(&packet) || self.cuts && before {
            return None;
        }
        let decoded = match &mut self.missing_dts {
            Some(times) => times.next()?,
            None => packet.dts()?,
        };
        packet.set_pts(Some(shown));
        packet.set_dts(Some(decoded - self.zero));
        Some(packet)
    }
}
