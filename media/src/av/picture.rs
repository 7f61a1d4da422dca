//! The chain of filters that makes a decoded picture what a viewer is to see: upright, square
//! pixels, one frame rate, BT.709 in limited range, and of the size that was asked for.

use domain::media_info::VideoStream;
use domain::operation::Framing;

/// What the pictures are to become.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub framing: Framing,
    /// Constant frames per second as a fraction; `None` keeps times as they are.
    pub frame_rate: Option<(u32, u32)>,
    /// FFmpeg's name of the pixel format.
    pub pixels: &'static str,
}

/// The filters that make pictures of `source` into `look`.
#[must_use]
pub fn chain(source: &VideoStream, look: &Look) -> String {
    let mut filters = Vec::new();
    if source.interlaced {
        filters.push(String::from("yadif=deint=interlaced"));
    }
    // Dropping before the pixels are touched saves work, repeating after does.
    let rate = look
        .frame_rate
        .map(|(num, den)| (f64::from(num) / f64::from(den), format!("fps={num}/{den}:start_time=0")));
    let (early, late) = match rate {
        Some((rate, filter)) if rate < source.frame_rate => (Some(filter), None),
        Some((_, filter)) => (None, Some(filter)),
        None => (None, None),
    };
    filters.extend(early);
    let fit = fit(source, look);
    if let Some((width, height)) = fit.crop {
        filters.push(format!("crop={width}:{height}"));
    }
    filters.push(scale(source, fit.scaled, look.pixels));
    filters.extend(turn(source).iter().map(ToString::to_string));
    if look.framing.has_borders() {
        filters.push(format!("pad={}:{}:(ow-iw)/2:(oh-ih)/2", look.width, look.height));
    }
    filters.extend(late);
    filters.push(String::from("setsar=1"));
    filters.join(",")
}

/// Sizes on the way, as stored, i.e. before turning.
#[derive(Debug, PartialEq, Eq)]
struct Fit {
    crop: Option<(u32, u32)>,
    scaled: (u32, u32),
}

fn fit(source: &VideoStream, look: &Look) -> Fit {
    let sideways = source.rotation % 180 == 90;
    let as_stored = |(width, height)| if sideways { (height, width) } else { (width, height) };
    let target = as_stored((look.width, look.height));
    // The shape of the stored picture when its pixels are drawn square.
    let shown_width = f64::from(source.coded_width) * f64::from(source.sar.0) / f64::from(source.sar.1);
    let shape = shown_width / f64::from(source.coded_height);
    let target_shape = f64::from(target.0) / f64::from(target.1);
    match look.framing {
        Framing::Whole => Fit { crop: None, scaled: target },
        Framing::Crop => {
            let crop = if shape > target_shape {
                (share(source.coded_width, target_shape / shape), source.coded_height)
            } else {
                (source.coded_width, share(source.coded_height, shape / target_shape))
            };
            Fit { crop: Some(crop), scaled: target }
        }
        Framing::Pad | Framing::Blur => {
            let scaled = if shape > target_shape {
                (target.0, share(target.1, target_shape / shape))
            } else {
                (share(target.0, shape / target_shape), target.1)
            };
            Fit { crop: None, scaled }
        }
    }
}

/// The even number nearest to `part` of `length`, at least 2, at most `length`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is one")]
fn share(length: u32, part: f64) -> u32 {
    let even = (f64::from(length) * part / 2.0).round() as u32 * 2;
    even.max(2).min(length)
}

fn scale(source: &VideoStream, (width, height): (u32, u32), pixels: &str) -> String {
    if source.is_hdr() {
        // Linear light, then the curve, then BT.709: the order that zimg's and FFmpeg's manuals give.
        let transfer = &source.color_transfer;
        let or = |value: &str, instead: &str| {
            if value == "unknown" { instead.to_owned() } else { value.to_owned() }
        };
        let primaries = or(&source.color_primaries, "bt2020");
        let matrix = or(&source.color_space, "bt2020nc");
        let range = if source.color_range == "pc" { "pc" } else { "tv" };
        return format!(
            "zscale=w={width}:h={height}:filter=bicubic:tin={transfer}:pin={primaries}:min={matrix}:rin={range}\
             :t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=mobius:desat=0\
             ,zscale=t=bt709:m=bt709:p=bt709:r=tv,format={pixels}"
        );
    }
    let matrix = match source.color_space.as_str() {
        known @ ("bt709" | "fcc" | "smpte170m" | "smpte240m") => known,
        "bt470bg" => "bt470",
        "bt2020nc" | "bt2020c" => "bt2020",
        // Players take an untagged picture of HD size for BT.709 and a smaller one for BT.601.
        _ if source.coded_height >= 720 || source.coded_width >= 1280 => "bt709",
        _ => "smpte170m",
    };
    format!(
        "scale={width}:{height}:flags=bicubic+accurate_rnd:in_color_matrix={matrix}\
         :out_color_matrix=bt709:out_range=tv,format={pixels}"
    )
}

/// Mirror, then turn clockwise, as the display matrix says.
fn turn(source: &VideoStream) -> Vec<&'static str> {
    let mut filters = Vec::new();
    if source.mirrored {
        filters.push("hflip");
    }
    match source.rotation {
        90 => filters.push("transpose=clock"),
        180 => filters.extend(["hflip", "vflip"]),
        270 => filters.push("transpose=cclock"),
        _ => {}
    }
    filters
}

#[cfg(test)]
mod tests {
    use domain::media_info::VideoStream;
    use domain::operation::Framing;

    use super::{Fit, Look, chain, fit};

    fn source(coded_width: u32, coded_height: u32, sar: (u32, u32), rotation: u16) -> VideoStream {
        VideoStream {
            codec: "h264".into(),
            profile: None,
            level: None,
            pixel_format: "yuv420p".into(),
            coded_width,
            coded_height,
            sar,
            rotation,
            mirrored: false,
            interlaced: false,
            frame_rate: 30.0,
            constant_frame_rate: true,
            frames: 1,
            bit_rate: 0,
            gop_ms_max: None,
            closed_gop: true,
            color_range: "tv".into(),
            color_transfer: "bt709".into(),
            color_primaries: "bt709".into(),
            color_space: "bt709".into(),
            codec_tag: "avc1".into(),
        }
    }

    fn look(width: u32, height: u32, framing: Framing) -> Look {
        Look { width, height, framing, frame_rate: None, pixels: "yuv420p" }
    }

    #[test]
    fn sizes_are_of_the_stored_picture() {
        let hd = source(1920, 1080, (1, 1), 0);
        let phone = source(1920, 1080, (1, 1), 90);
        let wide_pixels = source(720, 576, (64, 45), 0);
        for (source, look, crop, scaled) in [
            (&hd, look(1280, 720, Framing::Whole), None, (1280, 720)),
            (&hd, look(1080, 1920, Framing::Pad), None, (1080, 608)),
            (&hd, look(1080, 1920, Framing::Crop), Some((608, 1080)), (1080, 1920)),
            (&phone, look(1080, 1920, Framing::Whole), None, (1920, 1080)),
            (&phone, look(1080, 1080, Framing::Crop), Some((1080, 1080)), (1080, 1080)),
            (&phone, look(1080, 1350, Framing::Pad), None, (1350, 760)),
            (&wide_pixels, look(1024, 576, Framing::Crop), Some((720, 576)), (1024, 576)),
            (&wide_pixels, look(576, 576, Framing::Crop), Some((406, 576)), (576, 576)),
        ] {
            assert_eq!(fit(source, &look), Fit { crop, scaled }, "{look:?}");
        }
    }

    #[test]
    fn frames_are_dropped_before_the_work_and_repeated_after() {
        let at = |rate| Look { frame_rate: Some(rate), ..look(640, 360, Framing::Whole) };
        let source = source(1920, 1080, (1, 1), 90);
        assert!(chain(&source, &at((24, 1))).starts_with("fps=24/1:start_time=0,"));
        assert!(chain(&source, &at((60, 1))).ends_with(",fps=60/1:start_time=0,setsar=1"));
    }
}
