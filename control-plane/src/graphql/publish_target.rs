//! One asset going to one account.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use backplane::store::publishing::{
    Edge, ReviewRow, TargetQuery, TargetRow, Window, count_targets, count_targets_of_assets,
    count_targets_of_job, latest_reviews, targets_by_id, targets_of_assets, targets_of_brand, targets_of_job,
};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use domain::profile;
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::caption::{AdaptedCaption, CaptionKey};
use super::connection::{Connection, Order, Page, PageArgs, TimeKey};
use super::failure::{Answer, Failure};
use super::format_profile::FormatProfile;
use super::id;
use super::loaders::{LoadError, Loaders};
use super::media_asset::{AssetKey, MediaAsset};
use super::media_fit::{self, MediaFit};
use super::platform::{Platform, TimeRangeInput};
use super::problem::Problem;
use super::publish_job::{JobKey, PublishJob};
use super::scalars::Url;
use super::scope::{Cx, cx};
use super::social_account::{AccountKey, SocialAccount};
use super::transcoded_media::{self, TranscodedMedia};
use super::user::{User, UserKey};

/// Where a target is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::target::TargetState")]
pub enum TargetState {
    /// May be changed, and waits for submitPublishJob.
    Draft,
    /// Its media and caption are being made.
    Preparing,
    /// Media and caption are there to be seen. Approved after its time, it goes out at once.
    AwaitingApproval,
    /// Ready, and waits for its time.
    Scheduled,
    /// Being handed to the network.
    Publishing,
    /// Live, with proof.
    Published,
    /// The network said no, for good; nothing is live.
    Failed,
    /// The call went out and its outcome is not known yet; it is being looked up, never sent again blindly.
    Unconfirmed,
    /// Nothing can tell whether it is live: a person decides.
    NeedsAttention,
    /// Will not go out.
    Cancelled,
}

/// Which targets; what is left out does not matter.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TargetFilter {
    /// In one of these states.
    pub states: Option<Vec<TargetState>>,
    /// For one of these networks.
    pub platforms: Option<Vec<Platform>>,
    /// For one of these accounts.
    pub account_ids: Option<Vec<ID>>,
    /// By `publishedAt`, else `scheduledAt`.
    pub during: Option<TimeRangeInput>,
    /// Whether something is wrong with it or holds it up.
    pub has_problem: Option<bool>,
}

/// What a reviewer may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ReviewDecision {
    /// It may go out.
    Approve,
    /// Back to DRAFT.
    RequestChanges,
}

/// A reviewer's word.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Review {
    /// Yes, or what to change.
    pub decision: ReviewDecision,
    /// Why.
    pub comment: Option<String>,
    /// What was seen.
    pub revision: i32,
    /// When it was said.
    pub at: DateTime<Utc>,
    #[graphql(skip)]
    user: Option<Uuid>,
}

/// A reviewer's word.
#[async_graphql::ComplexObject]
impl Review {
    /// Who said it; null for an API key, or who is gone.
    async fn by(&self, ctx: &Context<'_>) -> Answer<Option<User>> {
        match self.user {
            Some(user) => Ok(cx(ctx).loaders.load_one(UserKey(user)).await?),
            None => Ok(None),
        }
    }
}

/// One asset going to one account.
#[derive(Clone, Debug)]
pub struct PublishTarget(pub Arc<TargetRow>);

/// One asset going to one account.
#[Object]
impl PublishTarget {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::PublishTarget, self.0.id)
    }

    /// The job that it belongs to.
    async fn job(&self, ctx: &Context<'_>) -> Answer<PublishJob> {
        cx(ctx).loaders.load_one(JobKey(self.0.job_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// What is posted.
    async fn asset(&self, ctx: &Context<'_>) -> Answer<MediaAsset> {
        cx(ctx).loaders.load_one(AssetKey(self.0.asset_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// Where it goes.
    async fn account(&self, ctx: &Context<'_>) -> Answer<SocialAccount> {
        cx(ctx).loaders.load_one(AccountKey(self.0.account_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// Null until the asset is probed.
    async fn profile(&self) -> Option<FormatProfile> {
        self.0.profile.as_deref().and_then(profile::profile).map(FormatProfile)
    }

    /// If it is longer than the network takes, its beginning is posted.
    async fn trim(&self) -> bool {
        self.0.trim
    }

    /// One, or one for each item of a carousel. Empty until the asset is probed.
    async fn fits(&self, ctx: &Context<'_>) -> Answer<Vec<MediaFit>> {
        media_fit::of_target(cx(ctx), &self.0).await
    }

    /// Null while it is being written.
    async fn caption(&self, ctx: &Context<'_>) -> Answer<Option<AdaptedCaption>> {
        match self.0.caption_id {
            Some(caption) => Ok(cx(ctx).loaders.load_one(CaptionKey(caption)).await?),
            None => Ok(None),
        }
    }

    /// As `fits`; empty before the job is submitted.
    async fn media(&self, ctx: &Context<'_>) -> Answer<Vec<TranscodedMedia>> {
        transcoded_media::of_target(cx(ctx), self.0.id).await
    }

    /// Where it is on its way.
    async fn state(&self) -> TargetState {
        self.0.state.into()
    }

    /// What is wrong with it or holds it up.
    async fn problem(&self) -> Option<Problem> {
        self.0.problem.clone().map(Problem::from)
    }

    /// Rises with every change of what will be posted, or when. A change of what takes the approval back.
    async fn revision(&self) -> i32 {
        self.0.revision
    }

    /// The newest review.
    async fn review(&self, ctx: &Context<'_>) -> Answer<Option<Review>> {
        let found = cx(ctx).loaders.load_one(ReviewOf(self.0.id)).await?;
        Ok(found.map(|row| Review {
            decision: if row.approved { ReviewDecision::Approve } else { ReviewDecision::RequestChanges },
            comment: row.comment,
            revision: row.revision,
            at: row.at,
            user: row.user_id,
        }))
    }

    /// Null: as soon as it is ready.
    async fn scheduled_at(&self) -> Option<DateTime<Utc>> {
        self.0.scheduled_at
    }

    /// When it was seen to be live.
    async fn published_at(&self) -> Option<DateTime<Utc>> {
        self.0.published_at
    }

    /// Its id at the network.
    async fn external_id(&self) -> Option<&str> {
        self.0.external_id.as_deref()
    }

    /// Where people see it.
    async fn external_url(&self) -> Option<Url> {
        self.0.external_url.as_deref().and_then(|url| url.parse().ok()).map(Url)
    }

    /// How often it was sent.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }
}

/// Loads a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetKey(pub Uuid);

impl Loader<TargetKey> for Loaders {
    type Value = PublishTarget;
    type Error = LoadError;

    async fn load(&self, keys: &[TargetKey]) -> Result<HashMap<TargetKey, PublishTarget>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = targets_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (TargetKey(row.id), PublishTarget(Arc::new(row)))).collect())
    }
}

/// Loads the newest review of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReviewOf(pub Uuid);

impl Loader<ReviewOf> for Loaders {
    type Value = ReviewRow;
    type Error = LoadError;

    async fn load(&self, keys: &[ReviewOf]) -> Result<HashMap<ReviewOf, ReviewRow>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = latest_reviews(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (ReviewOf(row.target_id), row)).collect())
    }
}

/// A brand's targets by `publishedAt`, else `scheduledAt`; those without either last.
///
/// # Errors
/// `BAD_REQUEST` and `BAD_ID` for wrong arguments.
pub async fn of_brand(
    cx: &Arc<Cx>,
    brand: Uuid,
    args: &PageArgs,
    filter: Option<TargetFilter>,
) -> Answer<Connection<PublishTarget>> {
    let (page, query) = (args.page::<TimeKey>()?, query(filter)?);
    let edges =
        targets_of_brand(&mut cx.read().await?, brand, &query, page.window(Order::OldestFirst)).await?;
    let keys = edges.into_iter().map(|edge| (TimeKey::from(&edge), edge.id)).collect();
    let shared = Arc::clone(cx);
    let count = Box::new(move || {
        let (cx, query) = (Arc::clone(&shared), query.clone());
        async move { Ok(count_targets(&mut cx.read().await?, brand, &query).await?) }.boxed()
    });
    connect(cx, &page, keys, count).await
}

/// A job's targets in the order of its posts, then of its destinations.
///
/// # Errors
/// `BAD_REQUEST` and `BAD_ID` for wrong arguments.
pub async fn of_job(
    cx: &Arc<Cx>,
    job: Uuid,
    args: &PageArgs,
    filter: Option<TargetFilter>,
) -> Answer<Connection<PublishTarget>> {
    let (page, query) = (args.page::<i32>()?, query(filter)?);
    let between = (page.after.unwrap_or(-1), page.before.unwrap_or(i32::MAX));
    let size = (page.limit(), page.backward);
    let keys = targets_of_job(&mut cx.read().await?, job, &query, between, size).await?;
    let shared = Arc::clone(cx);
    let count = Box::new(move || {
        let (cx, query) = (Arc::clone(&shared), query.clone());
        async move { Ok(count_targets_of_job(&mut cx.read().await?, job, &query).await?) }.boxed()
    });
    connect(cx, &page, keys, count).await
}

/// Where an asset went and will go, newest first. Pages of several assets are read together.
///
/// # Errors
/// `BAD_REQUEST` for wrong arguments.
pub async fn of_asset(cx: &Arc<Cx>, asset: Uuid, args: &PageArgs) -> Answer<Connection<PublishTarget>> {
    let page = args.page::<TimeKey>()?;
    let key = AssetPage { asset, window: page.window(Order::NewestFirst) };
    let edges = cx.loaders.load_one(key).await?.unwrap_or_default();
    let keys = edges.into_iter().map(|edge| (TimeKey::from(&edge), edge.id)).collect();
    let shared = Arc::clone(cx);
    let count = Box::new(move || {
        let cx = Arc::clone(&shared);
        async move { Ok(cx.loaders.load_one(CountOfAsset(asset)).await?.unwrap_or_default()) }.boxed()
    });
    connect(cx, &page, keys, count).await
}

async fn connect<K: serde::Serialize + Copy>(
    cx: &Cx,
    page: &Page<K>,
    keys: Vec<(K, Uuid)>,
    count: super::connection::Count,
) -> Answer<Connection<PublishTarget>> {
    let mut found = cx.loaders.load_many(keys.iter().map(|(_, id)| TargetKey(*id))).await?;
    let rows = keys.into_iter().filter_map(|(key, id)| Some((key, found.remove(&TargetKey(id))?)));
    Connection::of(page, rows.collect(), |(key, _)| *key, |(_, target)| target, count)
}

fn query(filter: Option<TargetFilter>) -> Answer<TargetQuery> {
    let filter = filter.unwrap_or_default();
    Ok(TargetQuery {
        states: filter.states.map(|states| states.into_iter().map(Into::into).collect()),
        platforms: filter.platforms.map(|platforms| platforms.into_iter().map(Into::into).collect()),
        accounts: filter.account_ids.map(|ids| id::parse_all(Noun::SocialAccount, &ids)).transpose()?,
        during: filter.during.map(|range| (range.from, range.before)),
        has_problem: filter.has_problem,
    })
}

/// Loads one page of an asset's targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AssetPage {
    asset: Uuid,
    window: Window,
}

impl Loader<AssetPage> for Loaders {
    type Value = Vec<Edge>;
    type Error = LoadError;

    async fn load(&self, keys: &[AssetPage]) -> Result<HashMap<AssetPage, Vec<Edge>>, LoadError> {
        let mut by_window: HashMap<Window, Vec<Uuid>> = HashMap::new();
        for key in keys {
            by_window.entry(key.window).or_default().push(key.asset);
        }
        let mut tx = self.read().await?;
        let mut pages: HashMap<AssetPage, Vec<Edge>> = HashMap::new();
        // A page of assets asks for the same window of each: this loop runs once.
        for (window, assets) in by_window {
            for (asset, edge) in targets_of_assets(&mut tx, &assets, window).await.map_err(Arc::new)? {
                pages.entry(AssetPage { asset, window }).or_default().push(edge);
            }
        }
        Ok(pages)
    }
}

/// Counts an asset's targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountOfAsset(pub Uuid);

impl Loader<CountOfAsset> for Loaders {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, keys: &[CountOfAsset]) -> Result<HashMap<CountOfAsset, i64>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = count_targets_of_assets(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|(asset, count)| (CountOfAsset(asset), count)).collect())
    }
}
