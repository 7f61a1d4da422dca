//! Text as it is after formatting was parsed: what Telegram counts, stores and shows.

use serde_json::{Value, json};

use crate::telegram::error::BotError;
use crate::telegram::method::Call;
use crate::telegram::{html, markdown};
use crate::text::utf16_len;

/// Caption of media, UTF-16 units.
const CAPTION: usize = 1024;
/// Text of a message, UTF-16 units.
const TEXT: usize = 4096;

/// Plain text with the places of its formatting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formatted {
    pub text: String,
    pub entities: Vec<Entity>,
}

/// One formatted stretch; offset and length in UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    pub kind: &'static str,
    pub offset: usize,
    pub length: usize,
    pub url: Option<String>,
}

impl Formatted {
    /// The entities as messages have them; none is `Null`.
    pub fn entities_json(&self) -> Value {
        if self.entities.is_empty() {
            return Value::Null;
        }
        let entities = self.entities.iter().map(|entity| {
            let mut value = json!({"type": entity.kind, "offset": entity.offset, "length": entity.length});
            if let Some(url) = &entity.url {
                value["url"] = json!(url);
            }
            value
        });
        entities.collect()
    }
}

/// The text of `sendMessage`.
pub fn message_text(call: &Call) -> Result<Formatted, BotError> {
    let parsed = parse(call.params.text("text").unwrap_or(""), call.params.text("parse_mode"))?;
    if parsed.text.trim().is_empty() {
        return Err(BotError::bad("message text is empty"));
    }
    if utf16_len(&parsed.text) > TEXT {
        return Err(BotError::bad("message is too long"));
    }
    Ok(parsed)
}

/// A caption, which may be empty.
pub fn caption(text: &str, parse_mode: Option<&str>) -> Result<Formatted, BotError> {
    let parsed = parse(text, parse_mode)?;
    if utf16_len(&parsed.text) > CAPTION {
        return Err(BotError::bad("message caption is too long"));
    }
    Ok(parsed)
}

fn parse(text: &str, parse_mode: Option<&str>) -> Result<Formatted, BotError> {
    let parsed = match parse_mode.map(str::to_ascii_lowercase).as_deref() {
        None => Ok(Formatted { text: text.to_owned(), entities: Vec::new() }),
        Some("html") => html::parse(text),
        Some("markdownv2") => markdown::parse(text),
        Some(_) => return Err(BotError::bad("unsupported parse_mode")),
    };
    parsed.map_err(|problem| BotError::bad(format!("can't parse entities: {problem}")))
}
