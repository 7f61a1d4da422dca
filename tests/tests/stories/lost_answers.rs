//! The network took the post and its answer was lost: looked up where that is possible, else a person is asked.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Brand, Job, World, brand::WORK_LIMIT, files};

/// Telegram's calls may run for a minute; only after that is a person asked.
const ASKED_WITHIN: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_can_be_asked_is_asked() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Answers").await;
    for (platform, step, fault, seed) in [
        ("INSTAGRAM", "publish", "accept_then_drop", 1),
        ("INSTAGRAM", "publish", "500_after_accept", 2),
        ("TIKTOK", "upload", "accept_then_drop", 3),
        ("TIKTOK", "upload", "500_after_accept", 4),
    ] {
        let account = brand.connect(platform, &format!("answers{seed}")).await;
        let asset = brand.ready(&files::conforming_clip_of(seed), "Lost").await;
        world
            .networks
            .fault(json!({ "platform": platform.to_lowercase(), "step": step, "fault": fault }))
            .await;
        let job = brand.publish(&[&asset], &[&account]).await;
        brand.published(&job).await;
        brand.assert_posts(&[&account], 1).await;
        assert_eq!(world.networks.faults_left().await, 0, "{platform} {fault} was met");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_network_that_cannot_be_asked_a_person_answers_and_the_answer_counts_once() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Person").await;
    let mut stories = Vec::new();
    for (index, resolution) in ["LIVE", "SEND_AGAIN", "GIVE_UP"].into_iter().enumerate() {
        let account = brand.connect("TELEGRAM", &format!("person_{index}")).await;
        let fault = if index == 0 { "accept_then_drop" } else { "drop_before" };
        let order =
            json!({ "platform": "telegram", "step": "send", "fault": fault, "account": account.external_id });
        world.networks.fault(order).await;
        let asset = brand.ready(&files::photo(index as u32 + 20), "Is it there?").await;
        let job = brand.publish(&[&asset], &[&account]).await;
        stories.push((resolution, account, job));
    }
    for (resolution, account, job) in &stories {
        let target = asked(&brand, job).await;
        answer(&brand, &target, resolution).await;
        match *resolution {
            "LIVE" => {
                brand.until(job, &["PUBLISHED"], WORK_LIMIT).await;
                brand.assert_posts(&[account], 1).await;
            }
            "SEND_AGAIN" => {
                brand.until(job, &["PUBLISHED"], WORK_LIMIT).await;
                brand.assert_posts(&[account], 1).await;
            }
            _ => {
                brand.until(job, &["FAILED", "CANCELLED"], WORK_LIMIT).await;
                brand.assert_posts(&[account], 0).await;
            }
        }
        // The same answer again, from a second tab or a slow line, sends nothing.
        let input = answers(&target, resolution);
        brand.api.try_mutate("resolvePublishTargets", input, "targets { id state }").await;
        let target = brand.target(target["id"].as_str().unwrap()).await;
        assert!(["PUBLISHED", "FAILED", "CANCELLED"].iter().any(|end| target["state"] == *end), "{target}");
        brand.assert_posts(&[account], usize::from(*resolution != "GIVE_UP")).await;
    }
    world.finish().await;
}

async fn asked(brand: &Brand<'_>, job: &Job) -> Value {
    let mut targets = brand.until(job, &["NEEDS_ATTENTION"], ASKED_WITHIN).await;
    let target = targets.remove(0);
    assert_eq!(target["problem"]["remedy"], "RESOLVE", "{target}");
    // It is never sent again by "try again".
    let input = json!({ "targetIds": [target["id"]] });
    let refused = brand.api.try_mutate("retryPublishTargets", input, "targets { id }").await;
    refused.refused("CONFLICT");
    target
}

fn answers(target: &Value, resolution: &str) -> Value {
    json!({ "answers": [{ "targetId": target["id"], "attempts": target["attempts"], "resolution": resolution }] })
}

async fn answer(brand: &Brand<'_>, target: &Value, resolution: &str) {
    brand.api.mutate("resolvePublishTargets", answers(target, resolution), "targets { id state }").await;
}
