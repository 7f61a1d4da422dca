//! What an account is allowed beyond its network's rules, told before anything is sent.

use backplane::store::Scope;
use backplane::store::accounts::accounts_by_id;
use backplane::store::publishing::destinations;
use domain::profile::{Overrides, Tier};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

/// 90 s of video for an account that may post 60 s, and for one that may post what TikTok takes.
async fn brief_and_free(world: &World) -> (Uuid, Uuid, Uuid) {
    let (brief, free) = (world.account("tiktok").await, world.account("tiktok").await);
    limit(world, brief, 60_000).await;
    (world.video(90_000).await, brief, free)
}

async fn limit(world: &World, account: Uuid, ms: u64) {
    world
        .database
        .sql(&format!("update social_accounts set max_duration_ms = {ms} where id = '{account}'"))
        .await;
}

fn may_post(ms: u64) -> Overrides {
    Overrides { max_duration_ms: Some(ms), tier: None }
}

fn says_so(message: &Value) -> bool {
    message.as_str().is_some_and(|message| {
        message.starts_with("It is 90 s long and this account may post at most 60 s on TikTok.")
    })
}

#[tokio::test]
async fn a_video_that_is_too_long_for_one_account_is_refused_for_it_and_not_for_another() {
    let world = World::new().await;
    let (video, brief, free) = brief_and_free(&world).await;
    let refused = world.create(&[video], &[free, brief], json!({})).await;
    let [error] = refused["userErrors"].as_array().unwrap().as_slice() else { panic!("{refused}") };
    assert_eq!(error["code"], "UNSUPPORTED_MEDIA", "{error}");
    assert_eq!(error["path"], json!(["input", "posts", "0", "assetId"]), "{error}");
    assert!(says_so(&error["message"]), "{error}");
    assert_eq!(refused["job"], json!(null));

    let rest = world.create(&[video], &[free, brief], json!({ "skipUnfit": true })).await;
    assert_eq!(rest["skippedCount"], 1, "{rest}");
    assert_eq!(rest["skipped"][0]["reason"], "UNFIT", "{rest}");
    let targets = world.targets(&rest["job"]["id"]).await;
    assert_eq!(targets.len(), 1);
    assert_eq!(targets[0]["fits"][0]["operation"], "PASSTHROUGH", "{targets:?}");
}

#[tokio::test]
async fn a_draft_says_how_long_its_account_takes() {
    let world = World::new().await;
    let (video, brief, _) = brief_and_free(&world).await;
    let made = world.create(&[video], &[brief], json!({ "draft": true })).await;
    assert_eq!(made["userErrors"], json!([]));
    let draft = world.targets(&made["job"]["id"]).await.remove(0);
    assert_eq!(draft["state"], "DRAFT");
    assert_eq!(draft["problem"]["code"], "media.too_long", "{draft}");
    assert!(says_so(&draft["problem"]["message"]), "{draft}");
    assert_eq!(draft["fits"][0]["operation"], json!(null), "{draft}");
    assert!(says_so(&draft["fits"][0]["reasons"][0]), "{draft}");
}

#[tokio::test]
async fn a_target_is_planned_by_the_limit_that_its_account_has_then() {
    let world = World::new().await;
    let (brief, free) = (world.account("tiktok").await, world.account("tiktok").await);
    limit(&world, brief, 60_000).await;
    let (early, late) = (world.video(90_000).await, world.video(90_000).await);
    // Not looked into yet: nobody knows how long it is.
    world.database.sql("create table seen as select id, info from media_assets").await;
    world
        .database
        .sql(&format!("update media_assets set state = 'PROBING', info = null where id = '{early}'"))
        .await;
    let unknown = world.create(&[early], &[brief], json!({})).await;
    assert_eq!(unknown["userErrors"], json!([]));
    // Known and right, until the network allows the account less.
    let known = world.create(&[late], &[free], json!({})).await;
    limit(&world, free, 60_000).await;

    world
        .database
        .sql("update media_assets a set state = 'READY', info = seen.info from seen where seen.id = a.id")
        .await;
    world.make_files().await;
    for job in [&unknown, &known] {
        let target = world.targets(&job["job"]["id"]).await.remove(0);
        assert_eq!(target["state"], "FAILED", "{target}");
        assert!(says_so(&target["problem"]["message"]), "{target}");
    }
}

#[tokio::test]
async fn a_draft_goes_on_once_its_account_may_post_it() {
    let world = World::new().await;
    let (video, brief, _) = brief_and_free(&world).await;
    let made = world.create(&[video], &[brief], json!({ "draft": true })).await;
    world.connect_again(brief, may_post(600_000)).await;
    let submit =
        "mutation($job: ID!) { submitPublishJob(input: { jobId: $job }) { userErrors { message } } }";
    let submitted = world.ask(submit, json!({ "job": made["job"]["id"] })).await;
    assert_eq!(submitted["submitPublishJob"]["userErrors"], json!([]));
    let target = world.targets(&made["job"]["id"]).await.remove(0);
    assert_eq!(target["state"], "PREPARING", "{target}");
    assert_eq!(target["problem"], json!(null), "{target}");
}

#[tokio::test]
async fn what_an_account_pays_for_is_kept_until_its_network_says_otherwise() {
    let world = World::new().await;
    let account = world.account("tiktok").await;
    let stored = async || {
        let mut tx = world.system.store.begin(&Scope::brand(world.brand)).await.unwrap();
        let as_account = accounts_by_id(&mut tx, &[account]).await.unwrap().remove(0).overrides;
        let as_destination = destinations(&mut tx, &[account]).await.unwrap().remove(0).overrides;
        assert_eq!(as_account, as_destination);
        as_account
    };
    assert_eq!(stored().await, Overrides::default());
    let premium = Overrides { max_duration_ms: Some(60_000), tier: Some(Tier::Premium) };
    world.connect_again(account, premium).await;
    assert_eq!(stored().await, premium);
    // Nothing is said of it this time.
    world.connect_again(account, may_post(90_000)).await;
    assert_eq!(stored().await, Overrides { max_duration_ms: Some(90_000), ..premium });
}
