//! A job may be made of an asset that is still on its way, and hears of it when the asset never gets there.

use std::time::Duration;

use tests::{World, brand::WORK_LIMIT, eventually, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_made_while_its_file_uploads() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Early").await;
    let accounts = brand.connect_all("early").await;
    let accounts: Vec<_> = accounts.iter().collect();
    let upload = brand.begin_upload(&files::conforming_clip(), "Early").await;
    let job = brand.publish(&[&upload.asset_id], &accounts).await;
    let targets = brand.until(&job, &["PREPARING"], WORK_LIMIT).await;
    assert!(targets.iter().all(|target| target["fits"].as_array().unwrap().is_empty()), "{targets:?}");
    upload.put_all().await;
    brand.complete_upload(&upload).await;
    // Said again by a phone that did not hear the answer.
    brand.complete_upload(&upload).await;
    brand.published(&job).await;
    brand.assert_posts(&accounts, 1).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_asset_that_is_rejected_ends_its_targets_with_the_reason() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Refused").await;
    let account = brand.connect("TELEGRAM", "refused").await;
    let text = files::written("no-video.mp4", "This is not a video.\n".repeat(100).as_bytes());
    let upload = brand.begin_upload(&text, "Never").await;
    let job = brand.publish(&[&upload.asset_id], &[&account]).await;
    upload.put_all().await;
    brand.complete_upload(&upload).await;
    let asset = brand.probed(&upload.asset_id).await;
    assert_eq!(asset["state"], "REJECTED");
    let target = eventually("the target hears of it", Duration::from_secs(60), async || {
        let target = brand.targets(&job).await.remove(0);
        (!target["problem"].is_null()).then_some(target)
    })
    .await;
    assert_eq!(target["problem"]["remedy"], "CHANGE_MEDIA", "{target}");
    assert_eq!(target["state"], "FAILED", "{target}");
    brand.assert_posts(&[&account], 0).await;
    world.finish().await;
}
