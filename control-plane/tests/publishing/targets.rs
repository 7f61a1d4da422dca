//! Targets: changed, approved, sent back, cancelled, tried again and settled by people.

use serde_json::{Value, json};

use crate::world::World;

const UPDATE: &str = "mutation($in: UpdatePublishTargetsInput!) { updatePublishTargets(input: $in) {
    targets { id state revision caption { text author length maxLength } fits { framing } scheduledAt }
    userErrors { code path } } }";
const REVIEW: &str = "mutation($in: ReviewPublishTargetsInput!) { reviewPublishTargets(input: $in) {
    targets { state review { decision comment } } userErrors { code path } } }";
const CANCEL: &str = "mutation($in: CancelPublishTargetsInput!) { cancelPublishTargets(input: $in) {
    targets { state } userErrors { code path } } }";
const RETRY: &str = "mutation($in: RetryPublishTargetsInput!) { retryPublishTargets(input: $in) {
    targets { state } userErrors { code } } }";
const RESOLVE: &str = "mutation($in: ResolvePublishTargetsInput!) { resolvePublishTargets(input: $in) {
    targets { state externalUrl } userErrors { code path } } }";

/// A target of a job whose caption is sent as it came, before its file is made.
async fn target(world: &World, more: Value) -> Value {
    let account = world.account("telegram").await;
    let photos = world.photos(1).await;
    let mut input = json!({ "captions": "ORIGINAL" });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    let answer = world.create(&photos, &[account], input).await;
    assert_eq!(answer["userErrors"], json!([]), "{answer}");
    world.targets(&answer["job"]["id"]).await.remove(0)
}

async fn change(world: &World, change: Value) -> Value {
    let answer = world.ask(UPDATE, json!({ "in": { "changes": [change] } })).await;
    answer["updatePublishTargets"].clone()
}

#[tokio::test]
async fn an_edit_after_the_approval_takes_it_back_and_a_new_time_does_not() {
    let world = World::new().await;
    world.database.sql("update brands set approval_required = true").await;
    let made = target(&world, json!({ "schedule": { "at": "2040-01-01T09:00:00Z" } })).await;
    world.make_files().await;
    let seen =
        json!({ "in": { "targets": [{ "targetId": made["id"], "revision": 1 }], "decision": "APPROVE" } });
    let forbidden = world.ask_as("EDITOR", REVIEW, seen.clone()).await;
    assert_eq!(forbidden["reviewPublishTargets"]["userErrors"][0]["code"], "FORBIDDEN");
    let approved = world.ask_as("APPROVER", REVIEW, seen.clone()).await;
    assert_eq!(approved["reviewPublishTargets"]["targets"][0]["state"], "SCHEDULED", "{approved}");
    let again = world.ask_as("APPROVER", REVIEW, seen).await;
    assert_eq!(again["reviewPublishTargets"]["userErrors"][0]["code"], "CONFLICT");

    let later = json!({ "targetId": made["id"], "scheduledAt": "2040-02-01T09:00:00Z" });
    let moved = change(&world, later).await;
    assert_eq!(moved["targets"][0]["state"], "SCHEDULED");
    let due = "select count(*) from jobs where kind = 'publish' and state = 'ready' and run_at = '2040-02-01T09:00:00Z'";
    assert_eq!(world.database.count(due).await, 1);

    let text = json!({ "targetId": made["id"], "revision": 2, "caption": { "text": "Another text" } });
    let edited = change(&world, text.clone()).await;
    assert_eq!(edited["targets"][0]["state"], "AWAITING_APPROVAL", "{edited}");
    assert_eq!(edited["targets"][0]["caption"]["author"], "PERSON");
    assert_eq!(
        world.database.count("select count(*) from jobs where kind = 'publish' and state = 'ready'").await,
        0
    );
    assert_eq!(change(&world, text).await["userErrors"][0]["code"], "CONFLICT");
}

#[tokio::test]
async fn a_text_that_the_network_refuses_is_refused_here() {
    let world = World::new().await;
    let made = target(&world, json!({ "draft": true })).await;
    let long = "x".repeat(10_000);
    let refused = change(&world, json!({ "targetId": made["id"], "caption": { "text": long } })).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    assert_eq!(refused["userErrors"][0]["path"], json!(["input", "changes", "0", "caption", "text"]));
    assert_eq!(world.database.count("select count(*) from publish_targets where revision > 1").await, 0);
}

#[tokio::test]
async fn what_failed_is_tried_again_and_what_is_leaving_is_not_touched() {
    let world = World::new().await;
    let made = target(&world, json!({})).await;
    world.make_files().await;
    world
        .database
        .sql("update publish_targets set state = 'FAILED', problem_code = 'x', problem_since = now()")
        .await;
    let ids = json!({ "in": { "targetIds": [made["id"]] } });
    let retried = world.ask(RETRY, ids.clone()).await;
    assert_eq!(retried["retryPublishTargets"]["targets"][0]["state"], "SCHEDULED", "{retried}");
    let again = world.ask(RETRY, ids.clone()).await;
    assert_eq!(again["retryPublishTargets"]["userErrors"][0]["code"], "CONFLICT");
    world.database.sql("update publish_targets set state = 'PUBLISHING'").await;
    let leaving = world.ask(CANCEL, ids.clone()).await;
    assert_eq!(leaving["cancelPublishTargets"]["targets"][0]["state"], "PUBLISHING");
    assert_eq!(
        world.database.count("select count(*) from publish_targets where cancelled_at is not null").await,
        1
    );
    world.database.sql("update publish_targets set state = 'FAILED'").await;
    let settled = world.ask(CANCEL, ids).await;
    assert_eq!(settled["cancelPublishTargets"]["targets"][0]["state"], "CANCELLED");
}

#[tokio::test]
async fn an_answer_that_comes_twice_or_late_sends_nothing_twice() {
    let world = World::new().await;
    let made = target(&world, json!({})).await;
    world.make_files().await;
    world
        .database
        .sql(
            "update publish_targets set state = 'NEEDS_ATTENTION', attempts = 1;
             update jobs set state = 'done' where kind = 'publish';
             insert into publish_attempts (id, brand_id, target_id, epoch, request_hash, send_deadline)
             select id, brand_id, id, 1, '', now() + interval '1 hour' from publish_targets",
        )
        .await;
    let answer = |attempts: i32, resolution: &str| json!({ "in": { "answers": [{ "targetId": made["id"], "attempts": attempts, "resolution": resolution }] } });
    let code = |answer: &Value| answer["resolvePublishTargets"]["userErrors"][0]["code"].clone();
    assert_eq!(code(&world.ask(RESOLVE, answer(1, "SEND_AGAIN")).await), "CONFLICT", "before the deadline");
    world.database.sql("update publish_attempts set send_deadline = now() - interval '1 second'").await;
    assert_eq!(code(&world.ask(RESOLVE, answer(0, "SEND_AGAIN")).await), "CONFLICT", "another attempt since");
    let sent = world.ask(RESOLVE, answer(1, "SEND_AGAIN")).await;
    assert_eq!(sent["resolvePublishTargets"]["targets"][0]["state"], "SCHEDULED", "{sent}");
    assert_eq!(
        world.database.count("select count(*) from publish_attempts where outcome = 'absent'").await,
        1
    );
    assert_eq!(
        world.database.count("select count(*) from jobs where kind = 'publish' and state = 'ready'").await,
        1
    );
    assert_eq!(code(&world.ask(RESOLVE, answer(1, "SEND_AGAIN")).await), "CONFLICT", "answered");
    let told =
        "select count(*) from audit_log where action = 'publish_target.resolved' and actor_name = 'Ada'";
    assert_eq!(world.database.count(told).await, 1);
}

#[tokio::test]
async fn a_job_is_submitted_and_cancelled_as_a_whole() {
    let world = World::new().await;
    let account = world.account("telegram").await;
    let photos = world.photos(2).await;
    let made = world.create(&photos, &[account], json!({ "captions": "ORIGINAL", "draft": true })).await;
    assert_eq!(world.database.count("select count(*) from jobs").await, 0, "a draft encodes nothing");
    let job = json!({ "job": made["job"]["id"] });
    let submit = "mutation($job: ID!) { submitPublishJob(input: { jobId: $job }) { job { state } userErrors { code } } }";
    let answer = world.ask(submit, job.clone()).await;
    assert_eq!(answer["submitPublishJob"]["job"]["state"], "ACTIVE", "{answer}");
    world.make_files().await;
    world.database.sql("update publish_targets set state = 'PUBLISHING' where position = 0").await;
    let cancel = "mutation($job: ID!) { cancelPublishJob(input: { jobId: $job }) {
        job { state counts { state count } } userErrors { code } } }";
    let answer = world.ask(cancel, job).await;
    let counts = json!([{ "state": "PUBLISHING", "count": 1 }, { "state": "CANCELLED", "count": 1 }]);
    assert_eq!(answer["cancelPublishJob"]["job"], json!({ "state": "ACTIVE", "counts": counts }));
}
