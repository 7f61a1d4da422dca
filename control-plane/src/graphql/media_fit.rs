//! What one file must become for one profile.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Object;
use async_graphql::dataloader::Loader;
use backplane::store::assets::assets_by_id;
use backplane::store::publishing::{PlanSource, ProblemRow, TargetRow, plan_sources};
use domain::plan::summary;
use domain::profile;
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::format_profile::FormatProfile;
use super::loaders::{LoadError, Loaders};
use super::media_asset::MediaAsset;
use super::platform::{Framing, Platform};
use super::problem::Problem;
use super::scope::Cx;
use super::social_account::AccountKey;
use super::transcoded_media::TranscodeOperation;
use crate::publishing::fit::{Choice, FileFit, file_fits, fits_on};

/// What one file must become for one profile: known once it is probed, before anything is made.
#[derive(Clone, Debug)]
pub struct MediaFit {
    file: FileFit,
    asset: MediaAsset,
}

/// What one file must become for one profile: known once it is probed, before anything is made.
#[Object]
impl MediaFit {
    /// The target's asset, or one item of a carousel.
    async fn asset(&self) -> &MediaAsset {
        &self.asset
    }

    /// What is asked of it.
    async fn profile(&self) -> FormatProfile {
        FormatProfile(self.file.profile)
    }

    /// Null: it cannot be made to fit.
    async fn operation(&self) -> Option<TranscodeOperation> {
        self.file.fit.as_ref().ok().map(|fit| fit.effort().into())
    }

    /// It is too long and may be cut: how much of its beginning would be posted, ms. See `trim` of a job and of a target.
    async fn trim_ms(&self) -> Option<i32> {
        self.file.trim_ms.and_then(|ms| ms.try_into().ok())
    }

    /// How the picture gets into its shape.
    async fn framing(&self) -> Option<Framing> {
        self.file.fit.as_ref().ok().map(|fit| fit.framing.into())
    }

    /// Of the result, as displayed, in pixels.
    async fn width(&self) -> Option<i32> {
        self.file.fit.as_ref().ok().and_then(|fit| i32::try_from(fit.width).ok())
    }

    /// Of the result, as displayed, in pixels.
    async fn height(&self) -> Option<i32> {
        self.file.fit.as_ref().ok().and_then(|fit| i32::try_from(fit.height).ok())
    }

    /// Plain sentences, e.g. "Cut from 4:3 to 9:16: a reel fills the screen."
    async fn reasons(&self) -> Vec<String> {
        match &self.file.fit {
            Ok(fit) => fit.reasons.clone(),
            Err(problem) => vec![problem.message.clone()],
        }
    }

    /// Why it cannot be made to fit.
    async fn problem(&self) -> Option<Problem> {
        let problem = self.file.fit.as_ref().err()?.clone();
        // It is so since the file is known.
        Some(ProblemRow::new(problem, self.asset.0.created_at).into())
    }

    /// All of it in one sentence, e.g. "Video copied, sound re-encoded: its sound is HE-AAC, which X
    /// does not take."
    async fn summary(&self) -> String {
        summary(&self.file.fit)
    }
}

/// What the plans of an asset are made from.
#[derive(Clone, Debug)]
pub struct Source {
    plan: PlanSource,
    /// Of each of its files, in their order.
    assets: Vec<MediaAsset>,
}

/// Loads what the plans of an asset are made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceKey(pub Uuid);

impl Loader<SourceKey> for Loaders {
    type Value = Arc<Source>;
    type Error = LoadError;

    /// Reads the files' assets as well: asked for by each fit, they would be read in many batches.
    async fn load(&self, keys: &[SourceKey]) -> Result<HashMap<SourceKey, Arc<Source>>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let mut tx = self.read().await?;
        let plans = plan_sources(&mut tx, &ids).await.map_err(Arc::new)?;
        let files: Vec<Uuid> =
            plans.iter().flat_map(|plan| plan.files.iter().map(|file| file.asset_id)).collect();
        let rows = assets_by_id(&mut tx, &files).await.map_err(Arc::new)?;
        let assets: HashMap<Uuid, MediaAsset> =
            rows.into_iter().map(|row| (row.id, MediaAsset(Arc::new(row)))).collect();
        let source = |plan: PlanSource| {
            let assets = plan.files.iter().filter_map(|file| assets.get(&file.asset_id).cloned()).collect();
            (SourceKey(plan.asset_id), Arc::new(Source { plan, assets }))
        };
        Ok(plans.into_iter().map(source).collect())
    }
}

/// One fit, or one for each item of a carousel; none until the asset is probed, and none where the
/// network takes nothing of the kind.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn of_target(cx: &Cx, target: &TargetRow) -> Answer<Vec<MediaFit>> {
    let Some(source) = cx.loaders.load_one(SourceKey(target.asset_id)).await? else { return Ok(Vec::new()) };
    // The composite key to the account guarantees that it is there.
    let account = cx.loaders.load_one(AccountKey(target.account_id)).await?;
    let overrides = account.map(|account| account.0.overrides).unwrap_or_default();
    let chosen = match target.profile.as_deref().and_then(profile::profile) {
        Some(profile) => Some(profile),
        None => profile::choose(target.platform, target.placement, source.plan.kind, overrides.tier).ok(),
    };
    let Some(profile) = chosen else { return Ok(Vec::new()) };
    let choice = Choice { framing: target.framing, trim: target.trim, overrides };
    let fits = file_fits(&source.plan, profile, choice);
    let assets = source.assets.iter().cloned();
    Ok(fits.into_iter().zip(assets).map(|(file, asset)| MediaFit { file, asset }).collect())
}

/// What `asset` would become for each profile of its kind on these networks, or on all; for a carousel,
/// each of its items. Empty until all files are probed, and once they are gone.
///
/// # Errors
/// `BAD_REQUEST` for more networks than there are, or when Postgres cannot be asked.
pub async fn of_asset(cx: &Cx, asset: &MediaAsset, networks: Option<Vec<Platform>>) -> Answer<Vec<MediaFit>> {
    let networks: Option<Vec<domain::platform::Platform>> =
        networks.map(|all| all.into_iter().map(Into::into).collect());
    if networks.as_ref().is_some_and(|all| all.len() > domain::platform::Platform::ALL.len()) {
        return Err(Failure::bad_request("`platforms` takes each network once"));
    }
    if asset.0.state != "READY" {
        return Ok(Vec::new());
    }
    let Some(source) = cx.loaders.load_one(SourceKey(asset.0.id)).await? else { return Ok(Vec::new()) };
    let fits = fits_on(&source.plan, networks.as_deref()).into_iter();
    // The same files for each profile, in their order.
    let assets = source.assets.iter().cycle();
    Ok(fits.zip(assets).map(|(file, asset)| MediaFit { file, asset: asset.clone() }).collect())
}
