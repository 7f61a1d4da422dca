//! Codes for short tokens, short tokens for long ones, long ones for longer (PLATFORMS §2.1).

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use domain::platform::Platform;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::app::App;
use crate::faults::{Site, guard};
use crate::form::{self, Params};
use crate::grant::{Code, Token, TokenKind, fingerprint, random_text};
use crate::instagram::call::authenticate;
use crate::instagram::error::GraphError;

/// Lifetime of a short token.
const SHORT: TimeDelta = TimeDelta::hours(1);
/// Lifetime of a long token, as the documents' example has it (just under 60 days).
const LONG: TimeDelta = TimeDelta::seconds(5_183_944);
/// Youngest long token that can be refreshed.
const REFRESH_AGE: TimeDelta = TimeDelta::hours(24);

/// `POST /api.instagram.com/oauth/access_token`. Its errors have an envelope of their own.
pub async fn exchange(State(app): State<Arc<App>>, request: Request) -> Response {
    let params = form::all(request).await.unwrap_or_default();
    match exchanged(&app, &params) {
        Ok(answer) => Json(answer).into_response(),
        Err(Refused::Message(message)) => {
            let error = json!({"error_type": "OAuthException", "code": 400, "error_message": message});
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
        Err(Refused::Storage(error)) => app.broken(&error),
    }
}

enum Refused {
    Message(&'static str),
    Storage(crate::journal::StorageError),
}

impl From<crate::journal::StorageError> for Refused {
    fn from(error: crate::journal::StorageError) -> Self {
        Self::Storage(error)
    }
}

fn exchanged(app: &App, params: &Params) -> Result<Value, Refused> {
    let param = |name: &str| params.get(name).map_or("", String::as_str);
    if param("client_id") != app.config.client_id {
        return Err(Refused::Message("Invalid platform app"));
    }
    if !same_secret(param("client_secret"), app.config.client_secret.expose_secret()) {
        return Err(Refused::Message("Error validating client secret."));
    }
    if param("grant_type") != "authorization_code" {
        return Err(Refused::Message("Invalid grant_type"));
    }
    let now = app.clock.now();
    let mut world = app.world();
    // What a browser's address carried behind the code, a client must have cut off.
    let code = world.grants.redeem(Platform::Instagram, param("code"), param("redirect_uri"), now)?;
    let used = "Matching code was not found or was already used";
    let Code { account, scopes, .. } = code.ok_or(Refused::Message(used))?;
    let user_id = world.account(Platform::Instagram, &account).map(|account| account.app_scoped_id.clone());
    let token = world.grants.issue(Token {
        platform: Platform::Instagram,
        kind: TokenKind::Short,
        account,
        scopes: scopes.clone(),
        issued_at: now,
        expires_at: now + SHORT,
        revoked: false,
        family: random_text(),
    })?;
    let user_id: u64 = user_id.and_then(|id| id.parse().ok()).unwrap_or_default();
    if world.flat_tokens {
        return Ok(json!({"access_token": token, "user_id": user_id, "permissions": scopes}));
    }
    let entry =
        json!({"access_token": token, "user_id": user_id.to_string(), "permissions": scopes.join(",")});
    Ok(json!({ "data": [entry] }))
}

/// `GET /graph.instagram.com/access_token?grant_type=ig_exchange_token`.
pub async fn lengthen(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let params = form::query(query.as_deref());
    let answer = lengthened(&app, &params);
    answer.map_or_else(IntoResponse::into_response, |value| Json(value).into_response())
}

fn lengthened(app: &App, params: &Params) -> Result<Value, GraphError> {
    let param = |name: &str| params.get(name).map_or("", String::as_str);
    if param("grant_type") != "ig_exchange_token" {
        return Err(GraphError::parameter("The parameter grant_type must be ig_exchange_token"));
    }
    if !same_secret(param("client_secret"), app.config.client_secret.expose_secret()) {
        return Err(GraphError::parameter("Error validating client secret."));
    }
    let (_, token) = authenticate(app, param("access_token"))?;
    if token.kind != TokenKind::Short {
        return Err(GraphError::parameter("Session key invalid: only a short-lived token can be exchanged"));
    }
    long_token(app, token)
}

/// `GET /graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token`.
pub async fn refresh(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let params = form::query(query.as_deref());
    let (account, token) = match authenticate(&app, params.get("access_token").map_or("", String::as_str)) {
        Ok(found) => found,
        Err(error) => return error.into_response(),
    };
    let site = Site { platform: Platform::Instagram, step: "refresh", account: account.external_id };
    let inner = Arc::clone(&app);
    guard(&app, site, async move {
        let answer = refreshed(&inner, &params, token);
        answer.map_or_else(IntoResponse::into_response, |value| Json(value).into_response())
    })
    .await
}

fn refreshed(app: &App, params: &Params, token: Token) -> Result<Value, GraphError> {
    if params.get("grant_type").is_none_or(|kind| kind != "ig_refresh_token") {
        return Err(GraphError::parameter("The parameter grant_type must be ig_refresh_token"));
    }
    if token.kind != TokenKind::Long {
        return Err(GraphError::parameter("Only a long-lived token can be refreshed"));
    }
    if token.issued_at + REFRESH_AGE > app.clock.now() {
        return Err(GraphError::parameter("The access token must be at least 24 hours old to be refreshed"));
    }
    if !token.allows("instagram_business_basic") {
        return Err(GraphError::permission());
    }
    let scopes = token.scopes.join(",");
    let mut answer = long_token(app, token)?;
    answer["permissions"] = json!(scopes);
    Ok(answer)
}

/// A new long token with the rights of `from`, which stays good until its own end.
fn long_token(app: &App, from: Token) -> Result<Value, GraphError> {
    let now = app.clock.now();
    let token = Token { kind: TokenKind::Long, issued_at: now, expires_at: now + LONG, ..from };
    let text = app.world().grants.issue(token)?;
    Ok(json!({"access_token": text, "token_type": "bearer", "expires_in": LONG.num_seconds()}))
}

/// Compares hashes, so that the time taken says nothing of the secret.
fn same_secret(shown: &str, secret: &str) -> bool {
    fingerprint(shown) == fingerprint(secret)
}
