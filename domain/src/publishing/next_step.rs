//! The decision: given everything known about a target, what happens next.

use chrono::{DateTime, Duration, Utc};

use super::{Attempt, AttemptOutcome, LOOK_UP_FOR, STEP_MARGIN, SendingRules, Step, StepPlan};
use crate::problem::{Problem, Remedy};

/// All that the decision depends on.
#[derive(Clone, Debug)]
pub struct Publication<'a> {
    pub rules: SendingRules,
    /// When it may leave: `scheduledAt`, or when it became ready.
    pub due: DateTime<Utc>,
    /// `true` when a person chose the time: only then can it be missed.
    pub scheduled: bool,
    pub max_lateness: Duration,
    pub cancelled: bool,
    /// In `PUBLISHING`, `UNCONFIRMED` or `NEEDS_ATTENTION`: a send was begun under this state.
    pub sending: bool,
    /// Why nothing may be sent now (brand or account paused, reconnect or setting needed, hold).
    pub blocked: Option<Problem>,
    pub parts: u16,
    pub plan: &'a [StepPlan],
    pub steps: &'a [Step],
    /// Of all parts, oldest first.
    pub attempts: &'a [Attempt],
}

/// What a worker does next with a target.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    Prepare(StepPlan),
    Send {
        part: u16,
    },
    /// `absence_counts`: the settle time is over, so "not there" decides.
    LookUp {
        attempt: usize,
        absence_counts: bool,
    },
    Wait {
        until: DateTime<Utc>,
        problem: Option<Problem>,
    },
    Finish(Outcome),
}

/// Where a target ends, or hands over to a person.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// `problem`: a later part (a reply) did not go out.
    Published {
        problem: Option<Problem>,
    },
    Failed(Problem),
    Cancelled,
    NeedsAttention(Problem),
}

/// How often a blocked target is looked at again; what unblocks it also wakes it at once.
const BLOCKED_RECHECK: Duration = Duration::minutes(5);

/// Decides what to do with a target at `now` (the database's clock).
///
/// Never returns [`Next::Send`] while an attempt is open, for a part that is created, or while
/// anything blocks sending. Evidence comes before wishes: an open attempt is looked up even when
/// the target was cancelled or its account paused.
#[must_use]
pub fn next_step(target: &Publication<'_>, now: DateTime<Utc>) -> Next {
    if let Some(open) = target.attempts.iter().position(|attempt| attempt.outcome.is_none()) {
        return look_up(target, open, now);
    }
    let Some(part) = (0..target.parts).find(|part| !is_created(target.attempts, *part)) else {
        return Next::Finish(Outcome::Published { problem: None });
    };
    if target.sending
        && let Some(outcome) = refused(target, part)
    {
        return Next::Finish(outcome);
    }
    if part == 0 && target.cancelled {
        return Next::Finish(Outcome::Cancelled);
    }
    if let Some(problem) = &target.blocked {
        return blocked(target, part, problem, now);
    }
    if part == 0 && is_missed(target, now) {
        return Next::Finish(Outcome::Failed(missed_its_time()));
    }
    prepare_or_send(target, part, now)
}

/// Where a target ends whose job is given up for `problem`. What may be live is never called failed.
#[must_use]
pub fn given_up(attempts: &[Attempt], problem: Problem) -> Outcome {
    if attempts.iter().any(|attempt| attempt.outcome.is_none()) {
        Outcome::NeedsAttention(outcome_unknown())
    } else if is_created(attempts, 0) {
        Outcome::Published { problem: Some(problem) }
    } else {
        Outcome::Failed(problem)
    }
}

fn look_up(target: &Publication<'_>, open: usize, now: DateTime<Utc>) -> Next {
    let attempt = &target.attempts[open];
    let undecided_since = now - attempt.send_deadline;
    if !target.rules.can_look_up {
        return if now < attempt.send_deadline {
            Next::Wait { until: attempt.send_deadline, problem: None }
        } else {
            Next::Finish(Outcome::NeedsAttention(outcome_unknown()))
        };
    }
    if undecided_since > LOOK_UP_FOR {
        return Next::Finish(Outcome::NeedsAttention(outcome_unknown()));
    }
    Next::LookUp { attempt: open, absence_counts: undecided_since >= target.rules.settle }
}

fn is_created(attempts: &[Attempt], part: u16) -> bool {
    attempts.iter().any(|a| a.part == part && a.outcome == Some(AttemptOutcome::Created))
}

/// A refusal that was recorded but not yet acted upon: its worker died in between.
fn refused(target: &Publication<'_>, part: u16) -> Option<Outcome> {
    let last = target.attempts.iter().rev().find(|attempt| attempt.part == part)?;
    if last.outcome != Some(AttemptOutcome::Refused) {
        return None;
    }
    let problem = Problem::new(
        "publish.refused",
        "The network refused the post and nothing is live. Change it, then try again.",
        Remedy::Retry,
    );
    Some(if part == 0 { Outcome::Failed(problem) } else { Outcome::Published { problem: Some(problem) } })
}

fn blocked(target: &Publication<'_>, part: u16, problem: &Problem, now: DateTime<Utc>) -> Next {
    if part == 0 && is_missed(target, now) {
        return Next::Finish(Outcome::Failed(missed_its_time()));
    }
    let until = now + BLOCKED_RECHECK;
    let until = if target.scheduled && part == 0 {
        until.min(target.due + target.max_lateness + Duration::seconds(1)).max(now)
    } else {
        until
    };
    Next::Wait { until, problem: Some(problem.clone()) }
}

fn is_missed(target: &Publication<'_>, now: DateTime<Utc>) -> bool {
    target.scheduled && now > target.due + target.max_lateness
}

fn prepare_or_send(target: &Publication<'_>, part: u16, now: DateTime<Utc>) -> Next {
    let start = target.due - target.rules.lead;
    if now < start {
        return Next::Wait { until: start, problem: None };
    }
    let needed_until = now.max(target.due) + STEP_MARGIN;
    let missing = target.plan.iter().find(|wanted| {
        wanted.part == part && !target.steps.iter().any(|step| serves(step, wanted, needed_until))
    });
    if let Some(step) = missing {
        return Next::Prepare(step.clone());
    }
    if now < target.due {
        return Next::Wait { until: target.due, problem: None };
    }
    Next::Send { part }
}

fn serves(step: &Step, wanted: &StepPlan, needed_until: DateTime<Utc>) -> bool {
    step.part == wanted.part
        && step.name == wanted.name
        && step.input_hash == wanted.input_hash
        && step.expires_at.is_none_or(|end| end > needed_until)
}

fn missed_its_time() -> Problem {
    Problem::new(
        "publish.missed_its_time",
        "It could not be sent in time and was not sent late. Give it a new time and try again.",
        Remedy::Reschedule,
    )
}

fn outcome_unknown() -> Problem {
    Problem::new(
        "publish.outcome_unknown",
        "The post was handed to the network and the answer was lost. Look there: say whether it is live, so that it is never posted twice.",
        Remedy::Resolve,
    )
}

#[cfg(test)]
mod tests;
