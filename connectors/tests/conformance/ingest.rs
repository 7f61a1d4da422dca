//! Reading an account's posts page by page, and their files.

use std::time::Duration;

use connectors::{FetchLimits, PageRequest};
use domain::platform::{MediaKind, Platform};
use sha2::{Digest, Sha256};

use crate::world::World;

#[tokio::test]
async fn instagram_is_paged_from_the_newest_to_the_oldest_and_its_files_are_fetched() {
    let world = World::start().await;
    let session = world.connect(Platform::Instagram, "archive").await;
    let connector = world.connector(Platform::Instagram);
    assert!(connector.ingests());
    let account = session.profile.external_id.as_str();
    let posts = [
        ("photo", "one", "2026-01-01T10:00:00Z", vec!["photo.jpg"]),
        ("reel", "two", "2026-01-02T10:00:00Z", vec!["clip.mp4"]),
        ("carousel", "three", "2026-01-03T10:00:00Z", vec!["photo.jpg", "clip.mp4"]),
        ("photo", "four", "2026-01-04T10:00:00Z", vec!["photo.jpg"]),
        ("photo", "five", "2026-01-05T10:00:00Z", vec!["photo.jpg"]),
    ];
    for (kind, caption, at, files) in posts {
        world.post_by_hand(account, kind, caption, at, &files).await;
    }

    let mut page = PageRequest { after: None, since: None, limit: 2 };
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let answer = connector.list_media(&session, &page).await.unwrap();
        pages += 1;
        found.extend(answer.media);
        let Some(next) = answer.next else { break };
        page.after = Some(next);
    }
    let captions: Vec<_> = found.iter().map(|media| media.caption.as_deref().unwrap()).collect();
    assert_eq!(captions, ["five", "four", "three", "two", "one"]);
    assert!(pages >= 3, "{pages} pages of at most two");
    let kinds: Vec<_> = found[2].items.iter().map(|item| item.kind).collect();
    assert_eq!((found[2].kind, kinds), (MediaKind::Carousel, vec![MediaKind::Image, MediaKind::Video]));

    let since = Some("2026-01-03T10:00:00Z".parse().unwrap());
    let answer =
        connector.list_media(&session, &PageRequest { after: None, since, limit: 50 }).await.unwrap();
    assert_eq!((answer.media.len(), answer.next), (3, None));

    let again = connector.found_media(&session, &found[3].external_id).await.unwrap();
    assert_eq!((again.kind, again.posted_at), (MediaKind::Video, found[3].posted_at));
    let address = again.items[0].download_url.clone().unwrap();
    let mut bytes = Vec::new();
    let limits = FetchLimits { max_bytes: 10_000_000, max_time: Duration::from_secs(20) };
    let fetched = world.connectors.fetcher().download(&address, &mut bytes, limits).await.unwrap();
    assert_eq!(fetched.content_type.as_deref(), Some("video/mp4"));
    assert_eq!(hex::encode(Sha256::digest(&bytes)), world.media("clip.mp4").sha256);
}
