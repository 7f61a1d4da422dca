//! What a photo can be made to look like: formats, borders, paper and logos.

use domain::engine::{InputLimits, OutputRequest, Overlay, Request, RunRequest};
use domain::operation::{Color, Corner, Framing, ImageFormat, ImageOutput, Operation, Watermark};
use image::{Rgba, RgbaImage};

use crate::harness::{Made, Scratch, corpus, outcomes};

fn jpeg(width: u32, height: u32, framing: Framing) -> ImageOutput {
    ImageOutput::jpeg((width, height), framing, 92, 8_000_000)
}

fn webp(width: u32, height: u32, framing: Framing) -> ImageOutput {
    ImageOutput { format: ImageFormat::Webp, ..jpeg(width, height, framing) }
}

fn png(picture: &RgbaImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// With such a photo as the source.
fn scratch(picture: &RgbaImage) -> Scratch {
    let scratch = Scratch::new();
    scratch.put("source", &png(picture));
    scratch
}

/// Makes one output and decodes it with another decoder than the one that verified it, where there is one.
fn made(scratch: &Scratch, look: ImageOutput) -> RgbaImage {
    let name = match look.format {
        ImageFormat::Jpeg => "out.jpg",
        ImageFormat::Webp => "out.webp",
    };
    let made = outcomes(&scratch.run(vec![(name, Operation::Image(look))])).remove(0).1;
    made.unwrap_or_else(|problem| panic!("{problem:?}"));
    if name == "out.webp" {
        return image::load_from_memory(&std::fs::read(scratch.path(name)).unwrap()).unwrap().into_rgba8();
    }
    let bytes = std::fs::read(scratch.path(name)).unwrap();
    let decoded = turbojpeg::decompress(&bytes, turbojpeg::PixelFormat::RGBA).unwrap();
    let side = |side: usize| u32::try_from(side).unwrap();
    RgbaImage::from_raw(side(decoded.width), side(decoded.height), decoded.pixels).unwrap()
}

#[track_caller]
fn assert_near(picture: &RgbaImage, (x, y): (u32, u32), wanted: [u8; 4]) {
    let shown = picture.get_pixel(x, y).0;
    let near = shown.iter().zip(wanted).all(|(shown, wanted)| shown.abs_diff(wanted) <= 12);
    assert!(near, "({x}, {y}): {shown:?} instead of {wanted:?}");
}

/// Left half of one colour, right half of the other.
fn halves(width: u32, height: u32, left: [u8; 4], right: [u8; 4]) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, _| Rgba(if x < width / 2 { left } else { right }))
}

const RED: [u8; 4] = [220, 30, 30, 255];
const BLUE: [u8; 4] = [30, 30, 220, 255];
const NOTHING: [u8; 4] = [0, 0, 0, 0];

#[test]
fn webp_keeps_what_is_transparent_and_jpeg_puts_it_on_paper() {
    let source = halves(200, 100, RED, NOTHING);
    let picture = made(&scratch(&source), webp(200, 100, Framing::Whole));
    assert_near(&picture, (50, 50), RED);
    assert_eq!(picture.get_pixel(150, 50).0[3], 0);
    let picture = made(&scratch(&source), jpeg(200, 100, Framing::Whole));
    assert_near(&picture, (150, 50), [255; 4]);
    let paper = Some(Color([10, 120, 60]));
    let picture = made(&scratch(&source), ImageOutput { pad_color: paper, ..jpeg(200, 300, Framing::Pad) });
    for point in [(150, 150), (100, 20), (100, 280)] {
        assert_near(&picture, point, [10, 120, 60, 255]);
    }
    assert_near(&picture, (50, 150), RED);
    // In a WebP the borders are painted, too, and the holes stay.
    let picture = made(&scratch(&source), ImageOutput { pad_color: paper, ..webp(200, 300, Framing::Pad) });
    assert_near(&picture, (100, 20), [10, 120, 60, 255]);
    assert_eq!(picture.get_pixel(150, 150).0[3], 0);
}

#[test]
fn every_photo_becomes_a_webp_that_fits() {
    for name in [
        "images/alpha-1024x768.png",
        "images/cmyk-noprofile.jpg",
        "images/exif-orient-6.jpg",
        "images/iphone8plus-p3.heic",
        "images/rgb16.png",
        "images/sofa-grid.avif",
    ] {
        let scratch = Scratch::with(&corpus(name));
        let look = ImageOutput { max_bytes: 150_000, ..webp(640, 800, Framing::Crop) };
        let made = outcomes(&scratch.run(vec![("out", Operation::Image(look))])).remove(0).1;
        let (info, _) = made.unwrap_or_else(|problem| panic!("{name}: {problem:?}"));
        let facts = info.image.unwrap();
        assert_eq!((info.container.as_str(), info.width, info.height), ("webp", 640, 800), "{name}");
        assert!(facts.srgb && !info.has_metadata && info.bytes <= 150_000, "{name}");
        assert_eq!(facts.has_alpha, name.contains("alpha"), "{name}");
    }
}

#[test]
fn blurred_borders_show_the_picture_again() {
    let picture = made(&scratch(&halves(400, 200, RED, BLUE)), jpeg(300, 600, Framing::Blur));
    // The picture itself is sharp, in the middle.
    assert_near(&picture, (140, 300), RED);
    assert_near(&picture, (160, 300), BLUE);
    // Above and below it the same colours, far from the middle, and a mixture there.
    for y in [20, 580] {
        assert_near(&picture, (10, y), RED);
        assert_near(&picture, (290, y), BLUE);
        let middle = picture.get_pixel(150, y).0;
        assert!(middle[0] > 60 && middle[2] > 60, "{middle:?}");
    }
}

/// Runs outputs with logos.
fn with_logos(
    scratch: &Scratch,
    looks: Vec<(&str, ImageOutput)>,
    overlays: Vec<Overlay>,
) -> Vec<(String, Made)> {
    let output = |(name, look): (&str, ImageOutput)| OutputRequest {
        name: name.to_owned(),
        operation: Operation::Image(look),
    };
    let outputs = looks.into_iter().map(output).collect();
    let request = RunRequest { overlays, ..RunRequest::new("source", outputs) };
    let mut made = outcomes(&scratch.ask(&Request::Run(request)));
    made.sort_by(|one, other| one.0.cmp(&other.0));
    made
}

fn mark(sha256: &str, corner: Corner) -> Option<Watermark> {
    Some(Watermark { sha256: sha256.to_owned(), corner, width_permille: 200, margin_permille: 50 })
}

#[test]
fn a_logo_stands_in_its_corner_with_its_alpha() {
    let scratch = scratch(&RgbaImage::from_pixel(1000, 500, Rgba([128, 128, 128, 255])));
    scratch.put("logo", &png(&halves(400, 200, RED, [30, 30, 220, 128])));
    let overlays = vec![Overlay { sha256: "a".into(), name: "logo".into() }];
    let look = ImageOutput { watermark: mark("a", Corner::BottomRight), ..webp(1000, 500, Framing::Whole) };
    let made = with_logos(&scratch, vec![("out.webp", look)], overlays);
    assert!(made[0].1.is_ok(), "{made:?}");
    let picture =
        image::load_from_memory(&std::fs::read(scratch.path("out.webp")).unwrap()).unwrap().into_rgba8();
    // 200 × 100 px, 25 px from the right and from below.
    assert_near(&picture, (800, 425), RED);
    assert_near(&picture, (950, 425), [79, 79, 174, 255]);
    for outside in [(765, 425), (985, 425), (875, 365), (875, 485)] {
        assert_near(&picture, outside, [128, 128, 128, 255]);
    }
}

#[test]
fn a_logo_that_cannot_be_had_fails_what_wants_it_and_nothing_else() {
    let scratch = Scratch::with(&corpus("images/progressive.jpg"));
    scratch.put("broken", b"no picture at all");
    let overlays = vec![
        Overlay { sha256: "broken".into(), name: "broken".into() },
        Overlay { sha256: "gone".into(), name: "gone".into() },
        Overlay { sha256: "outside".into(), name: "../../etc/passwd".into() },
    ];
    let look =
        |sha256| ImageOutput { watermark: mark(sha256, Corner::TopLeft), ..jpeg(300, 200, Framing::Crop) };
    let looks = vec![
        ("1-plain", jpeg(300, 200, Framing::Crop)),
        ("2-unknown", look("unknown")),
        ("3-broken", look("broken")),
        ("4-gone", look("gone")),
        ("5-outside", look("outside")),
    ];
    let codes: Vec<_> = with_logos(&scratch, looks, overlays)
        .into_iter()
        .map(|(_, made)| made.err().map_or("made".to_owned(), |problem| problem.code))
        .collect();
    let unread = "media.unsupported_format";
    assert_eq!(codes, ["made", "media.bad_request", unread, "media.unreadable", "media.bad_request"]);
}

#[test]
fn heic_that_is_cut_off_empty_or_too_much_is_refused() {
    let code = |bytes: &[u8], limits: InputLimits| {
        let scratch = Scratch::new();
        scratch.put("source", bytes);
        let code = scratch.probe_within(limits).unwrap_err().code;
        assert_eq!(scratch.names(), ["source"]);
        code
    };
    let free = InputLimits::default;
    for name in ["images/iphone8plus-p3.heic", "images/sofa-grid.avif"] {
        let whole = std::fs::read(corpus(name)).unwrap();
        for part in [2, 4] {
            let cut = &whole[..whole.len() / part];
            assert_eq!(code(cut, free()), "media.truncated", "{name} 1/{part}");
        }
        assert_eq!(code(&whole, InputLimits { pixels: 700_000, ..free() }), "media.too_large", "{name}");
        assert_eq!(code(&whole, InputLimits { side: 1000, ..free() }), "media.too_large", "{name}");
        // libheif reads every entry that there is, whatever their number is said to be: here 1,100 more, behind the end.
        let many = [whole.clone(), b"\0\0\0\x08infe".repeat(1100)].concat();
        assert_eq!(code(&many, free()), "media.too_large", "{name}");
    }
    assert_eq!(code(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", free()), "media.unreadable");
}
