//! "Too many requests" is a reason to wait, never one to fail.

use serde_json::json;
use tests::{World, brand::WORK_LIMIT, eventually, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttled_targets_wait_and_then_go_out_once() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Patient").await;
    let accounts = brand.connect_all("patient").await;
    for (platform, step, fault) in [
        ("instagram", "publish", "429_with_retry_after"),
        ("telegram", "send", "429_with_retry_after"),
        ("tiktok", "init", "429_without_retry_after"),
    ] {
        world.networks.fault(json!({ "platform": platform, "step": step, "fault": fault, "times": 2 })).await;
    }
    let asset = brand.ready(&files::conforming_clip(), "Later").await;
    let job = brand.publish(&[&asset], &accounts.iter().collect::<Vec<_>>()).await;
    eventually("a target waits and says until when", WORK_LIMIT, async || {
        let targets = brand.targets(&job).await;
        assert!(targets.iter().all(|target| target["state"] != "FAILED"), "{targets:?}");
        targets
            .iter()
            .find(|target| target["problem"]["remedy"] == "WAIT" && !target["problem"]["retryAt"].is_null())
            .map(drop)
    })
    .await;
    brand.published(&job).await;
    brand.assert_posts(&accounts.iter().collect::<Vec<_>>(), 1).await;
    assert_eq!(world.networks.faults_left().await, 0, "every fault was met");
    world.finish().await;
}
