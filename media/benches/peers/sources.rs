//! What is worked on: made of the corpus once, and kept under the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the corpus: as the project's owners keep it beside the repository, else the copy in it.
pub fn corpus(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = here.join("../../shared/media").join(name);
    if beside.exists() { beside } else { here.join("../tests/shared/media").join(name) }
}

/// A drone's flight as an upright reel of 24 s, in the largest size that all networks take as it is: X ends at 1280 px.
pub fn reel() -> PathBuf {
    made("reel-720.mp4", |to| upright("720:1280", to))
}

/// The same as editors export it: index behind the media, edit lists.
pub fn exported_reel() -> PathBuf {
    let reel = reel();
    made("exported-720.mp4", |to| format!("-i {} -c copy {}", reel.display(), to.display()))
}

/// The same in the size that phones film in.
pub fn large_reel() -> PathBuf {
    made("reel.mp4", |to| upright("1080:1920", to))
}

/// 8 s of it, which fill every queue.
pub fn short_reel() -> PathBuf {
    let reel = large_reel();
    made("short-reel.mp4", |to| format!("-i {} -t 8 -c copy {}", reel.display(), to.display()))
}

fn upright(size: &str, to: &Path) -> String {
    let source = corpus("video/gopro-karma-12s.mp4");
    format!(
        "-stream_loop 1 -i {} -t 24 -map 0:v:0 -map 0:a:0 -map_metadata -1 -fflags +bitexact -vf crop=ih*9/16:ih,\
             scale={size}:out_range=tv,fps=30,setsar=1 -pix_fmt yuv420p -c:v libx264 -preset veryfast -crf 22 \
             -profile:v high -g 60 -keyint_min 60 -sc_threshold 0 -color_primaries bt709 -color_trc bt709 \
             -colorspace bt709 -color_range tv -c:a aac -b:a 128k -ar 48000 -ac 2 \
             -movflags +faststart+negative_cts_offsets -use_editlist 0 {}",
        source.display(),
        to.display()
    )
}

/// What a phone writes: 5 s of upright 4K, HEVC lying on its side, index behind, edit list.
pub fn phone_clip() -> PathBuf {
    made("phone.mov", |to| {
        let source = corpus("video/phone-london-17s-360p.mp4");
        let flat = to.with_extension("flat.mov");
        ffmpeg(&format!(
            "-i {} -t 5 -vf scale=3840:2160:flags=bicubic,noise=alls=6:allf=t,fps=30000/1001 -pix_fmt yuv420p -c:v libx265 \
             -preset ultrafast -x265-params log-level=none:bitrate=24000 -tag:v hvc1 -c:a aac -b:a 192k -ar 44100 {}",
            source.display(),
            flat.display()
        ));
        format!("-i {} -c copy -metadata:s:v:0 rotate=90 {}", flat.display(), to.display())
    })
}

/// A photo of 12 megapixels, as JPEG, PNG and HEIC.
pub fn photos() -> [(&'static str, PathBuf); 3] {
    let jpeg = corpus("images/pixel8-ultrahdr-3072x4080.jpg");
    let png = made("photo.png", |to| format!("-i {} -frames:v 1 {}", jpeg.display(), to.display()));
    [("jpeg", jpeg), ("png", png), ("heic", corpus("images/iphone8plus-p3.heic"))]
}

fn made(name: &str, arguments: impl FnOnce(&Path) -> String) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-media");
    fs::create_dir_all(&folder).unwrap();
    let (path, part) = (folder.join(name), folder.join(format!("part-{name}")));
    if !path.exists() {
        ffmpeg(&arguments(&part));
        fs::rename(part, &path).unwrap();
    }
    path
}

fn ffmpeg(arguments: &str) {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]).args(arguments.split_whitespace());
    assert!(command.status().unwrap().success(), "{command:?}");
}
