//! "Too many requests" is a reason to wait, never one to fail, and no doorbell ends the wait early.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tests::{
    Firehose, World, WorldOptions,
    brand::{Account, WORK_LIMIT},
    eventually, files,
};

/// What a network says in `Retry-After`.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(15);

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_every_bell_rung_twice_nothing_leaves_before_its_time() {
    let firehose = Firehose::start(Some(Duration::from_secs(10))).await;
    let options = WorldOptions { workers: 2, firehose: Some(firehose), ..WorldOptions::default() };
    let world = World::with(options).await;
    let brand = world.agency("Northwind").await.brand("Twice").await;
    let (mut throttled, mut moved) = (Vec::new(), Vec::new());
    for (platform, step) in [("INSTAGRAM", "publish"), ("TELEGRAM", "send"), ("TELEGRAM", "send")] {
        let count = throttled.len();
        let account = brand.connect(platform, &format!("throttled{count}")).await;
        let fault = json!({
            "platform": platform.to_lowercase(), "step": step, "fault": "429_with_retry_after", "times": 2,
            "delayMs": RETRY_AFTER.num_milliseconds(), "account": account.external_id,
        });
        world.networks.fault(fault).await;
        throttled.push(account);
        moved.push(brand.connect(platform, &format!("moved{count}")).await);
    }
    let asset = brand.ready(&files::conforming_clip(), "At its time").await;
    let due = Utc::now() + TimeDelta::seconds(30);
    let mut input = brand.job_input(&[&asset], &throttled.iter().chain(&moved).collect::<Vec<_>>());
    input["schedule"] = json!({ "at": due.to_rfc3339() });
    let job = brand.create_job(input).await;
    let targets = brand.until(&job, &["SCHEDULED"], WORK_LIMIT).await;
    let later = due + TimeDelta::seconds(25);
    let changes: Vec<Value> = targets[throttled.len()..]
        .iter()
        .map(|target| json!({ "targetId": target["id"], "scheduledAt": later.to_rfc3339() }))
        .collect();
    brand.api.mutate("updatePublishTargets", json!({ "changes": changes }), "targets { id }").await;

    brand.published(&job).await;
    brand.assert_posts(&throttled.iter().chain(&moved).collect::<Vec<_>>(), 1).await;
    assert_eq!(world.networks.faults_left().await, 0, "every fault was met");
    for account in &moved {
        assert!(posted_at(&world, account).await >= later, "{} was moved to {later}", account.handle);
    }
    for account in &throttled {
        assert!(posted_at(&world, account).await >= due, "{} is due at {due}", account.handle);
        assert_waits_as_told(&world, account).await;
    }
    world.finish().await;
}

async fn posted_at(world: &World, account: &Account) -> DateTime<Utc> {
    let posts = world.networks.posts_of(&account.external_id).await;
    posts[0]["at"].as_str().unwrap().parse().unwrap()
}

/// After each refusal the network hears nothing of this account's posts before it said to come again.
async fn assert_waits_as_told(world: &World, account: &Account) {
    let external = world.networks.account(&account.platform, &account.handle).await;
    // Telegram's calls name the bot, Instagram's the account.
    let name = external["botToken"].as_str().and_then(|token| token.split(':').next());
    let name = name.unwrap_or(&account.external_id).to_owned();
    let sends = |call: &Value| {
        let path = call["path"].as_str().unwrap();
        path.contains(&name) && ["/send", "/media_publish"].iter().any(|method| path.contains(method))
    };
    let calls = world.networks.requests(&account.platform.to_lowercase()).await;
    let calls: Vec<Value> = calls.into_iter().filter(sends).collect();
    assert_eq!(calls.len(), 3, "two refusals and a post: {calls:?}");
    let at = |call: &Value| call["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    for pair in calls.windows(2) {
        assert_eq!(pair[0]["status"], 429, "{pair:?}");
        assert!(at(&pair[1]) >= at(&pair[0]) + RETRY_AFTER, "sent before the network said: {pair:?}");
    }
}
