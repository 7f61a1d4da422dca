//! FILE_UPLOAD: a session, then chunks. All but the last prepare; the last one posts.

use std::ops::Range;
use std::time::Duration as StdDuration;

use chrono::{Duration, Utc};
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use domain::publishing::{SendOutcome, Step, StepPlan};
use hyper::Method;
use hyper::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderValue};
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use super::api::Api;
use super::chunk::Chunks;
use super::options;
use super::refusal::DEFAULT_PAUSE;
use crate::answer::{Answer, Broken};
use crate::connector::{Post, PostMedia, Prepared, Session};
use crate::error::{ConnectorError, ErrorKind, broken_send, media_unreadable};
use crate::registry::Clients;
use crate::spool::{self, Piece};
use crate::wire::Outgoing;

/// The step that opens the session and uploads all chunks but the last. Its remote id is the
/// publish id; its data hold the session's address, which is good for this one file and one hour.
pub(super) const UPLOAD: &str = "upload";
/// One hour (media-transfer-guide, 2026-05-01) less a margin for clocks.
const SESSION_LIFE: Duration = Duration::minutes(55);
/// One call of `prepare` uploads for about this long, then stores how far it came.
const TURN: StdDuration = StdDuration::from_secs(45);

/// How long a chunk may take: a minute, and its bytes at 256 kB/s.
pub(super) fn chunk_timeout(chunk: &Range<u64>) -> StdDuration {
    StdDuration::from_secs(60 + (chunk.end - chunk.start) / 256_000)
}

/// Opens the session, or goes on with the one begun.
pub(super) async fn prepare(
    api: &Api<'_>,
    clients: &Clients,
    session: &Session,
    post: &Post,
    plan: &StepPlan,
    begun: Option<&Step>,
) -> Result<Prepared, ConnectorError> {
    let media = only_video(post)?;
    let usable = begun.filter(|begun| {
        begun.input_hash == plan.input_hash && begun.expires_at.is_none_or(|end| end > Utc::now())
    });
    match usable {
        Some(begun) => go_on(api, clients, media, begun).await,
        None => open(api, session, post, plan).await,
    }
}

async fn open(
    api: &Api<'_>,
    session: &Session,
    post: &Post,
    plan: &StepPlan,
) -> Result<Prepared, ConnectorError> {
    let media = only_video(post)?;
    let chunks = Chunks::of(media.bytes);
    let creator = api.creator().await?;
    let body = json!({
        "post_info": options::post_info(session, post, &creator)?,
        "source_info": {
            "source": "FILE_UPLOAD",
            "video_size": media.bytes,
            "chunk_size": chunks.size,
            "total_chunk_count": chunks.count,
        },
    });
    let opened = api.init(&body).await?;
    let step = Step {
        part: plan.part,
        name: plan.name.clone(),
        input_hash: plan.input_hash.clone(),
        remote_id: opened.publish_id,
        expires_at: Some(Utc::now() + SESSION_LIFE),
        data: json!({ "upload_url": opened.upload_url, "sent": 0 }),
    };
    // Stored before the first byte: a lost session would count against the pending-share cap.
    Ok(turn_over(step, chunks))
}

/// Uploads chunks, one after the other as TikTok wants them, until the last or the end of the turn.
async fn go_on(
    api: &Api<'_>,
    clients: &Clients,
    media: &PostMedia,
    begun: &Step,
) -> Result<Prepared, ConnectorError> {
    let chunks = Chunks::of(media.bytes);
    let expired = || error(ErrorKind::StepExpired);
    let url = address(begun).ok_or_else(expired)?;
    let mut sent = begun.data["sent"].as_u64().unwrap_or(0);
    let turn_ends = Instant::now() + TURN;
    while sent + 1 < chunks.count && Instant::now() < turn_ends {
        let chunk = chunks.range(sent);
        let deadline = Instant::now() + chunk_timeout(&chunk);
        let bytes = spool::range(&clients.read, media, chunk.clone()).await.map_err(|b| broken(&b))?;
        let outgoing = put(&url, media, &chunk, bytes);
        let answer = clients.send.send(outgoing, deadline).await.map_err(|b| broken(&b))?;
        sent = match answer.status {
            206 => sent + 1,
            // A chunk arrived whose answer was lost: go on where TikTok is.
            416 => {
                let uploaded = api.status(&begun.remote_id).await?.uploaded_bytes;
                let resumed = uploaded.and_then(|uploaded| chunks.whole(uploaded)).ok_or_else(expired)?;
                if resumed == sent {
                    return Err(expired());
                }
                resumed
            }
            400 | 403 | 404 => return Err(expired()),
            429 => return Err(error(ErrorKind::Throttled(answer.throttled_until(DEFAULT_PAUSE)))),
            status => return Err(ConnectorError::unexpected(Platform::Tiktok, UPLOAD, status)),
        };
    }
    let mut step = begun.clone();
    step.data["sent"] = sent.into();
    Ok(turn_over(step, chunks))
}

fn turn_over(step: Step, chunks: Chunks) -> Prepared {
    if step.data["sent"].as_u64().is_some_and(|sent| sent + 1 >= chunks.count) {
        return Prepared::Done(step);
    }
    Prepared::NotYet { poll_at: Utc::now(), step: Some(step) }
}

/// The last chunk, once. Its success is no proof yet: TikTok still has to process the video.
pub(super) async fn send(clients: &Clients, post: &Post, step: &Step, deadline: Instant) -> SendOutcome {
    let (Ok(media), Some(url)) = (only_video(post), address(step)) else {
        let message = "The upload was not prepared, so nothing was sent. It is tried again.";
        return SendOutcome::NotSent { problem: Problem::new("tiktok.not_prepared", message, Remedy::Wait) };
    };
    let chunk = Chunks::of(media.bytes).last();
    let Ok(bytes) = spool::range(&clients.read, media, chunk.clone()).await else {
        return media_unreadable();
    };
    match clients.send.send(put(&url, media, &chunk, bytes), deadline).await {
        Ok(answer) => outcome(&answer),
        Err(broken) => broken_send(Platform::Tiktok, &broken),
    }
}

fn outcome(answer: &Answer) -> SendOutcome {
    match answer.status {
        201 => SendOutcome::Pending { at: Utc::now() + Duration::seconds(2) },
        // 429 is answered before a body counts (rate limits, 2026-11-20), and the session stays.
        429 => SendOutcome::RefusedForNow {
            until: answer.throttled_until(DEFAULT_PAUSE),
            problem: Problem::new(
                "tiktok.throttled",
                "TikTok asked to wait. It goes out by itself when the wait is over.",
                Remedy::Wait,
            ),
        },
        status => SendOutcome::Unknown {
            seen: format!("the upload of the last part was answered with HTTP {status}"),
        },
    }
}

fn put(url: &Url, media: &PostMedia, chunk: &Range<u64>, bytes: spool::Spooled) -> Outgoing {
    let range = format!("bytes {}-{}/{}", chunk.start, chunk.end.saturating_sub(1), media.bytes);
    let content_type = match media.content_type.as_str() {
        "video/quicktime" => "video/quicktime",
        "video/webm" => "video/webm",
        _ => "video/mp4",
    };
    let range = HeaderValue::try_from(range).expect("digits, spaces and a hyphen are a header value");
    Outgoing {
        method: Method::PUT,
        url: url.clone(),
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static(content_type)), (CONTENT_RANGE, range)],
        body: spool::payload(vec![Piece::File(bytes)]),
    }
}

fn address(step: &Step) -> Option<Url> {
    step.data["upload_url"].as_str()?.parse().ok()
}

fn only_video(post: &Post) -> Result<&PostMedia, ConnectorError> {
    options::video(post).ok_or_else(|| {
        let message = "TikTok takes one video here. Choose a video.";
        error(ErrorKind::Permanent(Problem::new("tiktok.not_a_video", message, Remedy::ChangeMedia)))
    })
}

fn broken(broken: &Broken) -> ConnectorError {
    ConnectorError::broken(Platform::Tiktok, UPLOAD, broken)
}

const fn error(kind: ErrorKind) -> ConnectorError {
    ConnectorError::new(Platform::Tiktok, UPLOAD, kind)
}
