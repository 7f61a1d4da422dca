//! A worker is frozen between "I will send" and the call, loses its lease, and wakes up again.

use std::time::Duration;

use tests::{World, WorldOptions, brand::on, eventually, files};

/// The lease and a sweep.
const TAKEN_AWAY: Duration = Duration::from_secs(120);
const RECOVERY: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_before_the_call_and_thawed_after_the_lease() {
    let world = World::with(WorldOptions { workers: 0, ..WorldOptions::default() }).await;
    let _preparing = world.worker(&[("KINDS", "probe,transcode,caption,ingest,fetch,refresh,revoke")]).await;
    let settings = [("KINDS", "publish"), ("SLOTS", "1"), ("REELMILL_STOP_AT", "send.intent_committed")];
    let frozen =
        [world.worker(&settings).await, world.worker(&settings).await, world.worker(&settings).await];
    let brand = world.agency("Northwind").await.brand("Frozen").await;
    let accounts = brand.connect_all("frozen").await;
    let asset = brand.ready(&files::conforming_clip(), "Once").await;
    let job = brand.publish(&[&asset], &accounts.iter().collect::<Vec<_>>()).await;
    for worker in &frozen {
        worker.froze().await;
    }
    let _rescuing = world.worker(&[("KINDS", "publish")]).await;
    eventually("the frozen jobs are taken away", TAKEN_AWAY, async || {
        // The sweep raises the epoch.
        let question = "select count(*) from jobs j join publish_attempts a on a.target_id = j.subject \
                        where j.kind = 'publish' and j.epoch > a.epoch";
        (world.database.count(question).await == 3).then_some(())
    })
    .await;
    for worker in &frozen {
        worker.thaw();
    }
    let targets = brand.until(&job, &["PUBLISHED", "NEEDS_ATTENTION", "FAILED"], RECOVERY).await;
    // Woken before its deadline, the first sender may still send: its attempt is the lock. Nobody else may.
    for account in &accounts {
        let target = on(&targets, &account.platform);
        let posts = world.networks.posts_of(&account.external_id).await.len();
        let told_truly = if target["state"] == "PUBLISHED" { posts == 1 } else { posts <= 1 };
        assert!(told_truly && target["state"] != "FAILED", "{posts} posts: {target}");
    }
    world.finish().await;
}
