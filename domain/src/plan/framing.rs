//! Shapes and sizes: whether a picture keeps its shape, is cut or gets borders, and how big it is.

use super::Want;
use crate::conformance::ratio_holds;
use crate::operation::Framing;
use crate::problem::{Problem, Remedy};
use crate::profile::{Borders, Preferences, Profile, Range, Ratio};

/// How far the shape of a file that is not encoded may be from the preferred one: nobody sees the
/// difference. What is encoded anyway gets the shape exactly, so that rounding never leads out of it.
pub(super) const SHAPE_TOLERANCE: f64 = 0.02;

/// The same in px, for small pictures: what rounding to whole steps and back into a range can take.
pub(super) const SHAPE_TOLERANCE_PX: f64 = 2.0;

/// How far a shape may be from one that has a name and still be called by it.
const NAME_TOLERANCE: f64 = 0.01;

/// The shape that a picture gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    pub framing: Framing,
    /// What the shape has to lie in.
    range: Range<Ratio>,
    /// What it was brought to; `None`: it has the source's.
    aim: Option<f64>,
    /// The canvas in the scale of the source, px.
    width: f64,
    height: f64,
}

/// The bounds of a size: hard ones and those aimed at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub width: Range<u32>,
    pub height: Range<u32>,
    /// Of the longer and the shorter side.
    pub longer: Range<u32>,
    pub shorter: Range<u32>,
    /// How many times its size a small picture may become to reach a minimum.
    pub enlarge_max: f64,
    /// Aimed at, px; a hard minimum wins.
    pub long_side: u32,
    pub short_side: u32,
    /// Sides are multiples of it: 2 for 4:2:0 video, 1 for images.
    pub step: u32,
}

/// Decides on the shape of a source of `width` × `height` px.
///
/// A person's wish wins where the network allows it; a whole picture in a shape that the network
/// refuses, or does not show, gets borders.
pub(super) fn shape(
    (width, height): (u32, u32),
    hard: Range<Ratio>,
    prefers: &Preferences,
    want: &Want<'_>,
    tolerance: f64,
) -> Shape {
    let (w, h) = (f64::from(width), f64::from(height));
    let ratio = w / h;
    let whole = Shape { framing: Framing::Whole, range: hard, aim: None, width: w, height: h };
    // What is encoded anyway gets the shape exactly.
    let near = |aim: f64| tolerance > 0.0 && is_near((w, h), aim, tolerance);
    if let Some(shared) = want.shape {
        let aim = shared.ratio.value();
        if ratio_holds(&hard, width, height) && near(aim) {
            return whole;
        }
        return brought_to(aim, shared.rule.ratio, (w, h), prefers, want.framing);
    }
    let has_preference = prefers.ratio.min.is_some() || prefers.ratio.max.is_some();
    let range = if has_preference && want.framing != Some(Framing::Whole) { prefers.ratio } else { hard };
    let fits = ratio_holds(&range, width, height) || nearest(&range, ratio).is_none_or(near);
    if ratio_holds(&hard, width, height) && fits {
        return whole;
    }
    match nearest(&range, ratio) {
        Some(aim) => brought_to(aim, range, (w, h), prefers, want.framing),
        None => whole,
    }
}

fn brought_to(
    aim: f64,
    range: Range<Ratio>,
    (w, h): (f64, f64),
    prefers: &Preferences,
    asked: Option<Framing>,
) -> Shape {
    let ratio = w / h;
    let lost = 1.0 - (ratio / aim).min(aim / ratio);
    let framing = match asked {
        _ if lost <= 0.0 => Framing::Whole,
        Some(Framing::Crop) => Framing::Crop,
        Some(borders @ (Framing::Pad | Framing::Blur)) => borders,
        None if lost * 100.0 <= f64::from(prefers.crop_up_to_percent) => Framing::Crop,
        Some(Framing::Whole) | None => match prefers.borders {
            Borders::Color => Framing::Pad,
            Borders::Blur => Framing::Blur,
        },
    };
    // Cutting keeps the side that is short for the aim, borders keep the one that is long.
    let keep_width = (ratio < aim) == (framing == Framing::Crop);
    let (width, height) = if keep_width { (w, w / aim) } else { (h * aim, h) };
    Shape { framing, range, aim: Some(aim), width, height }
}

/// Whether a picture has the shape `aim` but for what nobody sees, or rounding to whole pixels takes.
pub(super) fn is_near((width, height): (f64, f64), aim: f64, tolerance: f64) -> bool {
    let ratio = width / height;
    (ratio / aim - 1.0).abs() <= tolerance || (height - width / aim).abs() <= SHAPE_TOLERANCE_PX
}

fn nearest(range: &Range<Ratio>, ratio: f64) -> Option<f64> {
    match (range.min, range.max) {
        (Some(min), _) if ratio < min.value() => Some(min.value()),
        (_, Some(max)) if ratio > max.value() => Some(max.value()),
        _ => None,
    }
}

/// The size of the result, px: as big as the source allows and `bounds` aim at, enlarged only to
/// reach a minimum.
///
/// # Errors
/// A [`Problem`] when the source is too small for the network, or too long and narrow.
pub(super) fn size(shape: &Shape, bounds: &Bounds, profile: &Profile) -> Result<(u32, u32), Problem> {
    let bounds = &bounds.of(shape);
    let (long, short) = (shape.width.max(shape.height), shape.width.min(shape.height));
    let over = |max: Option<u32>, side: f64| max.map_or(f64::INFINITY, |max| f64::from(max) / side);
    let under = |min: Option<u32>, side: f64| min.map_or(0.0, |min| f64::from(min) / side);
    let most = over(bounds.width.max, shape.width).min(over(bounds.height.max, shape.height));
    let least = under(bounds.width.min, shape.width).max(under(bounds.height.min, shape.height));
    let aim = (f64::from(bounds.long_side) / long).min(f64::from(bounds.short_side) / short).min(1.0);
    let scale = aim.min(most).max(least);
    if scale > bounds.enlarge_max {
        return Err(too_small(shape, profile));
    }
    if scale > most {
        return Err(wrong_shape(profile));
    }
    let rounded = round(shape, scale, bounds);
    let fits = bounds.width.holds(rounded.0) && bounds.height.holds(rounded.1);
    if fits && ratio_holds(&shape.range, rounded.0, rounded.1) {
        Ok(rounded)
    } else {
        Err(wrong_shape(profile))
    }
}

impl Bounds {
    /// The same with width and height bound by what their sides have to be.
    fn of(&self, shape: &Shape) -> Self {
        let (wide, high) = match shape.width >= shape.height {
            true => (self.longer, self.shorter),
            false => (self.shorter, self.longer),
        };
        Self { width: both(self.width, wide), height: both(self.height, high), ..*self }
    }
}

fn both(a: Range<u32>, b: Range<u32>) -> Range<u32> {
    let min = a.min.max(b.min);
    let max = [a.max, b.max].into_iter().flatten().min();
    Range { min, max }
}

fn round(shape: &Shape, scale: f64, bounds: &Bounds) -> (u32, u32) {
    let step = bounds.step;
    if let (Some(min), Some(max)) = (shape.range.min, shape.range.max)
        && min == max
    {
        // An exact shape: the largest multiple of it, so that nothing is stretched.
        let unit = f64::from(min.0 * step);
        let times = to_u32((shape.width * scale / unit + 0.01).floor()).max(1);
        return (min.0 * step * times, min.1 * step * times);
    }
    let width = clamp(to_steps(shape.width * scale, step), bounds.width, step);
    // Of the rounded width, so that one step of the height is all that can be missing.
    let height = shape.aim.map_or(shape.height * scale, |aim| f64::from(width) / aim);
    let mut height = clamp(to_steps(height, step), bounds.height, step);
    // Rounding may have pushed the shape just over an end of its range: one step brings it back.
    let ratio = f64::from(width) / f64::from(height);
    if shape.range.max.is_some_and(|max| ratio > max.value()) {
        height += step;
    } else if shape.range.min.is_some_and(|min| ratio < min.value()) {
        height = height.saturating_sub(step).max(step);
    }
    (width, height)
}

fn clamp(value: u32, range: Range<u32>, step: u32) -> u32 {
    let floor = range.min.unwrap_or(step).div_ceil(step) * step;
    let roof = range.max.map_or(u32::MAX, |max| max / step * step);
    value.max(floor).min(roof)
}

fn to_steps(value: f64, step: u32) -> u32 {
    (to_u32((value / f64::from(step)).round())).max(1) * step
}

/// Sides are far below 2^32 and never negative, so the cast loses nothing.
fn to_u32(value: f64) -> u32 {
    value as u32
}

fn too_small(shape: &Shape, profile: &Profile) -> Problem {
    Problem::new(
        "media.too_small",
        format!(
            "It has only {:.0}×{:.0} px, too few for {}. Choose a larger one.",
            shape.width,
            shape.height,
            profile.platform.display_name()
        ),
        Remedy::ChangeMedia,
    )
}

fn wrong_shape(profile: &Profile) -> Problem {
    Problem::new(
        "media.wrong_shape",
        format!("It is too long and narrow for {}. Choose another one.", profile.platform.display_name()),
        Remedy::ChangeMedia,
    )
}

/// Says how the picture changed its shape, and why.
pub(super) fn reason(framing: Framing, from: (u32, u32), to: (u32, u32), want: &Want<'_>) -> Option<String> {
    let (from, to) = (ratio_name(from), ratio_name(to));
    let purpose = want.shape.map_or(&want.profile.purpose, |shared| &shared.rule.purpose);
    match framing {
        // What nobody sees is not told.
        _ if from == to => None,
        Framing::Whole => None,
        Framing::Crop => Some(format!("Cut from {from} to {to}: {purpose}.")),
        Framing::Pad => Some(format!("Given borders, from {from} to {to}: {purpose}.")),
        Framing::Blur => Some(format!("Given blurred borders, from {from} to {to}: {purpose}.")),
    }
}

/// Says that a logo is drawn.
pub(super) fn marked() -> String {
    "Given the brand's logo.".to_owned()
}

/// What people call a shape, e.g. 16:9, or 2.18:1 for one without a name.
fn ratio_name((width, height): (u32, u32)) -> String {
    const NAMED: [(u32, u32); 11] =
        [(1, 1), (4, 3), (3, 4), (16, 9), (9, 16), (4, 5), (5, 4), (3, 2), (2, 3), (2, 1), (1, 2)];
    let ratio = f64::from(width) / f64::from(height);
    let named =
        NAMED.into_iter().find(|(w, h)| (ratio * f64::from(*h) / f64::from(*w) - 1.0).abs() < NAME_TOLERANCE);
    match named {
        Some((w, h)) => format!("{w}:{h}"),
        None if ratio >= 1.0 => format!("{ratio:.2}:1"),
        None => format!("1:{:.2}", 1.0 / ratio),
    }
}
