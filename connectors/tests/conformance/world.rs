//! One sandbox, one file server, the connectors, and a worker's part of publishing.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use connectors::{
    Connected, Connector, Connectors, ConnectorsConfig, ErrorKind, Post, PostMedia, Prepared, SendContext,
    Session,
};
use domain::platform::{MediaKind, Placement, Platform};
use domain::publishing::{Attempt, Evidence, Proof, SendOutcome, Step};
use reqwest::multipart::{Form, Part};
use sandbox::{RunningSandbox, Sandbox, SandboxConfig};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::files;

pub struct World {
    pub sandbox: RunningSandbox,
    pub connectors: Connectors,
    files: Url,
    http: reqwest::Client,
    _state: TempDir,
}

impl World {
    pub async fn start() -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut config = SandboxConfig::new(state.path().to_owned(), "127.0.0.1:0".parse().unwrap());
        config.processing = Duration::from_millis(300);
        config.moderation = Duration::from_millis(300);
        let sandbox = Sandbox::start(config).await.unwrap();
        // The connectors bring their own TLS; nobody else here speaks any, but the client wants one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = Self {
            connectors: Connectors::new(ConnectorsConfig::sandbox(&sandbox.url)),
            sandbox,
            files: files::serve().await,
            http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
            _state: state,
        };
        // Quotas are a budget's affair; these stories publish faster than any network allows.
        for platform in Connectors::SUPPORTED {
            world.control("sandbox/limits", json!({ "platform": platform, "lifted": true })).await;
        }
        world
    }

    pub fn connector(&self, platform: Platform) -> &dyn Connector {
        self.connectors.get(platform).unwrap()
    }

    pub fn media(&self, name: &str) -> PostMedia {
        files::media(&self.files, name)
    }

    /// A call of the sandbox's control API.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(self.sandbox.url.join(path).unwrap()).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }

    pub async fn fault(&self, platform: Platform, step: &str, fault: &str) {
        self.control("sandbox/faults", json!({ "platform": platform, "step": step, "fault": fault })).await;
    }

    /// Every post that the networks made.
    pub async fn ledger(&self) -> Vec<Value> {
        let answer = self.http.get(self.sandbox.url.join("sandbox/ledger").unwrap()).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["posts"].as_array().unwrap().clone()
    }

    /// A post that the account makes by hand.
    pub async fn post_by_hand(&self, account: &str, kind: &str, caption: &str, at: &str, names: &[&str]) {
        let mut form = Form::new().text("kind", kind.to_owned()).text("caption", caption.to_owned());
        form = form.text("timestamp", at.to_owned());
        for name in names {
            let bytes = std::fs::read(files::path(name)).unwrap();
            form = form.part("file", Part::bytes(bytes).file_name((*name).to_owned()));
        }
        let url = self.sandbox.url.join(&format!("sandbox/accounts/{account}/media")).unwrap();
        let answer = self.http.post(url).multipart(form).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Where the consent page sends the person back to.
    pub async fn consent(&self, platform: Platform, login: &str, consent: &str) -> (Url, Url) {
        let redirect: Url = "https://reelmill.test/oauth/callback".parse().unwrap();
        let mut url = self.connector(platform).authorize_url("the-state", &redirect).unwrap();
        url.query_pairs_mut().append_pair("login", login).append_pair("consent", consent);
        let answer = self.http.get(url).send().await.unwrap();
        assert!(answer.status().is_redirection(), "{}", answer.text().await.unwrap());
        let callback: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        (callback, redirect)
    }

    /// A connected account, by whichever way its network has.
    pub async fn connect(&self, platform: Platform, handle: &str) -> Session {
        let account =
            self.control("sandbox/accounts", json!({ "platform": platform, "handle": handle })).await;
        let connector = self.connector(platform);
        let connected = if platform == Platform::Telegram {
            let token = SecretString::from(account["botToken"].as_str().unwrap());
            connector.connect_with_credentials(token, account["chat"].as_str().unwrap()).await.unwrap()
        } else {
            let (callback, redirect) = self.consent(platform, handle, "yes").await;
            connector.connect(&callback, &redirect).await.unwrap().remove(0)
        };
        assert_eq!(connected.profile.external_id, account["externalId"].as_str().unwrap());
        session(platform, connected)
    }
}

fn session(platform: Platform, connected: Connected) -> Session {
    let mut settings = BTreeMap::new();
    if platform == Platform::Tiktok {
        settings.insert("privacy_level".to_owned(), "PUBLIC_TO_EVERYONE".to_owned());
    }
    Session {
        account_id: Uuid::now_v7(),
        profile: connected.profile,
        credentials: connected.credentials,
        settings,
    }
}

pub fn post(text: &str, media: Vec<PostMedia>) -> Post {
    let kind = if let [only] = media.as_slice() { only.kind } else { MediaKind::Carousel };
    Post {
        target_id: Uuid::now_v7(),
        placement: if kind == MediaKind::Video { Placement::Reel } else { Placement::Feed },
        kind,
        title: None,
        text: text.to_owned(),
        media,
    }
}

/// Does every step until the part can be sent, as a worker would, with what it stored so far.
pub async fn prepare(
    connector: &dyn Connector,
    session: &Session,
    post: &Post,
) -> Result<Vec<Step>, ErrorKind> {
    let mut done = Vec::new();
    let give_up = Instant::now() + Duration::from_secs(30);
    for plan in connector.steps(post, session) {
        let mut begun = None;
        loop {
            assert!(Instant::now() < give_up, "{} never gets done", plan.name);
            let prepared = connector.prepare(session, post, &plan, &done, begun.as_ref()).await;
            match prepared.map_err(|error| error.kind)? {
                Prepared::Done(step) => break done.push(step),
                Prepared::NotYet { poll_at, step } => {
                    begun = step.or(begun);
                    tokio::time::sleep((poll_at - Utc::now()).to_std().unwrap_or_default()).await;
                }
            }
        }
    }
    Ok(done)
}

/// One attempt at a part, and how it ended.
pub async fn send(
    connector: &dyn Connector,
    session: &Session,
    post: &Post,
    part: u16,
    steps: &[Step],
) -> (Attempt, SendOutcome) {
    let timeout = connector.sending_rules(post).send_timeout;
    let attempt = Attempt {
        id: Uuid::now_v7(),
        part,
        handle: connector.handle(part, steps),
        started_at: Utc::now(),
        send_deadline: Utc::now() + timeout,
        outcome: None,
    };
    let deadline = Instant::now() + timeout.to_std().unwrap();
    let outcome = connector.send(session, post, SendContext { part, steps, deadline }).await;
    (attempt, outcome)
}

/// Looks an attempt up until the network shows the whole proof.
pub async fn proof(
    connector: &dyn Connector,
    session: &Session,
    post: &Post,
    attempt: &Attempt,
    steps: &[Step],
) -> Proof {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        let evidence = connector.look_up(session, post, attempt, steps).await;
        match evidence {
            Evidence::Live(proof) if proof.url.is_some() => return proof,
            Evidence::Live(_) | Evidence::Pending { .. } | Evidence::NotThere => {}
            other => panic!("{other:?}"),
        }
        assert!(Instant::now() < give_up, "no proof: {evidence:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
