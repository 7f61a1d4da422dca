//! Which encode is made from which: a scale chain, so that a smaller picture is scaled from the next larger one
//! instead of from the source.

use crate::operation::{Framing, VideoEncode};

/// Rounding to whole steps may make the picture that feeds a hair smaller than the one that is fed.
const SAME_SCALE: f64 = 0.995;

/// Where the pictures of an encode come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Index of the encode that feeds.
    pub from: usize,
    /// How the fed pictures become the canvas: `Whole` when what feeds has the same canvas already.
    pub framing: Framing,
}

/// For each of `encodes` of a source that is shown as `source` px, the encode that feeds it; `None`: the source.
///
/// Pictures are taken only from those that are at least as large, unmarked and of the same frame rate, and that
/// show either the whole source or the same canvas: the result is as good. Nothing feeds itself, in any number
/// of steps.
#[must_use]
pub fn feeds(encodes: &[VideoEncode], source: (u32, u32)) -> Vec<Option<Feed>> {
    let scales: Vec<f64> = encodes.iter().map(|encode| scale(encode, source)).collect();
    // Larger first; what is the same size has an order, too, or two could feed each other.
    let order = |index: usize| (scales[index], std::cmp::Reverse(index));
    let comes_before = |a: usize, b: usize| order(a) > order(b);
    let best = |fed: usize| {
        (0..encodes.len())
            .filter(|from| *from != fed && comes_before(*from, fed))
            .filter(|from| scales[*from] >= scales[fed] * SAME_SCALE)
            .filter_map(|from| Some(Feed { from, framing: framing(&encodes[from], &encodes[fed])? }))
            .min_by(|a, b| scales[a.from].total_cmp(&scales[b.from]).then(a.from.cmp(&b.from)))
    };
    (0..encodes.len()).map(best).collect()
}

/// How pictures of `from` become those of `to`; `None`: they do not.
fn framing(from: &VideoEncode, to: &VideoEncode) -> Option<Framing> {
    let (wide, high) =
        (u64::from(from.width) * u64::from(to.height), u64::from(to.width) * u64::from(from.height));
    if from.frame_rate != to.frame_rate || from.watermark.is_some() {
        None
    } else if from.framing == to.framing && from.pad_color == to.pad_color && wide == high {
        Some(Framing::Whole)
    } else if from.framing == Framing::Whole {
        Some(to.framing)
    } else {
        None
    }
}

/// Pixels made of one of the source, along a side.
fn scale(encode: &VideoEncode, (width, height): (u32, u32)) -> f64 {
    let wide = f64::from(encode.width) / f64::from(width.max(1));
    let high = f64::from(encode.height) / f64::from(height.max(1));
    match encode.framing {
        Framing::Whole | Framing::Crop => wide.max(high),
        Framing::Pad | Framing::Blur => wide.min(high),
    }
}

#[cfg(test)]
mod tests {
    use super::{Feed, feeds};
    use crate::operation::{Framing, VideoEncode};

    fn encode(width: u32, height: u32, framing: Framing) -> VideoEncode {
        VideoEncode {
            width,
            height,
            framing,
            frame_rate: (30, 1),
            gop_frames: 60,
            crf_tenths: 220,
            max_rate: 6_000_000,
            level: 40,
            pad_color: None,
            watermark: None,
        }
    }

    #[test]
    fn smaller_pictures_come_from_the_next_larger() {
        use Framing::{Crop, Pad, Whole};
        let encodes = [
            encode(1280, 720, Whole),
            encode(1920, 1080, Whole),
            encode(1080, 1920, Pad),
            encode(1080, 1920, Crop),
            encode(720, 1280, Crop),
            encode(640, 360, Whole),
            VideoEncode { frame_rate: (60, 1), ..encode(640, 360, Whole) },
        ];
        let from = |from, framing| Some(Feed { from, framing });
        let expected = [
            from(1, Whole),
            None,
            // The whole picture is 1080 wide in it: 1280 is the next larger.
            from(0, Pad),
            // Cut from the full height of 4K: larger than all others, and it does not show everything.
            None,
            from(3, Whole),
            from(0, Whole),
            None,
        ];
        assert_eq!(feeds(&encodes, (3840, 2160)), expected);
    }

    #[test]
    fn two_of_one_size_do_not_feed_each_other() {
        let slow = VideoEncode { max_rate: 2_000_000, ..encode(1280, 720, Framing::Whole) };
        let encodes = [slow, encode(1280, 720, Framing::Whole)];
        assert_eq!(feeds(&encodes, (1920, 1080)), [None, Some(Feed { from: 0, framing: Framing::Whole })]);
    }
}
