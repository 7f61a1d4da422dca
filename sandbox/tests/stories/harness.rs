//! A sandbox of its own for each story, media made by ffmpeg, and a server that offers it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use sandbox::{RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest wait for something that the sandbox does in the background.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub client: Client,
    pub files: PathBuf,
    /// Serves `files`; `/moved/NAME` redirects to `/NAME`.
    pub file_server: String,
    pub url: String,
    running: Option<RunningSandbox>,
    dir: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let files = dir.path().join("files");
        std::fs::create_dir(&files).unwrap();
        let running = start(dir.path()).await;
        let url = running.url.as_str().trim_end_matches('/').to_owned();
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        let file_server = serve_files(files.clone()).await;
        Self { client, files, file_server, url, running: Some(running), dir }
    }

    /// Stops the sandbox and starts another one on the same directory.
    pub async fn restart(&mut self) {
        self.running.take().unwrap().shutdown().await;
        let running = start(self.dir.path()).await;
        self.url = running.url.as_str().trim_end_matches('/').to_owned();
        self.running = Some(running);
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("sandbox")
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let (status, answer) = answer(self.post(path).json(&body)).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub async fn account(&self, platform: &str, handle: &str) -> Value {
        self.control("/sandbox/accounts", json!({"platform": platform, "handle": handle})).await
    }

    pub async fn ledger(&self) -> Vec<Value> {
        let (_, answer) = answer(self.get("/sandbox/ledger")).await;
        answer["posts"].as_array().unwrap().clone()
    }

    pub async fn advance(&self, by: Duration) {
        self.control("/sandbox/clock", json!({"advanceMs": by.as_millis() as u64})).await;
    }

    /// Goes through the consent page and returns the parameters of the way back.
    pub async fn consent(&self, page: &str, query: &[(&str, &str)]) -> Vec<(String, String)> {
        let response = self.get(page).query(query).send().await.unwrap();
        assert_eq!(response.status(), 302);
        let location = response.headers()["location"].to_str().unwrap();
        let back = url::Url::parse(location).unwrap();
        back.query_pairs().into_owned().collect()
    }

    /// A file made by ffmpeg with these arguments, made once in a story.
    pub fn made(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.files.join(name);
        if !path.exists() {
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-nostdin"]).args(arguments.split_whitespace()).arg(&path);
            assert!(ffmpeg.status().unwrap().success(), "ffmpeg {arguments}");
        }
        path
    }

    /// An upright clip that all three networks take: 540 x 960, 4 s, no edit list, moov first.
    pub fn reel(&self) -> PathBuf {
        self.made(
            "reel.mp4",
            "-f lavfi -i testsrc2=s=540x960:r=30:d=4 -f lavfi -i sine=d=4 -c:v libx264 -preset ultrafast \
             -pix_fmt yuv420p -bf 0 -c:a aac -movflags +faststart -use_editlist 0 -shortest",
        )
    }

    pub fn photo(&self) -> PathBuf {
        self.made("photo.jpg", "-f lavfi -i testsrc2=s=1080x1080 -frames:v 1")
    }

    pub fn offered(&self, path: &Path) -> String {
        format!("{}/{}", self.file_server, path.file_name().unwrap().to_str().unwrap())
    }
}

async fn start(dir: &Path) -> RunningSandbox {
    let mut config = SandboxConfig::new(dir.join("sandbox"), "127.0.0.1:0".parse().unwrap());
    config.processing = Duration::from_millis(200);
    config.moderation = Duration::from_millis(200);
    Sandbox::start(config).await.unwrap()
}

/// Status and JSON body of a call.
pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Asks until the answer is there.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited too long: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn serve_files(files: PathBuf) -> String {
    async fn file(State(dir): State<PathBuf>, UrlPath(name): UrlPath<String>) -> Response {
        let kind = match name.rsplit('.').next() {
            Some("jpg") => "image/jpeg",
            Some("png") => "image/png",
            Some("mp4") => "video/mp4",
            _ => "text/html",
        };
        match tokio::fs::read(dir.join(name)).await {
            Ok(bytes) => ([("content-type", kind)], bytes).into_response(),
            Err(_) => StatusCode::NOT_FOUND.into_response(),
        }
    }
    async fn moved(UrlPath(name): UrlPath<String>) -> Redirect {
        Redirect::temporary(&format!("/{name}"))
    }
    let router =
        Router::new().route("/{name}", get(file)).route("/moved/{name}", get(moved)).with_state(files);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
