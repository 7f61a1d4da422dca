//! A reviewer's word on targets that wait for approval.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::store::publishing::{NewReview, TargetRow, insert_review};
use uuid::Uuid;

use super::audit::Entry;
use super::change_targets::{self, Change, Changed, Locked, Plural, refuse};
use super::failure::Answer;
use super::publish_target::{PublishTarget, ReviewDecision};
use super::scope::{Cx, cx};
use super::user_error::{Path, Stop, UserError, payloads, settle};
use crate::auth::Right;
use crate::publishing::change::{self, Follow};

/// Longest comment, in characters.
const COMMENT_MAX: usize = 2_000;

/// One decision on 1 to 250 targets.
#[derive(InputObject)]
pub struct ReviewPublishTargetsInput {
    /// As the reviewer saw them.
    targets: Vec<SeenTargetInput>,
    /// Of all of them.
    decision: ReviewDecision,
    /// Why.
    comment: Option<String>,
}

/// A target as it was seen.
#[derive(InputObject)]
pub struct SeenTargetInput {
    /// Which one.
    target_id: ID,
    /// What the reviewer saw. CONFLICT if it is another by now.
    revision: i32,
}

/// The reviewed targets, and an error for each that could not be.
#[derive(SimpleObject, Default)]
pub struct ReviewPublishTargetsPayload {
    /// As they are now.
    pub targets: Vec<PublishTarget>,
    /// Why some were not reviewed.
    pub user_errors: Vec<UserError>,
}

payloads!(ReviewPublishTargetsPayload);

/// Reviewing targets.
#[derive(Default)]
pub struct ReviewMutation;

#[Object]
impl ReviewMutation {
    /// Approves targets, or sends them back to be changed.
    async fn review_publish_targets(
        &self,
        ctx: &Context<'_>,
        input: ReviewPublishTargetsInput,
    ) -> Answer<ReviewPublishTargetsPayload> {
        settle(review(cx(ctx), input).await)
    }
}

struct Reviewing {
    approved: bool,
    comment: Option<String>,
    user: Option<Uuid>,
}

impl Change for Reviewing {
    type Item = SeenTargetInput;

    fn target<'i>(&self, item: &'i SeenTargetInput) -> &'i ID {
        &item.target_id
    }

    async fn change(&self, item: &SeenTargetInput, locked: Locked<'_>) -> Result<Follow, Stop> {
        let Locked { tx, target, now, path } = locked;
        let follow = change::review(target, item.revision, self.approved, now);
        let follow = follow.map_err(|refusal| refuse(refusal, path))?;
        let review = NewReview { approved: self.approved, comment: self.comment.as_deref(), user: self.user };
        insert_review(tx, target, review).await?;
        Ok(follow)
    }

    fn entry(&self, entry: Entry, before: &TargetRow, _: &TargetRow) -> Entry {
        entry.change("revision", None, Some(before.revision.to_string())).change(
            "comment",
            None,
            self.comment.clone(),
        )
    }
}

async fn review(cx: &Cx, input: ReviewPublishTargetsInput) -> Result<ReviewPublishTargetsPayload, Stop> {
    let comment = input.comment.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if comment.as_ref().is_some_and(|text| text.chars().count() > COMMENT_MAX || text.contains('\0')) {
        let message = format!("a comment has at most {COMMENT_MAX} characters");
        return Err(UserError::invalid(message, &Path::input().field("comment")).into());
    }
    let approved = input.decision == ReviewDecision::Approve;
    let plural = Plural {
        list: "targets",
        id_field: Some("targetId"),
        right: Right::Review,
        action: if approved { "publish_target.approved" } else { "publish_target.changes_requested" },
    };
    let change = Reviewing { approved, comment, user: cx.user() };
    let Changed { targets, user_errors } = change_targets::each(cx, plural, &input.targets, &change).await?;
    Ok(ReviewPublishTargetsPayload { targets, user_errors })
}
