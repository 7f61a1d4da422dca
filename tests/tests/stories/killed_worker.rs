//! A worker dies at the worst moment; another one finishes, and nothing is posted twice.

use std::time::Duration;

use tests::{
    World, WorldOptions,
    brand::{describe, on},
    files,
};

/// Lease, sweep and back-off; then the work itself, or a minute until a person is asked.
const RECOVERY: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_the_send_and_before_the_commit() {
    let world = World::with(WorldOptions { workers: 0, ..WorldOptions::default() }).await;
    let _preparing = world.worker(&[("KINDS", "probe,transcode,caption,ingest,fetch,refresh,revoke")]).await;
    // One that dies for each network: each takes one job at a time, and never a second one.
    let settings = [("KINDS", "publish"), ("SLOTS", "1"), ("REELMILL_CRASH_AT", "send.before_commit")];
    let mut dying =
        [world.worker(&settings).await, world.worker(&settings).await, world.worker(&settings).await];
    let brand = world.agency("Northwind").await.brand("Killed").await;
    let accounts = brand.connect_all("killed").await;
    let accounts: Vec<_> = accounts.iter().collect();
    let asset = brand.ready(&files::conforming_clip(), "Once").await;
    let job = brand.publish(&[&asset], &accounts).await;
    for worker in &mut dying {
        worker.died().await;
    }
    let _rescuing = world.worker(&[("KINDS", "publish")]).await;
    let targets = brand.until(&job, &["PUBLISHED", "NEEDS_ATTENTION", "FAILED"], RECOVERY).await;
    assert_eq!(on(&targets, "INSTAGRAM")["state"], "PUBLISHED", "by look-up: {}", describe(&targets));
    assert_eq!(on(&targets, "TIKTOK")["state"], "PUBLISHED", "by look-up: {}", describe(&targets));
    assert_eq!(
        on(&targets, "TELEGRAM")["state"],
        "NEEDS_ATTENTION",
        "nobody can look: {}",
        describe(&targets)
    );
    brand.assert_posts(&accounts, 1).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_of_an_encode() {
    let world = World::with(WorldOptions { workers: 0, ..WorldOptions::default() }).await;
    let _others = world.worker(&[("KINDS", "probe,caption,publish,ingest,fetch,refresh,revoke")]).await;
    let mut dying = world.worker(&[("KINDS", "transcode"), ("REELMILL_CRASH_AT", "tx.mid")]).await;
    let brand = world.agency("Northwind").await.brand("Encode").await;
    let account = brand.connect("INSTAGRAM", "encode").await;
    let asset = brand.ready(&files::clip(), "Once").await;
    let job = brand.publish(&[&asset], &[&account]).await;
    dying.died().await;
    let _rescuing = world.worker(&[("KINDS", "transcode")]).await;
    let targets = brand.until(&job, &["PUBLISHED", "FAILED"], RECOVERY).await;
    assert_eq!(targets[0]["state"], "PUBLISHED", "{}", describe(&targets));
    brand.assert_posts(&[&account], 1).await;
    world.finish().await;
}
