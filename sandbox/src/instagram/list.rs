//! `GET /{ig-user}/media`: an account's posts, newest first, page by page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use domain::platform::Platform;
use serde_json::{Value, json};

use crate::form;
use crate::instagram::call::{Answer, Call};
use crate::instagram::error::GraphError;
use crate::instagram::{fields, object};
use crate::ledger::Post;
use crate::world::World;

const PAGE: usize = 25;
const PAGE_MAX: usize = 100;
/// The network lists no more than the newest ones.
const NEWEST: usize = 10_000;

/// All posts of an account, by API or by hand, in no order.
pub fn posts<'a>(world: &'a World, account: &'a str) -> impl Iterator<Item = &'a Post> {
    let by_hand = world.handmade.rows();
    let by_hand = by_hand.filter(move |post| post.platform == Platform::Instagram && post.account == account);
    world.ledger.of_account(Platform::Instagram, account).chain(by_hand)
}

/// The place of a post in the list; newer is greater.
type Place = (i64, String);

fn place(post: &Post) -> Place {
    (post.at.timestamp_millis(), post.remote_id.clone())
}

/// One page, with cursors, and an address for the next one, token included, as the network has it.
pub fn list(call: &Call) -> Answer {
    let fields = fields::parse(call.param("fields"))?;
    let limit = match call.param("limit") {
        None => PAGE,
        Some(text) => text.parse::<usize>().ok().filter(|limit| *limit > 0).map_or_else(
            || Err(GraphError::parameter("Param limit must be a number of at least 1")),
            |limit| Ok(limit.min(PAGE_MAX)),
        )?,
    };
    let (since, until) = (time(call, "since")?, time(call, "until")?);
    let (after, before) = (cursor(call, "after")?, cursor(call, "before")?);
    let now = call.app.clock.now();
    let world = call.app.world();
    let mut all: Vec<&Post> = posts(&world, &call.account.external_id)
        .filter(|post| post.listed_at <= now)
        .filter(|post| since.is_none_or(|since| post.at >= since))
        .filter(|post| until.is_none_or(|until| post.at <= until))
        .collect();
    all.sort_by_cached_key(|post| std::cmp::Reverse(place(post)));
    all.truncate(NEWEST);
    let start = match (&after, &before) {
        (Some(after), _) => all.partition_point(|post| place(post) >= *after),
        (None, Some(before)) => all.partition_point(|post| place(post) > *before).saturating_sub(limit),
        (None, None) => 0,
    };
    let page = &all[start..all.len().min(start + limit)];
    let data = page.iter().map(|post| object::media(call, post, &fields)).collect::<Result<Vec<_>, _>>()?;
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(json!({ "data": [] })) };
    let (newest, oldest) = (encode(&place(first)), encode(&place(last)));
    let mut paging = json!({"cursors": {"before": newest, "after": oldest}});
    if start + page.len() < all.len() {
        paging["next"] = json!(address(call, "after", &oldest));
    }
    if start > 0 {
        paging["previous"] = json!(address(call, "before", &newest));
    }
    Ok(json!({"data": data, "paging": paging}))
}

/// `GET /{media}/children`.
pub fn children(call: &Call, id: &str) -> Answer {
    let fields = fields::parse(call.param("fields"))?;
    let world = call.app.world();
    let post = posts(&world, &call.account.external_id).find(|post| post.remote_id == id);
    let post = post.ok_or_else(|| GraphError::missing("get", id))?;
    let data: Vec<Value> = match post.kind {
        crate::ledger::PostKind::Carousel => object::children(call, post, &fields)?,
        _ => Vec::new(),
    };
    Ok(json!({ "data": data }))
}

fn time(call: &Call, name: &str) -> Result<Option<DateTime<Utc>>, GraphError> {
    let Some(text) = call.param(name) else { return Ok(None) };
    form::time(text).map(Some).ok_or_else(|| GraphError::parameter(format!("Param {name} must be a time")))
}

fn encode((at, id): &Place) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at}:{id}"))
}

fn cursor(call: &Call, name: &str) -> Result<Option<Place>, GraphError> {
    let Some(text) = call.param(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let decode = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (at, id) = text.split_once(':')?;
        Some((at.parse().ok()?, id.to_owned()))
    };
    decode().map(Some).ok_or_else(|| GraphError::parameter(format!("Invalid cursor in the parameter {name}")))
}

/// The same call with another cursor.
fn address(call: &Call, direction: &str, cursor: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("access_token", &call.token_text);
    for name in ["fields", "limit", "since", "until"] {
        if let Some(value) = call.param(name) {
            query.append_pair(name, value);
        }
    }
    query.append_pair(direction, cursor);
    call.app.link(&format!("/graph.instagram.com/{}?{}", call.path, query.finish()))
}
