//! No token, secret or address with one in it comes back in an error.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use connectors::{
    AccountProfile, Connectors, ConnectorsConfig, Credentials, PageRequest, PostMedia, SendContext, Session,
};
use domain::platform::MediaKind;
use domain::publishing::{Attempt, Step};
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::world::post;

const TOKEN: &str = "1234567:SEEDEDTOKENxSEEDEDTOKENxSEEDEDTOKEN";

fn session() -> Session {
    let token = || SecretString::from(TOKEN);
    Session {
        account_id: Uuid::nil(),
        profile: AccountProfile { external_id: "17".into(), handle: "h".into(), avatar_url: None },
        credentials: Credentials {
            access: token(),
            refresh: Some(token()),
            expires_at: None,
            refresh_expires_at: None,
        },
        settings: BTreeMap::from([("privacy_level".to_owned(), "SELF_ONLY".to_owned())]),
    }
}

/// Every way of failing on every network, as text.
async fn all_errors(base: &Url) -> Vec<String> {
    let mut config = ConnectorsConfig::sandbox(base);
    config.instagram.client_secret = SecretString::from(TOKEN);
    config.tiktok.client_secret = SecretString::from(TOKEN);
    let mut seen = vec![format!("{config:?}")];
    let connectors = Connectors::new(config);
    let session = session();
    let callback: Url = format!("https://reelmill.test/?code={TOKEN}").parse().unwrap();
    let steps = ["container", "upload"].map(|name| Step {
        part: 0,
        name: name.into(),
        input_hash: String::new(),
        remote_id: "1".into(),
        expires_at: None,
        data: json!({ "upload_url": format!("{base}upload?token={TOKEN}") }),
    });
    let media = PostMedia {
        kind: MediaKind::Video,
        public_url: base.join(TOKEN).unwrap(),
        read_url: base.join(TOKEN).unwrap(),
        content_type: "video/mp4".into(),
        bytes: 10,
        width: 1,
        height: 1,
        duration_ms: Some(1),
        sha256: String::new(),
    };
    let text_only = post("text", Vec::new());
    let post = post("text", vec![media]);
    let attempt = Attempt {
        id: Uuid::nil(),
        part: 0,
        handle: Some("1".into()),
        started_at: chrono::Utc::now(),
        send_deadline: chrono::Utc::now(),
        outcome: None,
    };
    let mut note = |text: String| seen.push(text);
    for platform in Connectors::SUPPORTED {
        let connector = connectors.get(platform).unwrap();
        let error = connector.connect(&callback, &callback).await.unwrap_err();
        note(format!("{error} {error:?}"));
        let error = connector.connect_with_credentials(SecretString::from(TOKEN), "@x").await.unwrap_err();
        note(format!("{error} {error:?}"));
        note(format!("{:?}", connector.refresh(&session).await));
        note(format!("{:?}", connector.disconnect(&session).await));
        let error = connector.check(&session).await.unwrap_err();
        note(format!("{error} {error:?}"));
        note(format!("{:?}", connector.list_media(&session, &PageRequest::default()).await));
        note(format!("{:?}", connector.found_media(&session, "1").await));
        for plan in connector.steps(&post, &session) {
            note(format!("{:?}", connector.prepare(&session, &post, &plan, &[], None).await));
        }
        for post in [&post, &text_only] {
            let deadline = Instant::now() + std::time::Duration::from_secs(5);
            let context = SendContext { part: 0, steps: &steps, deadline };
            note(format!("{:?}", connector.send(&session, post, context).await));
        }
        note(format!("{:?}", connector.look_up(&session, &post, &attempt, &[]).await));
        note(format!("{connector:?} {session:?}"));
    }
    seen
}

#[tokio::test]
async fn no_error_holds_a_secret() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    // Says everything back that it was told, with every status.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let parrot = listener.local_addr().unwrap();
    let echo = |request: axum::extract::Request| async move {
        let line = format!("{} {:?}", request.uri(), request.headers());
        let status = [200, 302, 400, 401, 403, 404, 429, 500][line.len() % 8];
        let body = json!({ "error": { "code": line, "message": line }, "description": line });
        (axum::http::StatusCode::from_u16(status).unwrap(), [("location", line.clone())], axum::Json(body))
    };
    let app = axum::Router::new().fallback(echo);
    tokio::spawn(async move { axum::serve(listener, app).await });
    for address in [closed, parrot] {
        let base: Url = format!("http://{address}/").parse().unwrap();
        for text in all_errors(&base).await {
            assert!(!text.contains("SEEDEDTOKEN"), "{text}");
        }
    }
}
