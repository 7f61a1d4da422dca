//! Photos: what EXIF says about them is done and then removed; several of them make a carousel.

use serde_json::json;
use tests::{World, files, judge};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turned_photo_and_a_carousel() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Stills").await;
    let instagram = brand.connect("INSTAGRAM", "stills").await;
    let telegram = brand.connect("TELEGRAM", "stills").await;
    let accounts = [&instagram, &telegram];

    let turned = brand.ready(&files::rotated_photo(), "Turned").await;
    let info = brand.asset(&turned).await["info"].take();
    assert_eq!((info["width"].as_i64(), info["height"].as_i64()), (Some(400), Some(600)), "as displayed");
    let job = brand.publish(&[&turned], &accounts).await;
    brand.published(&job).await;
    for account in accounts {
        let posts = world.networks.posts_of(&account.external_id).await;
        assert_eq!(posts.len(), 1);
        let file = world.networks.media(&posts[0]["media"][0]).await;
        let seen = judge::look(&file);
        assert!(seen.height > seen.width, "the turn is in the pixels on {}: {seen:?}", account.platform);
        assert!(
            !file.windows(6).any(|bytes| bytes == b"Exif\0\0"),
            "no position leaves: {}",
            account.platform
        );
    }

    let first = brand.ready(&files::photo(1), "").await;
    let second = brand.ready(&files::photo(2), "").await;
    let input = json!({ "brandId": brand.id, "assetIds": [first, second], "caption": "Two views #sea" });
    let made = brand.api.mutate("createCarousel", input, "asset { id kind items { id } }").await;
    assert_eq!(made["asset"]["kind"], "CAROUSEL");
    assert_eq!(made["asset"]["items"], json!([{ "id": first }, { "id": second }]));
    let job = brand.publish(&[made["asset"]["id"].as_str().unwrap()], &accounts).await;
    let targets = brand.published(&job).await;
    assert!(targets.iter().all(|target| target["fits"].as_array().unwrap().len() == 2), "{targets:?}");
    for account in accounts {
        let posts = world.networks.posts_of(&account.external_id).await;
        assert_eq!(posts.len(), 2, "{}", account.platform);
        assert_eq!(posts[1]["media"].as_array().unwrap().len(), 2, "{}", posts[1]);
    }
    world.finish().await;
}
