//! Calls of the Bot API that read. The token is part of every URL, so no URL leaves this module's
//! callers in an error or a log.

use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::refusal::{Refusal, refusal};
use crate::answer::Answer;
use crate::config::below;
use crate::connector::AccountProfile;
use crate::error::{ConnectorError, ErrorKind};
use crate::http::Http;

/// A success.
#[derive(Deserialize)]
struct Success<T> {
    ok: bool,
    result: T,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: i64,
}

#[derive(Deserialize)]
pub(super) struct Chat {
    pub(super) id: i64,
    #[serde(default)]
    r#type: String,
    pub(super) username: Option<String>,
    title: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) message_id: i64,
    pub(super) chat: Chat,
}

#[derive(Deserialize)]
struct Member {
    status: String,
    can_post_messages: Option<bool>,
}

/// A bot, as its token makes it.
pub(super) struct Bot<'a> {
    pub(super) base: &'a Url,
    pub(super) token: &'a SecretString,
}

impl Bot<'_> {
    /// The address of a method, token included.
    pub(super) fn method(&self, method: &str) -> Url {
        below(self.base, &[&format!("bot{}", self.token.expose_secret()), method])
    }

    /// Who may post where: the bot must be an administrator that may post.
    pub(super) async fn check(&self, http: &Http, place: &str) -> Result<AccountProfile, ConnectorError> {
        if !is_token(self.token.expose_secret()) {
            return Err(permanent(
                "connect",
                "token_malformed",
                "This is not a bot token. Copy it whole from @BotFather: digits, a colon, and 35 characters.",
            ));
        }
        let bot: User = self.call(http, "getMe", &[]).await?;
        let chat: Chat = self.call(http, "getChat", &[("chat_id", place)]).await?;
        let (chat_id, user_id) = (chat.id.to_string(), bot.id.to_string());
        let asked = [("chat_id", chat_id.as_str()), ("user_id", user_id.as_str())];
        let member: Member = self.call(http, "getChatMember", &asked).await?;
        let administers = matches!(member.status.as_str(), "administrator" | "creator");
        if !administers || (chat.r#type == "channel" && member.can_post_messages != Some(true)) {
            return Err(permanent(
                "connect",
                "not_enough_rights",
                "The bot may not post there. Make it an administrator that may post messages, then connect again.",
            ));
        }
        let handle = chat.username.or(chat.title).unwrap_or_else(|| chat_id.clone());
        Ok(AccountProfile { external_id: chat_id, handle, avatar_url: None })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        http: &Http,
        method: &'static str,
        form: &[(&str, &str)],
    ) -> Result<T, ConnectorError> {
        let answer = http.post_form(self.method(method), form).await;
        let answer = answer.map_err(|broken| ConnectorError::broken(Platform::Telegram, method, &broken))?;
        if let Some(result) = success(&answer) {
            return Ok(result);
        }
        Err(match refusal(&answer) {
            Some(Refusal::Throttled(until)) => error(method, ErrorKind::Throttled(until)),
            Some(Refusal::Account(problem)) => error(method, ErrorKind::Reauthorize(problem)),
            Some(Refusal::Post(problem)) => error(method, ErrorKind::Permanent(problem)),
            None => ConnectorError::unexpected(Platform::Telegram, method, answer.status),
        })
    }
}

/// The result of a call that succeeded; `None` for every other answer.
pub(super) fn success<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    let success: Success<T> = answer.is_success().then(|| answer.json()).flatten()?;
    success.ok.then_some(success.result)
}

/// `<bot id>:<secret>`, as @BotFather hands it out. Anything else could change the URL's path.
pub(super) fn is_token(token: &str) -> bool {
    token.split_once(':').is_some_and(|(id, secret)| {
        !id.is_empty()
            && id.len() <= 20
            && id.bytes().all(|b| b.is_ascii_digit())
            && (20..=100).contains(&secret.len())
            && secret.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    })
}

const fn error(step: &'static str, kind: ErrorKind) -> ConnectorError {
    ConnectorError::new(Platform::Telegram, step, kind)
}

fn permanent(step: &'static str, code: &str, message: &str) -> ConnectorError {
    let problem = Problem::new(format!("telegram.{code}"), message, Remedy::Reconnect);
    error(step, ErrorKind::Permanent(problem))
}
