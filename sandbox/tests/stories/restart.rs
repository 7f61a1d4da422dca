//! A sandbox that is stopped and started again knows everything it knew.

use serde_json::json;

use crate::harness::World;
use crate::{instagram, telegram, tiktok};

#[tokio::test]
async fn a_restart_keeps_posts_tokens_and_unfinished_work() {
    let mut world = World::new().await;
    let nadia = instagram::connect(&world, "nadia").await;
    let published = nadia.photo(&world, "before").await;
    assert_eq!(nadia.publish(&world, &published).await.0, 200);
    let waiting = nadia.photo(&world, "after").await;
    let bot = telegram::channel(&world, "news").await;
    assert_eq!(bot.say(&world, "before").await.0, 200);
    let mona = tiktok::connect(&world, "mona").await;
    let slow = json!({"platform": "tiktok", "step": "upload", "fault": "slow_processing", "delayMs": 1500});
    world.control("/sandbox/faults", slow).await;
    let publish_id = mona.upload(&world, &world.reel()).await;
    let before = world.ledger().await;
    assert_eq!(before.len(), 2);

    world.restart().await;

    let after = world.ledger().await;
    let seqs = |posts: &[serde_json::Value]| posts.iter().map(|post| post["seq"].clone()).collect::<Vec<_>>();
    assert_eq!(seqs(&after), seqs(&before));
    assert_eq!(nadia.publish(&world, &published).await.1["error"]["error_subcode"], 2_207_008);
    assert_eq!(nadia.publish(&world, &waiting).await.0, 200);
    assert_eq!(mona.settled(&world, &publish_id).await["status"], "PUBLISH_COMPLETE");
    let again = telegram::channel(&world, "news").await;
    assert_eq!((&again.id, &again.token), (&bot.id, &bot.token));
    assert_eq!(bot.say(&world, "after").await.1["result"]["message_id"], 3);
    assert_eq!(world.ledger().await.len(), 5);
}

#[tokio::test]
async fn what_ended_long_ago_is_forgotten_and_the_ledger_is_not() {
    let mut world = World::new().await;
    let nadia = instagram::connect(&world, "nadia").await;
    let published = nadia.photo(&world, "old").await;
    assert_eq!(nadia.publish(&world, &published).await.0, 200);
    world.advance(std::time::Duration::from_secs(8 * 86_400)).await;
    let id = published["id"].as_str().unwrap();
    assert_eq!(nadia.status(&world, id).await["status_code"], "PUBLISHED");
    world.restart().await;
    assert_eq!(nadia.status(&world, id).await["error"]["error_subcode"], 33);
    assert_eq!(nadia.publish(&world, &published).await.1["error"]["error_subcode"], 2_207_006);
    assert_eq!(world.ledger().await.len(), 1);
}
