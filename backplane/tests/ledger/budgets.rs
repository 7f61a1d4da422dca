//! Budgets say when a call may go, and callers never ask twice.

use std::time::Duration;

use backplane::store::budgets::{Reservation, hold_until, reserve};
use chrono::{TimeDelta, Utc};

use crate::world::World;

fn one(key: &str, cost: u32) -> Reservation {
    Reservation { key: key.to_owned(), every: Duration::from_secs(1), burst: 3, cost }
}

#[tokio::test]
async fn three_go_at_once_and_the_others_one_by_one() {
    let world = World::new().await;
    let began = Utc::now();
    let mut waits = Vec::new();
    for _ in 0..5 {
        let go_at = reserve(&world.worker, &[one("telegram/chat/1", 1)]).await.unwrap();
        waits.push((go_at - began).as_seconds_f64());
    }
    for (wait, expected) in waits.iter().zip([0.0, 0.0, 0.0, 1.0, 2.0]) {
        assert!((wait - expected).abs() < 0.5, "{waits:?}");
    }
}

#[tokio::test]
async fn an_album_costs_its_photos_and_the_strictest_budget_decides() {
    let world = World::new().await;
    let began = Utc::now();
    let album = [one("chat", 10), one("app", 1)];
    let go_at = reserve(&world.worker, &album).await.unwrap();
    let wait = (go_at - began).as_seconds_f64();
    assert!((wait - 7.0).abs() < 0.5, "ten of a burst of three wait for seven: {wait}");
    let until = Utc::now() + TimeDelta::hours(1);
    hold_until(&world.worker, "app", until).await.unwrap();
    let go_at = reserve(&world.worker, &[one("app", 1)]).await.unwrap();
    assert!(go_at >= until, "what the network says corrects the budget");
    let free = reserve(&world.worker, &[one("another", 1)]).await.unwrap();
    assert!((free - Utc::now()).abs() < TimeDelta::seconds(1));
}

#[tokio::test]
async fn reservations_made_at_once_get_different_times() {
    let world = World::new().await;
    let all = [one("app", 1)];
    let began = Utc::now();
    let times = futures_util::future::join_all((0..12).map(|_| reserve(&world.worker, &all))).await;
    let mut times: Vec<_> = times.into_iter().map(|at| (at.unwrap() - began).num_seconds().max(0)).collect();
    times.sort_unstable();
    let last = *times.last().unwrap();
    assert!((8..=10).contains(&last), "twelve calls of a burst of three take nine seconds: {times:?}");
}
