//! The broker is a doorbell: wiped, restarted, or ringing twice, it loses nothing and sends nothing early.

use std::time::Duration;

use chrono::{DateTime, Utc};
use cli::local::{RabbitMq, rabbitmq};
use serde_json::json;
use tests::{World, WorldOptions, brand::describe, files};

/// Reconnecting, a stale doorbell's 75 s, and the work.
const RECOVERY: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_brokers_data_is_wiped() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("rabbitmq");
    let broker = RabbitMq::start(&dir).await.unwrap();
    let options = WorldOptions { workers: 0, amqp_url: Some(broker.url()), ..WorldOptions::default() };
    let world = World::with(options).await;
    let brand = world.agency("Northwind").await.brand("Wiped").await;
    let account = brand.connect("TELEGRAM", "wiped").await;
    // Nobody works yet, so that doorbells wait in the queues when these are lost.
    let first = brand.upload(&files::photo(60), "Before").await;
    let job = brand.publish(&[&first], &[&account]).await;
    let rung = "select count(*) from jobs where rung_at is not null";
    tests::eventually("a doorbell is rung", RECOVERY, async || {
        (world.database.count(rung).await > 0).then_some(())
    })
    .await;
    broker.kill().await.unwrap();
    rabbitmq::wipe(&dir).unwrap();

    // While it is away, the API goes on taking work.
    let second = brand.upload(&files::photo(61), "While it is away").await;
    let while_away = brand.publish(&[&second], &[&account]).await;
    let broker = RabbitMq::start(&dir).await.unwrap();
    let worker = world.worker(&[]).await;
    for job in [&job, &while_away] {
        let targets = brand.until(job, &["PUBLISHED", "FAILED", "NEEDS_ATTENTION"], RECOVERY).await;
        assert_eq!(targets[0]["state"], "PUBLISHED", "{}", describe(&targets));
    }
    brand.assert_posts(&[&account], 2).await;
    drop(worker);
    world.finish().await;
    broker.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doorbells_that_ring_again_and_again_send_nothing_early() {
    let world = World::with(WorldOptions { workers: 2, ..WorldOptions::default() }).await;
    let brand = world.agency("Northwind").await.brand("Doubled").await;
    let account = brand.connect("TELEGRAM", "doubled").await;
    let asset = brand.ready(&files::photo(62), "At its time").await;
    let later = brand.ready(&files::photo(63), "Moved").await;
    let due = Utc::now() + chrono::Duration::seconds(25);
    let mut input = brand.job_input(&[&asset, &later], &[&account]);
    input["schedule"] = json!({ "at": due.to_rfc3339() });
    let job = brand.create_job(input).await;
    let targets = brand.until(&job, &["SCHEDULED"], RECOVERY).await;
    let tomorrow = due + chrono::Duration::days(1);
    let change = json!({ "targetId": targets[1]["id"], "scheduledAt": tomorrow.to_rfc3339() });
    brand.api.mutate("updatePublishTargets", json!({ "changes": [change] }), "targets { id }").await;
    // Every waiting job is rung far too early, again and again, as a broken relay would.
    let posted = tests::eventually("the first post is out", RECOVERY, async || {
        let again =
            "update jobs set run_at = now(), rung_at = null where kind = 'publish' and state = 'ready'";
        world.database.run(again).await;
        world.networks.posts_of(&account.external_id).await.pop()
    })
    .await;
    let at: DateTime<Utc> = posted["at"].as_str().unwrap().parse().unwrap();
    assert!(at >= due, "{at} is before {due}");
    assert_eq!(brand.target(targets[1]["id"].as_str().unwrap()).await["state"], "SCHEDULED");
    brand.assert_posts(&[&account], 1).await;
    brand.api.mutate("cancelPublishJob", json!({ "jobId": job.id }), "job { id }").await;
    world.finish().await;
}
