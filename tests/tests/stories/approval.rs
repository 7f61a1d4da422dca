//! Draft, edit, submit, approve; an edit after the approval takes it back.

use serde_json::json;
use tests::{World, brand::WORK_LIMIT, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_that_was_not_approved_as_it_is() {
    let world = World::start().await;
    let agency = world.agency("Northwind").await;
    let brand = agency.brand_with("Approval", json!({ "approvalRequired": true })).await;
    let approver = agency.member("anna@northwind.example", "APPROVER", Some(&[&brand.id])).await;
    let account = brand.connect("TELEGRAM", "approval").await;
    let other = brand.connect("INSTAGRAM", "approval").await;
    let asset = brand.ready(&files::conforming_clip(), "First words").await;
    let mut input = brand.job_input(&[&asset], &[&account, &other]);
    input["draft"] = json!(true);
    let job = brand.create_job(input).await;
    let targets = brand.until(&job, &["DRAFT"], WORK_LIMIT).await;

    // One caption is changed; the other network's stays.
    let change = json!({ "targetId": targets[0]["id"], "caption": { "text": "Better words" } });
    brand.api.mutate("updatePublishTargets", json!({ "changes": [change] }), "targets { id }").await;
    brand.api.mutate("submitPublishJob", json!({ "jobId": job.id }), "job { state }").await;
    let targets = brand.until(&job, &["AWAITING_APPROVAL"], WORK_LIMIT).await;
    assert_eq!(targets[0]["caption"]["text"], "Better words");
    assert_eq!(targets[0]["caption"]["author"], "PERSON");
    assert_ne!(targets[1]["caption"]["text"], "Better words");
    brand.assert_posts(&[&account, &other], 0).await;

    // Approved for tomorrow, then changed: the approval was for something else.
    let tomorrow = (chrono::Utc::now() + chrono::Duration::days(1)).to_rfc3339();
    let change = json!({ "targetId": targets[0]["id"], "scheduledAt": tomorrow });
    brand.api.mutate("updatePublishTargets", json!({ "changes": [change] }), "targets { id }").await;
    let seen = brand.target(targets[0]["id"].as_str().unwrap()).await;
    let review = |target: &serde_json::Value, decision: &str| json!({ "targets": [{ "targetId": target["id"], "revision": target["revision"] }], "decision": decision });
    let stale =
        approver.try_mutate("reviewPublishTargets", review(&targets[0], "APPROVE"), "targets { id }").await;
    stale.refused("CONFLICT");
    let approved =
        approver.mutate("reviewPublishTargets", review(&seen, "APPROVE"), "targets { state }").await;
    assert_eq!(approved["targets"][0]["state"], "SCHEDULED");
    let change = json!({ "targetId": seen["id"], "caption": { "text": "Other words" } });
    brand.api.mutate("updatePublishTargets", json!({ "changes": [change] }), "targets { id }").await;
    let seen = brand.target(seen["id"].as_str().unwrap()).await;
    assert_eq!(seen["state"], "AWAITING_APPROVAL", "an edit takes the approval back: {seen}");

    // Now as it is, and now at once.
    let change = json!({ "targetId": seen["id"], "scheduledAt": null });
    brand.api.mutate("updatePublishTargets", json!({ "changes": [change] }), "targets { id }").await;
    let seen = brand.target(seen["id"].as_str().unwrap()).await;
    approver.mutate("reviewPublishTargets", review(&seen, "APPROVE"), "targets { state }").await;
    let back = approver
        .mutate("reviewPublishTargets", review(&targets[1], "REQUEST_CHANGES"), "targets { state }")
        .await;
    assert_eq!(back["targets"][0]["state"], "DRAFT", "{back}");
    brand.until(&job, &["PUBLISHED", "DRAFT"], WORK_LIMIT).await;
    let posts = world.networks.posts_of(&account.external_id).await;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0]["caption"], "Other words");
    brand.assert_posts(&[&other], 0).await;
    world.finish().await;
}

/// A reviewer sees a file; what goes out is that file, whatever the brand's look has become meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_look_asks_for_approval_again() {
    let world = World::start().await;
    let agency = world.agency("Northwind").await;
    let brand = agency.brand_with("Looks", json!({ "approvalRequired": true })).await;
    let account = brand.connect("TELEGRAM", "looks").await;
    let logo = brand.ready(&files::logo(), "").await;
    let clip = brand.ready(&files::conforming_clip(), "Seen without a logo").await;
    let job = brand.publish(&[&clip], &[&account]).await;
    let seen = brand.until(&job, &["AWAITING_APPROVAL"], WORK_LIMIT).await.remove(0);
    let look = json!({ "brandId": brand.id, "watermark": { "assetId": logo } });
    brand.api.mutate("updateBrand", look, "brand { id }").await;

    let approve = |target: &serde_json::Value| json!({ "targets": [{ "targetId": target["id"], "revision": target["revision"] }], "decision": "APPROVE" });
    brand.api.mutate("reviewPublishTargets", approve(&seen), "targets { state }").await;
    let again = brand.until(&job, &["AWAITING_APPROVAL", "PUBLISHED"], WORK_LIMIT).await.remove(0);
    assert_eq!(again["state"], "AWAITING_APPROVAL", "the logo was not seen: {again}");
    assert_ne!(again["revision"], seen["revision"]);
    brand.assert_posts(&[&account], 0).await;
    brand.api.mutate("reviewPublishTargets", approve(&again), "targets { state }").await;
    brand.published(&job).await;
    brand.assert_posts(&[&account], 1).await;
    world.finish().await;
}
