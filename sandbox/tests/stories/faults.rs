//! Faults: what they do to the caller, and what they do not do to the ledger.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{World, answer, until};
use crate::{instagram, telegram, tiktok};

async fn order(world: &World, fault: Value) {
    world.control("/sandbox/faults", fault).await;
}

#[tokio::test]
async fn a_dropped_answer_hides_a_post_that_was_made() {
    let world = World::new().await;
    let bot = telegram::channel(&world, "news").await;
    order(&world, json!({"platform": "telegram", "step": "send", "fault": "accept_then_drop"})).await;
    let sent = world.post(&format!("/api.telegram.org/bot{}/sendMessage", bot.token));
    let sent = sent.json(&json!({"chat_id": bot.chat, "text": "Was it sent?"})).send().await;
    assert!(sent.is_err(), "the connection ends without an answer");
    assert_eq!(world.ledger().await.len(), 1);
    world.advance(Duration::from_secs(2)).await;
    assert_eq!(bot.say(&world, "The next one is well").await.0, 200);

    let account = instagram::connect(&world, "nadia").await;
    let container = account.photo(&world, "").await;
    order(&world, json!({"platform": "instagram", "step": "publish", "fault": "accept-then-drop"})).await;
    let path = format!("/graph.instagram.com/v26.0/{}/media_publish", account.id);
    let call = world.post(&path).bearer_auth(&account.token);
    assert!(call.form(&[("creation_id", container["id"].as_str().unwrap())]).send().await.is_err());
    assert_eq!(account.finished(&world, &container).await["status_code"], "PUBLISHED");
    assert_eq!(world.ledger().await.len(), 3);
}

#[tokio::test]
async fn errors_before_and_after_the_effect_look_the_same() {
    let world = World::new().await;
    let account = instagram::connect(&world, "nadia").await;
    let container = account.photo(&world, "").await;
    for (fault, posts) in [("500_before", 0), ("503_html", 0), ("drop_before", 0), ("500_after_accept", 1)] {
        order(&world, json!({"platform": "instagram", "step": "publish", "fault": fault})).await;
        let path = format!("/graph.instagram.com/v26.0/{}/media_publish", account.id);
        let call = world.post(&path).bearer_auth(&account.token);
        let sent = call.form(&[("creation_id", container["id"].as_str().unwrap())]).send().await;
        assert!(sent.is_err() || sent.unwrap().status().is_server_error(), "{fault}");
        assert_eq!(world.ledger().await.len(), posts, "{fault}");
    }
}

#[tokio::test]
async fn a_fault_that_needs_an_accepted_call_waits_for_one() {
    let world = World::new().await;
    let bot = telegram::channel(&world, "news").await;
    order(&world, json!({"platform": "telegram", "step": "send", "fault": "500_after_accept"})).await;
    assert_eq!(bot.say(&world, "").await.0, 400);
    assert_eq!(bot.say(&world, "x").await.0, 500);
    assert_eq!(world.ledger().await.len(), 1);
}

#[tokio::test]
async fn throttling_says_when_to_come_back_or_does_not() {
    let world = World::new().await;
    let account = instagram::connect(&world, "nadia").await;
    for (fault, seconds) in [("429_with_retry_after", Some("7")), ("429_without_retry_after", None)] {
        let fault = json!({"platform": "instagram", "step": "list", "fault": fault, "delayMs": 7000});
        order(&world, fault).await;
        let list = world.get(&format!("/graph.instagram.com/v26.0/{}/media", account.id));
        let response = list.bearer_auth(&account.token).send().await.unwrap();
        let header = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!((response.status().as_u16(), header.as_deref()), (429, seconds));
        let body: Value = response.json().await.unwrap();
        assert_eq!((&body["error"]["code"], &body["error"]["is_transient"]), (&json!(4), &json!(true)));
    }
    let bot = telegram::channel(&world, "news").await;
    let fault = json!({"platform": "telegram", "step": "send", "fault": "429", "delayMs": 3000});
    order(&world, fault).await;
    assert_eq!(bot.say(&world, "x").await.1["parameters"]["retry_after"], 3);
    assert!(world.ledger().await.is_empty());
}

#[tokio::test]
async fn a_slow_call_makes_its_post_after_the_client_has_gone() {
    let world = World::new().await;
    let bot = telegram::channel(&world, "news").await;
    order(&world, json!({"platform": "telegram", "step": "send", "fault": "slow", "delayMs": 600})).await;
    let call = world.post(&format!("/api.telegram.org/bot{}/sendMessage", bot.token));
    let call = call.timeout(Duration::from_millis(200)).json(&json!({"chat_id": bot.chat, "text": "late"}));
    assert!(call.send().await.unwrap_err().is_timeout());
    assert!(world.ledger().await.is_empty());
    until("the late post is made", || async { world.ledger().await.pop() }).await;
}

#[tokio::test]
async fn a_revoked_token_stays_revoked_until_the_person_connects_again() {
    let world = World::new().await;
    let account = instagram::connect(&world, "nadia").await;
    order(&world, json!({"platform": "instagram", "step": "publish", "fault": "token_revoked"})).await;
    let container = account.photo(&world, "").await;
    for _ in 0..2 {
        let (status, refused) = account.publish(&world, &container).await;
        assert_eq!((status, &refused["error"]["code"]), (401, &json!(190)));
    }
    let again = instagram::connect(&world, "nadia").await;
    assert_eq!(again.id, account.id);
    assert_eq!(again.publish(&world, &container).await.0, 200);

    let bot = telegram::channel(&world, "news").await;
    order(&world, json!({"platform": "telegram", "step": "getMe", "fault": "token_revoked"})).await;
    assert_eq!(bot.call(&world, "getMe", json!({})).await.0, 401);
    assert_eq!(bot.say(&world, "x").await.0, 401);
    let bot = telegram::channel(&world, "news").await;
    assert_eq!(bot.say(&world, "x").await.0, 200);
}

#[tokio::test]
async fn lists_and_status_can_lag_behind_the_truth() {
    let world = World::new().await;
    let account = instagram::connect(&world, "nadia").await;
    for step in ["list", "status"] {
        let fault = json!({"platform": "instagram", "step": step, "fault": "listing_lag", "delayMs": 60_000});
        order(&world, fault).await;
    }
    let container = account.photo(&world, "").await;
    assert_eq!(account.publish(&world, &container).await.0, 200);
    assert_eq!(world.ledger().await.len(), 1);
    assert_eq!(account.list(&world, &[]).await["data"], json!([]));
    assert_eq!(account.finished(&world, &container).await["status_code"], "FINISHED");
    world.advance(Duration::from_secs(60)).await;
    assert_eq!(account.list(&world, &[]).await["data"].as_array().unwrap().len(), 1);
    assert_eq!(account.finished(&world, &container).await["status_code"], "PUBLISHED");
}

#[tokio::test]
async fn processing_can_be_slow_and_can_fail() {
    let world = World::new().await;
    let account = instagram::connect(&world, "nadia").await;
    let url = world.offered(&world.reel());
    let params = [("media_type", "REELS"), ("video_url", url.as_str())];
    let fault = |fault: &str, code: &str| json!({"platform": "instagram", "step": "container", "fault": fault, "delayMs": 600_000, "code": code});
    order(&world, fault("slow_processing", "")).await;
    let (_, container) = account.create(&world, &params).await;
    world.advance(Duration::from_secs(590)).await;
    let id = container["id"].as_str().unwrap();
    assert_eq!(account.status(&world, id).await["status_code"], "IN_PROGRESS");
    world.advance(Duration::from_secs(11)).await;
    assert_eq!(account.finished(&world, &container).await["status_code"], "FINISHED");

    order(&world, fault("processing_failed", "2207053")).await;
    let (_, container) = account.create(&world, &params).await;
    let text = "Error: Media upload has failed with error code 2207053";
    assert_eq!(account.finished(&world, &container).await["status"], text);

    let mona = tiktok::connect(&world, "mona").await;
    let fault =
        json!({"platform": "tiktok", "step": "upload", "fault": "processing_failed", "code": "spam_risk"});
    order(&world, fault).await;
    let publish_id = mona.upload(&world, &world.reel()).await;
    assert_eq!(mona.settled(&world, &publish_id).await["fail_reason"], "spam_risk");
}

#[tokio::test]
async fn a_dropped_last_chunk_is_found_by_its_publish_id() {
    let world = World::new().await;
    let mona = tiktok::connect(&world, "mona").await;
    let bytes = std::fs::read(world.reel()).unwrap();
    let size = bytes.len() as u64;
    let (_, begun) = mona.init(&world, size, size, 1).await;
    order(&world, json!({"platform": "tiktok", "step": "upload", "fault": "accept_then_drop"})).await;
    let put =
        world.client.put(begun["data"]["upload_url"].as_str().unwrap()).header("content-type", "video/mp4");
    let put = put.header("content-range", format!("bytes 0-{}/{size}", size - 1)).body(bytes);
    assert!(put.send().await.is_err());
    let publish_id = begun["data"]["publish_id"].as_str().unwrap();
    assert_eq!(mona.settled(&world, publish_id).await["status"], "PUBLISH_COMPLETE");
    assert_eq!(world.ledger().await.len(), 1);
}

#[tokio::test]
async fn faults_are_for_one_account_for_some_times_and_repeatable_by_seed() {
    let world = World::new().await;
    let (news, other) = (telegram::channel(&world, "news").await, telegram::channel(&world, "other").await);
    let mine = json!({"platform": "telegram", "step": "send", "fault": "500_before", "times": 2, "account": news.id});
    order(&world, mine).await;
    assert_eq!(other.say(&world, "x").await.0, 200);
    assert_eq!((news.say(&world, "x").await.0, news.say(&world, "x").await.0), (500, 500));
    assert_eq!(news.say(&world, "x").await.0, 200);

    let mut runs = Vec::new();
    for _ in 0..2 {
        let fault =
            json!({"platform": "telegram", "step": "getMe", "fault": "500_before", "times": 8, "seed": 7});
        order(&world, fault).await;
        let mut run = Vec::new();
        for _ in 0..12 {
            run.push(news.call(&world, "getMe", json!({})).await.0);
        }
        world.client.delete(format!("{}/sandbox/faults", world.url)).send().await.unwrap();
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&500), "{:?}", runs[0]);
    let wrong = json!({"platform": "telegram", "step": "upload", "fault": "slow"});
    assert_eq!(answer(world.post("/sandbox/faults").json(&wrong)).await.0, 400);
}

#[tokio::test]
async fn a_slow_answer_comes_after_the_effect() {
    let world = World::new().await;
    let bot = telegram::channel(&world, "news").await;
    let fault = json!({"platform": "telegram", "step": "send", "fault": "slow_after_accept", "delayMs": 500});
    order(&world, fault).await;
    let started = Instant::now();
    let (sent, ()) = tokio::join!(bot.say(&world, "x"), async {
        until("the post is made first", || async { world.ledger().await.pop() }).await;
        assert!(started.elapsed() < Duration::from_millis(450));
    });
    assert_eq!(sent.0, 200);
    assert!(started.elapsed() >= Duration::from_millis(500));
}
