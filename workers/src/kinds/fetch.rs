//! Downloads an ingested post's file: a fresh address, a guarded download, then its probe.

use std::time::Duration;

use backplane::job_kind::{JobKind, Lane};
use backplane::store::asset_work::{self, FetchFacts};
use backplane::store::jobs::{self, Fence, NewJob};
use backplane::store::{StoreError, Tx, rerun, targets};
use connectors::{Connector, ErrorKind, FetchFailure, FetchLimits, FoundItem, Session};
use domain::engine::InputLimits;
use domain::id::Noun;
use domain::problem::{Problem, Remedy};
use tokio::fs::File;
use url::Url;
use uuid::Uuid;

use super::{Done, Job, JobError};
use crate::accounts;
use crate::context::Context;
use crate::failpoint::failpoint;

/// The longest that one download may take.
const DOWNLOAD_TIME: Duration = Duration::from_secs(30 * 60);
const SOURCE: &str = "source";

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (brand, asset) = (job.claim.brand, job.claim.subject);
    let mut tx = context.begin(brand).await?;
    let facts = asset_work::fetch_facts(&mut tx, brand, asset).await?;
    tx.commit().await?;
    let wanted = facts.filter(|facts| facts.state == "FETCHING" && facts.kind != "CAROUSEL");
    let Some((facts, account)) = wanted.and_then(|facts| facts.account_id.map(|account| (facts, account)))
    else {
        let (mut tx, fence) = context.fenced(&job.claim).await?;
        jobs::settle(&mut tx, fence).await?;
        tx.commit().await?;
        return Ok(Done::Settled);
    };
    let opened = accounts::open(context, brand, account).await?;
    let Some(opened) = opened else {
        return accounts::wait_for_reconnect(job);
    };
    let address = match fresh_address(opened.connector, &opened.session, &facts).await {
        Ok(address) => address,
        Err(error) => return accounts::call_failed(context, job, account, error).await,
    };
    let Some(address) = address else { return Err(JobError::GiveUp(withheld())) };
    download(context, job, &address).await
}

/// Asks the network for the post again: addresses are short-lived and never stored.
async fn fresh_address(
    connector: &dyn Connector,
    session: &Session,
    facts: &FetchFacts,
) -> Result<Option<Url>, ErrorKind> {
    let Some(own_id) = facts.external_id.as_deref() else { return Ok(None) };
    let post_id = facts.parent_external_id.as_deref().unwrap_or(own_id);
    let post = connector.found_media(session, post_id).await.map_err(|error| error.kind)?;
    let is_own = |item: &&FoundItem| item.external_id == own_id || post.items.len() == 1;
    Ok(post.items.iter().find(is_own).and_then(|item| item.download_url.clone()))
}

async fn download(context: &Context, job: &Job, address: &Url) -> Result<Done, JobError> {
    let (brand, asset) = (job.claim.brand, job.claim.subject);
    let scratch = context.engine.scratch().map_err(JobError::retry)?;
    let path = scratch.file(SOURCE);
    let mut file = File::create(&path).await.map_err(JobError::retry)?;
    let limits = FetchLimits { max_bytes: InputLimits::default().bytes, max_time: DOWNLOAD_TIME };
    failpoint("dl.start");
    let fetched = context.connectors.fetcher().download(address, &mut file, limits).await;
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(error) => {
            return Err(match error.why {
                FetchFailure::Forbidden => JobError::GiveUp(withheld()),
                FetchFailure::TooLarge(_) => JobError::GiveUp(too_large()),
                FetchFailure::Gone(_) | FetchFailure::Transient(_) | FetchFailure::Store => {
                    JobError::retry(error)
                }
            });
        }
    };
    job.progress.mark();
    let key = format!("{brand}/originals/{}", Uuid::now_v7());
    context.upload(&path, &key, "application/octet-stream").await?;
    let bytes = i64::try_from(fetched.bytes).map_err(JobError::broken)?;
    rerun(|| record(context, job, &key, bytes)).await?;
    context.changed(brand, Noun::MediaAsset, asset);
    Ok(Done::Settled)
}

/// The file lies in storage: the asset goes on to its probe.
async fn record(context: &Context, job: &Job, key: &str, bytes: i64) -> Result<(), JobError> {
    let (brand, asset) = (job.claim.brand, job.claim.subject);
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    asset_work::asset_fetched(&mut tx, &fence, asset, key, bytes).await?;
    let mut probe = NewJob::now(JobKind::Probe, Lane::Bulk, asset);
    probe.traceparent.clone_from(&job.claim.traceparent);
    jobs::enqueue(&mut tx, brand, &[probe]).await?;
    jobs::settle(&mut tx, fence).await?;
    Ok(tx.commit().await?)
}

fn withheld() -> Problem {
    Problem::new(
        "media.withheld",
        "The network does not hand out this file, as it does with flagged music. Upload it instead.",
        Remedy::ChangeMedia,
    )
}

fn too_large() -> Problem {
    Problem::new(
        "media.too_large",
        "The file is larger than 4 GiB. Upload a smaller one.",
        Remedy::ChangeMedia,
    )
}

/// The file could not be had.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    let moved = asset_work::asset_rejected(tx, fence, fence.subject(), problem).await?;
    targets::advance_targets(tx, fence.brand(), &moved).await?;
    Ok(())
}
