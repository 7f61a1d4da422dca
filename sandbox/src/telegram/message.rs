//! Making messages: number, rate, ledger, and the JSON that describes them.

use chrono::TimeDelta;
use domain::platform::Platform;
use serde_json::{Value, json};

use crate::account::Account;
use crate::journal::StorageError;
use crate::ledger::{Post, PostKind, PostMedia};
use crate::pace::{Rate, Rule};
use crate::telegram::chat;
use crate::telegram::checks::FileKind;
use crate::telegram::entities::Formatted;
use crate::telegram::error::BotError;
use crate::telegram::input::{Ready, SentFile};
use crate::telegram::method::Call;
use crate::world::{World, numeric_id};

/// The number of a channel's first post; 1 is the message that made the channel.
const FIRST: i64 = 2;

/// One message of a post.
pub struct Draft {
    pub text: Formatted,
    pub file: Option<Ready>,
}

/// Sends the drafts as one post: a message, or an album. Returns one message for each.
pub async fn send(call: &Call, account: &Account, drafts: &[Draft]) -> Result<Vec<Value>, BotError> {
    let messages = commit(call, account, drafts)?;
    call.app.ledger_synced().await?;
    Ok(messages)
}

/// Paces, numbers and records under one lock.
fn commit(call: &Call, account: &Account, drafts: &[Draft]) -> Result<Vec<Value>, BotError> {
    let now = call.app.clock.now();
    let mut world = call.app.world();
    let reply_to = reply_to(call, &world, account)?;
    if !world.lifted.contains(&Platform::Telegram) {
        let rules = rules(call, account, drafts.len() as u64);
        world.paces.take(&rules, now).map_err(|wait| {
            let seconds = wait.num_milliseconds().max(1).cast_unsigned().div_ceil(1000);
            BotError::flood(seconds)
        })?;
    }
    let first = next_id(&world, account);
    let ids = (0..drafts.len()).map(|index| first + i64::try_from(index).unwrap_or_default());
    let numbered: Vec<(i64, &Draft)> = ids.zip(drafts).collect();
    let media: Vec<PostMedia> =
        numbered.iter().filter_map(|(id, draft)| draft.file.as_ref().map(|file| file.media(*id))).collect();
    world.ledger.append(Post {
        seq: 0,
        platform: Platform::Telegram,
        account: account.external_id.clone(),
        remote_id: first.to_string(),
        kind: kind(drafts),
        caption: drafts.first().map(|draft| draft.text.text.clone()).unwrap_or_default(),
        media,
        at: now,
        handle: None,
        reply_to: reply_to.map(|id| id.to_string()),
        privacy: None,
        share_to_feed: true,
        listed_at: now,
    })?;
    let group = (drafts.len() > 1).then(|| numeric_id("14", 17));
    let mut messages = Vec::new();
    for (id, draft) in numbered {
        let mut message = described(call, &mut world, account, (id, draft))?;
        message["date"] = json!(now.timestamp());
        if let Some(group) = &group {
            message["media_group_id"] = json!(group);
        }
        if let Some(reply_to) = reply_to {
            message["reply_to_message"] = json!({"message_id": reply_to, "chat": chat::described(account)});
        }
        messages.push(message);
    }
    Ok(messages)
}

/// One message a second and 20 a minute into a chat, 30 a second by a bot (PLATFORMS §6.7).
fn rules(call: &Call, account: &Account, cost: u64) -> [Rule; 3] {
    let limits = &call.app.config.limits;
    let chat = &account.external_id;
    let window = |limit, window| Rate::Window { limit, window };
    let minute = window(limits.telegram_chat_per_minute, TimeDelta::minutes(1));
    let second = window(limits.telegram_bot_per_second, TimeDelta::seconds(1));
    let each = TimeDelta::seconds(1);
    [
        Rule { key: format!("tg-second:{chat}"), rate: Rate::Gate { each }, cost },
        Rule { key: format!("tg-minute:{chat}"), rate: minute, cost },
        Rule { key: format!("tg-bot:{}", call.bot.id), rate: second, cost },
    ]
}

fn kind(drafts: &[Draft]) -> PostKind {
    let [draft] = drafts else { return PostKind::Album };
    match draft.file.as_ref().map(|file| file.kind) {
        Some(FileKind::Photo) => PostKind::Photo,
        Some(FileKind::Video) => PostKind::Video,
        Some(FileKind::Document) => PostKind::Document,
        None => PostKind::Message,
    }
}

/// The number after that of the chat's last message.
fn next_id(world: &World, account: &Account) -> i64 {
    let last = world.ledger.of_account(Platform::Telegram, &account.external_id).next_back();
    last.and_then(|post| message_ids(post).max()).map_or(FIRST, |id| id + 1)
}

/// The numbers of a post's messages.
pub fn message_ids(post: &Post) -> impl Iterator<Item = i64> {
    let ids = post.media.iter().map(|media| &media.id).chain([&post.remote_id]);
    ids.filter_map(|id| id.parse().ok())
}

/// The message that is answered, which must be there unless the client does not mind.
fn reply_to(call: &Call, world: &World, account: &Account) -> Result<Option<i64>, BotError> {
    let parameters = call.params.text("reply_parameters").map(serde_json::from_str::<Value>);
    let parameters = match parameters {
        Some(Ok(parameters)) => parameters,
        Some(Err(_)) => return Err(BotError::bad("can't parse reply parameters JSON object")),
        None => Value::Null,
    };
    let old = call.params.text("reply_to_message_id").and_then(|id| id.parse().ok());
    let Some(wanted) = parameters["message_id"].as_i64().or(old) else { return Ok(None) };
    let mut posts = world.ledger.of_account(Platform::Telegram, &account.external_id).rev();
    let exists = posts.any(|post| message_ids(post).any(|id| id == wanted));
    let deleted = world.deleted.get(&format!("{}:{wanted}", account.external_id)).is_some();
    match exists && !deleted {
        true => Ok(Some(wanted)),
        false if parameters["allow_sending_without_reply"] == true => Ok(None),
        false => Err(BotError::bad("message to be replied not found")),
    }
}

fn described(
    call: &Call,
    world: &mut World,
    account: &Account,
    (id, draft): (i64, &Draft),
) -> Result<Value, StorageError> {
    let chat = chat::described(account);
    let mut message = json!({"message_id": id, "sender_chat": chat, "chat": chat});
    let (text, entities) =
        if draft.file.is_some() { ("caption", "caption_entities") } else { ("text", "entities") };
    if !draft.text.text.is_empty() {
        message[text] = json!(draft.text.text);
    }
    if let found @ Value::Array(_) = draft.text.entities_json() {
        message[entities] = found;
    }
    let Some(file) = &draft.file else { return Ok(message) };
    let media = file.media(id);
    let mut described = json!({
        "file_id": file_id(call, world, file)?,
        "file_unique_id": &file.file.sha256[..16],
        "file_size": file.file.bytes,
    });
    if file.kind != FileKind::Document {
        described["width"] = json!(media.width);
        described["height"] = json!(media.height);
    }
    match file.kind {
        FileKind::Photo => message["photo"] = json!([described]),
        FileKind::Video => {
            described["duration"] = json!(media.duration_ms / 1000);
            described["mime_type"] = json!(media.content_type);
            message["video"] = described;
        }
        FileKind::Document => {
            described["mime_type"] = json!(media.content_type);
            message["document"] = described;
        }
    }
    Ok(message)
}

/// The name under which this bot can send the file again.
fn file_id(call: &Call, world: &mut World, file: &Ready) -> Result<String, StorageError> {
    let prefix = match file.kind {
        FileKind::Photo => "AgACAgIAAx0",
        FileKind::Video => "BAACAgIAAx0",
        FileKind::Document => "BQACAgIAAx0",
    };
    let proof = call.app.sign(&format!("file {} {:?} {}", call.bot.id, file.kind, file.file.sha256));
    let id = format!("{prefix}{proof}");
    if world.files.get(&id).is_none() {
        let sent = SentFile { bot_id: call.bot.id, file: file.file.clone(), kind: file.kind };
        world.files.put(&id, sent)?;
    }
    Ok(id)
}
