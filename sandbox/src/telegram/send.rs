//! `sendMessage`, `sendPhoto`, `sendVideo`.

use crate::telegram::checks::FileKind;
use crate::telegram::message::{self, Draft};
use crate::telegram::method::{Answer, Call};
use crate::telegram::{chat, entities, input};

/// `sendMessage`.
pub async fn message(call: &Call) -> Answer {
    let text = entities::message_text(call)?;
    let account = chat::find_writable(call, "text messages")?;
    one(message::send(call, &account, &[Draft { text, file: None }]).await)
}

/// `sendPhoto`.
pub async fn photo(call: &mut Call) -> Answer {
    file(call, "photo", FileKind::Photo).await
}

/// `sendVideo`.
pub async fn video(call: &mut Call) -> Answer {
    file(call, "video", FileKind::Video).await
}

async fn file(call: &mut Call, name: &str, wanted: FileKind) -> Answer {
    let caption = call.params.text("caption").unwrap_or("");
    let text = entities::caption(caption, call.params.text("parse_mode"))?;
    let account = chat::find_writable(call, &format!("{name}s"))?;
    let file = Some(input::single(call, name, wanted).await?);
    one(message::send(call, &account, &[Draft { text, file }]).await)
}

/// The only message of a send that makes one.
fn one(sent: Result<Vec<serde_json::Value>, crate::telegram::error::BotError>) -> Answer {
    sent.map(|mut messages| messages.pop().unwrap_or_default())
}
