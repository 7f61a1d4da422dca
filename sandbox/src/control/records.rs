//! What a checker reads: the ledger, the latest calls, the media files.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::platform::Platform;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::services::ServeFile;

use crate::app::App;
use crate::ledger::Post;
use crate::media_store::is_sha256;

/// Where the ledger is read from.
#[derive(Deserialize)]
pub struct Since {
    #[serde(default)]
    since: u64,
}

/// `GET /sandbox/ledger?since=SEQ`: the posts after that entry, oldest first.
pub async fn ledger(State(app): State<Arc<App>>, Query(from): Query<Since>) -> Json<Value> {
    let world = app.world();
    let posts: Vec<_> = world.ledger.since(from.since).iter().map(|post| described(&app, post)).collect();
    Json(json!({ "posts": posts }))
}

/// A ledger entry with addresses at which its media can be fetched.
fn described(app: &App, post: &Post) -> Value {
    let mut entry = json!(post);
    for (item, media) in post.media.iter().enumerate() {
        entry["media"][item]["url"] = json!(app.link(&format!("/sandbox/media/{}", media.file.sha256)));
    }
    entry
}

/// Whose calls are read.
#[derive(Deserialize)]
pub struct Of {
    platform: Option<Platform>,
}

/// `GET /sandbox/requests?platform=`: the latest 5000 calls, oldest first.
pub async fn requests(State(app): State<Arc<App>>, Query(of): Query<Of>) -> Json<Value> {
    Json(json!({ "requests": app.requests.of(of.platform) }))
}

/// `GET /sandbox/media/SHA`: a file as the sandbox received it, ranges included.
pub async fn media(State(app): State<Arc<App>>, Path(sha256): Path<String>, request: Request) -> Response {
    if !is_sha256(&sha256) {
        return StatusCode::NOT_FOUND.into_response();
    }
    serve(&app, &sha256, request).await
}

/// Answers with a stored file under the type that its bytes have.
pub async fn serve(app: &App, sha256: &str, request: Request) -> Response {
    let path = app.media.path(sha256);
    let facts = app.prober.look(&path, sha256).await.ok().flatten();
    let kind = facts.map_or("application/octet-stream", |facts| facts.content_type);
    let Ok(kind) = kind.parse() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    match ServeFile::new_with_mime(path, &kind).try_call(request).await {
        Ok(response) => response.into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
