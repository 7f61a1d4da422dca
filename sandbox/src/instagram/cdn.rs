//! The CDN: addresses of media that are signed and end.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::platform::Platform;

use crate::app::App;
use crate::control::serve_file;
use crate::faults::{Site, guard};
use crate::form;
use crate::ledger::{Post, PostMedia};
use crate::media_store::is_sha256;
use crate::probe;

/// Where the file itself is.
pub fn link(app: &App, post: &Post, item: &PostMedia) -> String {
    let extension = match item.content_type.as_str() {
        "image/jpeg" => "jpg",
        "video/quicktime" => "mov",
        kind => kind.split('/').nth(1).unwrap_or("bin"),
    };
    signed(app, "v", &format!("{}.{extension}", item.file.sha256), &post.account)
}

/// Where a JPEG of the first frame is.
pub fn thumbnail_link(app: &App, post: &Post, item: &PostMedia) -> String {
    signed(app, "t", &format!("{}.jpg", item.file.sha256), &post.account)
}

fn signed(app: &App, kind: &str, file: &str, account: &str) -> String {
    let ends = (app.clock.now() + app.config.cdn_ttl).timestamp();
    let signature = signature(app, kind, file, account, &format!("{ends:x}"));
    app.link(&format!("/cdn.instagram.com/{kind}/{file}?ig={account}&oe={ends:x}&oh={signature}"))
}

fn signature(app: &App, kind: &str, file: &str, account: &str, ends: &str) -> String {
    app.sign(&format!("cdn {kind} {file} {account} {ends}"))
}

/// `GET /cdn.instagram.com/{kind}/{file}`: 403 once the address has ended or was changed.
pub async fn serve(
    State(app): State<Arc<App>>,
    Path((kind, file)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let params = form::query(query.as_deref());
    let param = |name: &str| params.get(name).map_or("", String::as_str);
    if param("oh") != signature(&app, &kind, &file, param("ig"), param("oe")) {
        return (StatusCode::FORBIDDEN, "URL signature mismatch").into_response();
    }
    let ends = i64::from_str_radix(param("oe"), 16).unwrap_or_default();
    if ends <= app.clock.now().timestamp() {
        return (StatusCode::FORBIDDEN, "URL signature expired").into_response();
    }
    let sha256 = file.split('.').next().unwrap_or("").to_owned();
    if !is_sha256(&sha256) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let site = Site { platform: Platform::Instagram, step: "media", account: param("ig").to_owned() };
    let inner = Arc::clone(&app);
    guard(&app, site, async move {
        if kind == "v" {
            return serve_file(&inner, &sha256, request).await;
        }
        thumbnail(&inner, &sha256).await
    })
    .await
}

async fn thumbnail(app: &App, sha256: &str) -> Response {
    let jpeg = app.config.data_dir.join("arriving").join(format!("{}.jpg", uuid::Uuid::new_v4()));
    let made = probe::thumbnail(&app.media.path(sha256), &jpeg).await;
    let bytes = tokio::fs::read(&jpeg).await;
    drop(tokio::fs::remove_file(&jpeg).await);
    match (made, bytes) {
        (Ok(()), Ok(bytes)) => ([("content-type", "image/jpeg")], bytes).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
