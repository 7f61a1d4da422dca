//! `video/init`: what is to be posted, and in which chunks it will come (PLATFORMS §5.2).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use domain::platform::Platform;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::faults::guard;
use crate::text::utf16_len;
use crate::tiktok::call::{self, Call};
use crate::tiktok::error::{Answer, ApiError, respond};
use crate::tiktok::share::Share;
use crate::world::{World, numeric_id};

/// Title, UTF-16 units.
const TITLE: usize = 2200;
/// Largest file, bytes.
const FILE: u64 = 4_000_000_000;
/// Chunk sizes, bytes: "5 MB to 64 MB" in the reading of MB that is stricter at each end.
const CHUNK_MIN: u64 = 5 << 20;
const CHUNK_MAX: u64 = 64_000_000;
const CHUNKS: u64 = 1000;
/// Below it a file is one chunk.
const WHOLE: u64 = 5_000_000;

#[derive(Deserialize)]
struct Body {
    post_info: PostInfo,
    source_info: SourceInfo,
}

#[derive(Deserialize)]
struct PostInfo {
    privacy_level: Option<String>,
    #[serde(default)]
    title: String,
}

#[derive(Deserialize)]
struct SourceInfo {
    source: String,
    video_size: Option<u64>,
    chunk_size: Option<u64>,
    total_chunk_count: Option<u64>,
}

/// `POST /v2/post/publish/video/init/`.
pub async fn video(State(app): State<Arc<App>>, headers: HeaderMap, request: Request) -> Response {
    let call = match Call::open(&app, &headers) {
        Ok(call) => call,
        Err(error) => return error.into_response(),
    };
    guard(&app, call.site("init"), async move { respond(begin(&call, request).await) }).await
}

/// `POST /v2/post/publish/content/init/`: photos are pulled from addresses whose owner has been
/// verified, and the sandbox's app has verified none.
pub async fn content(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match Call::open(&app, &headers) {
        Ok(_) => unverified().into_response(),
        Err(error) => error.into_response(),
    }
}

fn unverified() -> ApiError {
    ApiError::refused("url_ownership_unverified", "Please review our URL ownership verification rules.")
}

async fn begin(call: &Call, request: Request) -> Answer {
    call.require_scope("video.publish")?;
    call.pace("init", 6)?;
    let body: Body = call::json(request).await?;
    let privacy = check_post(call, &body.post_info)?;
    let (size, chunk, chunks) = check_source(&body.source_info)?;
    let app = &call.app;
    let now = app.clock.now();
    let mut world = app.world();
    check_quota(&world, call)?;
    let share = Share {
        upload_id: numeric_id("75", 19),
        account: call.account.external_id.clone(),
        title: body.post_info.title,
        privacy,
        size,
        chunk,
        chunks,
        uploaded: 0,
        created_at: now,
        ready_at: None,
        doomed: None,
        failed: None,
        status_lags_until: None,
    };
    let (upload_id, publish_id) = (share.upload_id.clone(), share.publish_id());
    world.shares.put(&upload_id, share)?;
    drop(world);
    let token = Share::upload_token(app, &upload_id);
    let path = format!("/open-upload.tiktokapis.com/video/?upload_id={upload_id}&upload_token={token}");
    Ok(json!({"publish_id": publish_id, "upload_url": app.link(&path)}))
}

fn check_post(call: &Call, post: &PostInfo) -> Result<String, ApiError> {
    let privacy = post.privacy_level.as_ref().filter(|level| !level.is_empty());
    let privacy = privacy.ok_or_else(|| ApiError::invalid("privacy_level is required"))?;
    let offered = call.account.creator.as_ref().map(|creator| &creator.privacy_options);
    if !offered.is_some_and(|options| options.contains(privacy)) {
        let message = "The privacy level is not among privacy_level_options of creator_info.";
        return Err(ApiError::refused("privacy_level_option_mismatch", message));
    }
    if utf16_len(&post.title) > TITLE {
        return Err(ApiError::invalid("title is longer than 2200 UTF-16 units"));
    }
    Ok(privacy.clone())
}

/// Size, chunk and number of chunks, when they are what the documents ask for.
fn check_source(source: &SourceInfo) -> Result<(u64, u64, u64), ApiError> {
    match source.source.as_str() {
        "FILE_UPLOAD" => {}
        "PULL_FROM_URL" => return Err(unverified()),
        _ => return Err(ApiError::invalid("source is FILE_UPLOAD or PULL_FROM_URL")),
    }
    let (Some(size), Some(chunk), Some(chunks)) =
        (source.video_size, source.chunk_size, source.total_chunk_count)
    else {
        return Err(ApiError::invalid("video_size, chunk_size and total_chunk_count are required"));
    };
    if size == 0 || size > FILE {
        return Err(ApiError::invalid("video_size is 1 byte to 4 GB"));
    }
    let one_chunk = chunks == 1 && chunk == size && size <= CHUNK_MAX;
    if !one_chunk && (size < WHOLE || !(CHUNK_MIN..=CHUNK_MAX).contains(&chunk)) {
        return Err(ApiError::invalid("chunk_size is 5 MB to 64 MB; a file under 5 MB is one chunk"));
    }
    if chunks != size / chunk || !(1..=CHUNKS).contains(&chunks) {
        return Err(ApiError::invalid("total_chunk_count is video_size / chunk_size, rounded down"));
    }
    Ok((size, chunk, chunks))
}

fn check_quota(world: &World, call: &Call) -> Result<(), ApiError> {
    if world.lifted.contains(&Platform::Tiktok) {
        return Ok(());
    }
    let (now, limits) = (call.app.clock.now(), &call.app.config.limits);
    let account = &call.account.external_id;
    let shares = world.shares.rows().filter(|share| share.account == *account);
    if shares.filter(|share| share.is_pending(now)).count() >= limits.tiktok_pending {
        let message = "There are too many pending shares in the last 24 hours.";
        return Err(ApiError::refused("spam_risk_too_many_pending_share", message));
    }
    let since = now - TimeDelta::hours(24);
    let posts = world.ledger.of_account(Platform::Tiktok, account).rev();
    if posts.take_while(|post| post.at > since).count() as u64 >= limits.tiktok_posts {
        let message = "The daily post cap from the API is reached for the current user.";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "spam_risk_too_many_posts", message));
    }
    Ok(())
}
