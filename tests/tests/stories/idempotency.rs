//! A client that is not sure whether it was heard says it again.

use serde_json::json;
use tests::{World, WorldOptions, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_calls_with_one_key_make_one_job() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Keys").await;
    let account = brand.connect("TELEGRAM", "keys").await;
    let asset = brand.ready(&files::photo(7), "Once").await;
    let mut input = brand.job_input(&[&asset], &[&account]);
    input["idempotencyKey"] = json!("monday-1");
    let calls =
        (0..20).map(|_| brand.api.mutate("createPublishJob", input.clone(), "job { id } skippedCount"));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(!answers[0]["job"]["id"].is_null());
    assert_eq!(world.database.count("select count(*) from publish_jobs").await, 1);

    input["name"] = json!("Another");
    let other = brand.api.try_mutate("createPublishJob", input.clone(), "job { id }").await;
    other.refused("IDEMPOTENCY_MISMATCH");
    let job = tests::Job { id: answers[0]["job"]["id"].as_str().unwrap().to_owned() };
    brand.published(&job).await;
    brand.assert_posts(&[&account], 1).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_belongs_to_who_used_it() {
    let world = World::with(WorldOptions { workers: 0, ..WorldOptions::default() }).await;
    let agency = world.agency("Northwind").await;
    let input =
        json!({ "organizationId": agency.id, "name": "One", "timezone": "UTC", "idempotencyKey": "brand" });
    let first = agency.owner.mutate("createBrand", input.clone(), "brand { id }").await;
    let again = agency.owner.mutate("createBrand", input.clone(), "brand { id }").await;
    assert_eq!(first, again);
    let admin = agency.member("admin@northwind.example", "OWNER", None).await;
    let other = admin.mutate("createBrand", input, "brand { id }").await;
    assert_ne!(first, other, "another person's key is another key");
    world.finish().await;
}
