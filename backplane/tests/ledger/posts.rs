//! A post of a network belongs to one target, whatever the network says and whoever is first.

use backplane::job_kind::{JobKind, Lane};
use backplane::store::Tx;
use backplane::store::jobs::{self, Claim, Fence, NewJob, begin_fenced};
use backplane::store::publish_work::{CLAIMED_TWICE, TargetChange, change_target};
use sqlx::Row as _;
use uuid::Uuid;

use crate::world::World;

struct Publishing {
    target: Uuid,
    claim: Claim,
}

async fn publishing(world: &World, brand: Uuid, account: Uuid) -> Publishing {
    let target = world.scheduled_target(brand, account).await;
    world.enqueue(brand, &[NewJob::now(JobKind::Publish, Lane::Now, target)]).await;
    let bell = world.bell(target).await;
    let claim = jobs::claim(&world.worker, JobKind::Publish, bell, world.holder).await.unwrap().unwrap();
    Publishing { target, claim }
}

fn to(state: &'static str, external_id: Option<&'static str>) -> TargetChange<'static> {
    TargetChange { state, problem: None, retry_at: None, external_id, external_url: None }
}

impl Publishing {
    async fn fenced(&self, world: &World) -> (Tx, Fence) {
        begin_fenced(&world.publisher, &self.claim).await.unwrap().unwrap()
    }

    /// Whether the target went where it was to go.
    async fn change(&self, world: &World, change: TargetChange<'_>) -> bool {
        let (mut tx, fence) = self.fenced(world).await;
        let own = change_target(&mut tx, &fence, self.target, &change).await.unwrap();
        tx.commit().await.unwrap();
        own
    }

    /// State, problem and post of the target.
    async fn seen(&self, world: &World) -> (String, Option<String>, Option<String>) {
        let row = sqlx::query("select state, problem_code, external_id from publish_targets where id = $1")
            .bind(self.target)
            .fetch_one(&mut world.connect().await)
            .await
            .unwrap();
        (row.get(0), row.get(1), row.get(2))
    }
}

fn disputed() -> (String, Option<String>, Option<String>) {
    ("NEEDS_ATTENTION".to_owned(), Some(CLAIMED_TWICE.to_owned()), None)
}

#[tokio::test]
async fn a_post_that_another_target_has_stays_before_a_person_whatever_its_later_parts_do() {
    let world = World::new().await;
    let brand = world.brand().await;
    let account = world.account(brand).await;
    let first = publishing(&world, brand, account).await;
    let second = publishing(&world, brand, account).await;
    assert!(first.change(&world, to("PUBLISHED", Some("77"))).await);

    // Its first part was made, and the network names the other's post.
    assert!(!second.change(&world, to("PUBLISHING", Some("77"))).await);
    assert_eq!(second.seen(&world).await, disputed());
    // A reply that goes out, a wait and the end of the job know nothing of it.
    for later in ["PUBLISHING", "PUBLISHED", "FAILED"] {
        assert!(!second.change(&world, to(later, None)).await, "{later}");
        assert_eq!(second.seen(&world).await, disputed(), "{later}");
    }
    assert_eq!(first.seen(&world).await, ("PUBLISHED".to_owned(), None, Some("77".to_owned())));
    // On another account the same id is another post.
    let elsewhere = publishing(&world, brand, world.account(brand).await).await;
    assert!(elsewhere.change(&world, to("PUBLISHED", Some("77"))).await);
}

#[tokio::test]
async fn of_two_that_claim_a_post_at_once_the_second_is_told_and_keeps_its_evidence() {
    let world = World::new().await;
    let brand = world.brand().await;
    let account = world.account(brand).await;
    let first = publishing(&world, brand, account).await;
    let second = publishing(&world, brand, account).await;
    let (mut tx, fence) = first.fenced(&world).await;
    assert!(change_target(&mut tx, &fence, first.target, &to("PUBLISHED", Some("77"))).await.unwrap());
    // The first is not committed yet: the second has to wait for it.
    let commit = async {
        let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'
                        and datname = current_database()";
        while world.count(waits).await == 0 {
            tokio::task::yield_now().await;
        }
        tx.commit().await.unwrap();
    };
    let claimed = second.change(&world, to("PUBLISHING", Some("77")));
    let (own, ()) = tokio::join!(claimed, commit);
    assert!(!own);
    assert_eq!(second.seen(&world).await, disputed());
}

#[tokio::test]
async fn a_target_that_a_person_took_back_while_its_job_ran_stays_where_it_is() {
    let world = World::new().await;
    let brand = world.brand().await;
    let account = world.account(brand).await;
    for taken_back in ["AWAITING_APPROVAL", "PREPARING", "DRAFT", "CANCELLED"] {
        let target = publishing(&world, brand, account).await;
        let edit =
            format!("update publish_targets set state = '{taken_back}' where id = '{}'", target.target);
        world.sql(&edit).await;
        // What the run had read is over: neither a wait nor a missed time counts.
        for late in ["SCHEDULED", "FAILED", "UNCONFIRMED"] {
            assert!(!target.change(&world, to(late, None)).await, "{taken_back} {late}");
        }
        assert_eq!(target.seen(&world).await.0, taken_back);
        // Proof of a post does, whatever anybody wished.
        assert!(target.change(&world, to("PUBLISHED", None)).await, "{taken_back}");
    }
}
