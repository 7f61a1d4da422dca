//! Media that every network takes, made once, and a file server with ranges.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use connectors::PostMedia;
use domain::platform::MediaKind;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;
use url::Url;

static FILES: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let photo = ["-f", "lavfi", "-i", "testsrc=size=1080x1080", "-frames:v", "1", "-pix_fmt", "yuvj420p"];
    ffmpeg(&photo, &dir.path().join("photo.jpg"));
    let clip = [
        "-f",
        "lavfi",
        "-i",
        "testsrc=size=540x960:rate=30",
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=440:sample_rate=44100",
        "-t",
        "4",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-ac",
        "2",
        "-movflags",
        "+faststart",
        "-use_editlist",
        "0",
    ];
    ffmpeg(&clip, &dir.path().join("clip.mp4"));
    // The same clip in five chunks: a `free` box at its end is part of a conforming file.
    let mut long = std::fs::read(dir.path().join("clip.mp4")).unwrap();
    let padding = 50_000_123 - long.len();
    long.extend(u32::try_from(padding).unwrap().to_be_bytes());
    long.extend(b"free");
    long.resize(50_000_123, 0);
    std::fs::write(dir.path().join("long.mp4"), long).unwrap();
    std::fs::write(dir.path().join("text.mp4"), "this is no video").unwrap();
    dir
});

fn ffmpeg(arguments: &[&str], to: &Path) {
    let done = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).arg(to).status().unwrap();
    assert!(done.success(), "ffmpeg made no {}", to.display());
}

/// Serves the files on this machine; ends with the test's runtime.
pub async fn serve() -> Url {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let app = axum::Router::new().fallback_service(ServeDir::new(FILES.path()));
    tokio::spawn(async move { axum::serve(listener, app).await });
    base
}

/// One of the files, described as a probe would.
pub fn media(base: &Url, name: &str) -> PostMedia {
    let bytes = std::fs::read(path(name)).unwrap();
    let is_video = Path::new(name).extension().is_some_and(|extension| extension == "mp4");
    let (width, height) = if is_video { (540, 960) } else { (1080, 1080) };
    PostMedia {
        kind: if is_video { MediaKind::Video } else { MediaKind::Image },
        public_url: base.join(name).unwrap(),
        read_url: base.join(name).unwrap(),
        content_type: if is_video { "video/mp4" } else { "image/jpeg" }.into(),
        bytes: bytes.len() as u64,
        width,
        height,
        duration_ms: is_video.then_some(4000),
        sha256: hex::encode(Sha256::digest(&bytes)),
    }
}

pub fn path(name: &str) -> PathBuf {
    FILES.path().join(name)
}
