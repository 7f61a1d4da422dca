//! Who the creator is: `creator_info` before a post, `user/info` for the account.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::faults::guard;
use crate::form;
use crate::tiktok::call::Call;
use crate::tiktok::error::{Answer, ApiError, respond};
use crate::tiktok::video::public_posts;

/// `POST /v2/post/publish/creator_info/query/`.
pub async fn creator_info(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let call = match Call::open(&app, &headers) {
        Ok(call) => call,
        Err(error) => return error.into_response(),
    };
    guard(&app, call.site("creator_info"), async move { respond(creator(&call)) }).await
}

fn creator(call: &Call) -> Answer {
    call.require_scope("video.publish")?;
    call.pace("creator_info", 20)?;
    let creator = call.account.creator.clone().unwrap_or_default();
    Ok(json!({
        "creator_avatar_url": "",
        "creator_username": call.account.handle,
        "creator_nickname": call.account.handle,
        "privacy_level_options": creator.privacy_options,
        "comment_disabled": false,
        "duet_disabled": false,
        "stitch_disabled": false,
        "max_video_post_duration_sec": creator.max_duration_s,
    }))
}

/// `GET /v2/user/info/?fields=`.
pub async fn info(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let params = form::query(query.as_deref());
    let answer = Call::open(&app, &headers)
        .and_then(|call| user(&call, params.get("fields").map_or("", String::as_str)));
    respond(answer)
}

/// Every field belongs to a scope, and one field too many fails the call.
fn user(call: &Call, fields: &str) -> Answer {
    if fields.is_empty() {
        return Err(ApiError::invalid("Fields is required"));
    }
    call.pace("user_info", 600)?;
    let account = &call.account;
    let mut user = Map::new();
    for field in fields.split(',').map(str::trim) {
        let (scope, value): (_, Value) = match field {
            "open_id" => ("user.info.basic", json!(account.external_id)),
            "union_id" => ("user.info.basic", json!(account.app_scoped_id)),
            "avatar_url" => ("user.info.basic", json!("")),
            "display_name" => ("user.info.basic", json!(account.handle)),
            "username" => ("user.info.profile", json!(account.handle)),
            "follower_count" | "following_count" | "likes_count" => ("user.info.stats", json!(0)),
            "video_count" => {
                let count = public_posts(&call.app.world(), &account.external_id).count();
                ("user.info.stats", json!(count))
            }
            other => return Err(ApiError::invalid(format!("Invalid fields: {other}"))),
        };
        call.require_scope(scope)?;
        user.insert(field.to_owned(), value);
    }
    Ok(json!({ "user": user }))
}
