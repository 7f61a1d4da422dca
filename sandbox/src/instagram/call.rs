//! One call of the Graph API: who asks, for what, with which parameters.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use domain::platform::Platform;
use serde_json::Value;

use crate::account::Account;
use crate::app::App;
use crate::faults::{Site, guard};
use crate::form::{self, Params};
use crate::grant::{Shown, Token};
use crate::instagram::error::GraphError;
use crate::instagram::{container, list, object, publish};

/// The versions that answer (the newest seen in documents is v26.0, 2026-11-20).
const VERSIONS: std::ops::RangeInclusive<u32> = 20..=26;

/// What a handler knows of a call.
pub struct Call {
    pub app: Arc<App>,
    pub account: Account,
    pub token: Token,
    /// As it came, for the `next` address of a list.
    pub token_text: String,
    pub params: Params,
    pub path: String,
}

impl Call {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    pub fn required(&self, name: &str) -> Result<&str, GraphError> {
        let value = self.param(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required")))
    }

    pub fn require_scope(&self, scope: &str) -> Result<(), GraphError> {
        if self.token.allows(scope) { Ok(()) } else { Err(GraphError::permission()) }
    }

    pub fn site(&self, step: &'static str) -> Site {
        Site { platform: Platform::Instagram, step, account: self.account.external_id.clone() }
    }

    /// Whether a path's first part is the caller.
    pub fn is_me(&self, id: &str) -> bool {
        id == "me" || id == self.account.external_id
    }
}

/// What a handler answers.
pub type Answer = Result<Value, GraphError>;

/// `/graph.instagram.com/…`, with or without a version.
pub async fn answer(State(app): State<Arc<App>>, Path(path): Path<String>, request: Request) -> Response {
    let method = request.method().clone();
    match open(app, path, request).await {
        Ok(call) => dispatch(method, call).await,
        Err(error) => error.into_response(),
    }
}

async fn open(app: Arc<App>, path: String, request: Request) -> Result<Call, GraphError> {
    let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let params = form::all(request).await.map_err(|error| GraphError::parameter(error.to_string()))?;
    let token_text = params.get("access_token").cloned().or(bearer).unwrap_or_default();
    let (account, token) = authenticate(&app, &token_text)?;
    Ok(Call { app, account, token, token_text, params, path })
}

/// The account and rights behind a token.
pub fn authenticate(app: &App, text: &str) -> Result<(Account, Token), GraphError> {
    if text.is_empty() {
        return Err(GraphError::no_token());
    }
    let world = app.world();
    let token = match world.grants.look(Platform::Instagram, text, app.clock.now()) {
        Shown::Valid(token) => token,
        Shown::Expired(token) => return Err(GraphError::expired_token(token.expires_at)),
        Shown::Revoked => return Err(GraphError::revoked_token()),
        Shown::Unknown => return Err(GraphError::unknown_token()),
    };
    let account = world.account(Platform::Instagram, &token.account).cloned();
    Ok((account.ok_or_else(GraphError::unknown_token)?, token))
}

async fn dispatch(method: Method, call: Call) -> Response {
    let path = call.path.clone();
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if let Some(version) = parts.first().and_then(|part| part.strip_prefix('v')) {
        let known = version.strip_suffix(".0").and_then(|major| major.parse().ok());
        if !known.is_some_and(|major| VERSIONS.contains(&major)) {
            return GraphError::path(&path).into_response();
        }
        parts.remove(0);
    }
    let app = Arc::clone(&call.app);
    match (method.as_str(), parts.as_slice()) {
        (method, [user, "media" | "media_publish" | "content_publishing_limit"]) if !call.is_me(user) => {
            GraphError::missing(method, user).into_response()
        }
        ("GET", [_, "media"]) => {
            guard(&app, call.site("list"), async move { respond(list::list(&call)) }).await
        }
        ("POST", [_, "media"]) => {
            guard(&app, call.site("container"), async move { respond(container::create(&call).await) }).await
        }
        ("POST", [_, "media_publish"]) => {
            guard(&app, call.site("publish"), async move { respond(publish::publish(&call).await) }).await
        }
        ("GET", [_, "content_publishing_limit"]) => respond(publish::limit(&call)),
        ("GET", [id]) => {
            let id = (*id).to_owned();
            match object::step(&call, &id) {
                Some(step) => {
                    guard(&app, call.site(step), async move { respond(object::read(&call, &id)) }).await
                }
                None => respond(object::read(&call, &id)),
            }
        }
        ("GET", [id, "children"]) => respond(list::children(&call, id)),
        _ => GraphError::path(&path).into_response(),
    }
}

fn respond(answer: Answer) -> Response {
    answer.map_or_else(IntoResponse::into_response, |value| Json(value).into_response())
}
