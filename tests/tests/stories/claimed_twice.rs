//! A network that names another target's post: a person is asked, and nothing replies to it meanwhile.

use serde_json::json;
use tests::{World, brand::WORK_LIMIT, eventually, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_of_two_parts_whose_first_is_claimed_by_another_target_waits_for_a_person() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Twice").await;
    let account = brand.connect("TELEGRAM", "twice").await;
    let first = brand.ready(&files::photo(40), "First").await;
    let earlier = brand.publish(&[&first], &[&account]).await;
    brand.published(&earlier).await;
    // The id that the network gives next belongs to the first target already.
    world.database.run("update publish_targets set external_id = (external_id::bigint + 1)::text").await;

    let second = brand.ready(&files::photo(41), "").await;
    let words: Vec<String> = (0..400).map(|n| format!("word{n}")).collect();
    let mut input = brand.job_input(&[&second], &[&account]);
    input["posts"][0]["caption"] = json!(words.join(" "));
    input["captions"] = json!("ORIGINAL");
    let job = brand.create_job(input).await;
    brand.until(&job, &["NEEDS_ATTENTION"], WORK_LIMIT).await;
    eventually("its publish job is at its end", WORK_LIMIT, async || {
        let live = "select count(*) from jobs where kind = 'publish' and state in ('ready', 'running')";
        (world.database.count(live).await == 0).then_some(())
    })
    .await;
    let target = brand.targets(&job).await.remove(0);
    assert_eq!(target["state"], "NEEDS_ATTENTION", "{target}");
    assert_eq!(target["problem"]["code"], "publish.claimed_twice", "{target}");
    assert_eq!(target["problem"]["remedy"], "RESOLVE", "{target}");
    let ledger = world.networks.ledger().await;
    assert_eq!(ledger.len(), 2, "two photos, and no reply to a post that may be another's: {ledger:?}");

    let answer = json!({ "targetId": target["id"], "attempts": target["attempts"], "resolution": "LIVE" });
    let input = json!({ "answers": [answer] });
    brand.api.mutate("resolvePublishTargets", input, "targets { id state }").await;
    brand.published(&job).await;
    world.finish().await;
}
