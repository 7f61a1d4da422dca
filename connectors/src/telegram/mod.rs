//! Telegram channels and groups, through a bot that is their administrator (Bot API 10.1).
//!
//! One atomic request makes a post, and nothing can be asked afterwards: there is no handle and no
//! look-up, so a lost answer waits for a person.

mod api;
mod message;
mod refusal;
mod text;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use domain::profile::Overrides;
use domain::publishing::{Attempt, Evidence, Proof, SendOutcome, SendingRules, Step, StepPlan};
use hyper::Method;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::answer::Answer;
use crate::config::TelegramConfig;
use crate::connector::{
    Budget, Checked, Connected, Connector, Credentials, FoundMedia, MediaPage, PageRequest, Post, Prepared,
    SendContext, Session, SettingSpec,
};
use crate::error::{ConnectorError, broken_send, media_unreadable};
use crate::registry::Clients;
use crate::wire::Outgoing;

use self::api::{Bot, Message};
use self::refusal::{Refusal, refusal};

/// The connector.
#[derive(Debug)]
pub(crate) struct Telegram {
    config: TelegramConfig,
    clients: Clients,
}

impl Telegram {
    pub(crate) const fn new(config: TelegramConfig, clients: Clients) -> Self {
        Self { config, clients }
    }

    const fn bot<'a>(&'a self, token: &'a SecretString) -> Bot<'a> {
        Bot { base: &self.config.api, token }
    }

    async fn request(
        &self,
        chat: &str,
        post: &Post,
        context: &SendContext<'_>,
    ) -> Result<message::Prepared, SendOutcome> {
        let texts = text::parts(post);
        // A part that the split no longer has would be a frozen post that changed: never happens
        // with one version, and an empty text is refused by Telegram by name.
        let text = texts.get(usize::from(context.part)).map_or("", String::as_str);
        if context.part == 0 && !post.media.is_empty() {
            return message::media(&self.clients.read, chat, post, text)
                .await
                .map_err(|_| media_unreadable());
        }
        let first = context.steps.iter().find(|step| step.part == 0 && step.name == "sent");
        Ok(message::text(chat, text, first.and_then(|step| step.remote_id.parse().ok())))
    }
}

#[async_trait]
impl Connector for Telegram {
    fn platform(&self) -> Platform {
        Platform::Telegram
    }

    /// A minute, and the files at 256 kB/s: an upload that the deadline cuts off leaves a question
    /// that only a person can answer, so a slow line gets its time.
    fn sending_rules(&self, post: &Post) -> SendingRules {
        let bytes: u64 = post.media.iter().map(|media| media.bytes).sum();
        let uploading = i64::try_from(bytes / 256_000).unwrap_or(i64::MAX).min(3600);
        SendingRules {
            lead: Duration::zero(),
            send_timeout: Duration::seconds(60 + uploading),
            settle: Duration::zero(),
            can_look_up: false,
            single_use_handle: false,
        }
    }

    fn parts(&self, post: &Post) -> u16 {
        u16::try_from(text::parts(post).len()).unwrap_or(u16::MAX)
    }

    fn steps(&self, _: &Post, _: &Session) -> Vec<StepPlan> {
        Vec::new()
    }

    /// About 1 message/s and 20/min in a chat, 30/s of a bot; an album of n counts as n
    /// (core.telegram.org/bots/faq, 2026-11-20). Burst and rate together stay below each within
    /// any window: 5 + 15 in a minute, 5 + 25 in a second.
    fn budgets(&self, post: &Post, session: &Session, part: u16) -> Vec<Budget> {
        let cost = if part == 0 { u32::try_from(post.media.len().max(1)).unwrap_or(u32::MAX) } else { 1 };
        let chat = &session.profile.external_id;
        let bot = session.credentials.access.expose_secret().split_once(':').map_or("", |(id, _)| id);
        let budget = |key, every, burst| Budget { key, every, burst, cost };
        vec![
            budget(format!("telegram/chat/{chat}/second"), Duration::seconds(1), 1),
            budget(format!("telegram/chat/{chat}"), Duration::seconds(4), 5),
            budget(format!("telegram/bot/{bot}"), Duration::milliseconds(40), 5),
        ]
    }

    fn settings(&self) -> Vec<SettingSpec> {
        Vec::new()
    }

    fn authorize_url(&self, _: &str, _: &Url) -> Option<Url> {
        None
    }

    async fn connect(&self, _: &Url, _: &Url) -> Result<Vec<Connected>, ConnectorError> {
        Err(ConnectorError::unsupported(Platform::Telegram, "connect"))
    }

    async fn connect_with_credentials(
        &self,
        secret: SecretString,
        place: &str,
    ) -> Result<Connected, ConnectorError> {
        let secret = SecretString::from(secret.expose_secret().trim());
        let profile = self.bot(&secret).check(&self.clients.read, place.trim()).await?;
        let credentials =
            Credentials { access: secret, refresh: None, expires_at: None, refresh_expires_at: None };
        Ok(Connected { profile, credentials })
    }

    /// Bot tokens do not expire.
    async fn refresh(&self, session: &Session) -> Result<Credentials, ConnectorError> {
        Ok(session.credentials.clone())
    }

    /// Nothing is registered at Telegram, and only @BotFather revokes a token: forgetting it is all.
    async fn disconnect(&self, _: &Session) -> Result<(), ConnectorError> {
        Ok(())
    }

    async fn check(&self, session: &Session) -> Result<Checked, ConnectorError> {
        let bot = self.bot(&session.credentials.access);
        let profile = bot.check(&self.clients.read, &session.profile.external_id).await?;
        Ok(Checked { profile, settings: self.settings(), overrides: Overrides::default() })
    }

    fn refresh_at(&self, _: &Credentials, _: DateTime<Utc>) -> Option<DateTime<Utc>> {
        None
    }

    fn ingests(&self) -> bool {
        false
    }

    async fn list_media(&self, _: &Session, _: &PageRequest) -> Result<MediaPage, ConnectorError> {
        Err(ConnectorError::unsupported(Platform::Telegram, "list_media"))
    }

    async fn found_media(&self, _: &Session, _: &str) -> Result<FoundMedia, ConnectorError> {
        Err(ConnectorError::unsupported(Platform::Telegram, "found_media"))
    }

    async fn prepare(
        &self,
        _: &Session,
        _: &Post,
        _: &StepPlan,
        _: &[Step],
        _: Option<&Step>,
    ) -> Result<Prepared, ConnectorError> {
        Err(ConnectorError::unsupported(Platform::Telegram, "prepare"))
    }

    fn handle(&self, _: u16, _: &[Step]) -> Option<String> {
        None
    }

    async fn send(&self, session: &Session, post: &Post, context: SendContext<'_>) -> SendOutcome {
        let request = match self.request(&session.profile.external_id, post, &context).await {
            Ok(request) => request,
            Err(outcome) => return outcome,
        };
        let url = self.bot(&session.credentials.access).method(request.method);
        let outgoing = Outgoing { method: Method::POST, url, headers: request.headers, body: request.body };
        match self.clients.send.send(outgoing, context.deadline).await {
            Ok(answer) => outcome(&answer),
            Err(broken) => broken_send(Platform::Telegram, &broken),
        }
    }

    async fn look_up(&self, _: &Session, _: &Post, _: &Attempt, _: &[Step]) -> Evidence {
        Evidence::Nothing { seen: "Telegram cannot be asked".into() }
    }
}

fn outcome(answer: &Answer) -> SendOutcome {
    if let Some(album) = api::success::<Vec<Message>>(answer) {
        return match album.first() {
            Some(first) => SendOutcome::Created(proof(first)),
            None => SendOutcome::Unknown { seen: "Telegram answered with an empty album".into() },
        };
    }
    if let Some(message) = api::success::<Message>(answer) {
        return SendOutcome::Created(proof(&message));
    }
    match refusal(answer) {
        Some(Refusal::Throttled(until)) => SendOutcome::RefusedForNow { until, problem: throttled() },
        Some(Refusal::Account(problem)) => SendOutcome::AccountRefused(problem),
        Some(Refusal::Post(problem)) => SendOutcome::Refused(problem),
        None => SendOutcome::Unknown { seen: format!("Telegram answered with HTTP {}", answer.status) },
    }
}

/// Id and address of a message. Id 0 means that Telegram still works on a heavy video.
fn proof(message: &Message) -> Proof {
    let (id, chat) = (message.message_id, &message.chat);
    let seen = format!("Telegram made message {id} in chat {}", chat.id);
    if id == 0 {
        return Proof { seen, remote_id: None, url: None };
    }
    let url = match &chat.username {
        Some(name) => Some(format!("https://t.me/{name}/{id}")),
        None => chat.id.to_string().strip_prefix("-100").map(|inner| format!("https://t.me/c/{inner}/{id}")),
    };
    Proof { seen, remote_id: Some(id.to_string()), url }
}

fn throttled() -> Problem {
    Problem::new(
        "telegram.throttled",
        "Telegram asked to wait. It goes out by itself when the wait is over.",
        Remedy::Wait,
    )
}
