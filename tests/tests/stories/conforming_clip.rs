//! The cheapest file is the one not made: what conforms already goes out as it came.

use sha2::{Digest as _, Sha256};
use tests::{World, brand::on, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clip_that_conforms_is_not_encoded() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Ready").await;
    let accounts = brand.connect_all("ready").await;
    let file = files::conforming_clip();
    let asset = brand.ready(&file, "As it is").await;
    let job = brand.publish(&[&asset], &accounts.iter().collect::<Vec<_>>()).await;
    let targets = brand.published(&job).await;

    let original = hex::encode(Sha256::digest(std::fs::read(&file).unwrap()));
    for account in &accounts {
        let target = on(&targets, &account.platform);
        let operation = target["media"][0]["operation"].as_str().unwrap();
        let posts = world.networks.posts_of(&account.external_id).await;
        let sent = posts[0]["media"][0]["sha256"].as_str().unwrap();
        match operation {
            "PASSTHROUGH" => assert_eq!(sent, original, "byte for byte on {}", account.platform),
            "REMUX" => assert_ne!(sent, original),
            _ => panic!("{} encoded a clip that conforms: {target}", account.platform),
        }
    }
    assert!(targets.iter().any(|target| target["media"][0]["operation"] == "PASSTHROUGH"), "{targets:?}");
    world.finish().await;
}
