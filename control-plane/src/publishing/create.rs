//! Creating a job: every post to every destination, in a number of statements that does not depend
//! on how many they are.

use std::collections::{HashMap, HashSet};

use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::{NewJob, enqueue};
use backplane::store::publishing::{
    JobBrand, NewCaption, NewPublishJob, NewTarget, PlanSource, destinations, earlier_targets,
    ingested_there, insert_captions, insert_job, job_brand, plan_sources,
};
use backplane::store::targets::advance_only;
use backplane::store::{StoreError, Tx, clock};
use chrono::{DateTime, Utc};
use domain::platform::Platform;
use domain::problem::Remedy;
use domain::schedule::post_times;
use domain::target::TargetState;
use uuid::Uuid;

use super::pair::{self, Destination, Pair, Post, Repeats, Rules};
use super::request::{Created, Fault, FaultKind, NotCreated, Request, Skipped};

/// Most targets of one job.
pub const TARGETS_MAX: usize = 5_000;
/// Most faults that are told at once.
const FAULTS_MAX: usize = 100;
/// Longest name of a job, in characters.
const NAME_MAX: usize = 200;
/// Jobs up to this size are worked on before back catalogues.
const SMALL: usize = 50;

/// Makes the job, its targets and all that they need next, in the transaction `tx` of its brand.
///
/// # Errors
/// [`NotCreated::Faulty`] for what a person can mend: then nothing was written.
pub async fn create(tx: &mut Tx, request: &Request) -> Result<Created, NotCreated> {
    check_size(request)?;
    let Some(brand) = job_brand(tx, request.brand).await? else {
        return Err(Fault::new(FaultKind::NotFound, &["brandId"], "There is no such brand.").into());
    };
    let now = clock::now(tx).await?;
    let times = times(request, &brand, now)?;
    let posts = posts(tx, request, &times).await?;
    let places = places(tx, request).await?;
    let rules = Rules {
        original: !request.adapt,
        forbidden_phrases: &brand.forbidden_phrases,
        framing: request.framing,
        trim: request.trim,
    };
    let pairs = pair::judge(&posts, &places, rules);
    let repeats = repeats(tx, request, &posts, &places, &pairs).await?;
    let mut created = Created::default();
    let kept = sort_out(request, &posts, &places, pairs, &repeats, &mut created)?;
    if kept.is_empty() {
        return Ok(created);
    }
    store(tx, request, &brand, Kept { posts: &posts, places: &places, pairs: kept }, &mut created).await?;
    Ok(created)
}

fn check_size(request: &Request) -> Result<(), Fault> {
    let (posts, places) = (request.posts.len(), request.destinations.len());
    if posts == 0 {
        return Err(Fault::new(FaultKind::Invalid, &["posts"], "Choose at least one post."));
    }
    if places == 0 {
        return Err(Fault::new(FaultKind::Invalid, &["destinations"], "Choose at least one destination."));
    }
    if posts.saturating_mul(places) > TARGETS_MAX {
        let message =
            format!("Posts times destinations are at most {TARGETS_MAX}. Make several jobs of them.");
        return Err(Fault::new(FaultKind::TooLarge, &["posts"], message));
    }
    let too_long = |name: &String| name.chars().count() > NAME_MAX || name.contains('\0');
    if request.name.as_ref().is_some_and(too_long) {
        let message = format!("A name has at most {NAME_MAX} characters.");
        return Err(Fault::new(FaultKind::Invalid, &["name"], message));
    }
    Ok(())
}

/// Every post's time in the brand's time zone.
fn times(
    request: &Request,
    brand: &JobBrand,
    now: DateTime<Utc>,
) -> Result<Vec<Option<DateTime<Utc>>>, NotCreated> {
    // The column holds what `updateBrand` checked; UTC is what a zone unknown by now falls back to.
    let zone = brand.timezone.parse().unwrap_or(chrono_tz::UTC);
    let own: Vec<_> = request.posts.iter().map(|post| post.at).collect();
    let faults: Vec<Fault> = own
        .iter()
        .enumerate()
        .filter_map(|(index, at)| Some((index, post_times(None, &[*at], zone, now).err()?)))
        .map(|(index, bad)| Fault::of_item(FaultKind::Invalid, "posts", index, "at", bad.to_string()))
        .take(FAULTS_MAX)
        .collect();
    if !faults.is_empty() {
        return Err(NotCreated::Faulty(faults));
    }
    post_times(request.schedule.as_ref(), &own, zone, now).map_err(|bad| {
        let mut path = vec!["schedule"];
        path.extend(bad.field());
        Fault::new(FaultKind::Invalid, &path, bad.to_string()).into()
    })
}

async fn posts(
    tx: &mut Tx,
    request: &Request,
    times: &[Option<DateTime<Utc>>],
) -> Result<Vec<Post>, NotCreated> {
    let ids: Vec<Uuid> = request.posts.iter().map(|post| post.asset).collect();
    let sources: HashMap<Uuid, PlanSource> =
        plan_sources(tx, &ids).await?.into_iter().map(|source| (source.asset_id, source)).collect();
    let (mut posts, mut faults) = (Vec::with_capacity(ids.len()), Vec::new());
    for (index, (wish, at)) in request.posts.iter().zip(times).enumerate() {
        match sources.get(&wish.asset).filter(|source| source.state != "DELETED") {
            Some(source) => {
                let text = wish.caption.clone().or_else(|| source.caption.clone());
                posts.push(Post { source: source.clone(), text, at: *at });
            }
            None => {
                let message = "There is no such asset, or it was deleted.";
                faults.push(Fault::of_item(FaultKind::NotFound, "posts", index, "assetId", message));
            }
        }
        if let Some(Err(problem)) = wish.caption.as_deref().map(domain::caption::accept) {
            faults.push(Fault::of_item(FaultKind::Invalid, "posts", index, "caption", problem.message));
        }
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(posts) } else { Err(NotCreated::Faulty(faults)) }
}

async fn places(tx: &mut Tx, request: &Request) -> Result<Vec<Destination>, NotCreated> {
    let ids: Vec<Uuid> = request.destinations.iter().map(|(account, _)| *account).collect();
    let accounts: HashMap<Uuid, _> =
        destinations(tx, &ids).await?.into_iter().map(|account| (account.id, account)).collect();
    let (mut places, mut faults) = (Vec::with_capacity(ids.len()), Vec::new());
    for (index, (id, placement)) in request.destinations.iter().enumerate() {
        match accounts.get(id) {
            None => {
                let message = "There is no such account.";
                faults.push(Fault::of_item(FaultKind::NotFound, "destinations", index, "accountId", message));
            }
            Some(account) if account.disconnected => {
                let message = format!("{} is disconnected. Connect it again first.", account.handle);
                faults.push(Fault::of_item(FaultKind::Conflict, "destinations", index, "accountId", message));
            }
            Some(account) => places.push(Destination { account: account.clone(), placement: *placement }),
        }
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(places) } else { Err(NotCreated::Faulty(faults)) }
}

async fn repeats(
    tx: &mut Tx,
    request: &Request,
    posts: &[Post],
    places: &[Destination],
    pairs: &[Pair],
) -> Result<Repeats, StoreError> {
    if request.allow_duplicates {
        return Ok(Repeats::default());
    }
    let accounts: Vec<Uuid> = pairs.iter().map(|pair| places[pair.destination].account.id).collect();
    let keys: Vec<Vec<u8>> = pairs.iter().map(|pair| pair.content_key.clone()).collect();
    let earlier = earlier_targets(tx, &accounts, &keys).await?;
    let hashes: Vec<Vec<u8>> = posts.iter().filter_map(|post| post.source.content_hash.clone()).collect();
    let among: Vec<Uuid> = places.iter().map(|place| place.account.id).collect();
    let ingested = ingested_there(tx, request.brand, &among, &hashes).await?;
    Ok(Repeats::new(earlier, ingested))
}

/// Keeps the pairs of which targets are made; the others are skipped, or refuse the job.
fn sort_out(
    request: &Request,
    posts: &[Post],
    places: &[Destination],
    pairs: Vec<Pair>,
    repeats: &Repeats,
    created: &mut Created,
) -> Result<Vec<(Uuid, Pair)>, NotCreated> {
    let (mut kept, mut faults) = (Vec::with_capacity(pairs.len()), Vec::new());
    let mut here: HashMap<(Uuid, Vec<u8>), Uuid> = HashMap::new();
    for pair in pairs {
        let (source, account) = (&posts[pair.post].source, &places[pair.destination].account);
        let skipped = |duplicate, message, earlier| Skipped {
            asset: source.asset_id,
            account: account.id,
            duplicate,
            message,
            earlier,
        };
        if let Some(problem) = pair.problem.as_ref().filter(|_| !request.draft || request.skip_unfit) {
            if request.skip_unfit {
                created.skip(skipped(false, problem.message.clone(), None));
            } else {
                let (kind, field) = match problem.remedy {
                    Remedy::EditCaption => (FaultKind::Invalid, "caption"),
                    _ => (FaultKind::UnsupportedMedia, "assetId"),
                };
                let message = format!("{} ({})", problem.message, account.handle);
                faults.push(Fault::of_item(kind, "posts", pair.post, field, message));
            }
            continue;
        }
        let key = (account.id, pair.content_key.clone());
        if !request.allow_duplicates {
            let earlier = repeats.find(source, &pair.content_key, account.id);
            let earlier = earlier.or_else(|| here.get(&key).map(|target| Some(*target)));
            if let Some(earlier) = earlier {
                let message = format!("It is on {} already, or on its way there.", account.handle);
                created.skip(skipped(true, message, earlier));
                continue;
            }
        }
        let id = Uuid::now_v7();
        here.insert(key, id);
        kept.push((id, pair));
    }
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(kept) } else { Err(NotCreated::Faulty(faults)) }
}

/// The pairs of which targets are made, and what they index.
struct Kept<'a> {
    posts: &'a [Post],
    places: &'a [Destination],
    pairs: Vec<(Uuid, Pair)>,
}

async fn store(
    tx: &mut Tx,
    request: &Request,
    brand: &JobBrand,
    kept: Kept<'_>,
    created: &mut Created,
) -> Result<(), NotCreated> {
    let captions = captions(&kept);
    let rows: Vec<NewCaption> = captions.values().cloned().collect();
    insert_captions(tx, request.brand, &rows).await?;
    let job = NewPublishJob {
        id: Uuid::now_v7(),
        brand_id: request.brand,
        name: request.name.clone(),
        adapt: request.adapt,
        created_by: request.created_by,
        submitted: !request.draft,
        approval_required: brand.approval_required && !request.draft,
        duplicate_allowed: request.allow_duplicates,
        framing: request.framing,
        trim: request.trim,
    };
    let targets: Vec<NewTarget> =
        kept.pairs.iter().map(|(id, pair)| target(request, &kept, &captions, *id, pair)).collect();
    let stored: HashSet<Uuid> = insert_job(tx, &job, &targets).await?.into_iter().collect();
    if stored.len() < targets.len() {
        skip_raced(tx, &kept, &targets, &stored, created).await?;
    }
    if stored.is_empty() {
        return Ok(());
    }
    created.job = Some(job.id);
    let stored: Vec<Uuid> = targets.iter().map(|row| row.id).filter(|id| stored.contains(id)).collect();
    if request.adapt {
        let lane = if request.draft || stored.len() <= SMALL { Lane::Now } else { Lane::Bulk };
        let traced = |id: &Uuid| NewJob {
            traceparent: request.traceparent.clone(),
            ..NewJob::now(JobKind::Caption, lane, *id)
        };
        enqueue(tx, request.brand, &stored.iter().map(traced).collect::<Vec<_>>()).await?;
    }
    if !request.draft {
        advance_only(tx, request.brand, &stored).await?;
    }
    Ok(())
}

/// One caption for each post and network: rows never change, so targets may share one.
fn captions(kept: &Kept<'_>) -> HashMap<(usize, Platform), NewCaption> {
    let mut captions = HashMap::new();
    for (_, pair) in &kept.pairs {
        let platform = kept.places[pair.destination].account.platform;
        let Some(text) = &pair.text else { continue };
        captions.entry((pair.post, platform)).or_insert_with(|| NewCaption {
            id: Uuid::now_v7(),
            platform,
            title: None,
            text: text.text.clone(),
            length: i32::try_from(text.facts.length).unwrap_or(i32::MAX),
            max_length: i32::try_from(text.facts.max_length).unwrap_or(i32::MAX),
            author: "ORIGINAL",
        });
    }
    captions
}

fn target(
    request: &Request,
    kept: &Kept<'_>,
    captions: &HashMap<(usize, Platform), NewCaption>,
    id: Uuid,
    pair: &Pair,
) -> NewTarget {
    let (post, place) = (&kept.posts[pair.post], &kept.places[pair.destination]);
    let probed = post.source.files.iter().all(|file| file.info.is_some());
    let position = pair.post * request.destinations.len() + pair.destination;
    NewTarget {
        id,
        position: i32::try_from(position).unwrap_or(i32::MAX),
        asset_id: post.source.asset_id,
        account_id: place.account.id,
        platform: place.account.platform,
        placement: place.placement,
        profile: pair.profile.clone().filter(|_| probed),
        source_caption: post.text.clone(),
        caption_id: captions.get(&(pair.post, place.account.platform)).map(|caption| caption.id),
        state: if request.draft { TargetState::Draft } else { TargetState::Preparing },
        problem: pair.problem.clone(),
        scheduled_at: post.at,
        content_key: pair.content_key.clone(),
    }
}

/// Another call stored these pairs meanwhile: they are duplicates of its targets.
async fn skip_raced(
    tx: &mut Tx,
    kept: &Kept<'_>,
    targets: &[NewTarget],
    stored: &HashSet<Uuid>,
    created: &mut Created,
) -> Result<(), StoreError> {
    let raced: Vec<(&NewTarget, &Pair)> = targets
        .iter()
        .zip(&kept.pairs)
        .filter(|(target, _)| !stored.contains(&target.id))
        .map(|(target, (_, pair))| (target, pair))
        .collect();
    let accounts: Vec<Uuid> = raced.iter().map(|(target, _)| target.account_id).collect();
    let keys: Vec<Vec<u8>> = raced.iter().map(|(target, _)| target.content_key.clone()).collect();
    let repeats = Repeats::new(earlier_targets(tx, &accounts, &keys).await?, Vec::new());
    for (target, pair) in raced {
        let account = &kept.places[pair.destination].account;
        let key = (target.account_id, target.content_key.clone());
        created.skip(Skipped {
            asset: target.asset_id,
            account: target.account_id,
            duplicate: true,
            message: format!("It is on {} already, or on its way there.", account.handle),
            earlier: repeats.earlier.get(&key).copied(),
        });
    }
    Ok(())
}
