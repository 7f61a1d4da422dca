//! What each wish does in each state.

#![expect(clippy::unwrap_used, reason = "tests say what they expect")]

use chrono::{DateTime, Duration, Utc};
use domain::operation::Framing;
use domain::platform::Platform;

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn target(state: TargetState) -> TargetRow {
    TargetRow {
        id: Uuid::from_u128(1),
        brand_id: Uuid::from_u128(2),
        job_id: Uuid::from_u128(3),
        position: 0,
        asset_id: Uuid::from_u128(4),
        account_id: Uuid::from_u128(5),
        platform: Platform::Telegram,
        placement: None,
        profile: Some("telegram.photo".to_owned()),
        framing: None,
        trim: false,
        caption_id: Some(Uuid::from_u128(6)),
        caption_instruction: None,
        state,
        problem: None,
        revision: 3,
        content_revision: 2,
        approval_required: true,
        approved_content_revision: Some(2),
        scheduled_at: Some(now()),
        due_at: Some(now()),
        cancelled_at: None,
        published_at: None,
        external_id: None,
        external_url: None,
        attempts: 1,
        created_at: now(),
    }
}

fn problem(remedy: Remedy) -> ProblemRow {
    ProblemRow::new(Problem::new("x.y", "It went wrong.", remedy), now())
}

fn attempt(open: bool, deadline_s: i64) -> LastAttempt {
    LastAttempt {
        id: Uuid::from_u128(9),
        started_at: now(),
        send_deadline: now() + Duration::seconds(deadline_s),
        open,
        created: false,
    }
}

#[test]
fn what_has_left_or_ended_can_not_be_changed() {
    for state in TargetState::ALL {
        let mut row = target(state);
        let changed = edit(&mut row, None, &Edit { scheduled_at: Some(None), ..Edit::default() });
        assert_eq!(changed.is_ok(), state.may_change(), "{state:?}");
    }
}

#[test]
fn a_change_of_what_takes_the_approval_back_and_a_change_of_when_does_not() {
    let mut row = target(TargetState::Scheduled);
    let follow = edit(&mut row, Some(3), &Edit { scheduled_at: Some(None), ..Edit::default() }).unwrap();
    assert_eq!((row.revision, row.content_revision, row.approved_content_revision), (4, 2, Some(2)));
    assert_eq!(row.state, TargetState::Preparing);
    assert!(follow.withdraw_publish && follow.advance && !follow.forget_media);

    let mut row = target(TargetState::Scheduled);
    let caption = Some(Uuid::from_u128(7));
    let follow = edit(&mut row, None, &Edit { caption, ..Edit::default() }).unwrap();
    assert_eq!((row.revision, row.content_revision, row.approved_content_revision), (4, 3, Some(2)));
    assert!(follow.withdraw_caption && follow.withdraw_publish && follow.advance);
}

#[test]
fn a_change_to_what_it_is_already_changes_nothing() {
    let mut row = target(TargetState::Scheduled);
    let same = Edit { framing: Some(None), scheduled_at: Some(Some(now())), ..Edit::default() };
    assert_eq!(edit(&mut row, None, &same), Ok(Follow::default()));
    assert_eq!(row, target(TargetState::Scheduled));
}

#[test]
fn a_change_of_another_revision_is_refused() {
    let mut row = target(TargetState::Draft);
    let framing = Edit { framing: Some(Some(Framing::Pad)), ..Edit::default() };
    assert!(matches!(edit(&mut row, Some(2), &framing), Err(Refusal::Conflict(_))));
}

#[test]
fn a_failed_target_that_is_mended_keeps_its_reason_and_asks_to_be_tried_again() {
    let mut row = target(TargetState::Failed);
    row.problem = Some(problem(Remedy::EditCaption));
    let caption = Some(Uuid::from_u128(7));
    let follow = edit(&mut row, None, &Edit { caption, ..Edit::default() }).unwrap();
    assert_eq!(row.state, TargetState::Failed);
    assert_eq!(row.problem.map(|problem| problem.problem.remedy), Some(Remedy::Retry));
    assert!(!follow.advance);
}

#[test]
fn a_review_is_of_the_revision_that_was_seen() {
    let mut row = target(TargetState::AwaitingApproval);
    row.approved_content_revision = None;
    assert!(matches!(review(&mut row, 2, true, now()), Err(Refusal::Conflict(_))));
    assert!(review(&mut row, 3, true, now()).unwrap().advance);
    assert_eq!(row.approved_content_revision, Some(2));

    let mut row = target(TargetState::AwaitingApproval);
    assert_eq!(review(&mut row, 3, false, now()), Ok(Follow::default()));
    assert_eq!((row.state, row.approved_content_revision), (TargetState::Draft, None));
    assert!(matches!(review(&mut row, 3, true, now()), Err(Refusal::Conflict(_))));
}

#[test]
fn what_is_leaving_goes_on_and_what_has_not_left_is_cancelled() {
    for (state, after) in [
        (TargetState::Draft, Some(TargetState::Cancelled)),
        (TargetState::Preparing, Some(TargetState::Cancelled)),
        (TargetState::AwaitingApproval, Some(TargetState::Cancelled)),
        (TargetState::Scheduled, Some(TargetState::Cancelled)),
        (TargetState::Failed, Some(TargetState::Cancelled)),
        (TargetState::Cancelled, Some(TargetState::Cancelled)),
        (TargetState::Publishing, Some(TargetState::Publishing)),
        (TargetState::Unconfirmed, Some(TargetState::Unconfirmed)),
        (TargetState::Published, None),
        (TargetState::NeedsAttention, None),
    ] {
        let mut row = target(state);
        assert_eq!(cancel(&mut row, now()).ok().map(|_| row.state), after, "{state:?}");
    }
}

#[test]
fn only_what_failed_is_tried_again() {
    for state in TargetState::ALL {
        let mut row = target(state);
        assert_eq!(retry(&mut row, now()).is_ok(), state == TargetState::Failed, "{state:?}");
    }
}

#[test]
fn an_answer_counts_once_and_only_after_the_deadline() {
    let open = attempt(true, -1);
    let mut row = target(TargetState::NeedsAttention);
    let follow = resolve(&mut row, Some(&open), 1, &Answer::SendAgain, now()).unwrap();
    assert_eq!(follow.close_attempt, Some(AttemptOutcome::Absent));
    assert_eq!(row.state, TargetState::Preparing);
    assert!(matches!(
        resolve(&mut row, Some(&open), 1, &Answer::SendAgain, now()),
        Err(Refusal::Conflict(_))
    ));

    let mut row = target(TargetState::NeedsAttention);
    assert!(matches!(
        resolve(&mut row, Some(&open), 0, &Answer::SendAgain, now()),
        Err(Refusal::Conflict(_))
    ));
    let early = attempt(true, 1);
    assert!(matches!(
        resolve(&mut row, Some(&early), 1, &Answer::SendAgain, now()),
        Err(Refusal::Conflict(_))
    ));
    let made = LastAttempt { created: true, ..attempt(false, -1) };
    assert!(matches!(
        resolve(&mut row, Some(&made), 1, &Answer::SendAgain, now()),
        Err(Refusal::Conflict(_))
    ));

    let url = Some("https://t.me/c/1".to_owned());
    let follow = resolve(&mut row, Some(&open), 1, &Answer::Live { url: url.clone() }, now()).unwrap();
    assert_eq!(follow.close_attempt, Some(AttemptOutcome::Created));
    assert_eq!(
        (row.state, row.external_url.clone(), row.published_at),
        (TargetState::Published, url, Some(now()))
    );
    assert_eq!(resolve(&mut row, Some(&open), 1, &Answer::Live { url: None }, now()), Ok(Follow::default()));
}

#[test]
fn a_post_that_is_given_up_is_settled() {
    let mut row = target(TargetState::NeedsAttention);
    row.problem = Some(problem(Remedy::Resolve));
    resolve(&mut row, Some(&attempt(true, -1)), 1, &Answer::GiveUp, now()).unwrap();
    assert_eq!((row.state, row.problem), (TargetState::Cancelled, None));
}
