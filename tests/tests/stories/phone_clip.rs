//! A phone's clip, rotated HEVC, is uploaded in parts over a bad line and published to three networks.

use serde_json::json;
use tests::{World, brand::on, files, judge};

const CAPTION: &str = "Evening at the harbour. More at https://northwind.example/harbour #sea";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_clip_reaches_three_networks_once_each() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Harbour").await;
    let accounts = brand.connect_all("harbour").await;
    let accounts: Vec<_> = accounts.iter().collect();

    // The second of three parts is lost on the way.
    let upload = brand.begin_upload(&files::phone_clip(), CAPTION).await;
    assert_eq!(upload.part_count, 3);
    upload.put(1).await;
    upload.put(3).await;
    let input = json!({ "uploads": [{ "uploadId": upload.id }] });
    let early = brand.api.try_mutate("completeUploads", input, "assets { id }").await;
    assert!(early.refused("INVALID").message.contains("missing"), "it says which part");

    // The phone comes back, asks what is missing, and sends that alone.
    let upload = brand.resume_upload(upload).await;
    assert_eq!(upload.missing.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2]);
    upload.put_all().await;
    brand.complete_upload(&upload).await;
    let asset = brand.probed(&upload.asset_id).await;
    assert_eq!(asset["state"], "READY", "{asset}");
    assert_eq!((asset["info"]["width"].as_i64(), asset["info"]["height"].as_i64()), (Some(540), Some(960)));
    assert_eq!(asset["info"]["videoCodec"], "hevc");

    let job = brand.publish(&[&upload.asset_id], &accounts).await;
    let targets = brand.published(&job).await;
    brand.assert_posts(&accounts, 1).await;

    for account in accounts {
        let posts = world.networks.posts_of(&account.external_id).await;
        let file = world.networks.media(&posts[0]["media"][0]).await;
        let seen = judge::look(&file);
        assert!(seen.container.contains("mp4"), "{seen:?}");
        assert_eq!(seen.pixel_format, "yuv420p", "{seen:?}");
        assert_eq!(seen.audio_codec.as_deref(), Some("aac"));
        assert!((seen.duration_s - 6.0).abs() < 0.2, "{seen:?}");
        assert_upright(&seen);
        if account.platform != "TIKTOK" {
            assert!(judge::streams_at_once(&file), "moov first, no edit list: {}", account.platform);
        }
        let target = on(&targets, &account.platform);
        assert_eq!(target["caption"]["text"], posts[0]["caption"], "what was shown is what was sent");
        assert!(target["caption"]["length"].as_i64() <= target["caption"]["maxLength"].as_i64());
        assert!(posts[0]["caption"].as_str().unwrap().contains("https://northwind.example/harbour"));
        assert!(!target["externalId"].is_null() && !target["publishedAt"].is_null(), "{target}");
    }
    world.finish().await;
}

/// As it is seen, whichever way its frames lie.
fn assert_upright(seen: &judge::Seen) {
    let turned = seen.rotation.rem_euclid(180) == 90;
    let (width, height) = if turned { (seen.height, seen.width) } else { (seen.width, seen.height) };
    assert!(height > width, "{seen:?}");
}
