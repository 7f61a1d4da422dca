//! A brand's Instagram is pulled in, page by page, and reposted; nothing is ever there twice.

use std::collections::BTreeSet;

use serde_json::json;
use tests::{World, brand::ids, files};

/// More than one page of the network's list.
const POSTS: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ingested_published_and_ingested_again_is_there_once() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Catalogue").await;
    let instagram = brand.connect("INSTAGRAM", "catalogue").await;
    let telegram = brand.connect("TELEGRAM", "catalogue").await;
    world.networks.lift_limits("telegram").await;
    for seed in 0..POSTS {
        let at = format!("2026-10-{:02}T10:00:00Z", seed % 28 + 1);
        let photo = files::photo(seed % 5);
        let caption = format!("Post {seed}");
        world.networks.post_by_hand(&instagram.external_id, "photo", &caption, &at, &[&photo]).await;
    }

    let assets = brand.ingest(&instagram).await;
    assert_eq!(assets.len(), POSTS as usize);
    assert!(assets.iter().all(|asset| asset["state"] == "READY"), "{assets:?}");
    let external: BTreeSet<_> = assets.iter().map(|asset| asset["externalId"].to_string()).collect();
    assert_eq!(external.len(), POSTS as usize);
    let again = brand.ingest(&instagram).await;
    assert_eq!(ids(&again), ids(&assets), "the second time finds nothing new");

    // What we publish to that Instagram is our own echo when it is ingested.
    let own = brand.ready(&files::conforming_clip_of(3), "Our own").await;
    let job = brand.publish(&[&own], &[&instagram]).await;
    brand.published(&job).await;
    assert_eq!(brand.ingest(&instagram).await.len(), POSTS as usize, "our own post is not ingested");

    // Reposting the inbox, twice, without a key: the second time there is nothing to do.
    let chosen: Vec<&str> = ids(&assets).into_iter().take(3).collect();
    let input = brand.job_input(&chosen, &[&telegram]);
    let job = brand.create_job(input.clone()).await;
    let repeat = brand
        .api
        .mutate("createPublishJob", input, "job { id } skippedCount skipped { reason earlier { id } }")
        .await;
    assert!(repeat["job"].is_null(), "{repeat}");
    assert_eq!(repeat["skippedCount"], 3);
    assert_eq!(repeat["skipped"][0]["reason"], "DUPLICATE");
    assert!(!repeat["skipped"][0]["earlier"]["id"].is_null());
    brand.published(&job).await;
    brand.assert_posts(&[&telegram], 3).await;

    // Nor does what came from an Instagram account go back to it.
    let input = brand.job_input(&chosen, &[&instagram]);
    let back = brand.api.mutate("createPublishJob", input, "job { id } skippedCount").await;
    assert!(back["job"].is_null() && back["skippedCount"] == 3, "it is on that account already: {back}");
    brand.assert_posts(&[&instagram], 1).await;
    let inbox = brand.assets(json!({ "used": false })).await;
    assert_eq!(inbox.len(), POSTS as usize - 3, "used assets leave the inbox");
    world.finish().await;
}
