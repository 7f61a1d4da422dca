//! A long video: made in parts by several workers, one of which dies, and stopped when nobody wants it any more.

use std::time::Duration;

use serde_json::json;
use tests::{World, WorldOptions, eventually, files, judge, socket::Subscription};
use tokio::time::Instant;

/// A lease that runs out, and the parts that are made after that.
const LIMIT: Duration = Duration::from_secs(240);
/// What a person who cancels is promised, and a poll of this test.
const STOPS_WITHIN: Duration = Duration::from_millis(1_200);

const WATCH: &str = "subscription Watch($brands: [ID!]) {
    publishTargetChanged(brandIds: $brands) { media { progress } }
}";

/// Parts that were made, and those that are to be made.
const MADE: &str = "select count(*) from transcode_parts where object_key is not null";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_are_made_by_whoever_is_there_and_joined() {
    let world = World::with(WorldOptions { workers: 0, ..WorldOptions::default() }).await;
    let _others = world.worker(&[("KINDS", "probe,caption,publish,ingest,fetch,refresh,revoke")]).await;
    // Who transcodes takes parts as well.
    let mut dying =
        world.worker(&[("KINDS", "transcode"), ("SLOTS", "1"), ("REELMILL_CRASH_AT", "part.stored")]).await;
    let brand = world.agency("Northwind").await.brand("Long").await;
    let accounts = [brand.connect("TELEGRAM", "long").await, brand.connect("INSTAGRAM", "long").await];
    let clip = files::long_clip();
    let source = judge::look(&std::fs::read(&clip).unwrap());
    let asset = brand.ready(&clip, "Four minutes").await;
    let job = brand.publish(&[&asset], &[&accounts[0], &accounts[1]]).await;
    dying.died().await;
    assert_eq!(world.database.count(MADE).await, 0, "what it stored is named by nothing");
    let _rescuing = world.worker(&[("KINDS", "transcode"), ("SLOTS", "1")]).await;

    let targets = brand.until(&job, &["PUBLISHED", "FAILED", "NEEDS_ATTENTION"], LIMIT).await;
    assert!(targets.iter().all(|target| target["state"] == "PUBLISHED"), "{targets:?}");
    let jobs = "select count(*) from jobs where kind = 'part' and state = 'done'";
    assert!(world.database.count(jobs).await >= 2, "it was made in parts");
    assert_eq!(world.database.count("select count(*) from transcode_parts").await, 0, "and they are gone");
    for account in &accounts {
        let posts = world.networks.posts_of(&account.external_id).await;
        assert_eq!(posts.len(), 1);
        let file = world.networks.media(&posts[0]["media"][0]).await;
        let seen = judge::look(&file);
        assert!((seen.duration_s - source.duration_s).abs() < 0.1, "{seen:?}");
        assert_eq!(seen.frames, 2 * source.frames, "every frame, each twice: 12 a second become 24");
        assert!(judge::streams_at_once(&file));
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_encodes_what_was_cancelled() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Stopped").await;
    let account = brand.connect("TELEGRAM", "stopped").await;
    // Some twenty seconds of work.
    let asset = brand.ready(&files::heavy_clip(), "Never mind").await;
    let mut watch = Subscription::open(&brand.api, WATCH, "Watch", json!({ "brands": [brand.id] })).await;
    let job = brand.publish(&[&asset], &[&account]).await;
    // Who looks on hears of every step, and not just at the end.
    let mut steps = Vec::new();
    while steps.len() < 3 {
        let message = watch.next().await;
        let progress = message["publishTargetChanged"]["media"][0]["progress"].as_f64().unwrap_or(0.0);
        if progress > steps.last().copied().unwrap_or(0.0) {
            steps.push(progress);
        }
    }
    assert!(steps[2] < 1.0, "{steps:?}");
    let running = "select count(*) from transcoded_media where state = 'RUNNING' and progress > 0";
    eventually("frames move", LIMIT, async || (world.database.count(running).await == 1).then_some(())).await;

    let target = brand.targets(&job).await[0]["id"].clone();
    let asked = Instant::now();
    brand.api.mutate("cancelPublishTargets", json!({ "targetIds": [target] }), "targets { state }").await;
    let stopped = "select count(*) from transcoded_media where state = 'QUEUED' and progress = 0";
    eventually("it stops", LIMIT, async || (world.database.count(stopped).await == 1).then_some(())).await;
    let took = asked.elapsed();
    assert!(took < STOPS_WITHIN, "{took:?}");

    // Wanted again, it is made after all.
    let job = brand.publish(&[&asset], &[&account]).await;
    brand.published(&job).await;
    brand.assert_posts(&[&account], 1).await;
    world.finish().await;
}
