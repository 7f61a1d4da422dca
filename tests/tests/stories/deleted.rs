//! A brand takes its media back: what was posted stays on record, and no file of it stays in storage.

use std::time::Duration;

use serde_json::json;
use tests::{World, eventually, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_asset_leaves_no_file_and_may_come_again() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Second thoughts").await;
    let [instagram, telegram, _] = brand.connect_all("thoughts").await;
    // One goes out as it is; of the other one files are made.
    let photo = brand.ready(&files::photo(51), "As it is").await;
    let clip = brand.ready(&files::phone_clip(), "Made to fit").await;
    let job = brand.publish(&[&photo, &clip], &[&instagram, &telegram]).await;
    brand.published(&job).await;
    let stored = || std::fs::read_dir(world.path("s3").join("blobs")).unwrap().count();
    assert!(stored() > 4, "originals, thumbnails, and what was made");

    brand.api.mutate("deleteAssets", json!({ "assetIds": [photo, clip] }), "assets { id state }").await;
    eventually("storage is empty", Duration::from_secs(10), async || (stored() == 0).then_some(())).await;
    for target in brand.targets(&job).await {
        assert_eq!(target["state"], "PUBLISHED", "the record stays: {target}");
    }

    // The same clip once more, for another account: the files that went are made again.
    let again = brand.ready(&files::phone_clip(), "Made to fit").await;
    let other = brand.connect("TELEGRAM", "elsewhere").await;
    let job = brand.publish(&[&again], &[&other]).await;
    brand.published(&job).await;
    brand.assert_posts(&[&other], 1).await;
    world.finish().await;
}
