//! Pages an account's posts and takes in those that are new, each once. Our own are recognised.

use std::collections::HashSet;

use backplane::job_kind::{JobKind, Lane};
use backplane::store::ingest_work::{self, IngestCursor, NewAsset, Recognised, RunEnd, Undecided};
use backplane::store::jobs::{self, Fence, NewJob};
use backplane::store::{StoreError, Tx, clock};
use chrono::{DateTime, Duration, Utc};
use connectors::{FoundMedia, MediaPage, PageRequest};
use domain::id::Noun;
use domain::ingest::{OwnPost, Recognition, SeenPost, recognise};
use domain::platform::MediaKind;
use domain::problem::Problem;
use rand::Rng;
use uuid::Uuid;

use super::{Done, Job, JobError};
use crate::accounts::{self, Opened};
use crate::context::Context;

/// Every six hours, give or take a tenth, so that accounts spread.
const EVERY: Duration = Duration::hours(6);
const JITTER_SECONDS: i64 = 36 * 60;
/// Instagram lists at most 10,000 posts: 200 pages of 50 reach the end of any account.
const PAGES_MAX: u32 = 220;
const PAGE_SIZE: u32 = 50;

pub(super) async fn run(context: &Context, job: &Job) -> Result<Done, JobError> {
    let (brand, account) = (job.claim.brand, job.claim.subject);
    let Some(opened) = accounts::open(context, brand, account).await? else {
        return end(context, job, None, None).await;
    };
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    ingest_work::run_started(&mut tx, &fence, account).await?;
    let cursor = ingest_work::cursor(&mut tx, brand, account).await?;
    tx.commit().await?;
    let Some(cursor) = cursor else { return end(context, job, None, None).await };
    context.changed(brand, Noun::SocialAccount, account);

    let mut newest = None;
    let mut after = cursor.page_after.clone();
    for _ in 0..PAGES_MAX {
        let request = PageRequest { after: after.take(), since: cursor.since, limit: PAGE_SIZE };
        let page = match opened.connector.list_media(&opened.session, &request).await {
            Ok(page) => page,
            Err(error) => return accounts::call_failed(context, job, account, error.kind).await,
        };
        job.progress.mark();
        let taken = take(context, job, &opened, &page).await?;
        newest = newest.max(taken.newest);
        let known_from_here = !cursor.back_catalogue && reaches_known(&cursor, &page);
        match page.next {
            Some(next) if !known_from_here => after = Some(next),
            _ => break,
        }
    }
    end(context, job, newest, None).await
}

/// An ordinary run stops at the first page that holds nothing newer than what is known.
fn reaches_known(cursor: &IngestCursor, page: &MediaPage) -> bool {
    let Some(newest_known) = cursor.newest_posted_at else { return false };
    page.media.iter().all(|media| media.posted_at <= newest_known)
}

struct Taken {
    /// Posts up to here are known; `None` while one of them may still prove to be ours.
    newest: Option<DateTime<Utc>>,
}

/// Takes one page in, in one transaction.
async fn take(
    context: &Context,
    job: &Job,
    opened: &Opened<'_>,
    page: &MediaPage,
) -> Result<Taken, JobError> {
    let (brand, account) = (job.claim.brand, job.claim.subject);
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let ids: Vec<String> = page.media.iter().map(|media| media.external_id.clone()).collect();
    let own: HashSet<String> =
        ingest_work::own_posts(&mut tx, brand, account, &ids).await?.into_iter().collect();
    let undecided = ingest_work::undecided(&mut tx, brand, account).await?;
    let others: Vec<&FoundMedia> =
        page.media.iter().filter(|media| !own.contains(&media.external_id)).collect();
    let sorted = recognise(&own_posts(&undecided), &seen(&others));

    let attached: Vec<Recognised> = sorted
        .matches
        .iter()
        .map(|(post, sent)| Recognised {
            target_id: undecided[*sent].target_id,
            open_attempt: undecided[*sent].open_attempt,
            external_id: others[*post].external_id.clone(),
            external_url: others[*post].url.as_ref().map(ToString::to_string),
        })
        .collect();
    // The jobs before the targets that they write, as everybody locks them.
    let publish: Vec<NewJob> =
        attached.iter().map(|post| NewJob::now(JobKind::Publish, Lane::Now, post.target_id)).collect();
    jobs::enqueue(&mut tx, brand, &publish).await?;
    ingest_work::attach_own_posts(&mut tx, &fence, account, &attached).await?;

    let foreign: Vec<&FoundMedia> = sorted.foreign.iter().map(|post| others[*post]).collect();
    let denied = ingest_work::closed_as_absent(&mut tx, brand, account).await?;
    report_mismatches(context, &recognise(&own_posts(&denied), &seen(&foreign)), &denied);
    let assets = assets(&foreign);
    let new = ingest_work::insert_assets(&mut tx, &fence, account, &assets).await?;
    let new: HashSet<Uuid> = new.into_iter().collect();
    let fetch: Vec<NewJob> = assets
        .iter()
        .filter(|asset| asset.kind != "CAROUSEL" && new.contains(&asset.id))
        .map(|asset| NewJob {
            traceparent: job.claim.traceparent.clone(),
            ..NewJob::now(JobKind::Fetch, Lane::Bulk, asset.id)
        })
        .collect();
    jobs::enqueue(&mut tx, brand, &fetch).await?;
    let found = assets.iter().filter(|asset| asset.item_of.is_none() && new.contains(&asset.id)).count();
    let found = i32::try_from(found).unwrap_or(i32::MAX);
    ingest_work::page_taken(&mut tx, &fence, account, found, page.next.as_deref()).await?;
    tx.commit().await?;

    tracing::debug!(account_id = %account, platform = %opened.platform, found, "took a page in");
    context.changed(brand, Noun::SocialAccount, account);
    let newest = if sorted.deferred.is_empty() { page.media.iter().map(|m| m.posted_at).max() } else { None };
    Ok(Taken { newest })
}

fn own_posts(undecided: &[Undecided]) -> Vec<OwnPost<'_>> {
    undecided
        .iter()
        .map(|target| OwnPost {
            text: target.text.as_deref().unwrap_or_default(),
            kind: target.asset_kind.to_lowercase().parse().unwrap_or(MediaKind::Video),
            started_at: target.started_at,
            open: target.open_attempt.is_some(),
        })
        .collect()
}

fn seen<'a>(media: &[&'a FoundMedia]) -> Vec<SeenPost<'a>> {
    media
        .iter()
        .map(|media| SeenPost {
            text: media.caption.as_deref().unwrap_or_default(),
            kind: media.kind,
            posted_at: media.posted_at,
        })
        .collect()
}

/// A post that a person, or a look-up, said is not there: the record and the network disagree.
fn report_mismatches(context: &Context, found: &Recognition, denied: &[Undecided]) {
    for (_, sent) in &found.matches {
        tracing::error!(target_id = %denied[*sent].target_id, "a post is live that was closed as absent");
        context.metrics.ledger_mismatch();
    }
}

/// One asset a post, and one more for each item of a carousel.
fn assets(posts: &[&FoundMedia]) -> Vec<NewAsset> {
    let mut assets = Vec::with_capacity(posts.len());
    for post in posts {
        let asset = NewAsset {
            id: Uuid::now_v7(),
            kind: kind_name(post.kind),
            caption: post.caption.clone(),
            posted_at: post.posted_at,
            external_id: post.external_id.clone(),
            external_url: post.url.as_ref().map(ToString::to_string),
            item_of: None,
        };
        let carousel = asset.id;
        assets.push(asset);
        if post.kind != MediaKind::Carousel {
            continue;
        }
        assets.extend(post.items.iter().zip(0_i16..).map(|(item, position)| NewAsset {
            id: Uuid::now_v7(),
            kind: kind_name(item.kind),
            caption: None,
            posted_at: post.posted_at,
            external_id: item.external_id.clone(),
            external_url: None,
            item_of: Some((carousel, position)),
        }));
    }
    assets
}

const fn kind_name(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "IMAGE",
        MediaKind::Video => "VIDEO",
        MediaKind::Carousel => "CAROUSEL",
    }
}

/// Ends the run and asks for the next one.
async fn end(
    context: &Context,
    job: &Job,
    newest: Option<DateTime<Utc>>,
    problem: Option<&Problem>,
) -> Result<Done, JobError> {
    let (brand, account) = (job.claim.brand, job.claim.subject);
    let (mut tx, fence) = context.fenced(&job.claim).await?;
    let next = next_run(&mut tx).await?;
    let end = RunEnd { newest_posted_at: newest, next_at: Some(next), problem };
    ingest_work::run_ended(&mut tx, &fence, account, &end).await?;
    jobs::settle(&mut tx, fence).await?;
    jobs::enqueue(&mut tx, brand, &[NewJob::now(JobKind::Ingest, Lane::Bulk, account).at(next)]).await?;
    tx.commit().await?;
    context.changed(brand, Noun::SocialAccount, account);
    Ok(Done::Settled)
}

async fn next_run(tx: &mut Tx) -> Result<DateTime<Utc>, StoreError> {
    let jitter = rand::rng().random_range(-JITTER_SECONDS..=JITTER_SECONDS);
    Ok(clock::now(tx).await? + EVERY + Duration::seconds(jitter))
}

/// The run ended badly; the next one comes all the same.
pub(super) async fn give_up(tx: &mut Tx, fence: &Fence, problem: &Problem) -> Result<(), StoreError> {
    let next = next_run(tx).await?;
    let end = RunEnd { newest_posted_at: None, next_at: Some(next), problem: Some(problem) };
    ingest_work::run_ended(tx, fence, fence.subject(), &end).await?;
    let again = NewJob::now(JobKind::Ingest, Lane::Bulk, fence.subject()).at(next);
    jobs::enqueue(tx, fence.brand(), &[again]).await
}
