//! Which doorbells are rung next: every brand in its turn, never more than a window.

use std::collections::HashMap;

use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::{self, Pass, Pick};
use uuid::Uuid;

use crate::world::World;

const WINDOW: i64 = 32;

async fn jobs_of(world: &World, brand: Uuid, kind: JobKind, count: u32, due: &str) {
    world
        .sql(&format!(
            "insert into jobs (id, brand_id, kind, lane, subject, run_at)
             select gen_random_uuid(), '{brand}', '{kind}', 0, gen_random_uuid(), now() + interval '{due}'
               from generate_series(1, {count})"
        ))
        .await;
}

fn by_brand(pick: &Pick) -> HashMap<Uuid, usize> {
    let mut counts = HashMap::new();
    for (bell, _) in &pick.bells {
        *counts.entry(bell.brand).or_default() += 1;
    }
    counts
}

fn pass(kind: JobKind, cursor: Uuid) -> Pass {
    Pass { kind, lane: Lane::Now, window: WINDOW, slots: 8, cursor }
}

#[tokio::test]
async fn a_brand_with_a_backlog_leaves_room_for_one_with_a_single_job() {
    let world = World::new().await;
    let (crowd, single) = (world.brand().await, world.brand().await);
    jobs_of(&world, crowd, JobKind::Publish, 2000, "-1 hour").await;
    jobs_of(&world, single, JobKind::Publish, 1, "-1 s").await;
    let pick = jobs::pick(&world.relay, &pass(JobKind::Publish, Uuid::nil())).await.unwrap();
    let counts = by_brand(&pick);
    assert_eq!(counts[&single], 1, "the newcomer is rung in the first pass");
    assert_eq!(counts[&crowd], 4, "the crowd has its share of the window");
    let again = jobs::pick(&world.relay, &pass(JobKind::Publish, pick.cursor)).await.unwrap();
    assert!(again.bells.is_empty(), "its share is used up until a bell is answered");

    let rung: Vec<Uuid> = pick.bells.iter().map(|(bell, _)| bell.job).collect();
    jobs::unring(&world.relay, &rung).await.unwrap();
    let anew = jobs::pick(&world.relay, &pass(JobKind::Publish, Uuid::nil())).await.unwrap();
    assert_eq!(anew.bells.len(), 5, "what the broker did not confirm is rung again");
}

#[tokio::test]
async fn a_full_window_moves_the_turn_on_so_that_every_brand_gets_one() {
    let world = World::new().await;
    let mut brands = Vec::new();
    for _ in 0..20 {
        let brand = world.brand().await;
        jobs_of(&world, brand, JobKind::Publish, 50, "-1 min").await;
        brands.push(brand);
    }
    let mut cursor = Uuid::nil();
    let mut served: HashMap<Uuid, usize> = HashMap::new();
    for _ in 0..6 {
        let pick = jobs::pick(&world.relay, &pass(JobKind::Publish, cursor)).await.unwrap();
        let rung =
            world.count("select count(*) from jobs where rung_at is not null and state = 'ready'").await;
        assert!(rung <= WINDOW, "{rung} bells at once");
        for (brand, count) in by_brand(&pick) {
            *served.entry(brand).or_default() += count;
        }
        cursor = pick.cursor;
        // Every bell is answered.
        world.sql("update jobs set state = 'done', rung_at = null where rung_at is not null").await;
    }
    assert_eq!(served.len(), brands.len(), "nobody is left out");
    let most = served.values().max().unwrap() - served.values().min().unwrap();
    assert!(most <= 8, "turns differ by no more than two shares: {served:?}");
}

#[tokio::test]
async fn hundreds_of_brands_that_sleep_hide_nobody_behind_them() {
    let world = World::new().await;
    let last = Uuid::from_u128(u128::MAX);
    world
        .sql(&format!(
            "insert into jobs (id, brand_id, kind, lane, subject, run_at)
             select gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'publish', 0,
                    gen_random_uuid(), now() + interval '1 day' from generate_series(1, 1200) n;
             insert into jobs (id, brand_id, kind, lane, subject) values (gen_random_uuid(), '{last}', 'publish', 0, gen_random_uuid())"
        ))
        .await;
    let mut cursor = Uuid::nil();
    for pass_number in 1..=3 {
        let pick = jobs::pick(&world.relay, &pass(JobKind::Publish, cursor)).await.unwrap();
        assert_eq!(pick.bells.len(), usize::from(pass_number == 3), "pass {pass_number}");
        assert!(pick.more, "each pass says to go on at once");
        cursor = pick.cursor;
    }
    assert_eq!(cursor, Uuid::nil());
}

#[tokio::test]
async fn of_a_long_kind_one_brand_holds_half_of_the_slots_while_others_wait() {
    let world = World::new().await;
    let (greedy, modest) = (world.brand().await, world.brand().await);
    jobs_of(&world, greedy, JobKind::Transcode, 40, "-1 hour").await;
    world
        .sql(
            "update jobs set state = 'running', lease_until = now() + interval '1 min'
               where id in (select id from jobs limit 3)",
        )
        .await;
    let alone = jobs::pick(&world.relay, &pass(JobKind::Transcode, Uuid::nil())).await.unwrap();
    assert_eq!(alone.bells.len(), 4, "alone, it may use every slot");
    let rung: Vec<Uuid> = alone.bells.iter().map(|(bell, _)| bell.job).collect();
    jobs::unring(&world.relay, &rung).await.unwrap();
    jobs_of(&world, modest, JobKind::Transcode, 40, "-1 min").await;
    let shared = jobs::pick(&world.relay, &pass(JobKind::Transcode, Uuid::nil())).await.unwrap();
    let counts = by_brand(&shared);
    assert_eq!(counts[&greedy], 1, "half of 8 slots, of which 3 are in use");
    assert_eq!(counts[&modest], 4);
}

#[tokio::test]
async fn only_workers_that_live_count() {
    let world = World::new().await;
    jobs::report_slots(&world.worker, world.holder, &[(JobKind::Publish, 4), (JobKind::Probe, 2)])
        .await
        .unwrap();
    let other = Uuid::now_v7();
    jobs::report_slots(&world.worker, other, &[(JobKind::Publish, 4)]).await.unwrap();
    assert_eq!(jobs::slots_by_kind(&world.relay).await.unwrap()[&JobKind::Publish], 8);
    world.sql(&format!("update workers set seen_at = now() - interval '1 min' where id = '{other}'")).await;
    assert_eq!(jobs::slots_by_kind(&world.relay).await.unwrap()[&JobKind::Publish], 4);
    jobs::forget_worker(&world.worker, world.holder).await.unwrap();
    assert!(jobs::slots_by_kind(&world.relay).await.unwrap().is_empty());
}

#[tokio::test]
async fn unanswered_bells_are_forgotten_and_queues_without_work_are_not_asked() {
    let world = World::new().await;
    let brand = world.brand().await;
    assert!(jobs::waiting_queues(&world.relay).await.unwrap().is_empty());
    jobs_of(&world, brand, JobKind::Publish, 1, "-1 s").await;
    assert_eq!(jobs::waiting_queues(&world.relay).await.unwrap(), [(JobKind::Publish, Lane::Now)]);
    jobs::pick(&world.relay, &pass(JobKind::Publish, Uuid::nil())).await.unwrap();
    assert!(jobs::waiting_queues(&world.relay).await.unwrap().is_empty());
    assert_eq!(jobs::clear_stale_bells(&world.relay).await.unwrap(), 0);
    world.sql("update jobs set rung_at = now() - interval '76 s'").await;
    assert_eq!(jobs::clear_stale_bells(&world.relay).await.unwrap(), 1);
    assert_eq!(jobs::waiting_queues(&world.relay).await.unwrap().len(), 1);
}
