//! Reading one object by its id: the account, a container, a post, an item of a carousel.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::instagram::call::{Answer, Call};
use crate::instagram::container::{Container, Status};
use crate::instagram::error::GraphError;
use crate::instagram::fields::{self, Field};
use crate::instagram::{cdn, list};
use crate::ledger::{Post, PostKind, PostMedia};
use crate::world::World;

/// The step of a read, for faults; the account itself has none.
pub fn step(call: &Call, id: &str) -> Option<&'static str> {
    if call.is_me(id) {
        return None;
    }
    Some(if call.app.world().containers.get(id).is_some() { "status" } else { "media" })
}

/// `GET /{id}?fields=`.
pub fn read(call: &Call, id: &str) -> Answer {
    let fields = fields::parse(call.param("fields"))?;
    if call.is_me(id) {
        return me(call, &fields);
    }
    let world = call.app.world();
    let own = |account: &str| account == call.account.external_id;
    if let Some(container) = world.containers.get(id).filter(|container| own(&container.account)) {
        return status(call, &world, container, &fields);
    }
    for post in list::posts(&world, &call.account.external_id) {
        if post.remote_id == id {
            return media(call, post, &fields);
        }
        if let Some(item) = post.media.iter().find(|item| item.id == id) {
            return child(call, post, item, &fields);
        }
    }
    Err(GraphError::missing("get", id))
}

fn me(call: &Call, asked: &[Field]) -> Answer {
    let posts = list::posts(&call.app.world(), &call.account.external_id).count();
    let account = &call.account;
    fields::select(asked, &account.app_scoped_id, |field| {
        Ok(match field.name.as_str() {
            "id" => Value::Null,
            "user_id" => json!(account.external_id),
            "username" | "name" => json!(account.handle),
            "account_type" => json!("BUSINESS"),
            "media_count" => json!(posts),
            "followers_count" | "follows_count" => json!(0),
            "profile_picture_url" | "biography" | "website" => Value::Null,
            _ => return Err(fields::unknown(field)),
        })
    })
}

fn status(call: &Call, world: &World, container: &Container, asked: &[Field]) -> Answer {
    let (code, text) = match container.shown_status(world, call.app.clock.now()) {
        Status::InProgress => ("IN_PROGRESS", "In Progress: Media is still being processed.".to_owned()),
        Status::Finished => {
            ("FINISHED", "Finished: Media has been uploaded and it is ready to be published.".to_owned())
        }
        Status::Published => ("PUBLISHED", "Published: Media has been already published.".to_owned()),
        Status::Expired => {
            ("EXPIRED", "Expired: Media has expired and can no longer be published.".to_owned())
        }
        Status::Error(subcode) => {
            ("ERROR", format!("Error: Media upload has failed with error code {subcode}"))
        }
    };
    fields::select(asked, &container.id, |field| {
        Ok(match field.name.as_str() {
            "id" => Value::Null,
            "status_code" => json!(code),
            "status" => json!(text),
            _ => return Err(fields::unknown(field)),
        })
    })
}

/// A post with the fields that were asked for.
pub fn media(call: &Call, post: &Post, asked: &[Field]) -> Answer {
    let (media_type, product) = match post.kind {
        PostKind::Photo => ("IMAGE", "FEED"),
        PostKind::Carousel => ("CAROUSEL_ALBUM", "FEED"),
        _ => ("VIDEO", "REELS"),
    };
    let short = shortcode(&post.remote_id);
    let first = post.media.first();
    fields::select(asked, &post.remote_id, |field| {
        Ok(match field.name.as_str() {
            "id" => Value::Null,
            "caption" if post.caption.is_empty() => Value::Null,
            "caption" => json!(post.caption),
            "media_type" => json!(media_type),
            "media_product_type" => json!(product),
            "media_url" => first.map_or(Value::Null, |item| json!(cdn::link(&call.app, post, item))),
            "thumbnail_url" if media_type == "VIDEO" => {
                first.map_or(Value::Null, |item| json!(cdn::thumbnail_link(&call.app, post, item)))
            }
            "permalink" => {
                let kind = if product == "REELS" { "reel" } else { "p" };
                json!(format!("https://www.instagram.com/{kind}/{short}/"))
            }
            "shortcode" => json!(short),
            "timestamp" => json!(timestamp(post)),
            "username" => json!(call.account.handle),
            "alt_text" => json!(first.and_then(|item| item.alt_text.as_deref())),
            "is_shared_to_feed" if product == "REELS" => json!(post.share_to_feed),
            "comments_count" | "like_count" => json!(0),
            "is_comment_enabled" => json!(true),
            "owner" => json!({ "id": call.account.external_id }),
            "children" if post.kind == PostKind::Carousel => {
                json!({ "data": children(call, post, &field.inner)? })
            }
            "thumbnail_url" | "is_shared_to_feed" | "children" => Value::Null,
            _ => return Err(fields::unknown(field)),
        })
    })
}

/// The items of a carousel, in order.
pub fn children(call: &Call, post: &Post, asked: &[Field]) -> Result<Vec<Value>, GraphError> {
    post.media.iter().map(|item| child(call, post, item, asked)).collect()
}

/// An item has neither caption nor permalink of its own.
fn child(call: &Call, post: &Post, item: &PostMedia, asked: &[Field]) -> Answer {
    fields::select(asked, &item.id, |field| {
        Ok(match field.name.as_str() {
            "id" => Value::Null,
            "media_type" => json!(if item.is_video() { "VIDEO" } else { "IMAGE" }),
            "media_url" => json!(cdn::link(&call.app, post, item)),
            "thumbnail_url" if item.is_video() => json!(cdn::thumbnail_link(&call.app, post, item)),
            "thumbnail_url" => Value::Null,
            "timestamp" => json!(timestamp(post)),
            "username" => json!(call.account.handle),
            "alt_text" => json!(item.alt_text),
            "permalink" | "shortcode" | "owner" => Value::Null,
            _ => return Err(fields::unknown(field)),
        })
    })
}

/// `2026-11-20T10:00:00+0000`.
fn timestamp(post: &Post) -> String {
    post.at.format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

fn shortcode(remote_id: &str) -> String {
    let number: u64 = remote_id.parse().unwrap_or_default();
    URL_SAFE_NO_PAD.encode(number.to_be_bytes())
}
