//! What can be watched: each object is read again in the subscriber's own scope.

use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Subscription};
use backplane::store::changes::Watched;
use domain::id::Noun;
use futures_util::{Stream, StreamExt as _};
use uuid::Uuid;

use super::failure::{Answer, Failure};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::media_asset::{AssetKey, MediaAsset};
use super::publish_job::{JobKey, PublishJob};
use super::publish_target::{PublishTarget, TargetKey};
use super::scope::{Cx, cx};
use super::social_account::{AccountKey, SocialAccount};
use super::watch::Watch;

/// Changes from now on, of the given brands or of all that the asker sees. Subscribe, then query:
/// nothing is missed. An object that changes faster is sent twice a second, as it is then. A stream
/// ends with the session or the role that it was opened with.
#[derive(Default)]
pub struct ChangeSubscription;

/// Changes from now on, of the given brands or of all that the asker sees. Subscribe, then query:
/// nothing is missed. An object that changes faster is sent twice a second, as it is then. A stream
/// ends with the session or the role that it was opened with.
#[Subscription(name = "Subscription")]
impl ChangeSubscription {
    /// A publish job changed, or one of its targets.
    async fn publish_job_changed(
        &self,
        ctx: &Context<'_>,
        brand_ids: Option<Vec<ID>>,
        job_id: Option<ID>,
    ) -> Result<impl Stream<Item = PublishJob>, Failure> {
        let job = job_id.map(|job| id::parse(Noun::PublishJob, &job)).transpose()?;
        let changed = watch(cx(ctx), Watched::PublishJobs, brand_ids, JobKey)?;
        Ok(changed.filter(move |found| std::future::ready(job.is_none_or(|job| found.0.id == job))))
    }

    /// A publish target changed.
    async fn publish_target_changed(
        &self,
        ctx: &Context<'_>,
        brand_ids: Option<Vec<ID>>,
        job_id: Option<ID>,
    ) -> Result<impl Stream<Item = PublishTarget>, Failure> {
        let job = job_id.map(|job| id::parse(Noun::PublishJob, &job)).transpose()?;
        let changed = watch(cx(ctx), Watched::PublishTargets, brand_ids, TargetKey)?;
        Ok(changed.filter(move |found| std::future::ready(job.is_none_or(|job| found.0.job_id == job))))
    }

    /// A media asset changed.
    async fn asset_changed(
        &self,
        ctx: &Context<'_>,
        brand_ids: Option<Vec<ID>>,
    ) -> Result<impl Stream<Item = MediaAsset>, Failure> {
        watch(cx(ctx), Watched::MediaAssets, brand_ids, AssetKey)
    }

    /// A connected account changed.
    async fn social_account_changed(
        &self,
        ctx: &Context<'_>,
        brand_ids: Option<Vec<ID>>,
    ) -> Result<impl Stream<Item = SocialAccount>, Failure> {
        watch(cx(ctx), Watched::SocialAccounts, brand_ids, AccountKey)
    }
}

/// The changed objects themselves. One that cannot be read now is read with its next change.
fn watch<K, V>(
    cx: &Arc<Cx>,
    what: Watched,
    brands: Option<Vec<ID>>,
    key: fn(Uuid) -> K,
) -> Answer<impl Stream<Item = V> + use<K, V>>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    V: Send + Sync + Clone + 'static,
    Loaders: Loader<K, Value = V, Error = LoadError>,
{
    let ids = Watch::open(cx, what, brands.as_deref())?.ids();
    let cx = Arc::clone(cx);
    Ok(ids.filter_map(move |id| {
        let cx = Arc::clone(&cx);
        async move {
            match cx.loaders.load_one(key(id)).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "watch.load_failed");
                    None
                }
            }
        }
    }))
}
