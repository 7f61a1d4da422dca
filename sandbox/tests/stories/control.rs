//! The control API: ledger from a place on, the memory of calls, the feed.

use serde_json::json;

use crate::harness::{World, answer};
use crate::{instagram, telegram};

#[tokio::test]
async fn the_ledger_is_read_from_where_one_left_off() {
    let world = World::new().await;
    world.control("/sandbox/limits", json!({"platform": "telegram", "lifted": true})).await;
    let bot = telegram::channel(&world, "news").await;
    for text in ["one", "two", "three"] {
        bot.say(&world, text).await;
    }
    let (_, later) = answer(world.get("/sandbox/ledger?since=2")).await;
    assert_eq!(later["posts"].as_array().unwrap().len(), 1);
    assert_eq!((&later["posts"][0]["seq"], &later["posts"][0]["caption"]), (&json!(3), &json!("three")));
    let (_, none) = answer(world.get("/sandbox/ledger?since=3")).await;
    assert_eq!(none, json!({"posts": []}));
}

#[tokio::test]
async fn calls_are_remembered_without_their_secrets() {
    let world = World::new().await;
    let account = instagram::connect(&world, "nadia").await;
    let bot = telegram::channel(&world, "news").await;
    bot.say(&world, "x").await;
    let response = world.get("/sandbox/requests?platform=telegram").send().await.unwrap();
    let calls: serde_json::Value = response.json().await.unwrap();
    let call = &calls["requests"][0];
    assert_eq!((&call["method"], &call["status"]), (&json!("POST"), &json!(200)));
    assert!(call["path"].as_str().unwrap().ends_with(":REDACTED/sendMessage"));
    let all = world.get("/sandbox/requests").send().await.unwrap().text().await.unwrap();
    assert!(all.contains("/graph.instagram.com/me?"));
    for secret in [&account.token, &bot.token, "reelmill-sandbox-secret"] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[tokio::test]
async fn the_feed_shows_posts_as_text_and_not_as_markup() {
    let world = World::new().await;
    let bot = telegram::channel(&world, "news").await;
    bot.say(&world, "<script>alert(1)</script>").await;
    let page = world.get("/").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    assert!(page.contains("@news"));
}

#[tokio::test]
async fn no_token_is_on_the_disk() {
    let world = World::new().await;
    let account = instagram::connect(&world, "nadia").await;
    let bot = telegram::channel(&world, "news").await;
    let mut looked_at = 0;
    for entry in std::fs::read_dir(world.data_dir().join("state")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(&account.token) && !text.contains(&bot.token));
        looked_at += 1;
    }
    assert!(looked_at > 5);
}
