//! Photos: every JPEG that comes out has the size asked for, stands upright, is sRGB and tells
//! nothing about its maker.

use std::path::Path;

use domain::operation::{Framing, ImageOutput, Operation};
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use crate::harness::{Scratch, corpus, outcomes};

fn look(width: u32, height: u32, framing: Framing) -> ImageOutput {
    ImageOutput::jpeg((width, height), framing, 90, 8_000_000)
}

fn pixels(path: &Path) -> Image<Vec<u8>> {
    turbojpeg::decompress(&std::fs::read(path).unwrap(), PixelFormat::RGB).unwrap()
}

fn at(image: &Image<Vec<u8>>, x: usize, y: usize) -> [u8; 3] {
    let pixel = y * image.pitch + x * 3;
    image.pixels[pixel..pixel + 3].try_into().unwrap()
}

fn assert_near(shown: [u8; 3], wanted: [u8; 3], what: &str) {
    let near = shown.iter().zip(wanted).all(|(shown, wanted)| shown.abs_diff(wanted) <= 10);
    assert!(near, "{what}: {shown:?} instead of {wanted:?}");
}

#[test]
fn every_photo_becomes_a_clean_jpeg() {
    for name in [
        "images/alpha-1024x768.png",
        "images/cmyk-noprofile.jpg",
        "images/display-p3-tiny.png",
        "images/exif-orient-5.jpg",
        "images/exif-orient-6.jpg",
        "images/exif-orient-8.jpg",
        "images/pixel8-ultrahdr-3072x4080.jpg",
        "images/progressive.jpg",
        "images/rgb16.png",
        "images/rgb16.tiff",
        "images/rgba32.bmp",
        "images/iphone8plus-p3.heic",
        "images/sofa-grid.avif",
        "nasty/polyglot-jpeg+zip.jpg",
    ] {
        let scratch = Scratch::with(&corpus(name));
        let events = scratch.run(vec![
            ("crop", Operation::Image(look(1080, 1350, Framing::Crop))),
            ("pad", Operation::Image(look(1080, 566, Framing::Pad))),
        ]);
        for (output, made) in outcomes(&events) {
            let (info, _) = made.unwrap_or_else(|problem| panic!("{name} {output}: {problem:?}"));
            let height = if output == "crop" { 1350 } else { 566 };
            let facts = info.image.clone().unwrap();
            assert_eq!((info.width, info.height, facts.orientation), (1080, height, 1), "{name}");
            assert!(
                facts.srgb && !facts.has_alpha && !facts.trailing_data && facts.color_model == "rgb",
                "{name}"
            );
            let bytes = std::fs::read(scratch.path(&output)).unwrap();
            for mark in [&b"Exif"[..], b"ICC_PROFILE", b"http://", b"Photoshop", b"PK\x03\x04"] {
                let found = bytes.windows(mark.len()).any(|window| window == mark);
                assert!(!found, "{name}: {} is left", String::from_utf8_lossy(mark));
            }
            let header = turbojpeg::read_header(&bytes).unwrap();
            assert_eq!(header.subsamp, Subsamp::Sub2x2);
            assert!(!header.is_progressive);
        }
    }
}

/// Red and green above blue and white, 400 × 200, with an EXIF block that says `orientation`.
fn quarters(orientation: u8) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..200 {
        for x in 0..400 {
            rows.extend(match (x < 200, y < 100) {
                (true, true) => [255, 0, 0],
                (false, true) => [0, 128, 0],
                (true, false) => [0, 0, 255],
                (false, false) => [255u8, 255, 255],
            });
        }
    }
    let picture =
        Image { pixels: rows.as_slice(), width: 400, pitch: 1200, height: 200, format: PixelFormat::RGB };
    let jpeg = Compressor::new().unwrap().compress_to_vec(picture).unwrap();
    let exif = [
        b"\xff\xe1\x00\x22Exif\0\0MM\x00\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(),
        &[orientation, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
fn all_eight_orientations_are_baked_in() {
    const RED: [u8; 3] = [255, 0, 0];
    const GREEN: [u8; 3] = [0, 128, 0];
    const BLUE: [u8; 3] = [0, 0, 255];
    const WHITE: [u8; 3] = [255, 255, 255];
    for (orientation, wanted) in [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (4, [BLUE, WHITE, RED, GREEN]),
        (5, [RED, BLUE, GREEN, WHITE]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (7, [WHITE, GREEN, BLUE, RED]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ] {
        let scratch = Scratch::new();
        scratch.put("source", &quarters(orientation));
        let (width, height) = if orientation < 5 { (400, 200) } else { (200, 400) };
        let probed = scratch.probe().unwrap().info;
        assert_eq!((probed.width, probed.height), (width, height), "orientation {orientation}");
        scratch.make(Operation::Image(look(width, height, Framing::Whole))).unwrap();
        let image = pixels(&scratch.path("out"));
        let (right, bottom) = (image.width * 3 / 4, image.height * 3 / 4);
        let (left, top) = (image.width / 4, image.height / 4);
        let shown = [
            at(&image, left, top),
            at(&image, right, top),
            at(&image, left, bottom),
            at(&image, right, bottom),
        ];
        for (shown, wanted) in shown.into_iter().zip(wanted) {
            assert_near(shown, wanted, &format!("orientation {orientation}"));
        }
    }
}

#[test]
fn transparency_lies_on_white_and_borders_are_white() {
    let scratch = Scratch::made_by_ffmpeg(
        "image2",
        "-f lavfi -i color=black@0:s=200x100,format=rgba -frames:v 1 -c:v png",
    );
    scratch.make(Operation::Image(look(200, 300, Framing::Pad))).unwrap();
    let image = pixels(&scratch.path("out"));
    for (x, y) in [(100, 150), (5, 5), (195, 295)] {
        assert_near(at(&image, x, y), [255; 3], "white");
    }
}

#[test]
fn wide_gamut_is_converted_not_relabelled() {
    let scratch = Scratch::with(&corpus("images/display-p3-tiny.png"));
    let before = image::open(corpus("images/display-p3-tiny.png")).unwrap().into_rgb8();
    scratch.make(Operation::Image(look(8, 8, Framing::Whole))).unwrap();
    let after = pixels(&scratch.path("out"));
    // A red that sRGB does not reach: its number rises as far as there is room.
    let (was, is) = (before.get_pixel(1, 1).0, at(&after, 1, 1));
    assert!(was[0] <= 244 && is[0] >= 250, "{was:?} became {is:?}");
}

#[test]
fn a_size_limit_is_met_or_said_to_be_out_of_reach() {
    let scratch = Scratch::with(&corpus("images/pixel8-ultrahdr-3072x4080.jpg"));
    let tight = ImageOutput { max_bytes: 150_000, quality: 95, ..look(1080, 1350, Framing::Crop) };
    let made = scratch.make(Operation::Image(tight.clone())).unwrap();
    assert!((75_000..=150_000).contains(&made.bytes), "{} bytes", made.bytes);
    std::fs::remove_file(scratch.path("out")).unwrap();
    let impossible = ImageOutput { max_bytes: 2_000, ..tight };
    assert_eq!(scratch.make(Operation::Image(impossible)).unwrap_err().code, "media.transcode_failed");
    assert_eq!(scratch.names(), ["source"]);
}
