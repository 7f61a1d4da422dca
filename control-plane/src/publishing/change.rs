//! What a person's wish does to a target. Every function takes the row as it was locked, changes it,
//! and says what else belongs into the same transaction.

use backplane::store::publishing::{LastAttempt, ProblemRow, TargetRow};
use chrono::{DateTime, Utc};
use domain::operation::Framing;
use domain::problem::{Problem, Remedy};
use domain::publishing::AttemptOutcome;
use domain::target::TargetState;
use uuid::Uuid;

use super::Refusal;

/// What has to follow in the same transaction, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Follow {
    /// Its files are to be planned anew.
    pub forget_media: bool,
    /// Its publish job, if it waits, is off.
    pub withdraw_publish: bool,
    /// So is the writing of its caption.
    pub withdraw_caption: bool,
    /// Its caption is to be written.
    pub write_caption: bool,
    /// Files that could not be made are tried again.
    pub retry_media: bool,
    /// The open attempt ends so, by this person's word.
    pub close_attempt: Option<AttemptOutcome>,
    /// What it waits for is to be looked at.
    pub advance: bool,
}

/// A change of what is posted, or when; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    pub caption: Option<Uuid>,
    pub framing: Option<Option<Framing>>,
    pub trim: Option<bool>,
    pub scheduled_at: Option<Option<DateTime<Utc>>>,
}

/// Refuses a change that was made of an older revision, or comes too late.
///
/// # Errors
/// [`Refusal::Conflict`].
pub fn may_change(target: &TargetRow, seen: Option<i32>) -> Result<(), Refusal> {
    if seen.is_some_and(|seen| seen != target.revision) {
        return Err(Refusal::Conflict("It was changed since you read it. Read it again."));
    }
    if !target.state.may_change() || target.cancelled_at.is_some() {
        return Err(Refusal::Conflict("It has left or ended and cannot be changed any more. Read it again."));
    }
    Ok(())
}

/// Changes what is posted, or when. A change of what takes an approval back.
///
/// # Errors
/// As of [`may_change`].
pub fn edit(target: &mut TargetRow, seen: Option<i32>, edit: &Edit) -> Result<Follow, Refusal> {
    may_change(target, seen)?;
    let mut follow = Follow::default();
    if let Some(caption) = edit.caption {
        target.caption_id = Some(caption);
        target.caption_instruction = None;
        follow.withdraw_caption = true;
        settle(target, Remedy::EditCaption);
    }
    let framing = edit.framing.unwrap_or(target.framing);
    let trim = edit.trim.unwrap_or(target.trim);
    if (framing, trim) != (target.framing, target.trim) {
        (target.framing, target.trim) = (framing, trim);
        follow.forget_media = true;
        settle(target, Remedy::ChangeMedia);
    }
    let is_new_content = follow.withdraw_caption || follow.forget_media;
    let new_time = edit.scheduled_at.filter(|at| *at != target.scheduled_at);
    if let Some(at) = new_time {
        target.scheduled_at = at;
        settle(target, Remedy::Reschedule);
    }
    if is_new_content {
        target.content_revision += 1;
    }
    if is_new_content || new_time.is_some() {
        target.revision += 1;
        prepare_again(target, &mut follow);
    }
    Ok(follow)
}

/// Has the caption written anew.
///
/// # Errors
/// As of [`may_change`].
pub fn adapt(target: &mut TargetRow, instruction: Option<&str>) -> Result<Follow, Refusal> {
    may_change(target, None)?;
    target.caption_id = None;
    target.caption_instruction = instruction.map(str::to_owned);
    target.revision += 1;
    target.content_revision += 1;
    settle(target, Remedy::EditCaption);
    let mut follow = Follow { write_caption: true, ..Follow::default() };
    prepare_again(target, &mut follow);
    Ok(follow)
}

/// Records a reviewer's word on the revision that they saw.
///
/// # Errors
/// [`Refusal::Conflict`] when it waits for no approval, or is another revision by now.
pub fn review(
    target: &mut TargetRow,
    seen: i32,
    approved: bool,
    now: DateTime<Utc>,
) -> Result<Follow, Refusal> {
    if target.state != TargetState::AwaitingApproval {
        return Err(Refusal::Conflict("It does not wait for approval. Read it again."));
    }
    if seen != target.revision {
        return Err(Refusal::Conflict("It was changed since you read it. Read it again."));
    }
    target.problem = None;
    if approved {
        target.approved_content_revision = Some(target.content_revision);
        target.state = TargetState::Preparing;
        // Approved after its time, it goes out at once instead of missing it.
        target.due_at = Some(now);
        return Ok(Follow { advance: true, ..Follow::default() });
    }
    target.approved_content_revision = None;
    target.state = TargetState::Draft;
    Ok(Follow::default())
}

/// Cancels what has not left, and settles what failed. What is leaving goes on to its end, and is
/// not sent again should that turn out not to have happened.
///
/// # Errors
/// [`Refusal::Conflict`] when it is live, or nobody knows yet.
pub fn cancel(target: &mut TargetRow, now: DateTime<Utc>) -> Result<Follow, Refusal> {
    match target.state {
        TargetState::Cancelled => Ok(Follow::default()),
        TargetState::Published => {
            Err(Refusal::Conflict("It is published. Delete it at the network instead."))
        }
        TargetState::NeedsAttention => {
            Err(Refusal::Conflict("It may be live. Say first whether it is, with resolvePublishTargets."))
        }
        TargetState::Publishing | TargetState::Unconfirmed => {
            target.cancelled_at = target.cancelled_at.or(Some(now));
            Ok(Follow::default())
        }
        _ => {
            target.state = TargetState::Cancelled;
            target.cancelled_at = Some(now);
            target.problem = None;
            Ok(Follow { withdraw_publish: true, withdraw_caption: true, ..Follow::default() })
        }
    }
}

/// Sends what failed on its way again. What may be live is never sent by this.
///
/// # Errors
/// [`Refusal::Conflict`] when it did not fail.
pub fn retry(target: &mut TargetRow, now: DateTime<Utc>) -> Result<Follow, Refusal> {
    if target.state != TargetState::Failed {
        return Err(Refusal::Conflict(
            "It did not fail: only what failed can be tried again. Read it again.",
        ));
    }
    target.state = TargetState::Preparing;
    target.problem = None;
    target.due_at = Some(now);
    target.cancelled_at = None;
    Ok(Follow {
        write_caption: target.caption_id.is_none(),
        retry_media: true,
        advance: true,
        ..Follow::default()
    })
}

/// A person's answer to whether a target is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Live { url: Option<String> },
    SendAgain,
    GiveUp,
}

/// Takes a person's answer. An answer that comes twice, or late, changes nothing.
///
/// # Errors
/// [`Refusal::Conflict`] when nobody asks, there was another attempt since, the call may still be
/// on its way, or the network is known to have made the post.
pub fn resolve(
    target: &mut TargetRow,
    attempt: Option<&LastAttempt>,
    seen_attempts: i32,
    answer: &Answer,
    now: DateTime<Utc>,
) -> Result<Follow, Refusal> {
    if seen_attempts != target.attempts {
        return Err(Refusal::Conflict("It was sent again since you read it. Read it again."));
    }
    match (target.state, answer) {
        (TargetState::NeedsAttention, _) => {}
        (TargetState::Published, Answer::Live { .. }) | (TargetState::Cancelled, Answer::GiveUp) => {
            return Ok(Follow::default());
        }
        _ => return Err(Refusal::Conflict("It does not wait for an answer. Read it again.")),
    }
    if attempt.is_some_and(|attempt| attempt.open && now < attempt.send_deadline) {
        return Err(Refusal::Conflict("The call may still be on its way. Answer in a few minutes."));
    }
    let is_created = attempt.is_some_and(|attempt| attempt.created);
    if is_created && !matches!(answer, Answer::Live { .. }) {
        return Err(Refusal::Conflict("The network said that it made the post. Look there, then say LIVE."));
    }
    target.problem = None;
    let close = |outcome| attempt.filter(|attempt| attempt.open).map(|_| outcome);
    Ok(match answer {
        Answer::Live { url } => {
            target.state = TargetState::Published;
            target.published_at = target.published_at.or(attempt.map(|attempt| attempt.started_at));
            if url.is_some() {
                target.external_url.clone_from(url);
            }
            Follow {
                close_attempt: close(AttemptOutcome::Created),
                withdraw_publish: true,
                ..Follow::default()
            }
        }
        Answer::SendAgain => {
            target.state = TargetState::Preparing;
            target.due_at = Some(now);
            let close_attempt = close(AttemptOutcome::Absent);
            Follow { close_attempt, advance: true, ..Follow::default() }
        }
        Answer::GiveUp => {
            target.state = TargetState::Cancelled;
            target.cancelled_at = Some(now);
            let close_attempt = close(AttemptOutcome::Absent);
            Follow { close_attempt, withdraw_publish: true, ..Follow::default() }
        }
    })
}

/// Sends a target that is on its way through preparation again; a draft is only looked at.
fn prepare_again(target: &mut TargetRow, follow: &mut Follow) {
    if target.state.is_on_its_way() {
        target.state = TargetState::Preparing;
        target.due_at = None;
        target.problem = None;
        follow.withdraw_publish = true;
    }
    follow.advance = target.state != TargetState::Failed;
}

/// What the problem asked for was done. A failed target keeps the reason and asks to be tried again.
fn settle(target: &mut TargetRow, remedy: Remedy) {
    let Some(problem) = target.problem.take_if(|problem| problem.problem.remedy == remedy) else { return };
    if target.state == TargetState::Failed {
        let Problem { code, message, .. } = problem.problem;
        target.problem =
            Some(ProblemRow { problem: Problem { code, message, remedy: Remedy::Retry }, ..problem });
    }
}

#[cfg(test)]
mod tests;
