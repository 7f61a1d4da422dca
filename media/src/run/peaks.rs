//! Holds down the peaks of a mix that adds up to more than there is room for. FFmpeg's own limiter does not survive
//! what its resampler gives it here (5.1.9).

use ffmpeg_next::frame;

/// The highest sample, with room for what AAC adds to it.
const LIMIT: f32 = 0.97;
/// The share of the way back to full level that is gone in a frame of 21 ms: a second for most of it.
const RELEASE: f32 = 0.05;

/// A gain that falls at once and rises slowly.
pub struct Peaks {
    gain: f32,
}

impl Peaks {
    /// At full level.
    #[must_use]
    pub const fn new() -> Self {
        Self { gain: 1.0 }
    }

    /// Makes a frame of planar floats quieter where it is too loud; leaves every other as it is.
    pub fn hold(&mut self, sound: &mut frame::Audio) {
        let planes = sound.planes();
        let samples = || (0..planes).flat_map(|plane| sound.plane::<f32>(plane));
        // What is no number is silenced, and does not count.
        let is_sound = samples().all(|sample| sample.is_finite());
        let loudest = samples()
            .filter(|sample| sample.is_finite())
            .fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
        let gain = self.next(loudest);
        if is_sound && gain >= 1.0 && loudest <= LIMIT {
            return;
        }
        for plane in 0..planes {
            for sample in sound.plane_mut::<f32>(plane) {
                *sample = if sample.is_finite() { (*sample * gain).clamp(-LIMIT, LIMIT) } else { 0.0 };
            }
        }
    }

    fn next(&mut self, loudest: f32) -> f32 {
        let wanted = if loudest > LIMIT { LIMIT / loudest } else { 1.0 };
        self.gain = if wanted < self.gain { wanted } else { self.gain + (wanted - self.gain) * RELEASE };
        if self.gain > 0.999 {
            self.gain = 1.0;
        }
        self.gain
    }
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, Peaks};

    #[test]
    fn the_level_falls_at_once_and_comes_back_slowly() {
        let mut peaks = Peaks::new();
        assert!((peaks.next(0.5) - 1.0).abs() < 1e-6);
        assert!((peaks.next(1.94) - LIMIT / 1.94).abs() < 1e-6);
        let after = peaks.next(0.1);
        assert!(after > 0.5 && after < 0.6, "{after}");
        let settled = (0..200).map(|_| peaks.next(0.1)).last();
        assert_eq!(settled, Some(1.0));
    }
}
