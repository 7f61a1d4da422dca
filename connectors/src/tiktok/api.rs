//! Calls of the Content Posting API that may be repeated.

use domain::platform::Platform;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::refusal;
use crate::config::below;
use crate::error::ConnectorError;
use crate::http::Http;

/// Every answer, good or bad.
#[derive(Deserialize)]
struct Envelope<T> {
    data: Option<T>,
    error: ApiError,
}

#[derive(Deserialize)]
struct ApiError {
    code: String,
}

/// Who posts, and what they may choose. To be asked before every post.
#[derive(Deserialize)]
pub(super) struct Creator {
    pub(super) creator_avatar_url: Option<String>,
    pub(super) creator_username: String,
    pub(super) privacy_level_options: Vec<String>,
    #[serde(default)]
    pub(super) comment_disabled: bool,
    #[serde(default)]
    pub(super) duet_disabled: bool,
    #[serde(default)]
    pub(super) stitch_disabled: bool,
    /// s.
    max_video_post_duration_sec: Option<u64>,
}

impl Creator {
    /// The longest video that the account may post, ms. Zero says nothing that could be acted upon.
    pub(super) fn longest_ms(&self) -> Option<u64> {
        self.max_video_post_duration_sec
            .filter(|seconds| *seconds > 0)
            .map(|seconds| seconds.saturating_mul(1000))
    }
}

/// A new upload session.
#[derive(Deserialize)]
pub(super) struct Session {
    pub(super) publish_id: String,
    pub(super) upload_url: Url,
}

/// How far a publish id is.
#[derive(Deserialize)]
pub(super) struct Status {
    pub(super) status: String,
    #[serde(default)]
    pub(super) fail_reason: Option<String>,
    #[serde(default)]
    pub(super) uploaded_bytes: Option<u64>,
    /// Sic. Only once the post is public and moderated.
    #[serde(default)]
    publicaly_available_post_id: Vec<Value>,
}

impl Status {
    pub(super) fn post_id(&self) -> Option<String> {
        match self.publicaly_available_post_id.first()? {
            Value::String(id) => Some(id.clone()),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        }
    }
}

/// The API as one account sees it.
pub(super) struct Api<'a> {
    pub(super) base: &'a Url,
    pub(super) http: &'a Http,
    pub(super) token: &'a SecretString,
}

impl Api<'_> {
    pub(super) async fn creator(&self) -> Result<Creator, ConnectorError> {
        self.call("creator_info", &["creator_info", "query", ""], &json!({})).await
    }

    pub(super) async fn init(&self, body: &Value) -> Result<Session, ConnectorError> {
        self.call("init", &["video", "init", ""], body).await
    }

    pub(super) async fn status(&self, publish_id: &str) -> Result<Status, ConnectorError> {
        self.call("status", &["status", "fetch", ""], &json!({ "publish_id": publish_id })).await
    }

    /// The empty last segment is the slash that TikTok's paths end in.
    async fn call<T: DeserializeOwned>(
        &self,
        step: &'static str,
        path: &[&str],
        body: &Value,
    ) -> Result<T, ConnectorError> {
        let url = below(&below(self.base, &["v2", "post", "publish"]), path);
        let answer = self.http.post_json(url, self.token, body).await;
        let answer = answer.map_err(|broken| ConnectorError::broken(Platform::Tiktok, step, &broken))?;
        if answer.is_success()
            && let Some(Envelope { data: Some(data), error }) = answer.json::<Envelope<T>>()
            && error.code == "ok"
        {
            return Ok(data);
        }
        let code = answer.json::<Envelope<Value>>().map_or(String::new(), |envelope| envelope.error.code);
        Err(ConnectorError::new(Platform::Tiktok, step, refusal::kind(&answer, &code)))
    }
}
