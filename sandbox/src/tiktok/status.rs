//! `status/fetch`: how far a share is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::platform::Platform;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::faults::guard;
use crate::tiktok::call::{self, Call};
use crate::tiktok::error::{Answer, ApiError, respond};
use crate::tiktok::share::upload_id;

#[derive(Deserialize)]
struct Body {
    publish_id: String,
}

/// `POST /v2/post/publish/status/fetch/`.
pub async fn fetch(State(app): State<Arc<App>>, headers: HeaderMap, request: Request) -> Response {
    let call = match Call::open(&app, &headers) {
        Ok(call) => call,
        Err(error) => return error.into_response(),
    };
    guard(&app, call.site("status"), async move { respond(status(&call, request).await) }).await
}

async fn status(call: &Call, request: Request) -> Answer {
    call.require_scope("video.publish")?;
    call.pace("status", 30)?;
    let body: Body = call::json(request).await?;
    let unknown =
        || ApiError::new(StatusCode::BAD_REQUEST, "invalid_publish_id", "The publish_id does not exist.");
    let world = call.app.world();
    let share = upload_id(&body.publish_id).and_then(|id| world.shares.get(id)).ok_or_else(unknown)?;
    if share.account != call.account.external_id {
        let message = "The access token is not authorized for this publish_id.";
        return Err(ApiError::refused("token_not_authorized_for_specified_publish_id", message));
    }
    let mut data = json!({"status": "PROCESSING_UPLOAD", "uploaded_bytes": share.uploaded});
    let now = call.app.clock.now();
    if let Some(reason) = &share.failed {
        data["status"] = json!("FAILED");
        data["fail_reason"] = json!(reason);
        return Ok(data);
    }
    let Some(post) = world.ledger.of_handle(Platform::Tiktok, &body.publish_id) else { return Ok(data) };
    if share.status_lags_until.is_some_and(|until| now < until) {
        return Ok(data);
    }
    data["status"] = json!("PUBLISH_COMPLETE");
    let public = post.privacy.as_deref() == Some("PUBLIC_TO_EVERYONE");
    if public && now >= post.at + call.app.config.moderation {
        let id: u64 = post.remote_id.parse().unwrap_or_default();
        data["publicaly_available_post_id"] = json!([id]);
    }
    Ok(data)
}
