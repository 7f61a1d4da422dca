//! Posts fanned out to destinations.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use backplane::store::publishing::{
    JobRow, StateCount, count_jobs, counts_of_jobs, jobs_by_id, jobs_of_brand,
};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use futures_util::FutureExt as _;
use uuid::Uuid;

use super::brand::{Brand, BrandKey};
use super::connection::{Connection, Order, PageArgs, TimeKey};
use super::failure::{Answer, Failure};
use super::id;
use super::loaders::{LoadError, Loaders};
use super::publish_target::{self, PublishTarget, TargetFilter, TargetState};
use super::scope::{Cx, cx};

/// Where a whole job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::target::JobState")]
pub enum JobState {
    /// Nothing leaves, and nothing is encoded, before submitPublishJob.
    Draft,
    /// Some target is not at its end.
    Active,
    /// Every target is PUBLISHED, FAILED or CANCELLED: `counts` tell.
    Done,
    /// It was cancelled, and what was leaving came to its end.
    Cancelled,
}

/// How many targets are in one state.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct TargetCount {
    /// The state.
    pub state: TargetState,
    /// How many.
    pub count: i32,
}

/// Posts fanned out to destinations: one target for each pair.
#[derive(Clone, Debug)]
pub struct PublishJob(pub JobRow);

/// Posts fanned out to destinations: one target for each pair.
#[Object]
impl PublishJob {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::of(Noun::PublishJob, self.0.id)
    }

    /// Whose it is.
    async fn brand(&self, ctx: &Context<'_>) -> Answer<Brand> {
        cx(ctx).loaders.load_one(BrandKey(self.0.brand_id)).await?.ok_or(Failure::Unauthenticated)
    }

    /// What a person called it.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// Computed from its targets.
    async fn state(&self, ctx: &Context<'_>) -> Answer<JobState> {
        let counts = counts(cx(ctx), self.0.id).await?;
        let states = counts.iter().map(|count| count.state);
        Ok(domain::target::JobState::of(self.0.submitted_at.is_some(), self.0.cancelled_at.is_some(), states)
            .into())
    }

    /// In the order of the job's posts, then of its destinations.
    async fn targets(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<TargetFilter>,
    ) -> Answer<Connection<PublishTarget>> {
        let args = PageArgs::new(first, after, last, before);
        publish_target::of_job(cx(ctx), self.0.id, &args, filter).await
    }

    /// States without a target are left out.
    async fn counts(&self, ctx: &Context<'_>) -> Answer<Vec<TargetCount>> {
        let mut counts = counts(cx(ctx), self.0.id).await?;
        counts.sort_by_key(|count| count.state);
        let shown = |count: &StateCount| TargetCount {
            state: count.state.into(),
            count: i32::try_from(count.count).unwrap_or(i32::MAX),
        };
        Ok(counts.iter().map(shown).collect())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

async fn counts(cx: &Cx, job: Uuid) -> Answer<Vec<StateCount>> {
    Ok(cx.loaders.load_one(CountsOf(job)).await?.unwrap_or_default())
}

/// Loads a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobKey(pub Uuid);

impl Loader<JobKey> for Loaders {
    type Value = PublishJob;
    type Error = LoadError;

    async fn load(&self, keys: &[JobKey]) -> Result<HashMap<JobKey, PublishJob>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = jobs_by_id(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        Ok(rows.into_iter().map(|row| (JobKey(row.id), PublishJob(row))).collect())
    }
}

/// Loads how many of a job's targets are in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CountsOf(pub Uuid);

impl Loader<CountsOf> for Loaders {
    type Value = Vec<StateCount>;
    type Error = LoadError;

    async fn load(&self, keys: &[CountsOf]) -> Result<HashMap<CountsOf, Vec<StateCount>>, LoadError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let rows = counts_of_jobs(&mut self.read().await?, &ids).await.map_err(Arc::new)?;
        let mut counts: HashMap<CountsOf, Vec<StateCount>> = HashMap::new();
        for row in rows {
            counts.entry(CountsOf(row.job_id)).or_default().push(row);
        }
        Ok(counts)
    }
}

/// A brand's jobs, newest first.
///
/// # Errors
/// `BAD_REQUEST` for wrong arguments of the page.
pub async fn of_brand(cx: &Arc<Cx>, brand: Uuid, args: &PageArgs) -> Answer<Connection<PublishJob>> {
    let page = args.page::<TimeKey>()?;
    let edges = jobs_of_brand(&mut cx.read().await?, brand, page.window(Order::NewestFirst)).await?;
    let mut found = cx.loaders.load_many(edges.iter().map(|edge| JobKey(edge.id))).await?;
    let rows = edges.into_iter().filter_map(|edge| Some((edge, found.remove(&JobKey(edge.id))?)));
    let shared = Arc::clone(cx);
    let count = Box::new(move || {
        let cx = Arc::clone(&shared);
        async move { Ok(count_jobs(&mut cx.read().await?, brand).await?) }.boxed()
    });
    Connection::of(&page, rows.collect(), |(edge, _)| TimeKey::from(edge), |(_, job)| job, count)
}
