//! `deleteMessage`: within 48 hours, and for good. The ledger keeps that the post was made.

use chrono::TimeDelta;
use domain::platform::Platform;
use serde_json::json;

use crate::telegram::chat;
use crate::telegram::error::BotError;
use crate::telegram::message::message_ids;
use crate::telegram::method::{Answer, Call};

/// `deleteMessage`.
pub fn message(call: &Call) -> Answer {
    let account = chat::find_writable(call, "messages")?;
    let wanted = call.params.text("message_id").and_then(|id| id.parse::<i64>().ok());
    let wanted = wanted.ok_or_else(|| BotError::bad("message identifier is not specified"))?;
    let now = call.app.clock.now();
    let mut world = call.app.world();
    let key = format!("{}:{wanted}", account.external_id);
    let at = {
        let mut posts = world.ledger.of_account(Platform::Telegram, &account.external_id).rev();
        posts.find(|post| message_ids(post).any(|id| id == wanted)).map(|post| post.at)
    };
    let at = at.filter(|_| world.deleted.get(&key).is_none());
    let at = at.ok_or_else(|| BotError::bad("message to delete not found"))?;
    if at + TimeDelta::hours(48) < now {
        return Err(BotError::bad("message can't be deleted"));
    }
    world.deleted.put(&key, now)?;
    Ok(json!(true))
}
