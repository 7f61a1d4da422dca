//! `PUT` of chunks, strictly in order; the last one commits the post (PLATFORMS §5.2).

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::platform::Platform;

use crate::app::App;
use crate::faults::{Fault, Site, guard};
use crate::form;
use crate::journal::StorageError;
use crate::media_store::ReceiveError;
use crate::tiktok::process;
use crate::tiktok::share::Share;

const TYPES: [&str; 3] = ["video/mp4", "video/quicktime", "video/webm"];

/// `PUT /open-upload.tiktokapis.com/video/?upload_id&upload_token`.
pub async fn chunk(State(app): State<Arc<App>>, RawQuery(query): RawQuery, request: Request) -> Response {
    let params = form::query(query.as_deref());
    let param = |name: &str| params.get(name).map_or("", String::as_str);
    let upload_id = param("upload_id").to_owned();
    let Some(share) = app.world().shares.get(&upload_id).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if param("upload_token") != Share::upload_token(&app, &upload_id) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let site = Site { platform: Platform::Tiktok, step: "upload", account: share.account.clone() };
    let inner = Arc::clone(&app);
    guard(&app, site.clone(), async move {
        match receive(&inner, &site, share, request).await {
            Ok(response) => response,
            Err(error) => inner.broken(&error),
        }
    })
    .await
}

async fn receive(
    app: &Arc<App>,
    site: &Site,
    share: Share,
    request: Request,
) -> Result<Response, StorageError> {
    if share.has_expired(app.clock.now()) {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    let Some((first, length)) = range(&share, request.headers()) else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    if first != share.uploaded || share.is_uploaded() {
        return Ok(progress(StatusCode::RANGE_NOT_SATISFIABLE, share.uploaded, share.size));
    }
    if length != share.chunk_len(first) {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    }
    let body = Body::into_data_stream(request.into_body());
    let arrived = match app.media.arrive(body, length).await {
        Ok(arrived) if arrived.stored.bytes == length => arrived,
        Err(ReceiveError::Storage(error)) => return Err(error),
        _ => return Ok(StatusCode::BAD_REQUEST.into_response()),
    };
    let part = part(app, &share.upload_id, first);
    let dir = parts(app, &share.upload_id);
    tokio::fs::create_dir_all(&dir).await.map_err(StorageError::at(&dir))?;
    let uploaded = {
        let mut world = app.world();
        let current = world.shares.get(&share.upload_id).map_or(first, |share| share.uploaded);
        if current != first {
            return Ok(progress(StatusCode::RANGE_NOT_SATISFIABLE, current, share.size));
        }
        arrived.keep_as(&part)?;
        let uploaded = first + length;
        world.shares.change(&share.upload_id, |share| share.uploaded = uploaded)?;
        uploaded
    };
    if uploaded < share.size {
        return Ok(progress(StatusCode::PARTIAL_CONTENT, uploaded, share.size));
    }
    commit(app, site, &share.upload_id)?;
    Ok(progress(StatusCode::CREATED, uploaded, share.size))
}

/// The whole file is here: the network begins to work on it.
fn commit(app: &Arc<App>, site: &Site, upload_id: &str) -> Result<(), StorageError> {
    let steps = ["init", "upload", "status"];
    let mut world = app.world();
    let slower = world.faults.take_inner(Fault::SlowProcessing, site, &steps);
    let failed = world.faults.take_inner(Fault::ProcessingFailed, site, &steps);
    let slower = slower.map_or_else(Default::default, |order| order.delay(5000));
    let ready_at = app.clock.now() + app.config.processing + slower;
    world.shares.change(upload_id, |share| {
        share.ready_at = Some(ready_at);
        share.doomed = failed.map(|order| order.code.unwrap_or_else(|| "internal".to_owned()));
    })?;
    drop(world);
    process::spawn(app, upload_id);
    Ok(())
}

/// The first byte and the length of a chunk whose headers agree with each other and the share.
fn range(share: &Share, headers: &HeaderMap) -> Option<(u64, u64)> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(header::CONTENT_TYPE)?;
    let length: u64 = text(header::CONTENT_LENGTH)?.parse().ok()?;
    let (bytes, total) = text(header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = bytes.split_once('-')?;
    let (first, last, total): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    let agrees = last.checked_sub(first).map(|span| span + 1) == Some(length);
    (TYPES.contains(&kind) && total == share.size && last < total && agrees).then_some((first, length))
}

fn progress(status: StatusCode, uploaded: u64, size: u64) -> Response {
    let range = match uploaded.checked_sub(1) {
        Some(last) => format!("bytes 0-{last}/{size}"),
        None => format!("bytes */{size}"),
    };
    (status, [(header::CONTENT_RANGE, range)]).into_response()
}

/// Where the chunks of a share wait for the last one.
pub fn parts(app: &App, upload_id: &str) -> PathBuf {
    app.config.data_dir.join("uploads").join(upload_id)
}

/// The chunk that begins at `first`.
pub fn part(app: &App, upload_id: &str, first: u64) -> PathBuf {
    parts(app, upload_id).join(first.to_string())
}
