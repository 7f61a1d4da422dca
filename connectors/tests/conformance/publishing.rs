//! Prepare, send, look up: one post each, and the right one.

use connectors::Post;
use domain::platform::Platform;
use domain::publishing::{SendOutcome, Step};
use serde_json::{Value, json};

use crate::world::{World, post, prepare, proof, send};

/// Publishes part 0 and expects exactly one new entry of the ledger, which it returns.
async fn publish(world: &World, platform: Platform, post: &Post) -> Value {
    let session = world.connect(platform, "studio").await;
    let connector = world.connector(platform);
    let before = world.ledger().await.len();
    let steps = prepare(connector, &session, post).await.unwrap();
    assert_eq!(world.ledger().await.len(), before, "{platform}: preparing posts nothing");
    let (attempt, outcome) = send(connector, &session, post, 0, &steps).await;
    let seen = match outcome {
        SendOutcome::Created(proof) => proof,
        SendOutcome::Pending { .. } => proof(connector, &session, post, &attempt, &steps).await,
        other => panic!("{platform}: {other:?}"),
    };
    let ledger = world.ledger().await;
    assert_eq!(ledger.len(), before + 1, "{platform}");
    let entry = ledger.last().unwrap().clone();
    assert_eq!(entry["account"], json!(session.profile.external_id), "{platform}");
    assert_eq!(entry["remoteId"].as_str(), seen.remote_id.as_deref(), "{platform}");
    let sent: Vec<_> = post.media.iter().map(|media| json!(media.sha256)).collect();
    let arrived: Vec<_> = entry["media"].as_array().unwrap().iter().map(|m| m["sha256"].clone()).collect();
    assert_eq!(arrived, sent, "{platform}: the files arrive byte for byte and in order");
    if connector.sending_rules(post).can_look_up {
        assert_eq!(attempt.handle.as_deref(), entry["handle"].as_str(), "{platform}");
        let shown = proof(connector, &session, post, &attempt, &steps).await;
        assert_eq!(shown.remote_id, seen.remote_id, "{platform}");
    } else {
        assert!(seen.url.unwrap().starts_with("https://t.me/studio/"));
    }
    entry
}

#[tokio::test]
async fn instagram_takes_a_photo_a_reel_and_a_carousel() {
    let world = World::start().await;
    let cases = [
        ("photo", vec!["photo.jpg"]),
        ("reel", vec!["clip.mp4"]),
        ("carousel", vec!["photo.jpg", "clip.mp4", "photo.jpg"]),
    ];
    for (kind, names) in cases {
        let media = names.into_iter().map(|name| world.media(name)).collect();
        let caption = format!("A {kind} ✨ with a #hashtag\nand a second line");
        let entry = publish(&world, Platform::Instagram, &post(&caption, media)).await;
        assert_eq!((entry["kind"].as_str(), entry["caption"].as_str()), (Some(kind), Some(caption.as_str())));
    }
}

#[tokio::test]
async fn tiktok_takes_a_short_video_in_one_call_and_a_long_one_in_chunks() {
    let world = World::start().await;
    for name in ["clip.mp4", "long.mp4"] {
        let entry = publish(&world, Platform::Tiktok, &post("Look 👀 #fyp", vec![world.media(name)])).await;
        assert_eq!(entry["caption"], "Look 👀 #fyp");
        assert_eq!(entry["privacy"], "PUBLIC_TO_EVERYONE");
    }
}

#[tokio::test]
async fn telegram_takes_a_photo_a_video_and_an_album() {
    let world = World::start().await;
    for names in [vec!["photo.jpg"], vec!["clip.mp4"], vec!["photo.jpg", "clip.mp4"]] {
        let media = names.into_iter().map(|name| world.media(name)).collect();
        let entry = publish(&world, Platform::Telegram, &post("Новости <b>& more</b>", media)).await;
        assert_eq!(entry["caption"], "Новости <b>& more</b>", "no markup is made of it");
    }
}

#[tokio::test]
async fn a_text_too_long_for_telegrams_caption_goes_on_in_a_reply() {
    let world = World::start().await;
    let session = world.connect(Platform::Telegram, "essays").await;
    let connector = world.connector(Platform::Telegram);
    let text = "A sentence of an essay. ".repeat(60);
    let post = post(text.trim(), vec![world.media("photo.jpg")]);
    assert_eq!(connector.parts(&post), 2);
    let (_, outcome) = send(connector, &session, &post, 0, &[]).await;
    let SendOutcome::Created(first) = outcome else { panic!("{outcome:?}") };
    let sent = Step {
        part: 0,
        name: "sent".into(),
        input_hash: String::new(),
        remote_id: first.remote_id.clone().unwrap(),
        expires_at: None,
        data: Value::Null,
    };
    let (_, outcome) = send(connector, &session, &post, 1, &[sent]).await;
    assert!(matches!(outcome, SendOutcome::Created(_)), "{outcome:?}");
    let ledger = world.ledger().await;
    assert_eq!(ledger.len(), 2);
    assert_eq!(ledger[1]["replyTo"].as_str(), first.remote_id.as_deref());
    let (caption, reply) = (ledger[0]["caption"].as_str().unwrap(), ledger[1]["caption"].as_str().unwrap());
    assert!(caption.encode_utf16().count() <= 1024);
    assert_eq!(format!("{caption} {reply}"), post.text);
}

#[tokio::test]
async fn an_upload_to_tiktok_goes_on_where_a_dead_worker_left_it() {
    let world = World::start().await;
    let session = world.connect(Platform::Tiktok, "resumed").await;
    let connector = world.connector(Platform::Tiktok);
    let post = post("Resumed", vec![world.media("long.mp4")]);
    let plan = connector.steps(&post, &session).remove(0);
    let opened = connector.prepare(&session, &post, &plan, &[], None).await.unwrap();
    let connectors::Prepared::NotYet { step: Some(opened), .. } = opened else { panic!("{opened:?}") };
    // The second chunk arrives, its answer is lost, and with it everything that was not stored.
    world.fault(Platform::Tiktok, "upload", "accept_then_drop").await;
    connector.prepare(&session, &post, &plan, &[], Some(&opened)).await.unwrap_err();
    let done = connector.prepare(&session, &post, &plan, &[], Some(&opened)).await.unwrap();
    let connectors::Prepared::Done(step) = done else { panic!("{done:?}") };
    assert_eq!(step.remote_id, opened.remote_id, "the session is the same");
    let steps = [step];
    let (attempt, _) = send(connector, &session, &post, 0, &steps).await;
    proof(connector, &session, &post, &attempt, &steps).await;
    let ledger = world.ledger().await;
    assert_eq!((ledger.len(), &ledger[0]["media"][0]["sha256"]), (1, &json!(post.media[0].sha256)));
}
