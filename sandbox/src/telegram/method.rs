//! The list of methods, and the way to them: bot, parameters, fault, answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use domain::platform::Platform;
use serde_json::{Value, json};

use crate::account::Bot;
use crate::app::App;
use crate::faults::{Site, guard};
use crate::telegram::error::BotError;
use crate::telegram::params::Params;
use crate::telegram::{album, bot_of_token, chat, remove, send};

/// What a method answers: the `result`.
pub type Answer = Result<Value, BotError>;

/// What a method knows of its call.
pub struct Call {
    pub app: Arc<App>,
    pub bot: Bot,
    pub params: Params,
}

/// The methods that the sandbox plays, of the many that there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    GetMe,
    GetChat,
    GetChatMember,
    SendMessage,
    SendPhoto,
    SendVideo,
    SendMediaGroup,
    DeleteMessage,
    DeleteWebhook,
}

impl Method {
    /// Names are the same in any case.
    fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "getme" => Self::GetMe,
            "getchat" => Self::GetChat,
            "getchatmember" => Self::GetChatMember,
            "sendmessage" => Self::SendMessage,
            "sendphoto" => Self::SendPhoto,
            "sendvideo" => Self::SendVideo,
            "sendmediagroup" => Self::SendMediaGroup,
            "deletemessage" => Self::DeleteMessage,
            "deletewebhook" => Self::DeleteWebhook,
            _ => return None,
        })
    }

    /// The step that faults name.
    const fn step(self) -> Option<&'static str> {
        match self {
            Self::GetMe => Some("getMe"),
            Self::SendMessage | Self::SendPhoto | Self::SendVideo | Self::SendMediaGroup => Some("send"),
            _ => None,
        }
    }
}

/// `/api.telegram.org/bot<token>/<method>`, GET or POST.
pub async fn call(
    State(app): State<Arc<App>>,
    Path((bot, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (bot, method) = match admit(&app, &bot, &method) {
        Ok(admitted) => admitted,
        Err(error) => return error.into_response(),
    };
    let params = match Params::read(&app, request).await {
        Ok(params) => params,
        Err(error) => return error.into_response(),
    };
    let call = Call { app: Arc::clone(&app), bot, params };
    let Some(step) = method.step() else { return respond(run(method, call).await) };
    let chat = chat::find(&call).ok().map(|account| account.external_id);
    let account = chat.unwrap_or_else(|| call.bot.id.to_string());
    let site = Site { platform: Platform::Telegram, step, account };
    guard(&app, site, async move { respond(run(method, call).await) }).await
}

fn admit(app: &App, bot: &str, method: &str) -> Result<(Bot, Method), BotError> {
    let token = bot.strip_prefix("bot").ok_or_else(BotError::not_found)?;
    if !token.contains(':') {
        return Err(BotError::malformed_token());
    }
    let bot = bot_of_token(app, token).ok_or_else(BotError::unauthorized)?;
    Ok((bot, Method::named(method).ok_or_else(BotError::no_method)?))
}

async fn run(method: Method, mut call: Call) -> Answer {
    match method {
        Method::GetMe => Ok(chat::me(&call.bot)),
        Method::GetChat => chat::chat(&call),
        Method::GetChatMember => chat::member(&call),
        Method::SendMessage => send::message(&call).await,
        Method::SendPhoto => send::photo(&mut call).await,
        Method::SendVideo => send::video(&mut call).await,
        Method::SendMediaGroup => album::send(&mut call).await,
        Method::DeleteMessage => remove::message(&call),
        // None is ever set here, and the real one answers the same then.
        Method::DeleteWebhook => Ok(json!(true)),
    }
}

fn respond(answer: Answer) -> Response {
    match answer {
        Ok(result) => Json(json!({"ok": true, "result": result})).into_response(),
        Err(error) => error.into_response(),
    }
}
