//! The open attempt is the lock on sending, and evidence is written once.

use std::time::Duration;

use backplane::job_kind::{JobKind, Lane};
use backplane::store::Scope;
use backplane::store::attempts::{
    Begun, Conclusion, NewAttempt, Recorded, attempts_of, begin_attempt, conclude,
};
use backplane::store::jobs::{self, Claim, NewJob};
use domain::publishing::AttemptOutcome;
use uuid::Uuid;

use crate::world::World;

struct Sending {
    world: World,
    brand: Uuid,
    target: Uuid,
    claim: Claim,
}

async fn sending() -> Sending {
    let world = World::new().await;
    let brand = world.brand().await;
    let account = world.account(brand).await;
    let target = world.scheduled_target(brand, account).await;
    world.enqueue(brand, &[NewJob::now(JobKind::Publish, Lane::Now, target)]).await;
    let bell = world.bell(target).await;
    let claim = jobs::claim(&world.worker, JobKind::Publish, bell, world.holder).await.unwrap().unwrap();
    Sending { world, brand, target, claim }
}

impl Sending {
    fn attempt(&self, part: u16) -> NewAttempt {
        NewAttempt {
            id: Uuid::now_v7(),
            target: self.target,
            part,
            content_revision: 1,
            handle: None,
            request_hash: [7; 32],
            send_within: Duration::from_secs(60),
        }
    }

    async fn begin(&self, attempt: &NewAttempt) -> Begun {
        begin_attempt(&self.world.publisher, &self.claim, attempt).await.unwrap()
    }

    async fn conclude(&self, attempt: Uuid, outcome: AttemptOutcome) -> Recorded {
        let conclusion = Conclusion { attempt, outcome, proof: Some("seen"), remote_id: None };
        conclude(&self.world.publisher, self.brand, &conclusion).await.unwrap()
    }
}

#[tokio::test]
async fn a_second_send_finds_the_first_attempt_open() {
    let sending = sending().await;
    let first = sending.attempt(0);
    let Begun::Sending { deadline } = sending.begin(&first).await else { panic!("nothing forbids it") };
    assert!(deadline <= tokio::time::Instant::now() + first.send_within);
    assert_eq!(
        sending
            .world
            .count("select count(*) from publish_targets where state = 'PUBLISHING' and attempts = 1")
            .await,
        1
    );
    assert_eq!(sending.begin(&sending.attempt(0)).await, Begun::AlreadyOpen);
    assert_eq!(
        sending.world.count("select attempts::bigint from publish_targets").await,
        1,
        "a refused beginning leaves nothing"
    );

    assert_eq!(sending.conclude(first.id, AttemptOutcome::Refused).await, Recorded::Written);
    assert_eq!(sending.conclude(first.id, AttemptOutcome::Created).await, Recorded::AlreadyDecided);
    let mut tx = sending.world.worker.begin(&Scope::brand(sending.brand)).await.unwrap();
    let known = attempts_of(&mut tx, &[sending.target]).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].attempt.outcome, Some(AttemptOutcome::Refused), "the first outcome stands");
}

#[tokio::test]
async fn evidence_is_written_even_by_a_fenced_worker_and_a_doubled_post_is_seen() {
    let sending = sending().await;
    let first = sending.attempt(0);
    sending.begin(&first).await;
    sending.world.sql("update jobs set epoch = epoch + 1").await;
    assert_eq!(sending.begin(&sending.attempt(1)).await, Begun::Fenced);
    assert_eq!(sending.conclude(first.id, AttemptOutcome::Created).await, Recorded::Written);
    let second = Uuid::now_v7();
    sending
        .world
        .sql(&format!(
            "insert into publish_attempts (id, brand_id, target_id, part, epoch, request_hash, send_deadline)
             values ('{second}', '{}', '{}', 0, 1, 'x', now())",
            sending.brand, sending.target
        ))
        .await;
    assert_eq!(sending.conclude(second, AttemptOutcome::Created).await, Recorded::Doubled);
}

#[tokio::test]
async fn what_holds_a_target_back_is_asked_again_in_the_last_moment() {
    let reasons = [
        ("update brands set paused = true", "update brands set paused = false"),
        ("update social_accounts set paused = true", "update social_accounts set paused = false"),
        (
            "update social_accounts set state = 'NEEDS_RECONNECT'",
            "update social_accounts set state = 'CONNECTED'",
        ),
        ("update publish_targets set cancelled_at = now()", "update publish_targets set cancelled_at = null"),
        (
            "update publish_targets set content_revision = 2",
            "update publish_targets set content_revision = 1",
        ),
        ("update installation set held_since = now()", "update installation set held_since = null"),
        ("update publish_targets set state = 'CANCELLED'", "update publish_targets set state = 'SCHEDULED'"),
    ];
    let sending = sending().await;
    for (hold, release) in reasons {
        sending.world.sql(hold).await;
        assert_eq!(sending.begin(&sending.attempt(0)).await, Begun::NotNow, "{hold}");
        sending.world.sql(release).await;
    }
    assert!(matches!(sending.begin(&sending.attempt(0)).await, Begun::Sending { .. }));
}
