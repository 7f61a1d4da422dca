//! Files made from assets.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, Object};
use backplane::store::Tx;
use backplane::store::publishing::{TranscodedRow, media_of_targets, transcoded_by_id, transcoded_of_assets};
use domain::id::Noun;
use domain::profile;
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::format_profile::FormatProfile;
use super::id;
use super::loaders::{LoadError, Loaders};
use super::media_asset::{self, AssetKey, MediaAsset};
use super::media_info::MediaInfo;
use super::problem::Problem;
use super::scalars::Url;
use super::scope::{Cx, cx};

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TranscodeState {
    /// Waits for a worker.
    Queued,
    /// Is being made.
    Running,
    /// Is there, verified.
    Done,
    /// Could not be made.
    Failed,
}

/// What was, or has to be, done to the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TranscodeOperation {
    /// The original already conforms.
    Passthrough,
    /// Same streams, new container.
    Remux,
    /// At least one stream was encoded.
    Transcode,
}

impl From<domain::plan::Effort> for TranscodeOperation {
    fn from(effort: domain::plan::Effort) -> Self {
        match effort {
            domain::plan::Effort::Passthrough => Self::Passthrough,
            domain::plan::Effort::Remux => Self::Remux,
            domain::plan::Effort::Transcode => Self::Transcode,
        }
    }
}

/// One file made from an asset; it may serve several profiles.
#[derive(Clone, Debug)]
pub struct TranscodedMedia(pub Arc<TranscodedRow>);

/// One file made from an asset; it may serve several profiles.
#[Object]
impl TranscodedMedia {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::TranscodedMedia, self.0.id)
    }

    /// The asset whose file was read.
    async fn asset(&self, ctx: &Context<'_>) -> Answer<MediaAsset> {
        cx(ctx).loaders.load_one(AssetKey(self.0.asset_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// What it serves.
    async fn profiles(&self) -> Vec<FormatProfile> {
        self.0.profiles.iter().filter_map(|name| profile::profile(name)).map(FormatProfile).collect()
    }

    /// What was, or has to be, done to the original.
    async fn operation(&self) -> TranscodeOperation {
        match self.0.kind.as_str() {
            "PASSTHROUGH" => TranscodeOperation::Passthrough,
            "REMUX" => TranscodeOperation::Remux,
            _ => TranscodeOperation::Transcode,
        }
    }

    /// How far it is.
    async fn state(&self) -> TranscodeState {
        match self.0.state.as_str() {
            "RUNNING" => TranscodeState::Running,
            "DONE" => TranscodeState::Done,
            "FAILED" => TranscodeState::Failed,
            _ => TranscodeState::Queued,
        }
    }

    /// 0 to 1.
    async fn progress(&self) -> f64 {
        f64::from(self.0.progress)
    }

    /// Why it could not be made, or is late.
    async fn problem(&self) -> Option<Problem> {
        self.0.problem.clone().map(Problem::from)
    }

    /// What the made file is; null until it is there.
    async fn info(&self) -> Option<MediaInfo> {
        self.0.info.as_ref().map(MediaInfo::from)
    }

    /// Where to see it; null until it is there.
    async fn url(&self, ctx: &Context<'_>) -> Answer<Option<Url>> {
        let key = self.0.object_key.as_deref().filter(|_| self.0.state == "DONE");
        media_asset::address(cx(ctx), key, self.0.content_type.as_deref()).await
    }
}

/// Loads a made file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TranscodedKey(pub Uuid);

impl Loader<TranscodedKey> for Loaders {
    type Value = TranscodedMedia;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[TranscodedKey],
    ) -> Result<HashMap<TranscodedKey, TranscodedMedia>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = transcoded_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (TranscodedKey(row.id), TranscodedMedia(Arc::new(row)))).collect())
    }
}

/// Loads the files that a target posts, in the order of its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MediaOfTarget(pub Uuid);

impl Loader<MediaOfTarget> for Loaders {
    type Value = Vec<TranscodedMedia>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[MediaOfTarget],
    ) -> Result<HashMap<MediaOfTarget, Vec<TranscodedMedia>>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let mut tx = self.read().await?;
        let uses = media_of_targets(&mut tx, &ids).await.map_err(Arc::new)?;
        Ok(made_for(&mut tx, uses).await?.into_iter().map(|(id, files)| (MediaOfTarget(id), files)).collect())
    }
}

/// Reads the files of `uses` (user, file) in one batch, and gives each user its own in their order.
async fn made_for(
    tx: &mut Tx,
    uses: Vec<(Uuid, Uuid)>,
) -> Result<HashMap<Uuid, Vec<TranscodedMedia>>, LoadError> {
    let mut ids: Vec<Uuid> = uses.iter().map(|(_, file)| *file).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = transcoded_by_id(tx, &ids).await.map_err(Arc::new)?;
    let found: HashMap<Uuid, TranscodedMedia> =
        rows.into_iter().map(|row| (row.id, TranscodedMedia(Arc::new(row)))).collect();
    let mut made: HashMap<Uuid, Vec<TranscodedMedia>> = HashMap::new();
    for (user, file) in uses {
        made.entry(user).or_default().extend(found.get(&file).cloned());
    }
    Ok(made)
}

/// Loads the files made from an asset, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TranscodesOfAsset(pub Uuid);

impl Loader<TranscodesOfAsset> for Loaders {
    type Value = Vec<TranscodedMedia>;
    type Error = LoadError;

    async fn load(
        &self,
        keys: &[TranscodesOfAsset],
    ) -> Result<HashMap<TranscodesOfAsset, Vec<TranscodedMedia>>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let mut tx = self.read().await?;
        let uses = transcoded_of_assets(&mut tx, &ids).await.map_err(Arc::new)?;
        Ok(made_for(&mut tx, uses)
            .await?
            .into_iter()
            .map(|(id, files)| (TranscodesOfAsset(id), files))
            .collect())
    }
}

/// The files made from an asset, oldest first.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn of_asset(cx: &Cx, asset: Uuid) -> Answer<Vec<TranscodedMedia>> {
    Ok(cx.loaders.load_one(TranscodesOfAsset(asset)).await?.unwrap_or_default())
}

/// The files that a target posts, one for each of its items.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn of_target(cx: &Cx, target: Uuid) -> Answer<Vec<TranscodedMedia>> {
    Ok(cx.loaders.load_one(MediaOfTarget(target)).await?.unwrap_or_default())
}
