//! The clock of all outputs: zero is the first picture, the end is the end of the last.

use crate::probe::Scan;

/// When the video that is shown starts and ends, on the source's clock.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    start_s: f64,
    end_s: f64,
}

impl Timeline {
    /// The time of the pictures; sound outside of it is cut, and silence fills what it lacks.
    #[must_use]
    pub fn of(scan: &Scan) -> Self {
        Self { start_s: scan.video.start_s(), end_s: scan.video.end_s() }
    }

    /// The beginning of it, of `first_ms` at most.
    #[must_use]
    pub fn first(&self, first_ms: Option<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "durations are limited to hours")]
        let wanted = first_ms.map_or(f64::INFINITY, |ms| ms as f64 / 1000.0);
        Self { end_s: self.end_s.min(self.start_s + wanted), ..*self }
    }

    /// Length in seconds.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        (self.end_s - self.start_s).max(0.0)
    }

    /// The tick of a stream's clock, of `tick` seconds, that is zero here.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "times are limited to hours")]
    pub fn zero(&self, tick: f64) -> i64 {
        if tick > 0.0 { (self.start_s / tick).round() as i64 } else { 0 }
    }

    /// Frames of an output with `num / den` frames a second.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours of frames fit")]
    pub fn frames(&self, (num, den): (u32, u32)) -> u64 {
        (self.length_s() * f64::from(num) / f64::from(den)).round().max(1.0) as u64
    }
}
