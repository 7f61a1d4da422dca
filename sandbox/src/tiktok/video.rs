//! `video/list`: the creator's public videos, newest first.

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::platform::Platform;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::app::App;
use crate::form;
use crate::ledger::Post;
use crate::tiktok::call::{self, Call};
use crate::tiktok::error::{Answer, ApiError, respond};
use crate::world::World;

const PAGE: usize = 10;
const PAGE_MAX: usize = 20;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    /// Unix ms; videos made before it are listed.
    cursor: Option<i64>,
    max_count: Option<usize>,
}

/// `POST /v2/video/list/?fields=`.
pub async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let fields = form::query(query.as_deref()).remove("fields").unwrap_or_default();
    let answer = async {
        let call = Call::open(&app, &headers)?;
        call.require_scope("video.list")?;
        call.pace("video_list", 600)?;
        page(&call, &fields, &call::json(request).await?)
    };
    respond(answer.await)
}

/// The posts that everybody can see, by API or by hand, in no order.
pub fn public_posts<'a>(world: &'a World, account: &'a str) -> impl Iterator<Item = &'a Post> {
    let by_hand = world.handmade.rows();
    let by_hand = by_hand.filter(move |post| post.platform == Platform::Tiktok && post.account == account);
    let posts = world.ledger.of_account(Platform::Tiktok, account).chain(by_hand);
    posts.filter(|post| post.privacy.as_deref() == Some("PUBLIC_TO_EVERYONE"))
}

fn page(call: &Call, fields: &str, body: &Body) -> Answer {
    if fields.is_empty() {
        return Err(ApiError::invalid("Fields is required"));
    }
    let count = body.max_count.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&count) {
        return Err(ApiError::invalid("max_count is 1 to 20"));
    }
    let now = call.app.clock.now();
    let world = call.app.world();
    let before = body.cursor.filter(|cursor| *cursor > 0).unwrap_or(i64::MAX);
    let mut posts: Vec<_> = public_posts(&world, &call.account.external_id)
        .filter(|post| post.listed_at <= now && post.at.timestamp_millis() < before)
        .collect();
    posts.sort_by_key(|post| std::cmp::Reverse(post.at));
    let page = &posts[..posts.len().min(count)];
    let videos = page.iter().map(|post| video(&call.account, post, fields)).collect::<Result<Vec<_>, _>>()?;
    let cursor = page.last().map_or(0, |post| post.at.timestamp_millis());
    Ok(json!({"videos": videos, "cursor": cursor, "has_more": posts.len() > page.len()}))
}

fn video(account: &Account, post: &Post, fields: &str) -> Result<Value, ApiError> {
    let media = post.media.first();
    let mut video = Map::new();
    for field in fields.split(',').map(str::trim) {
        let value = match field {
            "id" => json!(post.remote_id),
            "create_time" => json!(post.at.timestamp()),
            "title" | "video_description" => json!(post.caption),
            "share_url" => {
                json!(format!("https://www.tiktok.com/@{}/video/{}", account.handle, post.remote_id))
            }
            "duration" => json!(media.map_or(0, |media| media.duration_ms.div_ceil(1000))),
            "width" => json!(media.map_or(0, |media| media.width)),
            "height" => json!(media.map_or(0, |media| media.height)),
            "like_count" | "comment_count" | "share_count" | "view_count" => json!(0),
            "cover_image_url" | "embed_html" | "embed_link" => json!(""),
            other => return Err(ApiError::invalid(format!("Invalid fields: {other}"))),
        };
        video.insert(field.to_owned(), value);
    }
    Ok(Value::Object(video))
}
