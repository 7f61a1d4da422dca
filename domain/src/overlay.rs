//! Where a logo stands on a picture: the same for photos and for videos of every size.

use crate::operation::{Corner, Watermark};

/// The rectangle that a logo fills, px from the picture's top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

/// Places a logo of the size `logo` on a picture of the size `picture`, both width and height in px.
///
/// The logo keeps its shape. A high one that would reach past the opposite margin is made smaller
/// than asked for until it stands between the margins. All of it lies on the picture.
#[must_use]
pub fn place(logo: (u32, u32), picture: (u32, u32), mark: &Watermark) -> Place {
    let margin = permille(picture.0.min(picture.1), mark.margin_permille);
    let room = |side: u32| side.saturating_sub(2 * margin).max(1);
    let (room_width, room_height) = (room(picture.0), room(picture.1));
    let shape = f64::from(logo.1.max(1)) / f64::from(logo.0.max(1));
    let wanted = permille(picture.0, mark.width_permille).clamp(1, room_width);
    let (width, height) = match round(f64::from(wanted) * shape) {
        height if height <= room_height => (wanted, height),
        _ => (round(f64::from(room_height) / shape).min(wanted), room_height),
    };
    // Margins of half a tiny picture leave a logo of one pixel nowhere else to stand than at its edge.
    let far = |side: u32, length: u32| side.saturating_sub(margin + length);
    let near = |side: u32, length: u32| margin.min(side.saturating_sub(length));
    let (left, top) = match mark.corner {
        Corner::TopLeft => (near(picture.0, width), near(picture.1, height)),
        Corner::TopRight => (far(picture.0, width), near(picture.1, height)),
        Corner::BottomLeft => (near(picture.0, width), far(picture.1, height)),
        Corner::BottomRight => (far(picture.0, width), far(picture.1, height)),
    };
    Place { left, top, width, height }
}

fn permille(length: u32, thousandths: u32) -> u32 {
    let share = (u64::from(length) * u64::from(thousandths) + 500) / 1000;
    u32::try_from(share).unwrap_or(length)
}

/// The nearest whole number of pixels, at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
fn round(length: f64) -> u32 {
    (length.round() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::{Place, place};
    use crate::operation::{Corner, Watermark};

    fn mark(corner: Corner, width_permille: u32, margin_permille: u32) -> Watermark {
        Watermark { sha256: String::new(), corner, width_permille, margin_permille }
    }

    #[test]
    fn a_logo_stands_in_its_corner() {
        for (corner, width, margin, logo, picture, (left, top, wide, high)) in [
            // A fifth of the width, a twentieth of the shorter side from both edges.
            (Corner::TopLeft, 200, 50, (400, 100), (1000, 500), (25, 25, 200, 50)),
            (Corner::TopRight, 200, 50, (400, 100), (1000, 500), (775, 25, 200, 50)),
            (Corner::BottomLeft, 200, 50, (400, 100), (1000, 500), (25, 425, 200, 50)),
            (Corner::BottomRight, 200, 50, (400, 100), (1000, 500), (775, 425, 200, 50)),
            // Upright: the shorter side is the width. A small logo is enlarged.
            (Corner::BottomRight, 150, 40, (64, 64), (1080, 1920), (875, 1715, 162, 162)),
            // At the very edge.
            (Corner::BottomRight, 500, 0, (2, 1), (1920, 1080), (960, 600, 960, 480)),
            // A high logo on a wide picture stands between the margins.
            (Corner::TopLeft, 500, 100, (100, 1000), (1000, 200), (20, 20, 16, 160)),
            // Next to nothing is still a pixel, on the picture.
            (Corner::BottomRight, 10, 200, (1000, 1), (8, 8), (5, 5, 1, 1)),
            (Corner::TopLeft, 10, 200, (1, 1), (1, 1), (0, 0, 1, 1)),
        ] {
            let wanted = Place { left, top, width: wide, height: high };
            assert_eq!(place(logo, picture, &mark(corner, width, margin)), wanted, "{corner:?} {picture:?}");
        }
    }

    #[test]
    fn all_of_it_lies_on_the_picture() {
        for corner in [Corner::TopLeft, Corner::TopRight, Corner::BottomLeft, Corner::BottomRight] {
            for picture in [(1, 1), (2, 3), (16, 9), (320, 568), (16_384, 2), (7680, 4320)] {
                for logo in [(1, 1), (1, 16_384), (16_384, 1), (333, 77)] {
                    for (width, margin) in [(10, 0), (500, 200), (10, 200), (500, 0), (333, 111)] {
                        let stands = place(logo, picture, &mark(corner, width, margin));
                        assert!(stands.width >= 1 && stands.height >= 1);
                        assert!(stands.left + stands.width <= picture.0, "{stands:?} {picture:?} {logo:?}");
                        assert!(stands.top + stands.height <= picture.1, "{stands:?} {picture:?} {logo:?}");
                    }
                }
            }
        }
    }
}
