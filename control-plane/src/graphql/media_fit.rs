//! What one file must become for one profile.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Object};
use backplane::store::publishing::{PlanSource, TargetRow, plan_sources};
use domain::profile;
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::format_profile::FormatProfile;
use super::loaders::{LoadError, Loaders};
use super::media_asset::{AssetKey, MediaAsset};
use super::platform::Framing;
use super::scope::{Cx, cx};
use super::transcoded_media::TranscodeOperation;
use crate::publishing::fit::{FileFit, file_fits};

/// What one file must become for one profile: known once it is probed, before anything is made.
#[derive(Clone, Debug)]
pub struct MediaFit(FileFit);

/// What one file must become for one profile: known once it is probed, before anything is made.
#[Object]
impl MediaFit {
    /// The target's asset, or one item of a carousel.
    async fn asset(&self, ctx: &Context<'_>) -> Answer<MediaAsset> {
        cx(ctx).loaders.load_one(AssetKey(self.0.asset_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// What is asked of it.
    async fn profile(&self) -> FormatProfile {
        self.0.profile.into()
    }

    /// Null: it cannot be made to fit.
    async fn operation(&self) -> Option<TranscodeOperation> {
        self.0.fit.as_ref().ok().map(|fit| fit.effort().into())
    }

    /// How the picture gets into its shape.
    async fn framing(&self) -> Option<Framing> {
        self.0.fit.as_ref().ok().map(|fit| fit.framing.into())
    }

    /// Of the result, as displayed, in pixels.
    async fn width(&self) -> Option<i32> {
        self.0.fit.as_ref().ok().and_then(|fit| i32::try_from(fit.width).ok())
    }

    /// Of the result, as displayed, in pixels.
    async fn height(&self) -> Option<i32> {
        self.0.fit.as_ref().ok().and_then(|fit| i32::try_from(fit.height).ok())
    }

    /// Plain sentences, e.g. "Cut from 4:3 to 9:16: a reel fills the screen."
    async fn reasons(&self) -> Vec<String> {
        match &self.0.fit {
            Ok(fit) => fit.reasons.clone(),
            Err(problem) => vec![problem.message.clone()],
        }
    }
}

/// Loads what the plans of an asset are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceKey(pub Uuid);

impl Loader<SourceKey> for Loaders {
    type Value = Arc<PlanSource>;
    type Error = LoadError;

    async fn load(&self, keys: &[SourceKey]) -> Result<HashMap<SourceKey, Arc<PlanSource>>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = plan_sources(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (SourceKey(row.asset_id), Arc::new(row))).collect())
    }
}

/// One fit, or one for each item of a carousel; none until the asset is probed, and none where the
/// network takes nothing of the kind.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn of_target(cx: &Cx, target: &TargetRow) -> Answer<Vec<MediaFit>> {
    let Some(source) = cx.loaders.load_one(SourceKey(target.asset_id)).await? else { return Ok(Vec::new()) };
    let chosen = match target.profile.as_deref().and_then(profile::profile) {
        Some(profile) => Some(profile),
        None => profile::choose(target.platform, target.placement, source.kind).ok(),
    };
    let fits = chosen.map(|profile| file_fits(&source, profile, target.framing)).unwrap_or_default();
    Ok(fits.into_iter().map(MediaFit).collect())
}
