//! How a brand's files look: the colour of their borders, its logo, and a video that is cut by choice.

use serde_json::json;
use tests::{World, files, judge};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_brands_colour_and_logo_are_on_everything() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Looks").await;
    let account = brand.connect("INSTAGRAM", "looks").await;
    let logo = brand.ready(&files::logo(), "").await;
    let clip = brand.ready(&files::clip(), "With a look").await;

    let wrong = json!({ "brandId": brand.id, "padColor": "red", "watermark": { "assetId": logo } });
    let refused = brand.api.try_mutate("updateBrand", wrong, "brand { id }").await;
    assert!(refused.refused("INVALID").message.contains("hexadecimal"), "{refused:?}");
    let wrong = json!({ "brandId": brand.id, "watermark": { "assetId": clip } });
    let refused = brand.api.try_mutate("updateBrand", wrong, "brand { id }").await;
    assert!(refused.refused("INVALID").message.contains("a logo is a photo"), "{refused:?}");

    let mark = json!({ "assetId": logo, "corner": "TOP_LEFT", "widthPercent": 20.0, "marginPercent": 0.0 });
    let look = json!({ "brandId": brand.id, "padColor": "#C80000", "watermark": mark });
    let fields = "brand { padColor watermark { corner widthPercent marginPercent asset { id } } }";
    let updated = brand.api.mutate("updateBrand", look, fields).await;
    assert_eq!(updated["brand"]["padColor"], "#c80000");
    assert_eq!(updated["brand"]["watermark"]["asset"]["id"], json!(logo));
    let delete = json!({ "assetIds": [logo] });
    let refused = brand.api.try_mutate("deleteAssets", delete, "assets { id }").await;
    assert!(refused.refused("CONFLICT").message.contains("logo"), "{refused:?}");

    let mut input = brand.job_input(&[&clip], &[&account]);
    input["framing"] = json!("PAD");
    let job = brand.create_job(input).await;
    let targets = brand.published(&job).await;
    let reasons = targets[0]["fits"][0]["reasons"].to_string();
    assert!(reasons.contains("logo") && reasons.contains("borders"), "{reasons}");
    let posts = world.networks.posts_of(&account.external_id).await;
    let picture = judge::picture(&world.networks.media(&posts[0]["media"][0]).await);
    let (width, height) = (picture.width, picture.height);
    assert_eq!((width * 16).div_ceil(9), height, "upright");
    picture.assert_near((width / 2, height - 10), [200, 0, 0]);
    picture.assert_near((width / 10, width / 25), [0, 200, 0]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_that_is_too_long_is_cut_by_choice_and_never_else() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Cut").await;
    let strict = json!({ "platform": "tiktok", "handle": "cut", "maxDurationSec": 3 });
    world.networks.control("accounts", strict).await;
    let account = brand.connect("TIKTOK", "cut").await;
    // Four seconds.
    let asset = brand.ready(&files::conforming_clip_of(90), "Cut me").await;
    let mut input = brand.job_input(&[&asset], &[&account]);
    let refused = brand.api.try_mutate("createPublishJob", input.clone(), "job { id }").await;
    assert_eq!(refused.codes(), ["UNSUPPORTED_MEDIA"], "{refused:?}");
    assert!(refused.refusals[0].message.contains("let it be cut"), "{refused:?}");

    input["trim"] = json!(true);
    let job = brand.create_job(input).await;
    let targets = brand.published(&job).await;
    assert!(targets[0]["fits"][0]["reasons"].to_string().contains("Only its first"), "{targets:?}");
    let posts = world.networks.posts_of(&account.external_id).await;
    let seen = judge::look(&world.networks.media(&posts[0]["media"][0]).await);
    assert!(seen.duration_s > 2.8 && seen.duration_s <= 3.0, "{seen:?}");
    world.finish().await;
}
