//! Containers: what a post is made in before it is published. Free to repeat; gone after 24 h.

use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use domain::platform::{MediaKind, Placement, Platform};
use domain::problem::{Problem, Remedy};
use domain::publishing::{Step, StepPlan};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::graph::{Created, Graph};
use super::refusal::by_subcode;
use crate::connector::{Post, PostMedia, Prepared, Session};
use crate::error::{ConnectorError, ErrorKind};

/// The step whose container is published.
pub(super) const CONTAINER: &str = "container";
/// 24 h (content-publishing, 2026-11-20) less a margin for clocks.
const LIFE: Duration = Duration::minutes(24 * 60 - 10);

/// Parameters of a container.
type Form = Vec<(&'static str, String)>;

#[derive(Deserialize)]
pub(super) struct Status {
    pub(super) status_code: String,
    #[serde(default)]
    status: String,
}

#[derive(Deserialize)]
struct Limits {
    data: Vec<Limit>,
}

#[derive(Deserialize)]
struct Limit {
    quota_usage: u32,
    config: LimitConfig,
}

#[derive(Deserialize)]
struct LimitConfig {
    quota_total: u32,
}

/// `item_1` … `item_N` for a carousel's children, then the container itself.
pub(super) fn plan(post: &Post) -> Vec<StepPlan> {
    let whole: Vec<&str> = post.media.iter().map(|media| media.sha256.as_str()).collect();
    let container = step(CONTAINER.into(), &[post.kind.as_str(), &post.text, &whole.join(",")]);
    if post.kind != MediaKind::Carousel {
        return vec![container];
    }
    let item = |(index, media): (usize, &PostMedia)| {
        step(format!("item_{}", index + 1), &["child", media.kind.as_str(), &media.sha256])
    };
    post.media.iter().enumerate().map(item).chain([container]).collect()
}

fn step(name: String, inputs: &[&str]) -> StepPlan {
    let mut hash = Sha256::new();
    for input in inputs {
        // The length keeps neighbours apart: ("ab", "c") is not ("a", "bc").
        hash.update(input.len().to_le_bytes());
        hash.update(input);
    }
    StepPlan { part: 0, name, input_hash: hex::encode(hash.finalize()) }
}

/// Makes the step's container, or asks how the one begun is doing.
pub(super) async fn prepare(
    graph: &Graph<'_>,
    session: &Session,
    post: &Post,
    step: &StepPlan,
    done: &[Step],
    begun: Option<&Step>,
) -> Result<Prepared, ConnectorError> {
    let usable = begun.filter(|begun| {
        begun.input_hash == step.input_hash && begun.expires_at.is_none_or(|end| end > Utc::now())
    });
    if let Some(begun) = usable {
        return poll(graph, begun).await;
    }
    let (form, expires_at) = form(post, step, done)?;
    if step.name == CONTAINER {
        obey_quota(graph, session).await?;
    }
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let account = session.profile.external_id.as_str();
    let created: Created = graph.post("container", &[account, "media"], &form).await?;
    let step = Step {
        part: step.part,
        name: step.name.clone(),
        input_hash: step.input_hash.clone(),
        remote_id: created.id,
        expires_at: Some(expires_at),
        data: json!({ "created_at": Utc::now() }),
    };
    Ok(Prepared::NotYet { poll_at: Utc::now() + Duration::seconds(1), step: Some(step) })
}

/// The parameters, and until when the container will be good: a parent no longer than its children.
fn form(post: &Post, step: &StepPlan, done: &[Step]) -> Result<(Form, DateTime<Utc>), ConnectorError> {
    let full_life = Utc::now() + LIFE;
    if post.placement == Placement::Story {
        return Err(ConnectorError::unsupported(Platform::Instagram, "story"));
    }
    if let Some(index) = step.name.strip_prefix("item_").and_then(|number| number.parse::<usize>().ok()) {
        let media = post.media.get(index.wrapping_sub(1)).ok_or_else(no_media)?;
        let mut form = address(media, "VIDEO");
        form.push(("is_carousel_item", "true".into()));
        return Ok((form, full_life));
    }
    let caption = ("caption", post.text.clone());
    if post.kind != MediaKind::Carousel {
        let media = post.media.first().ok_or_else(no_media)?;
        let mut form = address(media, "REELS");
        if media.kind == MediaKind::Video {
            form.push(("share_to_feed", "true".into()));
        }
        form.push(caption);
        return Ok((form, full_life));
    }
    let children: Vec<&Step> = (1..=post.media.len())
        .filter_map(|number| done.iter().find(|step| step.name == format!("item_{number}")))
        .collect();
    if children.len() != post.media.len() {
        return Err(error("container", ErrorKind::StepExpired));
    }
    let ids: Vec<&str> = children.iter().map(|child| child.remote_id.as_str()).collect();
    let ends = children.iter().filter_map(|child| child.expires_at).fold(full_life, DateTime::min);
    Ok((vec![("media_type", "CAROUSEL".into()), ("children", ids.join(",")), caption], ends))
}

fn address(media: &PostMedia, video_type: &str) -> Form {
    if media.kind == MediaKind::Video {
        vec![("media_type", video_type.into()), ("video_url", media.public_url.to_string())]
    } else {
        vec![("image_url", media.public_url.to_string())]
    }
}

/// The network's own count of the last 24 h, obeyed before a container is spent on a full quota.
async fn obey_quota(graph: &Graph<'_>, session: &Session) -> Result<(), ConnectorError> {
    let path = [session.profile.external_id.as_str(), "content_publishing_limit"];
    let limits: Limits = graph.get("quota", &path, &[("fields", "config,quota_usage")]).await?;
    let full = |limit: &Limit| limit.quota_usage >= limit.config.quota_total;
    if limits.data.first().is_some_and(full) {
        return Err(error("quota", ErrorKind::Throttled(Utc::now() + Duration::hours(1))));
    }
    Ok(())
}

/// What a container says of itself.
pub(super) async fn status(graph: &Graph<'_>, container: &str) -> Result<Status, ConnectorError> {
    graph.get("status", &[container], &[("fields", "status_code,status")]).await
}

async fn poll(graph: &Graph<'_>, begun: &Step) -> Result<Prepared, ConnectorError> {
    let status = status(graph, &begun.remote_id).await?;
    match status.status_code.as_str() {
        "FINISHED" | "PUBLISHED" => Ok(Prepared::Done(begun.clone())),
        "IN_PROGRESS" => {
            let age = age(begun);
            if age > Duration::from_std(graph.config.media_wait).unwrap_or(LIFE) {
                return Err(error("status", ErrorKind::StepExpired));
            }
            Ok(Prepared::NotYet { poll_at: Utc::now() + pause(age), step: Some(begun.clone()) })
        }
        "ERROR" => Err(error("status", status.failure())),
        _ => Err(error("status", ErrorKind::StepExpired)),
    }
}

impl Status {
    /// Why the container is in ERROR: its text ends in a subcode.
    pub(super) fn failure(&self) -> ErrorKind {
        let subcode = self.status.split(|c: char| !c.is_ascii_digit()).rfind(|digits| digits.len() == 7);
        let known = subcode.and_then(|digits| digits.parse().ok()).and_then(by_subcode);
        known.unwrap_or(ErrorKind::StepExpired)
    }
}

fn age(step: &Step) -> Duration {
    let created = step.data["created_at"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    created.map_or(Duration::zero(), |created| Utc::now() - created)
}

/// Photos are ready at once; a video is asked after every 3 s, then less and less.
fn pause(age: Duration) -> StdDuration {
    StdDuration::from_secs(match age.num_seconds() {
        ..5 => 1,
        5..60 => 3,
        60..300 => 15,
        _ => 60,
    })
}

fn no_media() -> ConnectorError {
    let problem = Problem::new(
        "instagram.no_media",
        "Instagram takes no post without a photo or a video. Add one.",
        Remedy::ChangeMedia,
    );
    error("container", ErrorKind::Permanent(problem))
}

const fn error(step: &'static str, kind: ErrorKind) -> ConnectorError {
    ConnectorError::new(Platform::Instagram, step, kind)
}
