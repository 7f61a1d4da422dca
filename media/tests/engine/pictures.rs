//! What the encoded pictures show: the right way up, the right part, the right colours.

use std::path::Path;

use domain::operation::{AudioOutput, Framing};

use crate::harness::{Scratch, encode, ffmpeg_pipe, video};

/// The colour in the middle of each quarter of the first frame: top left, top right, bottom left,
/// bottom right.
fn quarters(video: &Path, width: usize, height: usize) -> [[u8; 3]; 4] {
    let frame = ffmpeg_pipe(&format!("-i {} -frames:v 1 -f rawvideo -pix_fmt rgb24", video.display()));
    assert_eq!(frame.len(), width * height * 3);
    let at = |x: usize, y: usize| {
        let pixel = (y * width + x) * 3;
        [frame[pixel], frame[pixel + 1], frame[pixel + 2]]
    };
    let (left, right, top, bottom) = (width / 4, width * 3 / 4, height / 4, height * 3 / 4);
    [at(left, top), at(right, top), at(left, bottom), at(right, bottom)]
}

fn assert_near(shown: [u8; 3], wanted: [u8; 3], what: &str) {
    let near = shown.iter().zip(wanted).all(|(shown, wanted)| shown.abs_diff(wanted) <= 12);
    assert!(near, "{what}: {shown:?} instead of {wanted:?}");
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 128, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const WHITE: [u8; 3] = [255, 255, 255];
const BLACK: [u8; 3] = [0, 0, 0];

/// Red and green above blue and white.
const QUARTERS: &str = "-f lavfi -i color=red:s=160x120:r=10:d=1 -f lavfi -i color=green:s=160x120:r=10:d=1 \
    -f lavfi -i color=blue:s=160x120:r=10:d=1 -f lavfi -i color=white:s=160x120:r=10:d=1 \
    -filter_complex xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0,scale=out_color_matrix=bt709,setparams=colorspace=bt709 \
    -c:v libx264 -crf 10 -pix_fmt yuv420p -colorspace bt709";

#[test]
fn a_turned_phone_is_turned_back() {
    let upright = Scratch::made_by_ffmpeg("mov", QUARTERS);
    // This ffmpeg writes the tag as a turn to the left; what players show of it is in the table.
    for (tag, clockwise, shown) in [
        (0, 0, [RED, GREEN, BLUE, WHITE]),
        (270, 90, [BLUE, RED, WHITE, GREEN]),
        (180, 180, [WHITE, BLUE, GREEN, RED]),
        (90, 270, [GREEN, WHITE, RED, BLUE]),
    ] {
        let turned = format!("-i {} -c copy -metadata:s:v rotate={tag}", upright.path("source").display());
        let scratch = Scratch::made_by_ffmpeg("mov", &turned);
        assert_eq!(scratch.probe().unwrap().info.video.unwrap().rotation, clockwise);
        let (width, height) = if clockwise % 180 == 0 { (320, 240) } else { (240, 320) };
        scratch.make(video(encode(width, height, Framing::Whole, (10, 1)), AudioOutput::None)).unwrap();
        for file in ["source", "out"] {
            let quarters = quarters(&scratch.path(file), width as usize, height as usize);
            for (quarter, (shown, wanted)) in quarters.into_iter().zip(shown).enumerate() {
                assert_near(shown, wanted, &format!("{file} turned by {clockwise}, quarter {quarter}"));
            }
        }
    }
}

/// Selfie cameras mirror. The matrix is written into the file by hand; ffmpeg shows what it means.
#[test]
fn a_mirrored_clip_is_shown_as_players_show_it() {
    let upright = Scratch::made_by_ffmpeg("mov", QUARTERS);
    let bytes = std::fs::read(upright.path("source")).unwrap();
    let matrix = bytes.windows(4).position(|window| window == b"tkhd").unwrap() + 44;
    for [a, b, c, d] in [[-1, 0, 0, 1], [1, 0, 0, -1], [0, 1, 1, 0], [0, -1, -1, 0]] {
        let mut mirrored = bytes.clone();
        for (cell, value) in [(0, a), (1, b), (3, c), (4, d)] {
            let fixed: i32 = value << 16;
            mirrored[matrix + cell * 4..][..4].copy_from_slice(&fixed.to_be_bytes());
        }
        let scratch = Scratch::new();
        scratch.put("source", &mirrored);
        let info = scratch.probe().unwrap().info;
        assert!(info.video.unwrap().mirrored);
        scratch
            .make(video(encode(info.width, info.height, Framing::Whole, (10, 1)), AudioOutput::None))
            .unwrap();
        let [wanted, shown] = ["source", "out"]
            .map(|file| quarters(&scratch.path(file), info.width as usize, info.height as usize));
        for (shown, wanted) in shown.into_iter().zip(wanted) {
            assert_near(shown, wanted, &format!("matrix {a} {b} {c} {d}"));
        }
    }
}

#[test]
fn borders_are_black_and_crops_are_of_the_middle() {
    let scratch = Scratch::made_by_ffmpeg("mp4", QUARTERS);
    // 320 x 240 in 320 x 960: 360 rows of border above and below.
    scratch.make(video(encode(320, 960, Framing::Pad, (10, 1)), AudioOutput::None)).unwrap();
    for border in quarters(&scratch.path("out"), 320, 960) {
        assert_near(border, BLACK, "border");
    }
    std::fs::remove_file(scratch.path("out")).unwrap();
    scratch.make(video(encode(120, 240, Framing::Crop, (10, 1)), AudioOutput::None)).unwrap();
    for (quarter, (shown, wanted)) in
        quarters(&scratch.path("out"), 120, 240).into_iter().zip([RED, GREEN, BLUE, WHITE]).enumerate()
    {
        assert_near(shown, wanted, &format!("crop, quarter {quarter}"));
    }
}

#[test]
fn full_range_and_other_matrices_keep_their_colours() {
    for colour in [
        "scale=out_range=pc:out_color_matrix=bt709,format=yuvj420p,setparams=colorspace=bt709 -colorspace bt709",
        "scale=out_range=tv:out_color_matrix=smpte170m,format=yuv420p,setparams=colorspace=smpte170m -colorspace smpte170m",
    ] {
        let made = QUARTERS.replace(
            "scale=out_color_matrix=bt709,setparams=colorspace=bt709",
            colour.split(' ').next().unwrap(),
        );
        let made = made.replace("-pix_fmt yuv420p -colorspace bt709", &colour[colour.find(' ').unwrap()..]);
        let scratch = Scratch::made_by_ffmpeg("mp4", &made);
        scratch.make(video(encode(320, 240, Framing::Whole, (10, 1)), AudioOutput::None)).unwrap();
        for (quarter, (shown, wanted)) in
            quarters(&scratch.path("out"), 320, 240).into_iter().zip([RED, GREEN, BLUE, WHITE]).enumerate()
        {
            assert_near(shown, wanted, &format!("{colour}, quarter {quarter}"));
        }
    }
}

/// What cameras and editors write: 10 bits, and colour as fine as or finer than a network takes.
#[test]
fn ten_bits_and_finer_colour_become_what_networks_take() {
    for pixels in ["yuv420p10le", "yuv422p", "yuv422p10le", "yuv444p"] {
        let scratch = Scratch::made_by_ffmpeg(
            "mov",
            &QUARTERS.replace("-pix_fmt yuv420p", &format!("-pix_fmt {pixels}")),
        );
        let made = scratch.make(video(encode(320, 240, Framing::Whole, (10, 1)), AudioOutput::None)).unwrap();
        assert_eq!(made.video.unwrap().pixel_format, "yuv420p", "{pixels}");
        for (shown, wanted) in
            quarters(&scratch.path("out"), 320, 240).into_iter().zip([RED, GREEN, BLUE, WHITE])
        {
            assert_near(shown, wanted, pixels);
        }
    }
}

/// A square that is stored narrower than it is shown: its edges are where they belong.
#[test]
fn wide_pixels_are_drawn_square() {
    let square = "-f lavfi -i color=black:s=352x288:r=10:d=1 \
                  -vf drawbox=x=88:y=48:w=176:h=192:color=white:t=fill,setsar=12/11";
    let scratch = Scratch::made_by_ffmpeg("mp4", square);
    let info = scratch.probe().unwrap().info;
    assert_eq!((info.width, info.height, info.video.unwrap().sar), (384, 288, (12, 11)));
    scratch.make(video(encode(384, 288, Framing::Whole, (10, 1)), AudioOutput::None)).unwrap();
    let out = scratch.path("out");
    let luma = ffmpeg_pipe(&format!("-i {} -frames:v 1 -f rawvideo -pix_fmt gray", out.display()));
    let is_white = |x: usize, y: usize| luma[y * 384 + x] > 128;
    let (row, column) = ((0..384).filter(|x| is_white(*x, 144)), (0..288).filter(|y| is_white(192, *y)));
    let (row, column) = (row.collect::<Vec<_>>(), column.collect::<Vec<_>>());
    assert!(row.len().abs_diff(192) <= 2 && row[0].abs_diff(96) <= 1, "{} from {}", row.len(), row[0]);
    assert!(
        column.len().abs_diff(192) <= 2 && column[0].abs_diff(48) <= 1,
        "{} from {}",
        column.len(),
        column[0]
    );
}

#[test]
fn hdr_is_neither_grey_nor_burnt_out() {
    let scratch = Scratch::with(&crate::harness::corpus("video/iphone-hlg-10bit-editlist-rot90.mp4"));
    scratch.make(video(encode(270, 480, Framing::Whole, (30, 1)), AudioOutput::None)).unwrap();
    let out = scratch.path("out");
    let luma = ffmpeg_pipe(&format!("-i {} -frames:v 1 -f rawvideo -pix_fmt gray", out.display()));
    let mean = luma.iter().map(|pixel| u64::from(*pixel)).sum::<u64>() / luma.len() as u64;
    let (darkest, lightest) = (luma.iter().min().unwrap(), luma.iter().max().unwrap());
    assert!((40..=200).contains(&mean), "mean luma {mean}");
    assert!(lightest - darkest > 120, "luma from {darkest} to {lightest}");
}

#[test]
fn interlaced_fields_become_whole_frames() {
    let fields = "-f lavfi -i testsrc=s=320x240:r=50:d=1 -vf tinterlace=interleave_top,setfield=tff -flags +ilme+ildct -x264-params tff=1";
    let scratch = Scratch::made_by_ffmpeg("mp4", fields);
    assert!(scratch.probe().unwrap().info.video.unwrap().interlaced);
    let made = scratch.make(video(encode(320, 240, Framing::Whole, (25, 1)), AudioOutput::None)).unwrap();
    let made = made.video.unwrap();
    assert_eq!((made.interlaced, made.frames), (false, 25));
}
