//! What each network's bad days look like to the caller.

use chrono::{Duration, Utc};
use connectors::{Connectors, ErrorKind, Post};
use domain::platform::Platform;
use domain::problem::Remedy;
use domain::publishing::{Evidence, SendOutcome};
use serde_json::json;

use crate::world::{World, post, prepare, proof, send};

/// The step of the irreversible call, as the sandbox names it.
fn sending_step(platform: Platform) -> &'static str {
    match platform {
        Platform::Instagram => "publish",
        Platform::Tiktok => "upload",
        _ => "send",
    }
}

/// Of one text in each story: two posts that look the same could not be told apart.
fn video(world: &World, text: &str) -> Post {
    post(&format!("Once and only once: {text}"), vec![world.media("clip.mp4")])
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_is_decided_by_looking() {
    let world = World::start().await;
    let faults =
        ["accept_then_drop", "500_after_accept", "empty_200_after_accept", "wrong_json_after_accept"];
    for platform in Connectors::SUPPORTED {
        for fault in faults {
            let session = world.connect(platform, "unlucky").await;
            let connector = world.connector(platform);
            let post = video(&world, fault);
            let before = world.ledger().await.len();
            let steps = prepare(connector, &session, &post).await.unwrap();
            world.fault(platform, sending_step(platform), fault).await;
            let (attempt, outcome) = send(connector, &session, &post, 0, &steps).await;
            assert!(matches!(outcome, SendOutcome::Unknown { .. }), "{platform} {fault}: {outcome:?}");
            if connector.sending_rules(&post).can_look_up {
                proof(connector, &session, &post, &attempt, &steps).await;
            } else {
                let evidence = connector.look_up(&session, &post, &attempt, &steps).await;
                assert!(matches!(evidence, Evidence::Nothing { .. }), "{evidence:?}");
            }
            assert_eq!(world.ledger().await.len(), before + 1, "{platform} {fault}");
        }
    }
}

#[tokio::test]
async fn a_call_that_had_no_effect_is_not_found_and_may_be_sent_again_through_its_handle() {
    let world = World::start().await;
    for platform in [Platform::Instagram, Platform::Tiktok] {
        for fault in ["drop_before", "500_before", "503_html"] {
            let session = world.connect(platform, "unlucky").await;
            let connector = world.connector(platform);
            let post = video(&world, fault);
            let before = world.ledger().await.len();
            let steps = prepare(connector, &session, &post).await.unwrap();
            world.fault(platform, sending_step(platform), fault).await;
            let (attempt, outcome) = send(connector, &session, &post, 0, &steps).await;
            assert!(matches!(outcome, SendOutcome::Unknown { .. }), "{platform} {fault}: {outcome:?}");
            let evidence = connector.look_up(&session, &post, &attempt, &steps).await;
            assert_eq!(evidence, Evidence::NotThere, "{platform} {fault}");
            let (attempt, _) = send(connector, &session, &post, 0, &steps).await;
            proof(connector, &session, &post, &attempt, &steps).await;
            assert_eq!(world.ledger().await.len(), before + 1, "{platform} {fault}");
        }
    }
}

#[tokio::test]
async fn a_throttled_send_waits_as_long_as_the_network_says() {
    for platform in Connectors::SUPPORTED {
        let world = World::start().await;
        let session = world.connect(platform, "busy").await;
        let connector = world.connector(platform);
        let post = video(&world, "busy");
        let steps = prepare(connector, &session, &post).await.unwrap();
        let order = json!({ "platform": platform, "step": sending_step(platform), "fault": "429_with_retry_after", "delayMs": 7000 });
        world.control("sandbox/faults", order).await;
        let before = Utc::now();
        let (_, outcome) = send(connector, &session, &post, 0, &steps).await;
        let SendOutcome::RefusedForNow { until, problem } = outcome else {
            panic!("{platform}: {outcome:?}")
        };
        let told = Duration::seconds(7);
        let in_time = before + told <= until && until <= Utc::now() + told + Duration::seconds(1);
        assert!(in_time, "{platform}: {until}");
        assert_eq!(problem.remedy, Remedy::Wait);

        world.fault(platform, sending_step(platform), "429_without_retry_after").await;
        let (_, outcome) = send(connector, &session, &post, 0, &steps).await;
        let SendOutcome::RefusedForNow { until, .. } = outcome else { panic!("{platform}: {outcome:?}") };
        assert!(until > Utc::now() + Duration::seconds(20), "{platform}");
        assert!(world.ledger().await.is_empty(), "{platform}");

        let (attempt, outcome) = send(connector, &session, &post, 0, &steps).await;
        if platform == Platform::Telegram {
            assert!(matches!(outcome, SendOutcome::Created(_)), "{outcome:?}");
        } else {
            proof(connector, &session, &post, &attempt, &steps).await;
        }
        assert_eq!(world.ledger().await.len(), 1, "{platform}");
    }
}

#[tokio::test]
async fn a_throttled_preparation_waits_too() {
    let world = World::start().await;
    for (platform, step) in [(Platform::Instagram, "container"), (Platform::Tiktok, "init")] {
        let session = world.connect(platform, "busy").await;
        let order =
            json!({ "platform": platform, "step": step, "fault": "429_with_retry_after", "delayMs": 7000 });
        world.control("sandbox/faults", order).await;
        let error = prepare(world.connector(platform), &session, &video(&world, "busy")).await.unwrap_err();
        let ErrorKind::Throttled(until) = error else { panic!("{platform}: {error}") };
        assert!(until > Utc::now() + Duration::seconds(6), "{platform}");
    }
}

#[tokio::test]
async fn a_token_that_dies_before_the_send_makes_the_post_wait_and_not_fail() {
    for platform in [Platform::Instagram, Platform::Telegram] {
        let world = World::start().await;
        let session = world.connect(platform, "revoked").await;
        let connector = world.connector(platform);
        let post = video(&world, "busy");
        let steps = prepare(connector, &session, &post).await.unwrap();
        world.fault(platform, sending_step(platform), "token_revoked").await;
        let (_, outcome) = send(connector, &session, &post, 0, &steps).await;
        let SendOutcome::AccountRefused(problem) = outcome else { panic!("{platform}: {outcome:?}") };
        assert_eq!(problem.remedy, Remedy::Reconnect, "{platform}");
        assert!(world.ledger().await.is_empty(), "{platform}");
    }
}

#[tokio::test]
async fn refused_media_are_named_in_the_networks_own_code() {
    let world = World::start().await;
    let session = world.connect(Platform::Instagram, "wrong").await;
    let bad = post("Not a video", vec![world.media("text.mp4")]);
    let error = prepare(world.connector(Platform::Instagram), &session, &bad).await.unwrap_err();
    let ErrorKind::Permanent(problem) = error else { panic!("{error}") };
    assert_eq!((problem.code.as_str(), problem.remedy), ("instagram.2207026", Remedy::ChangeMedia));

    let session = world.connect(Platform::Tiktok, "wrong").await;
    let connector = world.connector(Platform::Tiktok);
    let steps = prepare(connector, &session, &bad).await.unwrap();
    let (attempt, outcome) = send(connector, &session, &bad, 0, &steps).await;
    assert!(matches!(outcome, SendOutcome::Pending { .. }), "{outcome:?}");
    let dead = loop {
        match connector.look_up(&session, &bad, &attempt, &steps).await {
            Evidence::Dead(problem) => break problem,
            Evidence::Pending { .. } => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((dead.code.as_str(), dead.remedy), ("tiktok.file_format_check_failed", Remedy::ChangeMedia));

    let session = world.connect(Platform::Telegram, "wrong").await;
    let mut huge = post("Too long", vec![world.media("photo.jpg")]);
    huge.media[0].sha256 = "00".repeat(32);
    let (_, outcome) = send(world.connector(Platform::Telegram), &session, &huge, 0, &[]).await;
    assert!(matches!(outcome, SendOutcome::NotSent { .. }), "another file than was verified: {outcome:?}");
    assert!(world.ledger().await.is_empty());
}

#[tokio::test]
async fn a_post_that_lists_show_late_is_live_before_it_has_an_address() {
    let world = World::start().await;
    let session = world.connect(Platform::Instagram, "lagging").await;
    let connector = world.connector(Platform::Instagram);
    let post = video(&world, "busy");
    let steps = prepare(connector, &session, &post).await.unwrap();
    let lag = json!({ "platform": "instagram", "step": "publish", "fault": "listing_lag", "delayMs": 3000 });
    world.control("sandbox/faults", lag).await;
    let (attempt, outcome) = send(connector, &session, &post, 0, &steps).await;
    assert!(matches!(outcome, SendOutcome::Created(_)), "{outcome:?}");
    proof(connector, &session, &post, &attempt, &steps).await;
    assert_eq!(world.ledger().await.len(), 1);
}

#[tokio::test]
async fn after_its_deadline_nothing_is_sent_on_any_network() {
    let world = World::start().await;
    for platform in Connectors::SUPPORTED {
        let session = world.connect(platform, "late").await;
        let connector = world.connector(platform);
        let post = video(&world, "busy");
        let steps = prepare(connector, &session, &post).await.unwrap();
        let deadline = tokio::time::Instant::now();
        let context = connectors::SendContext { part: 0, steps: &steps, deadline };
        let outcome = connector.send(&session, &post, context).await;
        assert!(matches!(outcome, SendOutcome::NotSent { .. }), "{platform}: {outcome:?}");
    }
    assert!(world.ledger().await.is_empty());
}
