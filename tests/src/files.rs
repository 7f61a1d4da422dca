//! Media for the stories: made by ffmpeg when a story asks for it, or taken from the shared corpus.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, Mutex, PoisonError},
};

/// Files made in this run, by name.
static MADE: LazyLock<Mutex<HashMap<String, PathBuf>>> = LazyLock::new(Mutex::default);
/// Where they are.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// A file made by ffmpeg with these arguments, once in a run.
///
/// # Panics
/// When ffmpeg fails.
pub fn made(name: &str, arguments: &str) -> PathBuf {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(name.to_owned())
        .or_insert_with(|| {
            let path = FOLDER.path().join(name);
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-nostdin", "-y"]).args(arguments.split_whitespace()).arg(&path);
            assert!(ffmpeg.status().unwrap().success(), "ffmpeg {arguments}");
            path
        })
        .clone()
}

/// A file with this content, once in a run.
///
/// # Panics
/// When the disk refuses.
pub fn written(name: &str, content: &[u8]) -> PathBuf {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(name.to_owned())
        .or_insert_with(|| {
            let path = FOLDER.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        })
        .clone()
}

/// What a phone makes: HEVC, lying on its side with a matrix that turns it upright, moov last, an edit list, 6 s,
/// and large enough to be uploaded in three parts: a `free` box at its end fills it up.
///
/// # Panics
/// When ffmpeg fails.
#[must_use]
pub fn phone_clip() -> PathBuf {
    let coded = made(
        "phone-coded.mp4",
        "-f lavfi -i testsrc2=s=960x540:r=30:d=6 -f lavfi -i sine=d=6:r=48000 -c:v libx265 -preset ultrafast \
         -x265-params log-level=none -pix_fmt yuv420p -tag:v hvc1 -c:a aac -shortest",
    );
    let turned =
        made("phone-turned.mov", &format!("-i {} -c copy -metadata:s:v:0 rotate=90 -f mov", coded.display()));
    let mut bytes = std::fs::read(turned).unwrap();
    let filling = 17 * 1024 * 1024_u32;
    bytes.extend(filling.to_be_bytes());
    bytes.extend(b"free");
    bytes.extend((8..filling).map(|at| at.to_be_bytes()[3]));
    written("phone.mov", &bytes)
}

/// A short upright clip, not conforming to anything in particular: 2.5 Mb/s H.264 with B frames, 5 s.
#[must_use]
pub fn clip() -> PathBuf {
    made(
        "clip.mp4",
        "-f lavfi -i testsrc2=s=640x360:r=25:d=5 -f lavfi -i sine=d=5 -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
         -c:a aac -shortest",
    )
}

/// Over four minutes, small and slow: 12 frames a second become 24. Made in parts.
#[must_use]
pub fn long_clip() -> PathBuf {
    made(
        "long.avi",
        "-f lavfi -i testsrc2=s=180x320:r=12:d=245 -f lavfi -i sine=d=245 -c:v mpeg4 -q:v 8 -c:a mp3 -shortest",
    )
}

/// Takes some twenty seconds to encode.
#[must_use]
pub fn heavy_clip() -> PathBuf {
    made(
        "heavy.avi",
        "-f lavfi -i testsrc2=s=1080x1920:r=30:d=12 -vf noise=alls=12:allf=t -c:v mpeg4 -b:v 20M -maxrate 20M -bufsize 20M",
    )
}

/// An upright clip that all three networks take as it is: closed GOPs, no edit list, moov first, 4 s.
#[must_use]
pub fn conforming_clip() -> PathBuf {
    made(
        "conforming.mp4",
        "-f lavfi -i testsrc2=s=540x960:r=30:d=4 -f lavfi -i sine=d=4:r=48000 -c:v libx264 -preset ultrafast -bf 0 \
         -x264-params open-gop=0:keyint=60 -pix_fmt yuv420p -c:a aac -b:a 96k -ac 2 -movflags +faststart \
         -use_editlist 0 -shortest",
    )
}

/// A clip of another seed, so that its content is another.
#[must_use]
pub fn conforming_clip_of(seed: u32) -> PathBuf {
    made(
        &format!("conforming-{seed}.mp4"),
        &format!(
            "-f lavfi -i testsrc2=s=540x960:r=30:d=4,hue=h={seed} -f lavfi -i sine=d=4:r=48000:f={} -c:v libx264 \
             -preset ultrafast -bf 0 -x264-params open-gop=0:keyint=60 -pix_fmt yuv420p -c:a aac -b:a 96k -ac 2 \
             -movflags +faststart -use_editlist 0 -shortest",
            300 + seed
        ),
    )
}

/// Green, twice as wide as high.
#[must_use]
pub fn logo() -> PathBuf {
    made("logo.png", "-f lavfi -i color=c=0x00c800:s=200x100 -frames:v 1")
}

/// A square photo, a different one for each seed.
#[must_use]
pub fn photo(seed: u32) -> PathBuf {
    made(
        &format!("photo-{seed}.jpg"),
        &format!("-f lavfi -i testsrc2=s=800x800,hue=h={} -frames:v 1 -q:v 3", seed * 17 % 360),
    )
}

/// A photo that its EXIF says to turn by 90 degrees: 600 x 400 as stored, 400 x 600 as seen, with a GPS position.
///
/// # Panics
/// When ffmpeg fails.
#[must_use]
pub fn rotated_photo() -> PathBuf {
    let plain = made("plain-600x400.jpg", "-f lavfi -i testsrc2=s=600x400 -frames:v 1 -q:v 3");
    let bytes = std::fs::read(plain).unwrap();
    // After the start marker: an APP1 segment with orientation 6 and the latitude 52° N.
    let mut tagged = bytes[..2].to_vec();
    tagged.extend(exif_segment());
    tagged.extend(&bytes[2..]);
    written("rotated.jpg", &tagged)
}

fn exif_segment() -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    // IFD0 at 8: two entries; the GPS directory follows it at 38.
    tiff.extend([0, 2]);
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]);
    tiff.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38]);
    tiff.extend([0; 4]);
    // GPS: latitude reference "N" and latitude as three rationals at 68.
    tiff.extend([0, 2]);
    tiff.extend([0x00, 0x01, 0, 2, 0, 0, 0, 2, b'N', 0, 0, 0]);
    tiff.extend([0x00, 0x02, 0, 5, 0, 0, 0, 3, 0, 0, 0, 68]);
    tiff.extend([0; 4]);
    for value in [52_u32, 31, 12] {
        tiff.extend(value.to_be_bytes());
        tiff.extend(1_u32.to_be_bytes());
    }
    let mut segment = vec![0xff, 0xe1];
    let length = u16::try_from(tiff.len() + 8).unwrap();
    segment.extend(length.to_be_bytes());
    segment.extend(b"Exif\0\0");
    segment.extend(tiff);
    segment
}

/// What the project was given to be judged by (flows of operations, real and hostile files): as its owners keep it
/// beside the repository, else the copy in it.
#[must_use]
pub fn shared(name: &str) -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    if beside.exists() { beside } else { Path::new(env!("CARGO_MANIFEST_DIR")).join("shared").join(name) }
}
