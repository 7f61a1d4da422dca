//! Files as clients name them: `attach://part`, a part, an address, or the file_id of a sent one.

use serde::{Deserialize, Serialize};

use crate::ledger::PostMedia;
use crate::media_store::{ReceiveError, Stored};
use crate::probe::Facts;
use crate::telegram::checks::{self, FileKind};
use crate::telegram::error::BotError;
use crate::telegram::method::Call;

/// A file that can be sent again by its file_id, by the same bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SentFile {
    pub bot_id: u64,
    pub file: Stored,
    pub kind: FileKind,
}

/// A file that may be sent.
pub struct Ready {
    pub file: Stored,
    pub kind: FileKind,
    pub facts: Option<Facts>,
}

impl Ready {
    /// The file as part of a post, once its message has a number.
    pub fn media(&self, message_id: i64) -> PostMedia {
        let id = message_id.to_string();
        match &self.facts {
            Some(facts) => PostMedia::new(id, self.file.clone(), facts),
            None => PostMedia {
                id,
                file: self.file.clone(),
                content_type: "application/octet-stream".to_owned(),
                width: 0,
                height: 0,
                duration_ms: 0,
                alt_text: None,
            },
        }
    }
}

/// The file that a single send names in the parameter `name`.
pub async fn single(call: &mut Call, name: &str, wanted: FileKind) -> Result<Ready, BotError> {
    let missing = || BotError::bad(format!("there is no {name} in the request"));
    if let Some(arrived) = call.params.take_file(name) {
        return keep(call, arrived, wanted).await;
    }
    let value = call.params.text(name).ok_or_else(missing)?.to_owned();
    named(call, &value, wanted).await?.ok_or_else(missing)
}

/// The file that a value names; `None` when it names a part that is not there.
pub async fn named(call: &mut Call, value: &str, wanted: FileKind) -> Result<Option<Ready>, BotError> {
    if let Some(part) = value.strip_prefix("attach://") {
        return match call.params.take_file(part) {
            Some(arrived) => keep(call, arrived, wanted).await.map(Some),
            None => Ok(None),
        };
    }
    if value.starts_with("http://") || value.starts_with("https://") {
        return fetch(call, value, wanted).await.map(Some);
    }
    let sent = call.app.world().files.get(value).filter(|sent| sent.bot_id == call.bot.id).cloned();
    let sent = sent.ok_or_else(|| BotError::bad("wrong file_id or the file is temporarily unavailable"))?;
    if sent.kind != wanted {
        return Err(BotError::bad(format!("can't use file of type {:?} as {wanted:?}", sent.kind)));
    }
    let facts = look(call, &sent.file).await?;
    Ok(Some(Ready { file: sent.file, kind: sent.kind, facts }))
}

async fn keep(
    call: &Call,
    arrived: crate::media_store::Arrived,
    wanted: FileKind,
) -> Result<Ready, BotError> {
    if arrived.stored.bytes == 0 {
        return Err(BotError::bad("file must be non-empty"));
    }
    let file = arrived.stored.clone();
    arrived.keep_as(&call.app.media.path(&file.sha256))?;
    ready(call, file, wanted).await
}

async fn fetch(call: &Call, address: &str, wanted: FileKind) -> Result<Ready, BotError> {
    let fetched = call.app.fetcher.get(address).await;
    let fetched = fetched.map_err(|_| BotError::bad("failed to get HTTP URL content"))?;
    let (family, limit) = match wanted {
        FileKind::Photo => ("image/", checks::PHOTO_BY_URL),
        _ => ("video/", checks::FILE_BY_URL),
    };
    if !fetched.content_type.starts_with(family) {
        return Err(BotError::bad("wrong type of the web page content"));
    }
    let file = call.app.media.receive(fetched.body, limit).await.map_err(|error| match error {
        ReceiveError::Storage(error) => error.into(),
        _ => BotError::bad("failed to get HTTP URL content"),
    })?;
    ready(call, file, wanted).await
}

async fn ready(call: &Call, file: Stored, wanted: FileKind) -> Result<Ready, BotError> {
    let facts = look(call, &file).await?;
    let kind = match wanted {
        FileKind::Photo => {
            checks::photo(file.bytes, facts.as_ref())?;
            FileKind::Photo
        }
        _ => checks::video_kind(facts.as_ref()),
    };
    Ok(Ready { file, kind, facts })
}

async fn look(call: &Call, file: &Stored) -> Result<Option<Facts>, BotError> {
    let looked = call.app.prober.look(&call.app.media.path(&file.sha256), &file.sha256).await;
    looked.map_err(|error| {
        tracing::error!(%error, "ffprobe did not run");
        BotError::bad("failed to process the file")
    })
}
