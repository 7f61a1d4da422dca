//! Looks at media with ffprobe: one child each, with a deadline, for files only.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use serde::Deserialize;
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::mp4::{self, Layout};

/// ffprobe runs at once; each takes a core.
const AT_ONCE: usize = 2;
const DEADLINE: Duration = Duration::from_secs(30);
/// Facts remembered by hash, so that a bench with one file runs ffprobe once.
const REMEMBERED: usize = 10_000;
/// Formats that the networks know; a playlist is none of them and opens no other file.
const FORMATS: &str = "mov,matroska,webm,avi,mpegts,flv,image2,jpeg_pipe,png_pipe,webp_pipe,gif,gif_pipe,\
                       bmp_pipe,tiff_pipe,mp3,aac,wav,ogg";

/// What one file is.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    pub content_type: &'static str,
    /// Longest stream, ms; 0 for a still image.
    pub duration_ms: u64,
    /// Mean of the whole file, bit/s.
    pub bit_rate: u64,
    pub video: Option<Video>,
    pub audio: Option<Audio>,
    /// For MP4 and MOV; all false for others.
    pub layout: Layout,
}

/// The first video stream, or the picture of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    pub codec: String,
    pub width: u32,
    pub height: u32,
    /// Mean frames per second; 0 for an image.
    pub fps: f64,
    pub pixel_format: String,
    pub interlaced: bool,
}

/// The first audio stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    pub codec: String,
    pub sample_rate: u32,
    pub channels: u32,
}

/// Runs ffprobe and remembers what it said.
pub struct Prober {
    slots: Semaphore,
    remembered: Mutex<HashMap<String, Option<Facts>>>,
}

impl Prober {
    /// Checks that ffprobe runs.
    pub async fn open() -> io::Result<Self> {
        let ran = Command::new("ffprobe").arg("-version").stdout(Stdio::null()).status().await?;
        if !ran.success() {
            return Err(io::Error::other(format!("it ended with {ran}")));
        }
        Ok(Self { slots: Semaphore::new(AT_ONCE), remembered: Mutex::default() })
    }

    /// The facts of a file, or `None` when it is no media that ffprobe can read.
    pub async fn look(&self, path: &Path, sha256: &str) -> io::Result<Option<Facts>> {
        let remembered = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(facts) = remembered().get(sha256) {
            return Ok(facts.clone());
        }
        let _slot = self.slots.acquire().await.map_err(io::Error::other)?;
        let facts = read(path).await?;
        let mut remembered = remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(sha256.to_owned(), facts.clone());
        Ok(facts)
    }
}

/// Writes a JPEG of the first frame, for a network's thumbnail address.
pub async fn thumbnail(video: &Path, jpeg: &Path) -> io::Result<()> {
    let mut command = bare("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y", "-protocol_whitelist", "file", "-i"]).arg(video);
    command.args(["-frames:v", "1", "-vf", "scale=640:-2", "-f", "mjpeg"]).arg(jpeg);
    let running = command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).status();
    let status = tokio::time::timeout(DEADLINE, running).await.map_err(io::Error::other)??;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("ffmpeg ended with {status}"))) }
}

/// A command that finds its executable and knows nothing else of our environment.
fn bare(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

async fn read(path: &Path) -> io::Result<Option<Facts>> {
    let mut command = bare("ffprobe");
    command.args(["-v", "error", "-protocol_whitelist", "file", "-format_whitelist", FORMATS]);
    command.args(["-show_format", "-show_streams", "-print_format", "json", "-i"]).arg(path);
    let running = command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).output();
    let Ok(output) = tokio::time::timeout(DEADLINE, running).await else { return Ok(None) };
    let output = output?;
    let Ok(report) = serde_json::from_slice::<Report>(&output.stdout) else { return Ok(None) };
    let Some(format) = report.format.filter(|_| output.status.success()) else { return Ok(None) };
    Ok(facts(&format, &report.streams, path))
}

#[derive(Deserialize)]
struct Report {
    format: Option<Format>,
    #[serde(default)]
    streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Format {
    format_name: String,
    duration: Option<String>,
    bit_rate: Option<String>,
    #[serde(default)]
    tags: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Stream {
    codec_type: Option<String>,
    codec_name: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    avg_frame_rate: Option<String>,
    pix_fmt: Option<String>,
    field_order: Option<String>,
    sample_rate: Option<String>,
    channels: Option<u32>,
    duration: Option<String>,
}

fn facts(format: &Format, streams: &[Stream], path: &Path) -> Option<Facts> {
    let stream = |kind: &str| streams.iter().find(|stream| stream.codec_type.as_deref() == Some(kind));
    let content_type = content_type(format, stream("video"))?;
    let image = content_type.starts_with("image/");
    let durations = streams.iter().filter_map(|stream| stream.duration.as_deref());
    let seconds = durations.chain(format.duration.as_deref()).filter_map(|text| text.parse::<f64>().ok());
    let duration_ms = (seconds.fold(0.0, f64::max) * 1000.0).round() as u64;
    let layout = match content_type {
        "video/mp4" | "video/quicktime" => mp4::layout(path).ok()?,
        _ => Layout::default(),
    };
    Some(Facts {
        content_type,
        duration_ms: if image { 0 } else { duration_ms },
        bit_rate: format.bit_rate.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0),
        video: stream("video").and_then(|stream| video(stream, image)),
        audio: stream("audio").map(audio),
        layout,
    })
}

fn video(stream: &Stream, image: bool) -> Option<Video> {
    let rate = stream.avg_frame_rate.as_deref().and_then(ratio).unwrap_or(0.0);
    Some(Video {
        codec: stream.codec_name.clone()?,
        width: stream.width.filter(|width| *width > 0)?,
        height: stream.height.filter(|height| *height > 0)?,
        fps: if image { 0.0 } else { rate },
        pixel_format: stream.pix_fmt.clone().unwrap_or_default(),
        interlaced: matches!(stream.field_order.as_deref(), Some("tt" | "bb" | "tb" | "bt")),
    })
}

fn audio(stream: &Stream) -> Audio {
    Audio {
        codec: stream.codec_name.clone().unwrap_or_default(),
        sample_rate: stream.sample_rate.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0),
        channels: stream.channels.unwrap_or(0),
    }
}

/// `30000/1001` as a number; `0/0` is none.
fn ratio(text: &str) -> Option<f64> {
    let (over, under) = text.split_once('/')?;
    let (over, under): (f64, f64) = (over.parse().ok()?, under.parse().ok()?);
    (under > 0.0).then(|| over / under)
}

/// The media type that the bytes, not the sender, give the file.
fn content_type(format: &Format, video: Option<&Stream>) -> Option<&'static str> {
    let codec = video.and_then(|stream| stream.codec_name.as_deref());
    let names: Vec<&str> = format.format_name.split(',').collect();
    let named = |name: &str| names.contains(&name);
    let quicktime = format.tags.get("major_brand").is_some_and(|brand| brand.starts_with("qt"));
    Some(match codec {
        _ if named("mov") && quicktime => "video/quicktime",
        _ if named("mov") => "video/mp4",
        Some("vp8" | "vp9" | "av1") if named("webm") => "video/webm",
        _ if named("matroska") => "video/x-matroska",
        Some("mjpeg") if named("jpeg_pipe") || named("image2") => "image/jpeg",
        Some("png") if named("png_pipe") || named("image2") => "image/png",
        Some("webp") => "image/webp",
        Some("gif") => "image/gif",
        Some("bmp") => "image/bmp",
        Some("tiff") => "image/tiff",
        Some(_) => "video/mpeg",
        None => "audio/mpeg",
    })
}
