//! The chain of filters that makes a decoded picture what a viewer is to see: upright, square
//! pixels, one frame rate, BT.709 in limited range, and of the size that was asked for.

use domain::media_info::VideoStream;
use domain::operation::{Color, Framing};

/// What the pictures are to become.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub width: u32,
    pub height: u32,
    pub framing: Framing,
    /// Of the borders of [`Framing::Pad`].
    pub pad_color: Color,
    /// `None` keeps times as they are.
    pub timing: Option<Timing>,
    /// FFmpeg's name of the pixel format.
    pub pixels: &'static str,
}

/// Which frames there are, at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Frames per second as a fraction.
    pub frame_rate: (u32, u32),
    /// The first frame that is wanted, counted from zero of the source's pictures.
    pub first: u64,
    /// How many are wanted at most; `None`: all.
    pub frames: Option<u64>,
}

/// Black.
pub const BLACK: Color = Color([0; 3]);

/// The filters that make pictures of `source` into `look`, from the label `in` to the label `out`.
///
/// With `logo_at`, pictures of the label `logo` are drawn over them with their upper left corner there, px.
#[must_use]
pub fn chain(source: &VideoStream, look: &Look, logo_at: Option<(u32, u32)>) -> String {
    let mut filters = Vec::new();
    if source.interlaced {
        filters.push(String::from("yadif=deint=interlaced"));
    }
    // Dropping before the pixels are touched saves work, repeating after does.
    let (early, late) = match look.timing {
        Some(timing) if rate(timing) < source.frame_rate => (Some(timing), None),
        timing => (None, timing),
    };
    filters.extend(early.map(frames));
    let fit = fit(source, look);
    if let Some((width, height)) = fit.crop {
        filters.push(format!("crop={width}:{height}"));
    }
    filters.push(scale(source, fit.scaled, look.pixels));
    filters.extend(turn(source).iter().map(ToString::to_string));
    match look.framing {
        Framing::Whole | Framing::Crop => {}
        Framing::Pad => filters.push(pad(look)),
        Framing::Blur => filters.push(blurred_borders(look)),
    }
    filters.extend(late.map(frames));
    filters.push(String::from("setsar=1"));
    let chain = format!("[in]{}", filters.join(","));
    match logo_at {
        None => format!("{chain}[out]"),
        Some((x, y)) => format!(
            "{chain}[clean];[logo]scale=out_color_matrix=bt709:out_range=tv,format=yuva420p[mark]\
             ;[clean][mark]overlay=x={x}:y={y}:eof_action=repeat:format=yuv420[out]"
        ),
    }
}

fn rate(timing: Timing) -> f64 {
    f64::from(timing.frame_rate.0) / f64::from(timing.frame_rate.1)
}

/// Each frame shows what is due at its time; of a part, times start at zero again.
fn frames(timing: Timing) -> String {
    let Timing { frame_rate: (num, den), first, frames } = timing;
    #[expect(clippy::cast_precision_loss, reason = "a number of frames stays below 2^53")]
    let start = first as f64 / rate(timing);
    let mut filters = format!("fps={num}/{den}:start_time={start:.9}");
    if let Some(frames) = frames {
        filters.push_str(&format!(",trim=end_frame={frames}"));
    }
    if first > 0 {
        filters.push_str(",setpts=PTS-STARTPTS");
    }
    filters
}

fn pad(look: &Look) -> String {
    let Color([red, green, blue]) = for_filters(look.pad_color);
    let (width, height) = (look.width, look.height);
    format!("pad={width}:{height}:(ow-iw)/2:(oh-ih)/2:color=0x{red:02x}{green:02x}{blue:02x}")
}

/// FFmpeg's filters turn colours into BT.601 whatever the picture is: the colour to ask for, so that BT.709 shows
/// `color`. Where none does, the nearest.
fn for_filters(Color(color): Color) -> Color {
    let [red, green, blue] = color.map(f64::from);
    // BT.709-6 and BT.601-7, with luma from 0 to 255.
    let luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    let (cb, cr) = ((blue - luma) / 1.8556, (red - luma) / 1.5748);
    let (red, blue) = (luma + 1.402 * cr, luma + 1.772 * cb);
    let green = (luma - 0.299 * red - 0.114 * blue) / 0.587;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    Color([red, green, blue].map(|part| part.round() as u8))
}

/// The picture again fills the canvas. It is blurred at an eighth of the size: nobody sees more of a blur.
fn blurred_borders(look: &Look) -> String {
    let (width, height) = (look.width, look.height);
    let small = |side: u32| (side / 8).max(8).next_multiple_of(2);
    let (w, h) = (small(width), small(height));
    let radius = (w.min(h) / 12).max(2);
    format!(
        "split[whole][wide]\
         ;[wide]scale={w}:{h}:force_original_aspect_ratio=increase:flags=fast_bilinear,crop={w}:{h}\
         ,boxblur=luma_radius={radius}:luma_power=2,scale={width}:{height}:flags=bilinear,setsar=1[blur]\
         ;[whole]setsar=1[sharp];[blur][sharp]overlay=(W-w)/2:(H-h)/2:format=yuv420"
    )
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
    if zimg_scales(source, (width, height), matrix, pixels) {
        return format!(
            "zscale=w={width}:h={height}:filter=bicubic:param_a=0:param_b=0.6:min=709:m=709:r=tv,format={pixels}"
        );
    }
    format!(
        "scale={width}:{height}:flags=bicubic+accurate_rnd:in_color_matrix={matrix}\
         :out_color_matrix=bt709:out_range=tv,format={pixels}"
    )
}

/// zimg makes the same of a picture as FFmpeg's own scaler (SSIM 0.9999) in half the time, when there is nothing else to
/// do than scaling. It takes no half samples of colour.
fn zimg_scales(source: &VideoStream, (width, height): (u32, u32), matrix: &str, pixels: &str) -> bool {
    let sides = [source.coded_width, source.coded_height, width, height];
    source.pixel_format == "yuv420p"
        && pixels == "yuv420p"
        && matrix == "bt709"
        && source.color_range != "pc"
        && !source.interlaced
        && sides.iter().all(|side| side.is_multiple_of(2))
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
    use domain::operation::{Color, Framing};

    use super::{BLACK, Fit, Look, Timing, chain, fit, for_filters};

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
            damaged: false,
        }
    }

    fn look(width: u32, height: u32, framing: Framing) -> Look {
        Look { width, height, framing, pad_color: BLACK, timing: None, pixels: "yuv420p" }
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
        let at = |frame_rate, first, frames| Look {
            timing: Some(Timing { frame_rate, first, frames }),
            ..look(640, 360, Framing::Whole)
        };
        let source = source(1920, 1080, (1, 1), 90);
        let slow = chain(&source, &at((24, 1), 0, None), None);
        assert!(slow.starts_with("[in]fps=24/1:start_time=0.000000000,zscale"), "{slow}");
        let fast = chain(&source, &at((60, 1), 90, Some(30)), None);
        let end = "fps=60/1:start_time=1.500000000,trim=end_frame=30,setpts=PTS-STARTPTS,setsar=1[out]";
        assert!(fast.ends_with(end), "{fast}");
    }

    #[test]
    fn zimg_scales_what_needs_nothing_else() {
        let hd = source(1920, 1080, (1, 1), 0);
        let scaler = |source: &VideoStream, pixels| {
            let chain = chain(source, &Look { pixels, ..look(640, 360, Framing::Whole) }, None);
            chain.trim_start_matches("[in]").split('=').next().map(ToOwned::to_owned)
        };
        let zimg = Some("zscale".to_owned());
        assert_eq!(scaler(&hd, "yuv420p"), zimg);
        assert_ne!(scaler(&hd, "rgb24"), zimg);
        for other in [
            VideoStream { coded_width: 161, ..hd.clone() },
            VideoStream { color_range: "pc".into(), ..hd.clone() },
            VideoStream { color_space: "smpte170m".into(), ..hd.clone() },
            VideoStream { pixel_format: "yuv420p10le".into(), ..hd.clone() },
            VideoStream { interlaced: true, ..hd.clone() },
        ] {
            assert_ne!(scaler(&other, "yuv420p"), zimg, "{other:?}");
        }
    }

    #[test]
    fn colours_are_asked_for_so_that_bt709_shows_them() {
        for grey in [0, 16, 128, 255] {
            assert_eq!(for_filters(Color([grey; 3])), Color([grey; 3]));
        }
        // By hand: luma 104.1, and back by the formulas of BT.601.
        assert_eq!(for_filters(Color([200, 80, 60])), Color([189, 69, 62]));
    }
}
