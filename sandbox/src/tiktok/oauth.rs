//! Tokens: by code, by a refresh token that is used up, and revocation (PLATFORMS §5.1).

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use domain::platform::Platform;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::app::App;
use crate::faults::{Site, guard};
use crate::form::{self, Params};
use crate::grant::{Shown, Token, TokenKind, fingerprint, random_text};
use crate::tiktok::error::OauthError;

/// Lifetimes as the pages of November 2026 have them; clients should read `expires_in`.
const ACCESS: TimeDelta = TimeDelta::hours(2);
const REFRESH: TimeDelta = TimeDelta::days(180);

const BAD_REFRESH: OauthError = OauthError::new("invalid_grant", "Refresh token is invalid or expired.");

/// `POST /open.tiktokapis.com/v2/oauth/token/`.
pub async fn token(State(app): State<Arc<App>>, request: Request) -> Response {
    let params = match form_params(request).await {
        Ok(params) => params,
        Err(error) => return error.into_response(),
    };
    if let Err(error) = check_app(&app, &params) {
        return error.into_response();
    }
    match params.get("grant_type").map_or("", String::as_str) {
        "authorization_code" => respond(by_code(&app, &params)),
        "refresh_token" => {
            let shown = params.get("refresh_token").cloned().unwrap_or_default();
            let Some(token) = refreshable(&app, &shown) else { return BAD_REFRESH.into_response() };
            let site = Site { platform: Platform::Tiktok, step: "refresh", account: token.account.clone() };
            let inner = Arc::clone(&app);
            guard(&app, site, async move { respond(by_refresh(&inner, &shown)) }).await
        }
        _ => OauthError::new("unsupported_grant_type", "Unsupported grant type.").into_response(),
    }
}

/// `POST /open.tiktokapis.com/v2/oauth/revoke/`: ends all tokens of that consent.
pub async fn revoke(State(app): State<Arc<App>>, request: Request) -> Response {
    let revoked = async {
        let params = form_params(request).await?;
        check_app(&app, &params)?;
        let text = params.get("token").map_or("", String::as_str);
        let mut world = app.world();
        let (Shown::Valid(token) | Shown::Expired(token)) =
            world.grants.look(Platform::Tiktok, text, app.clock.now())
        else {
            return Err(OauthError::new("invalid_request", "The token is invalid."));
        };
        world.grants.revoke(|other| other.family == token.family)?;
        Ok(())
    };
    match revoked.await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => error.into_response(),
    }
}

async fn form_params(request: Request) -> Result<Params, OauthError> {
    if form::content_type(&request) != "application/x-www-form-urlencoded" {
        let description = "Only `application/x-www-form-urlencoded` is accepted as Content-Type.";
        return Err(OauthError::new("invalid_request", description));
    }
    form::all(request).await.map_err(|_| OauthError::new("invalid_request", "The body is malformed."))
}

fn check_app(app: &App, params: &Params) -> Result<(), OauthError> {
    let param = |name: &str| params.get(name).map_or("", String::as_str);
    let secret = app.config.client_secret.expose_secret();
    let known = param("client_key") == app.config.client_id
        && fingerprint(param("client_secret")) == fingerprint(secret);
    let description = "Client key or secret is incorrect.";
    if known {
        Ok(())
    } else {
        Err(OauthError::Refused(StatusCode::UNAUTHORIZED, "invalid_client", description))
    }
}

fn by_code(app: &App, params: &Params) -> Result<Value, OauthError> {
    let param = |name: &str| params.get(name).map_or("", String::as_str);
    let now = app.clock.now();
    let mut world = app.world();
    let code = world.grants.redeem(Platform::Tiktok, param("code"), param("redirect_uri"), now)?;
    let code = code.ok_or(OauthError::new("invalid_grant", "Authorization code is invalid or expired."))?;
    drop(world);
    pair(app, code.account, code.scopes, random_text())
}

fn refreshable(app: &App, text: &str) -> Option<Token> {
    match app.world().grants.look(Platform::Tiktok, text, app.clock.now()) {
        Shown::Valid(token) if token.kind == TokenKind::Refresh => Some(token),
        _ => None,
    }
}

fn by_refresh(app: &App, text: &str) -> Result<Value, OauthError> {
    // Looked at again: of two calls at once with one token the second finds it used.
    let token = {
        let mut world = app.world();
        let Shown::Valid(token) = world.grants.look(Platform::Tiktok, text, app.clock.now()) else {
            return Err(BAD_REFRESH);
        };
        world.grants.revoke_text(text)?;
        token
    };
    pair(app, token.account, token.scopes, token.family)
}

/// An access and a refresh token.
fn pair(app: &App, account: String, scopes: Vec<String>, family: String) -> Result<Value, OauthError> {
    let now = app.clock.now();
    let issue = |kind, life| {
        app.world().grants.issue(Token {
            platform: Platform::Tiktok,
            kind,
            account: account.clone(),
            scopes: scopes.clone(),
            issued_at: now,
            expires_at: now + life,
            revoked: false,
            family: family.clone(),
        })
    };
    let (access, refresh) = (issue(TokenKind::Access, ACCESS)?, issue(TokenKind::Refresh, REFRESH)?);
    Ok(json!({
        "open_id": account,
        "scope": scopes.join(","),
        "access_token": access,
        "expires_in": ACCESS.num_seconds(),
        "refresh_token": refresh,
        "refresh_expires_in": REFRESH.num_seconds(),
        "token_type": "Bearer",
    }))
}

fn respond(answer: Result<Value, OauthError>) -> Response {
    answer.map_or_else(IntoResponse::into_response, |value| Json(value).into_response())
}
