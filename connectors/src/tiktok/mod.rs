//! TikTok Content Posting API: videos by FILE_UPLOAD, which gives a publish id before a post exists.

mod account;
mod api;
mod chunk;
mod options;
mod refusal;
mod upload;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use domain::profile::Overrides;
use domain::publishing::{Attempt, Evidence, Proof, SendOutcome, SendingRules, Step, StepPlan};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use url::Url;

use crate::config::TiktokConfig;
use crate::connector::{
    Budget, Checked, Connected, Connector, Credentials, FoundMedia, MediaPage, PageRequest, Post, Prepared,
    SendContext, Session, SettingSpec,
};
use crate::error::ConnectorError;
use crate::oauth;
use crate::registry::Clients;

use self::api::{Api, Status};
use self::chunk::Chunks;
use self::upload::UPLOAD;

/// The connector.
#[derive(Debug)]
pub(crate) struct Tiktok {
    config: TiktokConfig,
    clients: Clients,
}

impl Tiktok {
    pub(crate) const fn new(config: TiktokConfig, clients: Clients) -> Self {
        Self { config, clients }
    }

    const fn api<'a>(&'a self, session: &'a Session) -> Api<'a> {
        Api { base: &self.config.open, http: &self.clients.read, token: &session.credentials.access }
    }
}

#[async_trait]
impl Connector for Tiktok {
    fn platform(&self) -> Platform {
        Platform::Tiktok
    }

    /// The lead leaves time to upload at 1 MB/s; a session lives for an hour.
    fn sending_rules(&self, post: &Post) -> SendingRules {
        let bytes = options::video(post).map_or(0, |media| media.bytes);
        let uploading = i64::try_from(bytes / 1_000_000).unwrap_or(i64::MAX).min(28 * 60);
        let timeout = upload::chunk_timeout(&Chunks::of(bytes).last()).as_secs();
        SendingRules {
            lead: Duration::minutes(2) + Duration::seconds(uploading),
            send_timeout: Duration::seconds(i64::try_from(timeout).unwrap_or(i64::MAX)),
            settle: Duration::seconds(60),
            can_look_up: true,
            single_use_handle: true,
        }
    }

    fn parts(&self, _: &Post) -> u16 {
        1
    }

    fn steps(&self, post: &Post, session: &Session) -> Vec<StepPlan> {
        let mut hash = Sha256::new();
        let file = options::video(post).map_or("", |media| media.sha256.as_str());
        for input in [file, &options::chosen(session), &post.text] {
            hash.update(input.len().to_le_bytes());
            hash.update(input);
        }
        vec![StepPlan { part: 0, name: UPLOAD.into(), input_hash: hex::encode(hash.finalize()) }]
    }

    /// About 15 direct posts of a creator in 24 h, over all apps (PLATFORMS 5.7); TikTok's own
    /// count is obeyed when `init` says `spam_risk_too_many_posts`.
    fn budgets(&self, _: &Post, session: &Session, _: u16) -> Vec<Budget> {
        let key = format!("tiktok/post/{}", session.profile.external_id);
        vec![Budget { key, every: Duration::minutes(24 * 60 / 15), burst: 15, cost: 1 }]
    }

    fn settings(&self) -> Vec<SettingSpec> {
        options::settings(options::all_levels())
    }

    fn authorize_url(&self, state: &str, redirect_url: &Url) -> Option<Url> {
        Some(account::authorize_url(&self.config, state, redirect_url))
    }

    async fn connect(&self, callback: &Url, redirect_url: &Url) -> Result<Vec<Connected>, ConnectorError> {
        let connected = account::connect(&self.config, &self.clients.read, callback, redirect_url).await?;
        Ok(vec![connected])
    }

    async fn connect_with_credentials(&self, _: SecretString, _: &str) -> Result<Connected, ConnectorError> {
        Err(ConnectorError::unsupported(Platform::Tiktok, "connect"))
    }

    async fn refresh(&self, session: &Session) -> Result<Credentials, ConnectorError> {
        account::refresh(&self.config, &self.clients.read, &session.credentials).await
    }

    async fn disconnect(&self, session: &Session) -> Result<(), ConnectorError> {
        account::revoke(&self.config, &self.clients.read, &session.credentials.access).await
    }

    async fn check(&self, session: &Session) -> Result<Checked, ConnectorError> {
        let creator = self.api(session).creator().await?;
        Ok(Checked {
            settings: options::settings(creator.privacy_level_options.clone()),
            overrides: Overrides { max_duration_ms: creator.longest_ms(), tier: None },
            profile: account::profile(session.profile.external_id.clone(), creator),
        })
    }

    fn refresh_at(&self, credentials: &Credentials, issued_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        oauth::refresh_at(credentials, issued_at, Duration::zero())
    }

    fn ingests(&self) -> bool {
        false
    }

    async fn list_media(&self, _: &Session, _: &PageRequest) -> Result<MediaPage, ConnectorError> {
        Err(ConnectorError::unsupported(Platform::Tiktok, "list_media"))
    }

    async fn found_media(&self, _: &Session, _: &str) -> Result<FoundMedia, ConnectorError> {
        Err(ConnectorError::unsupported(Platform::Tiktok, "found_media"))
    }

    async fn prepare(
        &self,
        session: &Session,
        post: &Post,
        step: &StepPlan,
        _: &[Step],
        begun: Option<&Step>,
    ) -> Result<Prepared, ConnectorError> {
        upload::prepare(&self.api(session), &self.clients, session, post, step, begun).await
    }

    fn handle(&self, part: u16, steps: &[Step]) -> Option<String> {
        let upload = steps.iter().find(|step| step.part == part && step.name == UPLOAD)?;
        Some(upload.remote_id.clone())
    }

    async fn send(&self, _: &Session, post: &Post, context: SendContext<'_>) -> SendOutcome {
        let upload = context.steps.iter().find(|step| step.part == context.part && step.name == UPLOAD);
        let Some(upload) = upload else {
            let message = "The upload was not prepared, so nothing was sent. It is tried again.";
            return SendOutcome::NotSent {
                problem: Problem::new("tiktok.not_prepared", message, Remedy::Wait),
            };
        };
        upload::send(&self.clients, post, upload, context.deadline).await
    }

    async fn look_up(&self, session: &Session, post: &Post, attempt: &Attempt, _: &[Step]) -> Evidence {
        let Some(publish_id) = attempt.handle.as_deref() else {
            return Evidence::Nothing { seen: "the attempt has no publish id".into() };
        };
        match self.api(session).status(publish_id).await {
            Ok(status) => evidence(publish_id, &status, session, post),
            Err(error) => Evidence::Nothing { seen: error.to_string() },
        }
    }
}

fn evidence(publish_id: &str, status: &Status, session: &Session, post: &Post) -> Evidence {
    let total = options::video(post).map(|media| media.bytes);
    match status.status.as_str() {
        "PUBLISH_COMPLETE" => {
            let id = status.post_id();
            let handle = &session.profile.handle;
            Evidence::Live(Proof {
                seen: format!("{publish_id} is PUBLISH_COMPLETE"),
                url: id.as_ref().map(|id| format!("https://www.tiktok.com/@{handle}/video/{id}")),
                remote_id: id,
            })
        }
        "FAILED" => Evidence::Dead(refusal::failed(status.fail_reason.as_deref().unwrap_or(""))),
        "PROCESSING_UPLOAD" if status.uploaded_bytes.is_some() && status.uploaded_bytes < total => {
            Evidence::NotThere
        }
        "PROCESSING_UPLOAD" | "PROCESSING_DOWNLOAD" | "SEND_TO_USER_INBOX" => {
            Evidence::Pending { at: Utc::now() + Duration::seconds(5) }
        }
        other => Evidence::Nothing { seen: format!("{publish_id} is {other}") },
    }
}
