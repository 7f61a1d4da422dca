//! Ending what goes on, trying again what failed, and answering whether something is live.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use backplane::store::publishing::last_attempt;

use super::change_targets::{self, Change, Changed, Locked, Plural, refuse};
use super::failure::Answer;
use super::publish_target::PublishTarget;
use super::scalars::Url;
use super::scope::cx;
use super::user_error::{Stop, UserError, payloads, settle};
use crate::auth::Right;
use crate::publishing::change::{self, Follow};

/// Longest address of a post, in bytes.
const URL_MAX: usize = 2_000;

/// Which targets, 1 to 250.
#[derive(InputObject)]
pub struct CancelPublishTargetsInput {
    /// Which ones.
    target_ids: Vec<ID>,
}

/// Which targets, 1 to 250.
#[derive(InputObject)]
pub struct RetryPublishTargetsInput {
    /// Which ones.
    target_ids: Vec<ID>,
}

/// A person's answers, 1 to 250.
#[derive(InputObject)]
pub struct ResolvePublishTargetsInput {
    /// One for each target.
    answers: Vec<TargetAnswerInput>,
}

/// Whether a target is live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Resolution {
    /// It is live.
    Live,
    /// It is not live: send it again.
    SendAgain,
    /// It is not live: let it be.
    GiveUp,
}

/// `attempts`: as read, so that an answer that comes twice, or late, sends nothing twice. CONFLICT if
/// there was another since.
#[derive(InputObject)]
pub struct TargetAnswerInput {
    /// Which one.
    target_id: ID,
    /// How often it was sent when the person looked.
    attempts: i32,
    /// What they found.
    resolution: Resolution,
    /// Where the post is, if it is live.
    external_url: Option<Url>,
}

/// The cancelled targets, and an error for each that could not be.
#[derive(SimpleObject, Default)]
pub struct CancelPublishTargetsPayload {
    /// As they are now.
    pub targets: Vec<PublishTarget>,
    /// Why some were not cancelled.
    pub user_errors: Vec<UserError>,
}

/// The targets that are tried again, and an error for each that could not be.
#[derive(SimpleObject, Default)]
pub struct RetryPublishTargetsPayload {
    /// As they are now.
    pub targets: Vec<PublishTarget>,
    /// Why some are not tried again.
    pub user_errors: Vec<UserError>,
}

/// The settled targets, and an error for each that could not be.
#[derive(SimpleObject, Default)]
pub struct ResolvePublishTargetsPayload {
    /// As they are now.
    pub targets: Vec<PublishTarget>,
    /// Why some were not settled.
    pub user_errors: Vec<UserError>,
}

payloads!(CancelPublishTargetsPayload, RetryPublishTargetsPayload, ResolvePublishTargetsPayload);

/// Ending, trying again, answering.
#[derive(Default)]
pub struct ResolveMutation;

#[Object]
impl ResolveMutation {
    /// Also settles FAILED ones that are not to be tried again. What is being sent goes on to its
    /// end, and is not sent again.
    async fn cancel_publish_targets(
        &self,
        ctx: &Context<'_>,
        input: CancelPublishTargetsInput,
    ) -> Answer<CancelPublishTargetsPayload> {
        let plural = by_id("publish_target.cancelled");
        let changed = change_targets::each(cx(ctx), plural, &input.target_ids, &Cancelling).await;
        settle(
            changed
                .map(|Changed { targets, user_errors }| CancelPublishTargetsPayload { targets, user_errors }),
        )
    }

    /// FAILED ones only: what may be live is never sent again by this.
    async fn retry_publish_targets(
        &self,
        ctx: &Context<'_>,
        input: RetryPublishTargetsInput,
    ) -> Answer<RetryPublishTargetsPayload> {
        let plural = by_id("publish_target.retried");
        let changed = change_targets::each(cx(ctx), plural, &input.target_ids, &Retrying).await;
        settle(
            changed
                .map(|Changed { targets, user_errors }| RetryPublishTargetsPayload { targets, user_errors }),
        )
    }

    /// A person's answers for targets that need attention.
    async fn resolve_publish_targets(
        &self,
        ctx: &Context<'_>,
        input: ResolvePublishTargetsInput,
    ) -> Answer<ResolvePublishTargetsPayload> {
        let plural =
            Plural { list: "answers", id_field: Some("targetId"), ..by_id("publish_target.resolved") };
        let changed = change_targets::each(cx(ctx), plural, &input.answers, &Resolving).await;
        settle(
            changed.map(|Changed { targets, user_errors }| ResolvePublishTargetsPayload {
                targets,
                user_errors,
            }),
        )
    }
}

const fn by_id(action: &'static str) -> Plural {
    Plural { list: "targetIds", id_field: None, right: Right::Edit, action }
}

struct Cancelling;

impl Change for Cancelling {
    type Item = ID;

    fn target<'i>(&self, item: &'i ID) -> &'i ID {
        item
    }

    async fn change(&self, _: &ID, locked: Locked<'_>) -> Result<Follow, Stop> {
        let Locked { target, now, path, .. } = locked;
        change::cancel(target, now).map_err(|refusal| refuse(refusal, path))
    }
}

struct Retrying;

impl Change for Retrying {
    type Item = ID;

    fn target<'i>(&self, item: &'i ID) -> &'i ID {
        item
    }

    async fn change(&self, _: &ID, locked: Locked<'_>) -> Result<Follow, Stop> {
        let Locked { target, now, path, .. } = locked;
        change::retry(target, now).map_err(|refusal| refuse(refusal, path))
    }
}

struct Resolving;

impl Change for Resolving {
    type Item = TargetAnswerInput;

    fn target<'i>(&self, item: &'i TargetAnswerInput) -> &'i ID {
        &item.target_id
    }

    async fn change(&self, item: &TargetAnswerInput, locked: Locked<'_>) -> Result<Follow, Stop> {
        let Locked { tx, target, now, path } = locked;
        let answer = match item.resolution {
            Resolution::Live => change::Answer::Live { url: address(item, path)? },
            Resolution::SendAgain => change::Answer::SendAgain,
            Resolution::GiveUp => change::Answer::GiveUp,
        };
        let attempt = last_attempt(tx, target.id).await?;
        let follow = change::resolve(target, attempt.as_ref(), item.attempts, &answer, now);
        follow.map_err(|refusal| refuse(refusal, path))
    }
}

/// Where a person says that the post is.
fn address(item: &TargetAnswerInput, path: &super::user_error::Path) -> Result<Option<String>, UserError> {
    let Some(Url(url)) = &item.external_url else { return Ok(None) };
    if !matches!(url.scheme(), "https" | "http") || url.as_str().len() > URL_MAX {
        let message = "give the address of the post as a browser shows it, e.g. https://t.me/channel/1";
        return Err(UserError::invalid(message, &path.field("externalUrl")));
    }
    Ok(Some(url.to_string()))
}
