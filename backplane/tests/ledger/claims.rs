//! One holder at a time, and nothing that was asked for is lost.

use backplane::job_kind::{JobKind, Lane};
use backplane::store::Scope;
use backplane::store::jobs::{self, Doorbell, Leased, NewJob, Retry, begin_fenced};
use chrono::{Duration, Utc};
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn a_job_is_claimed_once_however_often_its_bell_rings() {
    let world = World::new().await;
    let brand = world.brand().await;
    let (bell, subject) = world.job(brand).await;
    let claims = futures_util::future::join_all((0..8).map(|_| world.claim(bell))).await;
    let held: Vec<_> = claims.into_iter().flatten().collect();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].subject, held[0].epoch, held[0].attempt), (subject, 1, 0));

    let (mut tx, fence) = begin_fenced(&world.worker, &held[0]).await.unwrap().unwrap();
    jobs::settle(&mut tx, fence).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.state(subject).await, "done");
    assert!(world.claim(bell).await.is_none(), "a stale bell finds nothing");
}

#[tokio::test]
async fn a_bell_opens_nothing_for_another_brand_or_kind_or_before_its_time() {
    let world = World::new().await;
    let (brand, other) = (world.brand().await, world.brand().await);
    let (bell, subject) = world.job(brand).await;
    assert!(world.claim(Doorbell { brand: other, ..bell }).await.is_none());
    let as_caption = jobs::claim(&world.worker, JobKind::Caption, bell, world.holder).await.unwrap();
    assert!(as_caption.is_none());
    world.sql("update jobs set run_at = now() + interval '1 min'").await;
    assert!(world.claim(bell).await.is_none());
    world.enqueue(brand, &[NewJob::now(JobKind::Probe, Lane::Now, subject)]).await;
    assert!(world.claim(bell).await.is_some(), "asked for again, it runs at the earlier time");
}

#[tokio::test]
async fn a_zombie_gets_no_fence_and_writes_nothing() {
    let world = World::new().await;
    let brand = world.brand().await;
    let (bell, subject) = world.job(brand).await;
    let zombie = world.claim(bell).await.unwrap();
    assert_eq!(jobs::sweep(&world.relay).await.unwrap(), 0, "its lease holds");
    world.expire(bell).await;
    assert_eq!(jobs::sweep(&world.relay).await.unwrap(), 1);
    assert!(begin_fenced(&world.worker, &zombie).await.unwrap().is_none(), "swept");
    let heir = world.claim(bell).await.unwrap();
    assert_eq!((heir.epoch, heir.attempt, heir.crashes), (3, 0, 1));
    assert!(begin_fenced(&world.worker, &zombie).await.unwrap().is_none(), "held by another");

    let leases = [&zombie, &heir].map(|claim| Leased { job: claim.id, epoch: claim.epoch });
    let held = jobs::renew(&world.worker, world.holder, &leases[..1]).await.unwrap();
    assert!(held.is_empty(), "a zombie renews nothing");
    let held = jobs::renew(&world.worker, world.holder, &leases[1..]).await.unwrap();
    assert_eq!(held, [heir.id]);
    let strangers = jobs::renew(&world.worker, Uuid::now_v7(), &leases[1..]).await.unwrap();
    assert!(strangers.is_empty(), "only the holder renews");

    let (mut tx, fence) = begin_fenced(&world.worker, &heir).await.unwrap().unwrap();
    jobs::settle(&mut tx, fence).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.state(subject).await, "done");
}

#[tokio::test]
async fn what_is_asked_for_during_a_run_is_done_after_it() {
    let world = World::new().await;
    let brand = world.brand().await;
    let (bell, subject) = world.job(brand).await;
    let again = [NewJob::now(JobKind::Probe, Lane::Now, subject)];

    let claim = world.claim(bell).await.unwrap();
    world.enqueue(brand, &again).await;
    let (mut tx, fence) = begin_fenced(&world.worker, &claim).await.unwrap().unwrap();
    jobs::settle(&mut tx, fence).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.state(subject).await, "ready");

    let claim = world.claim(bell).await.unwrap();
    world.enqueue(brand, &again).await;
    let (mut tx, fence) = begin_fenced(&world.worker, &claim).await.unwrap().unwrap();
    jobs::snooze(&mut tx, fence, Utc::now() + Duration::hours(1), "waits").await.unwrap();
    tx.commit().await.unwrap();
    let claim = world.claim(bell).await.expect("a wish during the run cuts the sleep short");

    let (mut tx, fence) = begin_fenced(&world.worker, &claim).await.unwrap().unwrap();
    jobs::snooze(&mut tx, fence, Utc::now() + Duration::hours(1), "waits").await.unwrap();
    tx.commit().await.unwrap();
    assert!(world.claim(bell).await.is_none(), "a bell does not wake a sleeper");
    let mut tx = world.api.begin(&Scope::brand(brand)).await.unwrap();
    jobs::wake(&mut tx, JobKind::Probe, &[subject]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.claim(bell).await.unwrap().attempt, 0, "and none of it counts as a failure");
}

#[tokio::test]
async fn a_rescheduled_job_is_not_run_at_its_old_time() {
    let world = World::new().await;
    let brand = world.brand().await;
    let (bell, subject) = world.job(brand).await;
    let later = NewJob::now(JobKind::Probe, Lane::Now, subject).at(Utc::now() + Duration::hours(2));
    world.enqueue(brand, std::slice::from_ref(&later)).await;
    assert_eq!(
        world.count("select count(*) from jobs where run_at > now()").await,
        0,
        "the earlier time stays"
    );
    let mut tx = world.api.begin(&Scope::brand(brand)).await.unwrap();
    jobs::reschedule(&mut tx, brand, &[later]).await.unwrap();
    tx.commit().await.unwrap();
    assert!(world.claim(bell).await.is_none());
    let mut tx = world.api.begin(&Scope::brand(brand)).await.unwrap();
    jobs::withdraw(&mut tx, JobKind::Probe, &[subject]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.state(subject).await, "done");
}

#[tokio::test]
async fn failures_back_off_and_end_a_job_which_can_be_replayed() {
    let world = World::new().await;
    let brand = world.brand().await;
    let (bell, subject) = world.job(brand).await;
    let limit = JobKind::Probe.handling().failures_max;
    for failure in 1..=limit {
        world.pass_time().await;
        let claim = world.claim(bell).await.unwrap();
        assert_eq!(claim.attempt, failure - 1);
        let (mut tx, fence) = begin_fenced(&world.worker, &claim).await.unwrap().unwrap();
        let retry = jobs::fail(&mut tx, &fence, "storage was busy").await.unwrap();
        tx.commit().await.unwrap();
        match retry {
            Retry::At(time) => assert!(failure < limit && time > Utc::now()),
            Retry::Exhausted => assert_eq!(failure, limit),
        }
    }
    assert_eq!(world.state(subject).await, "failed");
    let mut tx = world.api.begin(&Scope::brand(brand)).await.unwrap();
    assert_eq!(jobs::replay(&mut tx, &[bell.job]).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let claim = world.claim(bell).await.unwrap();
    assert_eq!((claim.attempt, claim.crashes), (0, 0));

    for death in 1..=jobs::DEATHS_MAX {
        world.pass_time().await;
        let claim = if death == 1 { claim.clone() } else { world.claim(bell).await.unwrap() };
        let (mut tx, fence) = begin_fenced(&world.worker, &claim).await.unwrap().unwrap();
        let retry = jobs::died(&mut tx, &fence, "the child was killed").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(retry == Retry::Exhausted, death == jobs::DEATHS_MAX);
    }
}

#[tokio::test]
async fn siblings_are_claimed_with_the_first_and_never_twice() {
    let world = World::new().await;
    let brand = world.brand().await;
    let (bell, _) = world.job(brand).await;
    let (taken, taken_subject) = world.job(brand).await;
    let (_, free) = world.job(brand).await;
    let first = world.claim(bell).await.unwrap();
    world.claim(taken).await.unwrap();
    let more = jobs::claim_more(&world.worker, &first, &[taken_subject, free], world.holder).await.unwrap();
    assert_eq!(more.iter().map(|claim| claim.subject).collect::<Vec<_>>(), [free]);
    assert!(begin_fenced(&world.worker, &more[0]).await.unwrap().is_some());
}

#[tokio::test]
async fn old_rows_are_pruned_and_young_ones_kept() {
    let world = World::new().await;
    let brand = world.brand().await;
    for (state, age) in
        [("done", "2 hours"), ("done", "1 minute"), ("failed", "31 days"), ("failed", "2 hours")]
    {
        world
            .sql(&format!(
                "insert into jobs (id, brand_id, kind, subject, state, finished_at)
                 values (gen_random_uuid(), '{brand}', 'probe', gen_random_uuid(), '{state}', now() - interval '{age}')"
            ))
            .await;
    }
    assert_eq!(jobs::prune(&world.relay).await.unwrap(), 2);
    assert_eq!(world.count("select count(*) from jobs").await, 2);
}
