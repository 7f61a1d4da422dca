//! Connecting, checking, refreshing and disconnecting.

use connectors::{Connectors, ErrorKind};
use domain::platform::Platform;
use domain::problem::Remedy;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn an_account_is_connected_checked_refreshed_and_disconnected_on_every_network() {
    let world = World::start().await;
    for platform in Connectors::SUPPORTED {
        let connector = world.connector(platform);
        assert_eq!(connector.platform(), platform);
        let mut session = world.connect(platform, "maker").await;
        let checked = connector.check(&session).await.unwrap();
        assert_eq!(checked.profile.external_id, session.profile.external_id, "{platform}");
        assert!(checked.profile.handle.contains("maker"), "{platform}: {}", checked.profile.handle);
        let keys = |specs: &[connectors::SettingSpec]| specs.iter().map(|spec| spec.key).collect::<Vec<_>>();
        assert_eq!(keys(&checked.settings), keys(&connector.settings()), "{platform}");

        // Instagram refreshes no token of the first day.
        world.control("sandbox/clock", json!({ "advanceMs": 25 * 3_600_000 })).await;
        let refreshed = connector.refresh(&session).await.unwrap();
        session.credentials = refreshed;
        connector.check(&session).await.unwrap();
        connector.disconnect(&session).await.unwrap();
    }
}

#[tokio::test]
async fn tiktok_tells_what_the_account_may_and_rotates_refresh_tokens() {
    let world = World::start().await;
    let connector = world.connector(Platform::Tiktok);
    let options = json!({
        "platform": "tiktok", "handle": "shy", "privacyOptions": ["SELF_ONLY"], "maxDurationSec": 60,
    });
    world.control("sandbox/accounts", options).await;
    let mut session = world.connect(Platform::Tiktok, "shy").await;
    let checked = connector.check(&session).await.unwrap();
    assert!(checked.settings[0].required);
    assert_eq!(checked.settings[0].choices, Some(vec!["SELF_ONLY".to_owned()]));
    assert_eq!(checked.overrides.max_duration_ms, Some(60_000));

    let refreshed = connector.refresh(&session).await.unwrap();
    let kept = session.credentials.refresh.as_ref().unwrap();
    assert_ne!(refreshed.refresh.as_ref().unwrap().expose_secret(), kept.expose_secret());
    // The old one is used up: an answer of the invalid-grant class.
    let error = connector.refresh(&session).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Reauthorize(_)), "{error}");

    // An access token that only ran out is no reason to disconnect anything.
    session.credentials = refreshed;
    world.control("sandbox/clock", json!({ "advanceMs": 3 * 3_600_000 })).await;
    let error = connector.check(&session).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::TokenExpired), "{error}");
    session.credentials = connector.refresh(&session).await.unwrap();
    connector.check(&session).await.unwrap();
}

#[tokio::test]
async fn a_refresh_that_only_breaks_disconnects_nothing() {
    let world = World::start().await;
    for platform in [Platform::Instagram, Platform::Tiktok] {
        let session = world.connect(platform, "steady").await;
        let connector = world.connector(platform);
        for fault in ["drop_before", "500_before", "503_html"] {
            world.fault(platform, "refresh", fault).await;
            let error = connector.refresh(&session).await.unwrap_err();
            assert!(matches!(error.kind, ErrorKind::Transient(_)), "{platform} {fault}: {error}");
        }
    }
}

#[tokio::test]
async fn a_revoked_token_asks_for_a_person() {
    let world = World::start().await;
    for platform in Connectors::SUPPORTED {
        let session = world.connect(platform, "gone").await;
        let connector = world.connector(platform);
        let path = format!("sandbox/accounts/{}/revoke", session.profile.external_id);
        world.control(&path, json!({})).await;
        let mut error = connector.check(&session).await.unwrap_err();
        if matches!(error.kind, ErrorKind::TokenExpired) {
            error = connector.refresh(&session).await.unwrap_err();
        }
        let ErrorKind::Reauthorize(problem) = error.kind else { panic!("{platform}: {error}") };
        assert_eq!(problem.remedy, Remedy::Reconnect, "{platform}: {problem:?}");
        assert!(problem.code.starts_with(platform.as_str()), "{problem:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_cancelled_or_used_twice_connects_nothing() {
    let world = World::start().await;
    for platform in [Platform::Instagram, Platform::Tiktok] {
        let connector = world.connector(platform);
        let (callback, redirect) = world.consent(platform, "hesitant", "no").await;
        let error = connector.connect(&callback, &redirect).await.unwrap_err();
        let ErrorKind::Permanent(problem) = error.kind else { panic!("{platform}: {error}") };
        assert_eq!(problem.code, format!("{platform}.access_denied"));

        let (callback, redirect) = world.consent(platform, "hesitant", "yes").await;
        connector.connect(&callback, &redirect).await.unwrap();
        let error = connector.connect(&callback, &redirect).await.unwrap_err();
        let ErrorKind::Permanent(problem) = error.kind else { panic!("{platform}: {error}") };
        assert_eq!(problem.code, format!("{platform}.code_refused"));
    }
}

#[tokio::test]
async fn telegram_wants_a_real_token_and_a_bot_that_may_post() {
    let world = World::start().await;
    let connector = world.connector(Platform::Telegram);
    let wanted = json!({ "platform": "telegram", "handle": "silent", "canPost": false });
    let account = world.control("sandbox/accounts", wanted).await;
    let token = account["botToken"].as_str().unwrap();
    let cases = [
        ("not a token", "@silent", "telegram.token_malformed"),
        ("1:../../AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "@silent", "telegram.token_malformed"),
        ("12345:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "@silent", "telegram.token_refused"),
        (token, "@nobody_is_here", "telegram.chat_not_found"),
        (token, "@silent", "telegram.not_enough_rights"),
    ];
    for (token, place, code) in cases {
        let error = connector.connect_with_credentials(SecretString::from(token), place).await.unwrap_err();
        let (ErrorKind::Permanent(problem) | ErrorKind::Reauthorize(problem)) = error.kind else {
            panic!("{code}: {error}")
        };
        assert_eq!((problem.code.as_str(), problem.remedy), (code, Remedy::Reconnect));
    }
}
