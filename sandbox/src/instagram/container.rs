//! Containers: media that is fetched, looked at and ready to be published once.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::platform::Platform;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::faults::{Fault, Order};
use crate::fetch::Fetched;
use crate::instagram::call::{Answer, Call};
use crate::instagram::checks::{self, VideoUse};
use crate::instagram::error::{self, GraphError, Refusal};
use crate::ledger::{PostKind, PostMedia};
use crate::media_store::{ReceiveError, Stored};
use crate::pace::{Rate, Rule};
use crate::world::{World, numeric_id};

/// Life of a container that is not published.
const LIFE: TimeDelta = TimeDelta::hours(24);
const ALT_CHARS: usize = 1000;

/// One container.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Container {
    pub id: String,
    pub account: String,
    pub kind: PostKind,
    /// Only good as an item of a carousel.
    pub is_item: bool,
    pub caption: String,
    pub share_to_feed: bool,
    /// Its own file, or those of its items in order.
    pub media: Vec<PostMedia>,
    pub created_at: DateTime<Utc>,
    /// Not finished before, however quick the work was.
    pub ready_at: DateTime<Utc>,
    pub work: Work,
    /// A status that lags shows PUBLISHED from here on only.
    pub status_lags_until: Option<DateTime<Utc>>,
}

/// How far the network is with the media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    Running,
    Done,
    /// With the subcode that `status` names.
    Failed(i32),
}

/// `status_code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    InProgress,
    Finished,
    Error(i32),
    Expired,
    Published,
}

impl Container {
    /// The truth about it at `now`, which is what publishing goes by.
    pub fn status(&self, world: &World, now: DateTime<Utc>) -> Status {
        if world.ledger.of_handle(Platform::Instagram, &self.id).is_some() {
            return Status::Published;
        }
        if now >= self.created_at + LIFE {
            return Status::Expired;
        }
        self.progress(now)
    }

    /// What a reader is told, which may lag behind.
    pub fn shown_status(&self, world: &World, now: DateTime<Utc>) -> Status {
        match self.status(world, now) {
            Status::Published if self.status_lags_until.is_some_and(|until| now < until) => {
                self.progress(now)
            }
            status => status,
        }
    }

    fn progress(&self, now: DateTime<Utc>) -> Status {
        match self.work {
            Work::Running => Status::InProgress,
            _ if now < self.ready_at => Status::InProgress,
            Work::Done => Status::Finished,
            Work::Failed(subcode) => Status::Error(subcode),
        }
    }
}

/// Containers whose fetch died with the last process have failed as Instagram's own restarts fail.
pub fn resume(app: &App) {
    let failed = app.world().containers.change_where(
        |container| container.work == Work::Running,
        |container| container.work = Work::Failed(error::SERVER.subcode),
    );
    if let Err(error) = failed {
        tracing::error!(%error, "unfinished containers stay unfinished");
    }
}

/// `POST /{ig-user}/media`.
pub async fn create(call: &Call) -> Answer {
    call.require_scope("instagram_business_content_publish")?;
    checks::caption(call.param("caption").unwrap_or(""))?;
    let wanted = Wanted::read(call)?;
    count(call)?;
    let order = inner_faults(call);
    let mut container = blank(call, &wanted, &order);
    let id = container.id.clone();
    match wanted {
        Wanted::Carousel(children) => {
            let mut world = call.app.world();
            container.media = items(&world, call, &children)?;
            container.work = order.outcome(Ok(()));
            world.containers.put(&id, container)?;
        }
        Wanted::Image { url, alt_text } => {
            let fetched = fetch(&call.app, &url, "image/").await?;
            let file = receive(&call.app, fetched, checks::IMAGE_BYTES, error::IMAGE_TOO_LARGE).await?;
            let facts = look(&call.app, &file).await?;
            checks::image(facts.as_ref())?;
            let facts = facts.ok_or(error::IMAGE_FORMAT)?;
            let mut media = PostMedia::new(numeric_id("179", 17), file, &facts);
            media.alt_text = alt_text;
            container.media = vec![media];
            container.work = order.outcome(Ok(()));
            call.app.world().containers.put(&id, container)?;
        }
        Wanted::Video { url, used, thumb_offset_ms } => {
            let fetched = fetch(&call.app, &url, "video/").await?;
            call.app.world().containers.put(&id, container)?;
            let (app, id) = (Arc::clone(&call.app), id.clone());
            let stop = app.stop.clone();
            let work = async move { process(&app, &id, fetched, (used, thumb_offset_ms), &order).await };
            call.app.tasks.spawn(stop.run_until_cancelled_owned(work));
        }
    }
    Ok(json!({ "id": id }))
}

/// What the parameters ask for.
enum Wanted {
    Image { url: String, alt_text: Option<String> },
    Video { url: String, used: VideoUse, thumb_offset_ms: Option<u64> },
    Carousel(Vec<String>),
}

impl Wanted {
    fn read(call: &Call) -> Result<Self, GraphError> {
        let is_item = call.param("is_carousel_item") == Some("true");
        let alt_text = call.param("alt_text").map(str::to_owned);
        if alt_text.as_ref().is_some_and(|text| text.chars().count() > ALT_CHARS) {
            return Err(GraphError::parameter("alt_text has at most 1000 characters"));
        }
        let media_type = call.param("media_type").unwrap_or("IMAGE");
        if alt_text.is_some() && media_type != "IMAGE" {
            return Err(GraphError::parameter("alt_text is for images only"));
        }
        if call.param("upload_type").is_some() {
            return Err(GraphError::parameter("upload_type is for apps with Facebook Login"));
        }
        match (media_type, is_item) {
            ("IMAGE", _) => Ok(Self::Image { url: call.required("image_url")?.to_owned(), alt_text }),
            ("REELS", false) => Ok(Self::Video {
                url: call.required("video_url")?.to_owned(),
                used: VideoUse::Reel,
                thumb_offset_ms: thumb_offset(call)?,
            }),
            ("VIDEO", true) => Ok(Self::Video {
                url: call.required("video_url")?.to_owned(),
                used: VideoUse::CarouselItem,
                thumb_offset_ms: None,
            }),
            ("CAROUSEL", false) => {
                let children = call.required("children")?;
                let children = serde_json::from_str::<Vec<String>>(children)
                    .unwrap_or_else(|_| children.split(',').map(|id| id.trim().to_owned()).collect());
                Ok(Self::Carousel(children))
            }
            _ => Err(error::MEDIA_TYPE.into()),
        }
    }

    const fn kind(&self) -> PostKind {
        match self {
            Self::Image { .. } => PostKind::Photo,
            Self::Video { used: VideoUse::Reel, .. } => PostKind::Reel,
            Self::Video { .. } => PostKind::Video,
            Self::Carousel(_) => PostKind::Carousel,
        }
    }
}

fn thumb_offset(call: &Call) -> Result<Option<u64>, GraphError> {
    let Some(text) = call.param("thumb_offset") else { return Ok(None) };
    text.parse().map(Some).map_err(|_| GraphError::parameter("thumb_offset is in milliseconds"))
}

fn blank(call: &Call, wanted: &Wanted, order: &Inner) -> Container {
    let now = call.app.clock.now();
    let works = matches!(wanted, Wanted::Video { .. });
    let processing = if works { call.app.config.processing } else { std::time::Duration::ZERO };
    Container {
        id: numeric_id("178", 17),
        account: call.account.external_id.clone(),
        kind: wanted.kind(),
        is_item: call.param("is_carousel_item") == Some("true"),
        caption: call.param("caption").unwrap_or("").to_owned(),
        share_to_feed: call.param("share_to_feed") != Some("false"),
        media: Vec::new(),
        created_at: now,
        ready_at: now + processing + order.slower,
        work: Work::Running,
        status_lags_until: None,
    }
}

/// Counts the container against the 400 of a day.
fn count(call: &Call) -> Result<(), GraphError> {
    if !call.app.limited(Platform::Instagram) {
        return Ok(());
    }
    let rate = Rate::Window { limit: call.app.config.limits.instagram_containers, window: LIFE };
    let rule = Rule { key: format!("ig-containers:{}", call.account.external_id), rate, cost: 1 };
    let taken = call.app.world().paces.take(&[rule], call.app.clock.now());
    taken.map_err(|_| GraphError::throttled(axum::http::StatusCode::BAD_REQUEST))
}

/// The faults of processing that were ordered for this container.
struct Inner {
    slower: std::time::Duration,
    failed: Option<i32>,
}

impl Inner {
    fn outcome(&self, checked: Result<(), Refusal>) -> Work {
        match (self.failed, checked) {
            (Some(subcode), _) => Work::Failed(subcode),
            (None, Err(refusal)) => Work::Failed(refusal.subcode),
            (None, Ok(())) => Work::Done,
        }
    }
}

fn inner_faults(call: &Call) -> Inner {
    let site = call.site("container");
    let steps = ["container", "status"];
    let faults = &mut call.app.world().faults;
    let slower = faults.take_inner(Fault::SlowProcessing, &site, &steps);
    let failed = faults.take_inner(Fault::ProcessingFailed, &site, &steps);
    let code = |order: Order| order.code.and_then(|code| code.parse().ok());
    Inner {
        slower: slower.map_or_else(Default::default, |order| order.delay(5000)),
        failed: failed.map(|order| code(order).unwrap_or(error::VIDEO_FORMAT.subcode)),
    }
}

/// The files of a carousel's items, each of which must be ready.
fn items(world: &World, call: &Call, children: &[String]) -> Result<Vec<PostMedia>, GraphError> {
    if !(2..=10).contains(&children.len()) {
        return Err(error::CAROUSEL.into());
    }
    let now = call.app.clock.now();
    let mut media = Vec::new();
    for id in children {
        let item = world.containers.get(id).filter(|item| item.account == call.account.external_id);
        let item = item.filter(|item| item.is_item).ok_or_else(|| GraphError::missing("post", id))?;
        match item.status(world, now) {
            Status::Finished => media.extend(item.media.iter().cloned()),
            Status::InProgress => return Err(error::NOT_READY.into()),
            Status::Expired | Status::Published => return Err(error::GONE.into()),
            Status::Error(_) => return Err(error::CAROUSEL.into()),
        }
    }
    Ok(media)
}

/// Asks for the media: 200, no redirect, and a Content-Type of the right family.
async fn fetch(app: &App, url: &str, family: &str) -> Result<Fetched, Refusal> {
    let fetched = app.fetcher.get(url).await.map_err(|error| {
        tracing::info!(%error, "Instagram cannot fetch the media");
        error::UNFETCHABLE
    })?;
    if !fetched.content_type.starts_with(family) {
        tracing::info!(content_type = fetched.content_type, "Instagram does not take this Content-Type");
        return Err(error::UNFETCHABLE);
    }
    Ok(fetched)
}

async fn receive(app: &App, fetched: Fetched, limit: u64, too_large: Refusal) -> Result<Stored, Refusal> {
    app.media.receive(fetched.body, limit).await.map_err(|error| match error {
        ReceiveError::TooLarge { .. } => too_large,
        ReceiveError::Broken(_) => error::UNFETCHABLE,
        ReceiveError::Storage(error) => {
            tracing::error!(%error, "the sandbox cannot store media");
            error::SERVER
        }
    })
}

async fn look(app: &App, file: &Stored) -> Result<Option<crate::probe::Facts>, Refusal> {
    app.prober.look(&app.media.path(&file.sha256), &file.sha256).await.map_err(|error| {
        tracing::error!(%error, "ffprobe did not run");
        error::SERVER
    })
}

/// Fetches and checks a video, and writes down what came of it.
async fn process(app: &App, id: &str, fetched: Fetched, rules: (VideoUse, Option<u64>), order: &Inner) {
    let looked = async {
        let file = receive(app, fetched, checks::VIDEO_BYTES, error::VIDEO_FORMAT).await?;
        let facts = look(app, &file).await?;
        checks::video(facts.as_ref(), rules.0, rules.1)?;
        let facts = facts.ok_or(error::VIDEO_FORMAT)?;
        Ok(PostMedia::new(numeric_id("179", 17), file, &facts))
    };
    let looked = looked.await;
    let stored = app.world().containers.change(id, |container| match looked {
        Ok(media) => {
            container.media = vec![media];
            container.work = order.outcome(Ok(()));
        }
        Err(refusal) => container.work = order.outcome(Err(refusal)),
    });
    if let Err(error) = stored {
        tracing::error!(%error, "a container's outcome is lost");
    }
}
