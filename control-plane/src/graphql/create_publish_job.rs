//! Fanning posts out to destinations.

use std::collections::BTreeSet;

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::Noun;
use domain::schedule::Schedule;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::failure::Answer;
use super::id;
use super::idempotency::IdempotencyKey;
use super::platform::{Framing, Placement};
use super::publish_job::{JobKey, PublishJob};
use super::publish_target::{PublishTarget, TargetKey};
use super::scalars::{LocalDate, LocalTime};
use super::scope::{Cx, cx};
use super::user_error::{Code, Path, Stop, UserError, change, payloads};
use crate::auth::Right;
use crate::publishing::create;
use crate::publishing::request::{Created, Fault, FaultKind, NotCreated, PostWish, Request, Skipped};

/// What is written under the posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize)]
pub enum CaptionPolicy {
    /// Let the configured author adapt it to each network.
    Adapt,
    /// Send it as it came.
    Original,
}

/// What becomes of pairs that were posted already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize)]
pub enum DuplicatePolicy {
    /// No second target is made of them.
    Skip,
    /// They are posted again.
    Allow,
}

/// Posts and where they go.
#[derive(Clone, InputObject, Serialize)]
pub struct CreatePublishJobInput {
    /// The brand that all of it belongs to.
    brand_id: ID,
    /// What to call it.
    name: Option<String>,
    /// They take the times of the schedule in this order.
    posts: Vec<PostInput>,
    /// Where every post goes.
    destinations: Vec<DestinationInput>,
    /// What is written under the posts.
    #[graphql(default_with = "CaptionPolicy::Adapt")]
    captions: CaptionPolicy,
    /// Null: as soon as it is ready.
    schedule: Option<ScheduleInput>,
    /// true: to be looked at, changed and then submitted.
    #[graphql(default = false)]
    draft: bool,
    /// Pairs that cannot be, e.g. a carousel for YouTube. true: no target is made of them. false: they
    /// are targets with a problem in a draft, and refuse the job otherwise.
    #[graphql(default = false)]
    skip_unfit: bool,
    /// How pictures get into another shape, where they have to. Null: as each network prefers.
    framing: Option<Framing>,
    /// true: of videos that are longer than a network takes, the beginning is posted. false: they are pairs that
    /// cannot be.
    #[graphql(default = false)]
    trim: bool,
    /// Pairs whose content is published, under way or undecided on that account already. SKIP makes no
    /// second target of them.
    #[graphql(default_with = "DuplicatePolicy::Skip")]
    duplicates: DuplicatePolicy,
    /// Up to 200 characters; a repeat with it makes nothing again.
    #[serde(skip)]
    idempotency_key: Option<String>,
}

/// One post.
#[derive(Clone, InputObject, Serialize)]
pub struct PostInput {
    /// What is posted.
    asset_id: ID,
    /// In place of the text that the asset came with.
    caption: Option<String>,
    /// In place of the schedule, of which it takes no time.
    at: Option<DateTime<Utc>>,
}

/// One place to post to.
#[derive(Clone, InputObject, Serialize)]
pub struct DestinationInput {
    /// The account.
    account_id: ID,
    /// Null: what suits the asset on that network.
    placement: Option<Placement>,
}

/// All destinations of a post share its time.
#[derive(Clone, OneofObject, Serialize)]
pub enum ScheduleInput {
    /// All posts at once.
    At(DateTime<Utc>),
    /// One after the other.
    Every(IntervalInput),
    /// At times of day.
    Slots(SlotsInput),
}

/// One after the other.
#[derive(Clone, InputObject, Serialize)]
pub struct IntervalInput {
    /// The time of the first.
    start_at: DateTime<Utc>,
    /// From one to the next.
    minutes: i32,
}

/// At times of day.
#[derive(Clone, InputObject, Serialize)]
pub struct SlotsInput {
    /// Times of day. One that summer time skips is the next that exists; of one that comes twice, it is
    /// the first.
    times: Vec<LocalTime>,
    /// The first day; slots in the past are left out.
    from: LocalDate,
    /// The last day: posts are spread evenly, several to a slot if need be (of n posts over m slots,
    /// both counted from 0, the k-th takes slot k·m/n rounded down). Null: one post a slot, for as long
    /// as it takes.
    until: Option<LocalDate>,
}

/// Why no target was made of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum SkipReason {
    /// It is on the account already, or on its way there.
    Duplicate,
    /// The network cannot take it.
    Unfit,
}

/// A pair of which no target was made.
#[derive(Clone, Debug, SimpleObject)]
pub struct SkippedPair {
    /// What was to be posted.
    pub asset_id: ID,
    /// Where.
    pub account_id: ID,
    /// Why not.
    pub reason: SkipReason,
    /// The same, for people.
    pub message: String,
    /// The target that it would repeat.
    pub earlier: Option<PublishTarget>,
}

/// `job` is null when nothing was left to do. At most the first 1,000 skipped pairs are listed.
#[derive(SimpleObject, Default)]
pub struct CreatePublishJobPayload {
    /// The job.
    pub job: Option<PublishJob>,
    /// Pairs of which no target was made.
    pub skipped: Vec<SkippedPair>,
    /// How many there are.
    pub skipped_count: i32,
    /// Why no job was made.
    pub user_errors: Vec<UserError>,
}

payloads!(CreatePublishJobPayload);

/// Making jobs.
#[derive(Default)]
pub struct CreatePublishJobMutation;

#[Object]
impl CreatePublishJobMutation {
    /// Fans posts out to destinations: one target for each pair, at most 5,000.
    async fn create_publish_job(
        &self,
        ctx: &Context<'_>,
        input: CreatePublishJobInput,
    ) -> Answer<CreatePublishJobPayload> {
        change(input, |input| create_job(cx(ctx), input)).await
    }
}

/// What a repeat is answered with.
#[derive(Serialize, Deserialize)]
struct Kept {
    job: Option<Uuid>,
    skipped: Vec<Skipped>,
    skipped_count: usize,
}

async fn create_job(cx: &Cx, input: CreatePublishJobInput) -> Result<CreatePublishJobPayload, Stop> {
    let root = Path::input();
    let brand = cx.brand_in(&input.brand_id, Right::Edit, &root.field("brandId"))?;
    let asker = cx.asker()?;
    let key = input.idempotency_key.as_deref();
    let key = IdempotencyKey::read(asker.actor.id(), key, "createPublishJob", &input)?;
    let request = read(cx, brand, input)?;
    let mut tx = cx.write(brand, Right::Edit, &root.field("brandId")).await?;
    if let Some(key) = &key
        && let Some(kept) = key.claim::<Kept>(&mut tx).await?
    {
        // Reading takes a connection of its own: nobody holds two.
        drop(tx);
        return payload(cx, kept).await;
    }
    let Created { job, skipped, skipped_count } =
        create::create(&mut tx, &request).await.map_err(|not| stop(not, &root))?;
    let kept = Kept { job, skipped, skipped_count };
    if let Some(job) = job {
        let entry = Entry::new("publish_job.created", Noun::PublishJob, job);
        let entry = entry.change("name", None, request.name.clone());
        audit::write(&mut tx, &asker, Place::Brand(brand), &[entry]).await?;
    }
    if let Some(key) = &key {
        key.keep(&mut tx, &kept).await?;
    }
    tx.commit().await?;
    if let Some(job) = job {
        cx.system.announce(brand, Noun::PublishJob, job);
    }
    payload(cx, kept).await
}

/// Reads ids and values; those that do not exist are found later.
fn read(cx: &Cx, brand: Uuid, input: CreatePublishJobInput) -> Result<Request, Stop> {
    let root = Path::input();
    let mut errors = Vec::new();
    let mut id_of = |noun, given: &ID, path: Path| {
        id::parse_input(noun, given, &path).unwrap_or_else(|error| {
            errors.push(error);
            Uuid::nil()
        })
    };
    let (list, places) = (root.field("posts"), root.field("destinations"));
    let posts = input.posts.into_iter().enumerate().map(|(index, post)| PostWish {
        asset: id_of(Noun::MediaAsset, &post.asset_id, list.index(index).field("assetId")),
        caption: post.caption,
        at: post.at,
    });
    let posts = posts.collect();
    let destinations = input.destinations.iter().enumerate().map(|(index, place)| {
        let account = id_of(Noun::SocialAccount, &place.account_id, places.index(index).field("accountId"));
        (account, place.placement.map(Into::into))
    });
    let destinations = destinations.collect();
    errors.truncate(100);
    if !errors.is_empty() {
        return Err(Stop::Refused(errors));
    }
    Ok(Request {
        brand,
        name: input.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()),
        posts,
        destinations,
        adapt: input.captions == CaptionPolicy::Adapt,
        schedule: input.schedule.map(schedule),
        draft: input.draft,
        skip_unfit: input.skip_unfit,
        framing: input.framing.map(Into::into),
        trim: input.trim,
        allow_duplicates: input.duplicates == DuplicatePolicy::Allow,
        created_by: cx.user(),
        traceparent: cx.envelope.traceparent.clone(),
    })
}

fn schedule(input: ScheduleInput) -> Schedule {
    match input {
        ScheduleInput::At(at) => Schedule::At(at),
        // A negative number is out of the range that the schedule checks, and so is 0.
        ScheduleInput::Every(every) => {
            Schedule::Every { start_at: every.start_at, minutes: u32::try_from(every.minutes).unwrap_or(0) }
        }
        ScheduleInput::Slots(slots) => Schedule::Slots {
            times: slots.times.into_iter().map(|time| time.0).collect(),
            from: slots.from.0,
            until: slots.until.map(|day| day.0),
        },
    }
}

fn stop(not: NotCreated, root: &Path) -> Stop {
    match not {
        NotCreated::Failed(error) => error.into(),
        NotCreated::Faulty(faults) => Stop::Refused(faults.iter().map(|fault| error(fault, root)).collect()),
    }
}

fn error(fault: &Fault, root: &Path) -> UserError {
    let code = match fault.kind {
        FaultKind::NotFound => Code::NotFound,
        FaultKind::Invalid => Code::Invalid,
        FaultKind::TooLarge => Code::TooLarge,
        FaultKind::Conflict => Code::Conflict,
        FaultKind::UnsupportedMedia => Code::UnsupportedMedia,
    };
    let path = fault.path.iter().fold(root.clone(), |path, step| path.field(step));
    UserError::new(code, fault.message.clone(), &path)
}

async fn payload(cx: &Cx, kept: Kept) -> Result<CreatePublishJobPayload, Stop> {
    let job = match kept.job {
        Some(job) => cx.loaders.load_one(JobKey(job)).await?,
        None => None,
    };
    let earlier: BTreeSet<Uuid> = kept.skipped.iter().filter_map(|pair| pair.earlier).collect();
    let earlier = cx.loaders.load_many(earlier.into_iter().map(TargetKey)).await?;
    let shown = |pair: Skipped| SkippedPair {
        asset_id: id::of(Noun::MediaAsset, pair.asset),
        account_id: id::of(Noun::SocialAccount, pair.account),
        reason: if pair.duplicate { SkipReason::Duplicate } else { SkipReason::Unfit },
        message: pair.message,
        earlier: pair.earlier.and_then(|target| earlier.get(&TargetKey(target)).cloned()),
    };
    Ok(CreatePublishJobPayload {
        job,
        skipped: kept.skipped.into_iter().map(shown).collect(),
        skipped_count: i32::try_from(kept.skipped_count).unwrap_or(i32::MAX),
        user_errors: Vec::new(),
    })
}
