//! The irreversible call and its proof.
//!
//! A container makes one post at most, so whatever is not clearly answered is asked of it.

use bytes::Bytes;
use chrono::{Duration, Utc};
use domain::platform::{MediaKind, Platform};
use domain::problem::{Problem, Remedy};
use domain::publishing::{Attempt, Evidence, Proof, SendOutcome};
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use url::form_urlencoded;

use super::container;
use super::graph::{Created, Graph};
use super::media;
use super::refusal::{graph_error, kind};
use crate::answer::Answer;
use crate::connector::{FoundMedia, PageRequest, Post, Session};
use crate::error::{ErrorKind, broken_send};
use crate::wire::{Outgoing, Wire};

/// `The media is not ready`: documented as nothing published (error-codes, 2026-11-20).
const NOT_READY: (i64, i64) = (9007, 2_207_027);
/// A hand-made post may be this much older than our call by the network's clock.
const CLOCK_SLACK: Duration = Duration::seconds(60);
/// `POST /{account}/media_publish`, once.
pub(super) async fn send(
    graph: &Graph<'_>,
    wire: &Wire,
    session: &Session,
    container: &str,
    deadline: Instant,
) -> SendOutcome {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("creation_id", container)
        .append_pair("access_token", graph.token.expose_secret())
        .finish();
    let outgoing = Outgoing {
        method: Method::POST,
        url: graph.at(&[&session.profile.external_id, "media_publish"]),
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))],
        body: Bytes::from(form).into(),
    };
    match wire.send(outgoing, deadline).await {
        Ok(answer) => outcome(&answer),
        Err(broken) => broken_send(Platform::Instagram, &broken),
    }
}

/// Only these refusals are believed without asking the container: not ready, throttled or over
/// quota, and a token or permission that is gone. Each is checked before anything is published
/// (guides/error-handling and error-codes, 2026-11-20).
fn outcome(answer: &Answer) -> SendOutcome {
    if answer.is_success() {
        return match answer.json::<Created>() {
            Some(Created { id }) => SendOutcome::Created(Proof {
                seen: format!("media_publish answered with media {id}"),
                remote_id: Some(id),
                url: None,
            }),
            None => unknown(answer),
        };
    }
    let error = graph_error(answer);
    if error.as_ref().is_some_and(|error| (error.code, error.error_subcode) == NOT_READY) {
        let until = Utc::now() + Duration::seconds(15);
        return SendOutcome::RefusedForNow {
            until,
            problem: wait("instagram.2207027", "still prepares the media"),
        };
    }
    match kind(answer) {
        ErrorKind::Throttled(until) => {
            let problem = wait("instagram.throttled", "takes no more posts for now");
            SendOutcome::RefusedForNow { until, problem }
        }
        ErrorKind::Reauthorize(problem) => SendOutcome::AccountRefused(problem),
        _ => unknown(answer),
    }
}

fn wait(code: &str, what: &str) -> Problem {
    Problem::new(code, format!("Instagram {what}. It goes out by itself later."), Remedy::Wait)
}

fn unknown(answer: &Answer) -> SendOutcome {
    let code =
        graph_error(answer).map_or(String::new(), |e| format!(", error {}/{}", e.code, e.error_subcode));
    SendOutcome::Unknown { seen: format!("media_publish answered with HTTP {}{code}", answer.status) }
}

/// Asks the container, then looks for the post's id and address among the account's newest.
pub(super) async fn look_up(graph: &Graph<'_>, post: &Post, attempt: &Attempt) -> Evidence {
    let Some(container) = attempt.handle.as_deref() else {
        return Evidence::Nothing { seen: "the attempt has no container".into() };
    };
    let status = match container::status(graph, container).await {
        Ok(status) => status,
        Err(error) => return Evidence::Nothing { seen: error.to_string() },
    };
    match status.status_code.as_str() {
        "PUBLISHED" => {
            let found = find(graph, post, attempt).await;
            Evidence::Live(Proof {
                seen: format!("container {container} is PUBLISHED"),
                remote_id: found.as_ref().map(|found| found.external_id.clone()),
                url: found.and_then(|found| found.url).map(String::from),
            })
        }
        "FINISHED" => Evidence::NotThere,
        "IN_PROGRESS" => Evidence::Pending { at: Utc::now() + Duration::seconds(10) },
        "ERROR" => Evidence::Dead(match status.failure() {
            ErrorKind::Permanent(problem) => problem,
            _ => gone("instagram.container_failed", "could not make the post"),
        }),
        "EXPIRED" => Evidence::Dead(gone("instagram.container_expired", "dropped what was prepared")),
        other => Evidence::Nothing { seen: format!("container {container} is {other}") },
    }
}

fn gone(code: &str, what: &str) -> Problem {
    Problem::new(code, format!("Instagram {what}, and nothing is live. Try again."), Remedy::Retry)
}

/// The one post that can only be ours: the same caption and kind, not older than the attempt.
/// A failed read, or two that fit, is no id; the post is live all the same.
async fn find(graph: &Graph<'_>, post: &Post, attempt: &Attempt) -> Option<FoundMedia> {
    let since = attempt.started_at - CLOCK_SLACK;
    let page = PageRequest { after: None, since: Some(since), limit: 25 };
    let page = media::list(graph, &page).await.ok()?;
    let mut fits = page.media.into_iter().filter(|found| {
        found.kind == kind_of(post)
            && found.posted_at >= since
            && found.caption.as_deref().unwrap_or("").trim() == post.text.trim()
    });
    let only = fits.next()?;
    fits.next().is_none().then_some(only)
}

fn kind_of(post: &Post) -> MediaKind {
    if post.kind == MediaKind::Carousel {
        return MediaKind::Carousel;
    }
    post.media.first().map_or(post.kind, |media| media.kind)
}
