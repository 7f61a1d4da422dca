//! The simulated networks and their control API: accounts, faults, and the ledger that judges "exactly once".

use std::{net::Ipv4Addr, path::Path, time::Duration};

use reqwest::multipart::{Form, Part};
use sandbox::{RunningSandbox, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use url::Url;

/// One sandbox for one story.
pub struct Networks {
    pub url: Url,
    http: reqwest::Client,
    _running: RunningSandbox,
}

impl Networks {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(dir: &Path) -> Self {
        let mut config = SandboxConfig::new(dir.to_owned(), (Ipv4Addr::LOCALHOST, 0).into());
        config.processing = Duration::from_millis(300);
        config.moderation = Duration::from_millis(300);
        let running = Sandbox::start(config).await.unwrap();
        Self { url: running.url.clone(), http: http(), _running: running }
    }

    /// A call of the control API.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = self.url.join(&format!("sandbox/{path}")).unwrap();
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// An account there, with its credentials where the network has no OAuth.
    pub async fn account(&self, platform: &str, handle: &str) -> Value {
        let platform = platform.to_lowercase();
        self.control("accounts", json!({ "platform": platform, "handle": handle })).await
    }

    /// Orders a fault: `{"platform", "step", "fault", …}`.
    pub async fn fault(&self, order: Value) {
        self.control("faults", order).await;
    }

    /// Ends all faults that are still ordered.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn no_faults(&self) {
        self.http.delete(self.url.join("sandbox/faults").unwrap()).send().await.unwrap();
    }

    /// Faults with calls left.
    pub async fn faults_left(&self) -> usize {
        self.get("faults").await["faults"].as_array().map_or(0, Vec::len)
    }

    /// Turns the quotas of a network off.
    pub async fn lift_limits(&self, platform: &str) {
        self.control("limits", json!({ "platform": platform, "lifted": true })).await;
    }

    /// Every post that the networks made, oldest first.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn ledger(&self) -> Vec<Value> {
        self.get("ledger").await["posts"].as_array().unwrap().clone()
    }

    /// The posts of one account, without replies.
    pub async fn posts_of(&self, external_id: &str) -> Vec<Value> {
        let mut posts = self.ledger().await;
        posts.retain(|post| post["account"] == external_id && post["replyTo"].is_null());
        posts
    }

    /// The latest calls to a network.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn requests(&self, platform: &str) -> Vec<Value> {
        self.get(&format!("requests?platform={platform}")).await["requests"].as_array().unwrap().clone()
    }

    /// A file as a network received it.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn media(&self, media: &Value) -> Vec<u8> {
        let url = media["url"].as_str().unwrap();
        let answer = self.http.get(url).send().await.unwrap().error_for_status().unwrap();
        answer.bytes().await.unwrap().to_vec()
    }

    /// A post that a person makes by hand.
    ///
    /// # Panics
    /// When the network refuses it.
    pub async fn post_by_hand(&self, account: &str, kind: &str, caption: &str, at: &str, files: &[&Path]) {
        let mut form = Form::new().text("kind", kind.to_owned()).text("caption", caption.to_owned());
        form = form.text("timestamp", at.to_owned());
        for file in files {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            form = form.part("file", Part::bytes(std::fs::read(file).unwrap()).file_name(name));
        }
        let url = self.url.join(&format!("sandbox/accounts/{account}/media")).unwrap();
        let answer = self.http.post(url).multipart(form).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// Goes through a consent page as `handle`, and returns where it sends the person back to.
    ///
    /// # Panics
    /// When the page sends nobody back.
    pub async fn consent(&self, authorize_url: &str, handle: &str) -> String {
        let mut url: Url = authorize_url.parse().unwrap();
        url.query_pairs_mut().append_pair("login", handle).append_pair("consent", "yes");
        let answer = self.http.get(url).send().await.unwrap();
        assert!(answer.status().is_redirection(), "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn get(&self, path: &str) -> Value {
        let url = self.url.join(&format!("sandbox/{path}")).unwrap();
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

/// A client that follows no redirect and waits a minute at most.
///
/// # Panics
/// Never: the TLS library is installed before.
#[must_use]
pub fn http() -> reqwest::Client {
    let builder = reqwest::Client::builder().timeout(Duration::from_secs(60));
    builder.redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
}
