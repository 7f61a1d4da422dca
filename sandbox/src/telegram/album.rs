//! `sendMediaGroup`: up to ten photos and videos as one album, all or none.

use serde::Deserialize;
use serde_json::json;

use crate::telegram::checks::FileKind;
use crate::telegram::error::BotError;
use crate::telegram::message::{self, Draft};
use crate::telegram::method::{Answer, Call};
use crate::telegram::{chat, entities, input};

const ITEMS: usize = 10;

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    media: String,
    #[serde(default)]
    caption: String,
    parse_mode: Option<String>,
}

/// `sendMediaGroup`. A single item is sent as an ordinary message, as the server does.
pub async fn send(call: &mut Call) -> Answer {
    let media = call.params.text("media").ok_or_else(|| BotError::bad("parameter \"media\" is required"))?;
    let items: Vec<Item> =
        serde_json::from_str(media).map_err(|_| BotError::bad("can't parse media JSON object"))?;
    if items.is_empty() {
        return Err(BotError::bad("there are no messages to send"));
    }
    if items.len() > ITEMS {
        return Err(BotError::bad("too many messages to send as an album"));
    }
    let account = chat::find_writable(call, "media")?;
    let mut drafts = Vec::new();
    for item in items {
        let text = entities::caption(&item.caption, item.parse_mode.as_deref())?;
        let wanted = match item.kind.as_str() {
            "photo" => FileKind::Photo,
            "video" => FileKind::Video,
            _ => return Err(unfit()),
        };
        let file = input::named(call, &item.media, wanted).await?;
        let file = file.ok_or_else(|| BotError::bad("can't parse InputMedia: media not found"))?;
        if file.kind == FileKind::Document {
            return Err(unfit());
        }
        drafts.push(Draft { text, file: Some(file) });
    }
    message::send(call, &account, &drafts).await.map(|messages| json!(messages))
}

fn unfit() -> BotError {
    BotError::bad("can't use the media of the specified type in the album")
}
