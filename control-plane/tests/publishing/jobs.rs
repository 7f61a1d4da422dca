//! Jobs: fanned out once, in a constant number of statements, and nothing twice.

use std::time::{Duration, Instant};

use domain::id::Noun;
use serde_json::json;

use crate::world::{World, id, statements};

#[tokio::test]
async fn a_thousand_targets_take_as_many_statements_as_ten_and_little_time() {
    let world = World::new().await;
    let (first, second) = (world.account("telegram").await, world.account("telegram").await);
    let photos = world.photos(505).await;
    // Prepared statements and the pool are warm after this.
    world.create(&photos[..1], &[first], json!({})).await;
    let (few, of_few) = statements(world.create(&photos[1..5], &[first, second], json!({}))).await;
    assert_eq!(few["userErrors"], json!([]));
    let started = Instant::now();
    let (many, of_many) = statements(world.create(&photos[5..], &[first, second], json!({}))).await;
    let took = started.elapsed();
    assert_eq!(many["job"]["counts"], json!([{ "state": "PREPARING", "count": 1000 }]));
    assert_eq!(of_few, of_many);
    // The aim is 300 ms on a release build; this is a guard against another order of magnitude.
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(world.database.count("select count(*) from jobs where kind = 'caption'").await, 1009);
    // They go out as they are: their files are there already, and no worker is asked.
    let made = "select count(*) from transcoded_media where state = 'DONE'";
    assert_eq!(world.database.count(made).await, 505);
    assert_eq!(world.database.count("select count(*) from jobs where kind = 'transcode'").await, 0);
}

#[tokio::test]
async fn the_same_request_twice_makes_nothing_twice() {
    let world = World::new().await;
    let account = world.account("telegram").await;
    let photos = world.photos(3).await;
    let first = world.create(&photos, &[account], json!({})).await;
    let again = world.create(&photos, &[account], json!({})).await;
    assert_eq!(again["job"], json!(null));
    assert_eq!(again["skippedCount"], 3);
    assert_eq!(again["skipped"][0]["reason"], "DUPLICATE");
    let targets = world.targets(&first["job"]["id"]).await;
    assert_eq!(again["skipped"][0]["earlier"]["id"], targets[0]["id"]);
    let allowed = world.create(&photos, &[account], json!({ "duplicates": "ALLOW" })).await;
    assert_eq!(allowed["job"]["counts"][0]["count"], 3);
}

#[tokio::test]
async fn the_same_request_at_once_gives_one_set() {
    let world = World::new().await;
    let account = world.account("telegram").await;
    let photos = world.photos(20).await;
    let there = [account];
    let calls = (0..6).map(|_| world.create(&photos, &there, json!({})));
    let answers = futures_util::future::join_all(calls).await;
    let made = answers.iter().filter(|answer| !answer["job"].is_null()).count();
    assert_eq!(made, 1, "{answers:?}");
    assert_eq!(world.database.count("select count(*) from publish_targets").await, 20);
    assert_eq!(world.database.count("select count(*) from publish_jobs").await, 1);
}

#[tokio::test]
async fn a_key_gives_one_answer_and_refuses_another_input() {
    let world = World::new().await;
    let account = world.account("telegram").await;
    let photos = world.photos(2).await;
    let more = || json!({ "idempotencyKey": "monday" });
    let first = world.create(&photos[..1], &[account], more()).await;
    let again = world.create(&photos[..1], &[account], more()).await;
    assert_eq!(first["job"]["id"], again["job"]["id"]);
    let other = world.create(&photos, &[account], more()).await;
    assert_eq!(other["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");
}

#[tokio::test]
async fn what_came_from_an_account_is_published_there_already() {
    let world = World::new().await;
    let account = world.account("instagram").await;
    let photos = world.photos(1).await;
    world
        .database
        .sql(&format!("update media_assets set source = 'INSTAGRAM', account_id = '{account}'"))
        .await;
    let answer = world.create(&photos, &[account], json!({})).await;
    assert_eq!((&answer["job"], &answer["skippedCount"]), (&json!(null), &json!(1)));
}

#[tokio::test]
async fn a_pair_that_cannot_be_refuses_a_job_waits_in_a_draft_or_is_left_out() {
    let world = World::new().await;
    let (telegram, tiktok) = (world.account("telegram").await, world.account("tiktok").await);
    let photos = world.photos(1).await;
    let both = [telegram, tiktok];
    let refused = world.create(&photos, &both, json!({})).await;
    assert_eq!(refused["userErrors"][0]["code"], "UNSUPPORTED_MEDIA");
    assert_eq!(refused["userErrors"][0]["path"], json!(["input", "posts", "0", "assetId"]));
    assert_eq!(world.database.count("select count(*) from publish_jobs").await, 0);
    let draft = world.create(&photos, &both, json!({ "draft": true })).await;
    assert_eq!(draft["job"]["state"], "DRAFT");
    let targets = world.targets(&draft["job"]["id"]).await;
    assert_eq!(targets[1]["problem"]["remedy"], "CHANGE_MEDIA");
    let submit = "mutation($job: ID!) { submitPublishJob(input: { jobId: $job }) { job { state } userErrors { code } } }";
    let answer = world.ask(submit, json!({ "job": draft["job"]["id"] })).await;
    assert_eq!(answer["submitPublishJob"]["userErrors"][0]["code"], "UNSUPPORTED_MEDIA");
    let left_out = world.create(&photos, &[tiktok], json!({ "skipUnfit": true })).await;
    assert_eq!((&left_out["job"], &left_out["skipped"][0]["reason"]), (&json!(null), &json!("UNFIT")));
}

#[tokio::test]
async fn faults_are_told_at_their_fields() {
    let world = World::new().await;
    let account = world.account("telegram").await;
    let photos = world.photos(1).await;
    let unknown = uuid::Uuid::now_v7();
    for (assets, accounts, more, code, path) in [
        (vec![unknown], vec![account], json!({}), "NOT_FOUND", json!(["input", "posts", "0", "assetId"])),
        (
            photos.clone(),
            vec![unknown],
            json!({}),
            "NOT_FOUND",
            json!(["input", "destinations", "0", "accountId"]),
        ),
        (vec![], vec![account], json!({}), "INVALID", json!(["input", "posts"])),
        (vec![photos[0]; 72], vec![account; 70], json!({}), "TOO_LARGE", json!(["input", "posts"])),
        (
            photos.clone(),
            vec![account],
            json!({ "schedule": { "at": "2020-01-01T00:00:00Z" } }),
            "INVALID",
            json!(["input", "schedule", "at"]),
        ),
        (
            photos.clone(),
            vec![account],
            json!({ "posts": [{ "assetId": id(Noun::Brand, world.brand) }] }),
            "BAD_ID",
            json!(["input", "posts", "0", "assetId"]),
        ),
    ] {
        let answer = world.create(&assets, &accounts, more).await;
        assert_eq!(answer["job"], json!(null));
        assert_eq!(answer["userErrors"][0]["code"], code, "{answer}");
        assert_eq!(answer["userErrors"][0]["path"], path, "{answer}");
    }
    assert_eq!(world.database.count("select count(*) from publish_jobs").await, 0);
}
