//! One call of the API: token, scope, rate and JSON body.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use chrono::TimeDelta;
use domain::platform::Platform;
use serde::de::DeserializeOwned;

use crate::account::Account;
use crate::app::App;
use crate::faults::Site;
use crate::form;
use crate::grant::{Shown, Token, fingerprint};
use crate::pace::{Rate, Rule};
use crate::tiktok::error::ApiError;

/// Largest JSON body, bytes.
const BODY: usize = 1 << 20;

/// What a handler knows of a call.
pub struct Call {
    pub app: Arc<App>,
    pub account: Account,
    pub token: Token,
    token_print: String,
}

impl Call {
    /// Checks the bearer token.
    pub fn open(app: &Arc<App>, headers: &HeaderMap) -> Result<Self, ApiError> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let text = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or_else(ApiError::token)?;
        let world = app.world();
        let Shown::Valid(token) = world.grants.look(Platform::Tiktok, text, app.clock.now()) else {
            return Err(ApiError::token());
        };
        if token.kind != crate::grant::TokenKind::Access {
            return Err(ApiError::token());
        }
        let account = world.account(Platform::Tiktok, &token.account).cloned().ok_or_else(ApiError::token)?;
        Ok(Self { app: Arc::clone(app), account, token, token_print: fingerprint(text) })
    }

    pub fn require_scope(&self, scope: &str) -> Result<(), ApiError> {
        if self.token.allows(scope) { Ok(()) } else { Err(ApiError::scope(scope)) }
    }

    /// Counts the call against the token's calls of `step` a minute.
    pub fn pace(&self, step: &str, per_minute: u64) -> Result<(), ApiError> {
        if !self.app.limited(Platform::Tiktok) {
            return Ok(());
        }
        let rate = Rate::Window { limit: per_minute, window: TimeDelta::minutes(1) };
        let rule = Rule { key: format!("tt:{step}:{}", self.token_print), rate, cost: 1 };
        let taken = self.app.world().paces.take(&[rule], self.app.clock.now());
        taken.map_err(|_| ApiError::throttled())
    }

    pub fn site(&self, step: &'static str) -> Site {
        Site { platform: Platform::Tiktok, step, account: self.account.external_id.clone() }
    }
}

/// The body, which must be JSON and say so.
pub async fn json<T: DeserializeOwned>(request: Request) -> Result<T, ApiError> {
    if form::content_type(&request) != "application/json" {
        return Err(ApiError::invalid("Content-Type must be application/json; charset=UTF-8"));
    }
    let body = to_bytes(request.into_body(), BODY).await;
    let body = body.map_err(|_| ApiError::invalid("The request body is too large"))?;
    serde_json::from_slice(&body)
        .map_err(|error| ApiError::invalid(format!("The request body is invalid: {error}")))
}
