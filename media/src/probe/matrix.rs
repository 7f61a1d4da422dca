//! What a display matrix asks of a player.

/// A mirror image first, if at all, then a clockwise turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    pub mirrored: bool,
    /// 0, 90, 180 or 270.
    pub clockwise: u16,
}

/// Reads the matrix of a `tkhd` box, rounding its turn to right angles as players do.
#[must_use]
pub fn orientation(matrix: [i32; 9]) -> Orientation {
    let [a, b, _, c, d, ..] = matrix.map(f64::from);
    let mirrored = a * d - b * c < 0.0;
    let (cosine, sine) = if mirrored { (-a, -b) } else { (a, b) };
    let quarter = (sine.atan2(cosine) / std::f64::consts::FRAC_PI_2).round();
    let clockwise = match quarter {
        1.0 => 90,
        2.0 | -2.0 => 180,
        -1.0 => 270,
        _ => 0,
    };
    Orientation { mirrored, clockwise }
}

#[cfg(test)]
mod tests {
    use super::{Orientation, orientation};

    #[test]
    fn all_eight() {
        const ONE: i32 = 1 << 16;
        let cases = [
            ([ONE, 0, 0, ONE], false, 0),
            ([0, ONE, -ONE, 0], false, 90),
            ([-ONE, 0, 0, -ONE], false, 180),
            ([0, -ONE, ONE, 0], false, 270),
            ([-ONE, 0, 0, ONE], true, 0),
            ([0, -ONE, -ONE, 0], true, 90),
            ([ONE, 0, 0, -ONE], true, 180),
            ([0, ONE, ONE, 0], true, 270),
        ];
        for ([a, b, c, d], mirrored, clockwise) in cases {
            let read = orientation([a, b, 0, c, d, 0, 0, 0, 1 << 30]);
            assert_eq!(read, Orientation { mirrored, clockwise }, "{a} {b} {c} {d}");
        }
    }
}
