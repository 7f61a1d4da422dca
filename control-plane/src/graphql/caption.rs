//! The text of a post on one network.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Enum, ID, Object};
use backplane::store::publishing::{CaptionRow, captions_by_id};
use domain::id::Noun;
use uuid::Uuid;

use super::id;
use super::loaders::{LoadError, Loaders};
use super::platform::Platform;

/// Who wrote a caption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CaptionAuthor {
    /// The text it came with.
    Original,
    /// Fixed rules: the brand's hashtags, and the network's limits.
    Rules,
    /// A language model.
    Model,
    /// Somebody.
    Person,
}

/// The text of a post on one network. It never changes: an edit makes a new one, for the targets
/// named in it alone.
#[derive(Clone, Debug)]
pub struct AdaptedCaption(pub CaptionRow);

/// The text of a post on one network. It never changes: an edit makes a new one, for the targets
/// named in it alone.
#[Object]
impl AdaptedCaption {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::AdaptedCaption, self.0.id)
    }

    /// The network that it is for.
    async fn platform(&self) -> Platform {
        self.0.platform.into()
    }

    /// Where the network has one.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// Exactly as it is sent, hashtags included.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// Counted as the network counts.
    async fn length(&self) -> i32 {
        self.0.length
    }

    /// The most that the network takes, counted likewise.
    async fn max_length(&self) -> i32 {
        self.0.max_length
    }

    /// Who wrote it.
    async fn author(&self) -> CaptionAuthor {
        match self.0.author.as_str() {
            "RULES" => CaptionAuthor::Rules,
            "MODEL" => CaptionAuthor::Model,
            "PERSON" => CaptionAuthor::Person,
            _ => CaptionAuthor::Original,
        }
    }
}

/// Loads a caption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CaptionKey(pub Uuid);

impl Loader<CaptionKey> for Loaders {
    type Value = AdaptedCaption;
    type Error = LoadError;

    async fn load(&self, keys: &[CaptionKey]) -> Result<HashMap<CaptionKey, AdaptedCaption>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = captions_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (CaptionKey(row.id), AdaptedCaption(row))).collect())
    }
}
