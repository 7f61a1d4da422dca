//! Photos: what EXIF says about them is done and then removed; several of them make a carousel.

use serde_json::json;
use tests::{World, brand::on, files, judge};

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
    let items = [&first, &second, &turned];
    let input = json!({ "brandId": brand.id, "assetIds": items, "caption": "Three views #sea" });
    let made = brand.api.mutate("createCarousel", input, "asset { id kind items { id } }").await;
    assert_eq!(made["asset"]["kind"], "CAROUSEL");
    assert_eq!(made["asset"]["items"], json!(items.map(|id| json!({ "id": id }))));
    let job = brand.publish(&[made["asset"]["id"].as_str().unwrap()], &accounts).await;
    let targets = brand.published(&job).await;
    assert!(targets.iter().all(|target| target["fits"].as_array().unwrap().len() == 3), "{targets:?}");
    let reason = on(&targets, "INSTAGRAM")["fits"][2]["reasons"].to_string();
    assert!(reason.contains("that of the first"), "{reason}");
    for account in accounts {
        let posts = world.networks.posts_of(&account.external_id).await;
        assert_eq!(posts.len(), 2, "{}", account.platform);
        let media = posts[1]["media"].as_array().unwrap();
        assert_eq!(media.len(), 3, "{}", posts[1]);
        let seen = judge::look(&world.networks.media(&media[2]).await);
        // Instagram would cut it to the square of the first; an album keeps every shape.
        let square = account.platform == "INSTAGRAM";
        assert_eq!(seen.width == seen.height, square, "{}: {seen:?}", account.platform);
    }
    world.finish().await;
}
