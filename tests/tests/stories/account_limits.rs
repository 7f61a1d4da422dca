//! What TikTok allows one account is known from the moment it is connected, and told before anything is sent.

use serde_json::json;
use tests::{World, brand::WORK_LIMIT, eventually, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_is_refused_where_the_account_is_too_strict_and_goes_out_once_it_is_not() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Brief").await;
    allow(&world, 3).await;
    let brief = brand.connect("TIKTOK", "brief").await;
    // Four seconds.
    let asset = brand.ready(&files::conforming_clip(), "Long").await;
    let input = brand.job_input(&[&asset], &[&brief]);
    let answer = brand.api.try_mutate("createPublishJob", input, "job { id }").await;
    assert_eq!(answer.codes(), ["UNSUPPORTED_MEDIA"], "{answer:?}");
    assert!(answer.refusals[0].message.contains("this account may post at most 3 s on TikTok"), "{answer:?}");

    let other = brand.ready(&files::conforming_clip_of(50), "Long as well").await;
    let mut input = brand.job_input(&[&other], &[&brief]);
    input["draft"] = json!(true);
    let draft = brand.create_job(input).await;
    assert_eq!(brand.targets(&draft).await[0]["problem"]["code"], "media.too_long");

    allow(&world, 60).await;
    let again = brand.connect_by_consent("TIKTOK", "brief", Some(&brief.id)).await;
    assert_eq!(again, brief.id, "it is the same account");
    assert!(brand.targets(&draft).await[0]["problem"].is_null(), "the draft is true again");
    let job = brand.publish(&[&asset], &[&brief]).await;
    brand.published(&job).await;

    // The network changes its mind, and the next refresh learns of it.
    allow(&world, 3).await;
    let due = "update jobs set run_at = now(), rung_at = null where kind = 'refresh' and state = 'ready'";
    world.database.run(due).await;
    eventually("the draft says so", WORK_LIMIT, async || {
        (brand.targets(&draft).await[0]["problem"]["code"] == "media.too_long").then_some(())
    })
    .await;
    world.finish().await;
}

async fn allow(world: &World, seconds: u64) {
    let account = json!({ "platform": "tiktok", "handle": "brief", "maxDurationSec": seconds });
    world.networks.control("accounts", account).await;
}
