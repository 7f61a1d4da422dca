//! The table of cases, and the properties that no case may break.

use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use proptest::{option, prop_assert};
use uuid::Uuid;

use super::*;

const RULES: SendingRules = SendingRules {
    lead: Duration::minutes(10),
    send_timeout: Duration::seconds(60),
    settle: Duration::seconds(60),
    can_look_up: true,
    single_use_handle: true,
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time within chrono's range")
}

fn plan() -> Vec<StepPlan> {
    vec![StepPlan { part: 0, name: "container".into(), input_hash: "a".into() }]
}

fn step(hash: &str, expires: i64) -> Step {
    Step {
        part: 0,
        name: "container".into(),
        input_hash: hash.into(),
        remote_id: "1".into(),
        expires_at: Some(at(expires)),
        data: serde_json::Value::Null,
    }
}

fn attempt(started: i64, outcome: Option<AttemptOutcome>) -> Attempt {
    Attempt {
        id: Uuid::nil(),
        part: 0,
        handle: None,
        started_at: at(started),
        send_deadline: at(started + 60),
        outcome,
    }
}

fn publication<'a>(plan: &'a [StepPlan], steps: &'a [Step], attempts: &'a [Attempt]) -> Publication<'a> {
    Publication {
        rules: RULES,
        due: at(0),
        scheduled: true,
        max_lateness: Duration::hours(6),
        cancelled: false,
        sending: false,
        blocked: None,
        parts: 1,
        plan,
        steps,
        attempts,
    }
}

#[test]
fn what_may_be_live_is_never_given_up_as_failed() {
    use AttemptOutcome::{Absent, Created, NotSent};
    let problem = Problem::new("job.poison", "It was tried too often.", Remedy::Retry);
    let of = |part, outcome| Attempt { part, ..attempt(0, outcome) };
    let asked = Outcome::NeedsAttention(outcome_unknown());
    let live = Outcome::Published { problem: Some(problem.clone()) };
    let failed = Outcome::Failed(problem.clone());
    let cases = [
        (vec![], &failed),
        (vec![of(0, Some(NotSent)), of(0, Some(Absent))], &failed),
        (vec![of(0, None)], &asked),
        (vec![of(0, Some(NotSent)), of(0, Some(Created))], &live),
        (vec![of(0, Some(Created)), of(1, Some(NotSent))], &live),
        (vec![of(0, Some(Created)), of(1, None)], &asked),
    ];
    for (attempts, outcome) in cases {
        assert_eq!(&given_up(&attempts, problem.clone()), outcome, "{attempts:?}");
    }
}

#[test]
fn preparation_starts_with_the_lead_and_sending_at_the_due_time() {
    let plan = plan();
    let ready = [step("a", 86_400)];
    let case = |steps: &[Step], now| next_step(&publication(&plan, steps, &[]), at(now));
    assert_eq!(case(&[], -3600), Next::Wait { until: at(-600), problem: None });
    assert_eq!(case(&[], -600), Next::Prepare(plan[0].clone()));
    assert_eq!(case(&ready, -300), Next::Wait { until: at(0), problem: None });
    assert_eq!(case(&ready, 0), Next::Send { part: 0 });
    assert_eq!(case(&[step("other", 86_400)], 0), Next::Prepare(plan[0].clone()));
    assert_eq!(case(&[step("a", 60)], 0), Next::Prepare(plan[0].clone()), "expires too soon");
}

#[test]
fn an_open_attempt_is_looked_up_and_absence_counts_after_the_settle_time() {
    let plan = plan();
    let steps = [step("a", 86_400)];
    let open = [attempt(0, None)];
    let case = |now| next_step(&publication(&plan, &steps, &open), at(now));
    assert_eq!(case(1), Next::LookUp { attempt: 0, absence_counts: false });
    assert_eq!(case(119), Next::LookUp { attempt: 0, absence_counts: false });
    assert_eq!(case(120), Next::LookUp { attempt: 0, absence_counts: true });
    assert!(matches!(case(60 + 86_401), Next::Finish(Outcome::NeedsAttention(_))));
}

#[test]
fn without_a_look_up_a_person_is_asked_but_only_after_the_deadline() {
    let open = [attempt(0, None)];
    let mut target = publication(&[], &[], &open);
    target.rules.can_look_up = false;
    assert_eq!(next_step(&target, at(59)), Next::Wait { until: at(60), problem: None });
    assert!(matches!(next_step(&target, at(60)), Next::Finish(Outcome::NeedsAttention(_))));
}

#[test]
fn a_refusal_ends_the_send_that_it_belongs_to_and_not_the_retry() {
    let refused = [attempt(0, Some(AttemptOutcome::Refused))];
    let mut target = publication(&[], &[], &refused);
    target.sending = true;
    assert!(matches!(next_step(&target, at(9)), Next::Finish(Outcome::Failed(_))));
    target.sending = false;
    assert_eq!(next_step(&target, at(9)), Next::Send { part: 0 });
}

#[test]
fn late_cancelled_and_blocked_targets_are_not_sent() {
    let target = publication(&[], &[], &[]);
    assert!(matches!(next_step(&target, at(6 * 3600 + 1)), Next::Finish(Outcome::Failed(_))));
    let mut cancelled = target.clone();
    cancelled.cancelled = true;
    assert_eq!(next_step(&cancelled, at(0)), Next::Finish(Outcome::Cancelled));
    let mut paused = target.clone();
    paused.blocked = Some(Problem::new("account.paused", "The account is paused.", Remedy::Wait));
    assert!(matches!(next_step(&paused, at(0)), Next::Wait { problem: Some(_), .. }));
    let mut unscheduled = target;
    unscheduled.scheduled = false;
    assert_eq!(next_step(&unscheduled, at(6 * 3600 + 1)), Next::Send { part: 0 });
}

#[test]
fn part_zero_decides_and_the_rest_follow() {
    let sent = [attempt(0, Some(AttemptOutcome::Created))];
    let mut target = publication(&[], &[], &sent);
    target.parts = 2;
    target.cancelled = true;
    assert_eq!(next_step(&target, at(5)), Next::Send { part: 1 });
    target.parts = 1;
    assert_eq!(next_step(&target, at(5)), Next::Finish(Outcome::Published { problem: None }));
}

fn any_attempt() -> impl Strategy<Value = Attempt> {
    let outcome = prop_oneof![
        proptest::strategy::Just(AttemptOutcome::Created),
        proptest::strategy::Just(AttemptOutcome::Refused),
        proptest::strategy::Just(AttemptOutcome::RefusedForNow),
        proptest::strategy::Just(AttemptOutcome::NotSent),
        proptest::strategy::Just(AttemptOutcome::Absent),
    ];
    (0_u16..3, -1000_i64..1000, option::of(outcome))
        .prop_map(|(part, started, outcome)| Attempt { part, ..attempt(started, outcome) })
}

proptest! {
    #[test]
    fn nothing_is_sent_past_an_open_or_created_attempt(
        attempts in prop::collection::vec(any_attempt(), 0..6),
        parts in 1_u16..4,
        flags in any::<[bool; 6]>(),
        now in -2000_i64..100_000,
    ) {
        let plan = plan();
        let steps = [step("a", 90_000)];
        let [cancelled, sending, blocked, scheduled, can_look_up, prepared] = flags;
        let mut target = publication(&plan, if prepared { &steps } else { &[] }, &attempts);
        target.parts = parts;
        target.cancelled = cancelled;
        target.sending = sending;
        target.scheduled = scheduled;
        target.rules.can_look_up = can_look_up;
        target.blocked = blocked.then(|| Problem::new("account.paused", "Paused.", Remedy::Wait));
        let next = next_step(&target, at(now));
        if let Next::Send { part } = next {
            prop_assert!(attempts.iter().all(|a| a.outcome.is_some()));
            prop_assert!(!is_created(&attempts, part));
            prop_assert!(part < parts && (0..part).all(|earlier| is_created(&attempts, earlier)));
            prop_assert!(now >= 0, "never before it is due");
            prop_assert!(!blocked && (part > 0 || !cancelled));
        }
        if let Next::Wait { until, .. } = next {
            prop_assert!(until >= at(now), "waiting never points into the past");
        }
        if attempts.iter().any(|a| a.outcome.is_none()) {
            let decided_later = matches!(
                next,
                Next::LookUp { .. } | Next::Wait { .. } | Next::Finish(Outcome::NeedsAttention(_))
            );
            prop_assert!(decided_later);
        }
    }
}
