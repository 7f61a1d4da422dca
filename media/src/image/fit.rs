//! Which part of the stored picture becomes how large.

use domain::operation::{Framing, ImageOutput};

/// As stored, i.e. before turning.
#[derive(Debug, PartialEq)]
pub struct Fit {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub scaled: (u32, u32),
}

impl Fit {
    /// For a picture that is stored with these sides, px; `sideways` when it is shown turned by 90°.
    pub fn new(stored: (u32, u32), look: &ImageOutput, sideways: bool) -> Self {
        let target = if sideways { (look.height, look.width) } else { (look.width, look.height) };
        let (width, height) = (f64::from(stored.0), f64::from(stored.1));
        let (shape, target_shape) = (width / height, f64::from(target.0) / f64::from(target.1));
        let whole = Self { left: 0.0, top: 0.0, width, height, scaled: target };
        match look.framing {
            Framing::Whole => whole,
            Framing::Crop if shape > target_shape => {
                let part = height * target_shape;
                Self { left: (width - part) / 2.0, width: part, ..whole }
            }
            Framing::Crop => {
                let part = width / target_shape;
                Self { top: (height - part) / 2.0, height: part, ..whole }
            }
            Framing::Pad | Framing::Blur if shape > target_shape => {
                Self { scaled: (target.0, share(target.1, target_shape / shape)), ..whole }
            }
            Framing::Pad | Framing::Blur => {
                Self { scaled: (share(target.0, shape / target_shape), target.1), ..whole }
            }
        }
    }

    /// Pixels made of a stored one, in the direction that needs more; at most 1.
    pub fn scale(&self) -> f64 {
        (f64::from(self.scaled.0) / self.width).max(f64::from(self.scaled.1) / self.height).min(1.0)
    }
}

/// `part` (0 to 1) of a length, at least one pixel.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is one")]
pub fn share(length: u32, part: f64) -> u32 {
    ((f64::from(length) * part).round() as u32).clamp(1, length)
}
