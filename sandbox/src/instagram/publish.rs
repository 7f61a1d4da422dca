//! `media_publish`, the only call that makes a post, and the quota on it.

use chrono::TimeDelta;
use domain::platform::Platform;
use serde_json::{Value, json};

use crate::app::App;
use crate::faults::Fault;
use crate::instagram::call::{Answer, Call};
use crate::instagram::container::{Container, Status};
use crate::instagram::error::{self, GraphError};
use crate::ledger::Post;
use crate::world::{World, numeric_id};

const DAY: TimeDelta = TimeDelta::hours(24);

/// `POST /{ig-user}/media_publish`: once for each container.
pub async fn publish(call: &Call) -> Answer {
    call.require_scope("instagram_business_content_publish")?;
    let remote_id = commit(call, call.required("creation_id")?)?;
    call.app.ledger_synced().await?;
    Ok(json!({ "id": remote_id }))
}

/// Checks and publishes under one lock, so that two calls for one container make one post.
fn commit(call: &Call, creation_id: &str) -> Result<String, GraphError> {
    let now = call.app.clock.now();
    let mut world = call.app.world();
    let container = world.containers.get(creation_id).cloned();
    let own = container.filter(|container| container.account == call.account.external_id);
    let container = own.ok_or(error::NOT_FOUND)?;
    if container.is_item {
        return Err(GraphError::parameter("creation_id is an item of a carousel; publish the carousel"));
    }
    match container.status(&world, now) {
        Status::Finished => {}
        Status::Published if world.republish => {}
        Status::InProgress | Status::Error(_) => return Err(error::NOT_READY.into()),
        Status::Expired | Status::Published => return Err(error::GONE.into()),
    }
    let limited = !world.lifted.contains(&Platform::Instagram);
    if limited && used(&world, call) >= call.app.config.limits.instagram_posts {
        return Err(error::QUOTA.into());
    }
    let mut post = post(&call.app, &container);
    let site = call.site("publish");
    if let Some(order) = world.faults.take_inner(Fault::ListingLag, &site, &["publish", "list"]) {
        post.listed_at = now + order.delay(5000);
    }
    if let Some(order) = world.faults.take_inner(Fault::ListingLag, &site, &["status"]) {
        let until = now + order.delay(5000);
        world.containers.change(creation_id, |container| container.status_lags_until = Some(until))?;
    }
    let remote_id = post.remote_id.clone();
    world.ledger.append(post)?;
    Ok(remote_id)
}

fn post(app: &App, container: &Container) -> Post {
    let now = app.clock.now();
    Post {
        seq: 0,
        platform: Platform::Instagram,
        account: container.account.clone(),
        remote_id: numeric_id("179", 17),
        kind: container.kind,
        caption: container.caption.clone(),
        media: container.media.clone(),
        at: now,
        handle: Some(container.id.clone()),
        reply_to: None,
        privacy: None,
        share_to_feed: container.share_to_feed,
        listed_at: now,
    }
}

/// Posts by API in the last 24 h.
fn used(world: &World, call: &Call) -> u64 {
    let since = call.app.clock.now() - DAY;
    let posts = world.ledger.of_account(Platform::Instagram, &call.account.external_id);
    posts.rev().take_while(|post| post.at > since).count() as u64
}

/// `GET /{ig-user}/content_publishing_limit?fields=config,quota_usage`.
pub fn limit(call: &Call) -> Answer {
    let usage = used(&call.app.world(), call);
    let mut entry = serde_json::Map::new();
    for field in call.param("fields").unwrap_or("quota_usage").split(',') {
        let value: Value = match field.trim() {
            "quota_usage" => json!(usage),
            "config" => {
                let total = call.app.config.limits.instagram_posts;
                json!({"quota_total": total, "quota_duration": DAY.num_seconds()})
            }
            other => {
                return Err(GraphError::parameter(format!("Tried accessing nonexisting field ({other})")));
            }
        };
        entry.insert(field.trim().to_owned(), value);
    }
    Ok(json!({ "data": [entry] }))
}
