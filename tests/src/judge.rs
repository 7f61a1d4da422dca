//! What an impartial reader of files says: ffprobe, not our own engine.

use std::process::{Command, Stdio};

use serde_json::Value;

/// What ffprobe sees in a file.
#[derive(Debug)]
pub struct Seen {
    pub container: String,
    pub video_codec: String,
    pub audio_codec: Option<String>,
    pub pixel_format: String,
    pub width: u64,
    pub height: u64,
    pub rotation: i64,
    pub duration_s: f64,
    /// Of the video.
    pub frames: u64,
    pub tags: Value,
}

/// Looks at a file's bytes.
///
/// # Panics
/// When ffprobe cannot read them.
#[must_use]
pub fn look(bytes: &[u8]) -> Seen {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_format", "-show_streams", "-of", "json"])
        .arg(file.path())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "ffprobe cannot read {} bytes", bytes.len());
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let stream = |kind: &str| seen["streams"].as_array().unwrap().iter().find(|s| s["codec_type"] == kind);
    let video = stream("video").unwrap();
    let sides = video["side_data_list"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Seen {
        container: text(&seen["format"]["format_name"]),
        video_codec: text(&video["codec_name"]),
        audio_codec: stream("audio").map(|audio| text(&audio["codec_name"])),
        pixel_format: text(&video["pix_fmt"]),
        width: video["width"].as_u64().unwrap(),
        height: video["height"].as_u64().unwrap(),
        rotation: sides.filter_map(|side| side["rotation"].as_i64()).next().unwrap_or(0),
        duration_s: seen["format"]["duration"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0.0),
        frames: video["nb_frames"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0),
        tags: seen["format"]["tags"].clone(),
    }
}

/// Whether the index of an MP4 stands before its frames, and no box of it is an edit list.
#[must_use]
pub fn streams_at_once(bytes: &[u8]) -> bool {
    let find = |name: &[u8]| bytes.windows(4).position(|window| window == name);
    let moov_first = find(b"moov") < find(b"mdat");
    let moov_end = find(b"mdat").unwrap_or(bytes.len());
    moov_first && !bytes[..moov_end].windows(4).any(|window| window == b"elst")
}

/// A frame from the middle of the first second, as it is stored.
#[derive(Debug)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// Red, green and blue of each pixel, row by row.
    rgb: Vec<u8>,
}

/// Decodes one frame with ffmpeg.
///
/// # Panics
/// When it cannot be decoded.
#[must_use]
pub fn picture(bytes: &[u8]) -> Picture {
    let seen = look(bytes);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-noautorotate", "-ss", "0.5", "-i"])
        .arg(file.path())
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let side = |side: u64| usize::try_from(side).unwrap();
    let (width, height) = (side(seen.width), side(seen.height));
    assert_eq!(output.stdout.len(), width * height * 3, "one frame");
    Picture { width, height, rgb: output.stdout }
}

impl Picture {
    /// Fails unless the pixel has about this colour.
    ///
    /// # Panics
    /// When it has another.
    pub fn assert_near(&self, (x, y): (usize, usize), wanted: [u8; 3]) {
        let at = (y * self.width + x) * 3;
        let shown = &self.rgb[at..at + 3];
        let near = shown.iter().zip(wanted).all(|(shown, wanted)| shown.abs_diff(wanted) <= 16);
        assert!(near, "({x}, {y}): {shown:?} instead of {wanted:?}");
    }
}
