//! TikTok's OAuth: short access tokens, and refresh tokens that rotate.

use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::api::{Api, Creator};
use crate::answer::Answer;
use crate::config::{TiktokConfig, below};
use crate::connector::{AccountProfile, Connected, Credentials};
use crate::error::{ConnectorError, ErrorKind};
use crate::http::Http;
use crate::oauth;

const SCOPES: &str = "user.info.basic,video.publish";

/// Flat, unlike every other answer.
#[derive(Deserialize)]
struct Token {
    open_id: String,
    access_token: SecretString,
    expires_in: i64,
    refresh_token: Option<SecretString>,
    refresh_expires_in: Option<i64>,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
}

/// Where the person consents.
pub(super) fn authorize_url(config: &TiktokConfig, state: &str, redirect_url: &Url) -> Url {
    let mut url = below(&config.authorize, &["v2", "auth", "authorize", ""]);
    url.query_pairs_mut().extend_pairs([
        ("client_key", config.client_key.as_str()),
        ("response_type", "code"),
        ("scope", SCOPES),
        ("redirect_uri", redirect_url.as_str()),
        ("state", state),
    ]);
    url
}

pub(super) async fn connect(
    config: &TiktokConfig,
    http: &Http,
    callback: &Url,
    redirect_url: &Url,
) -> Result<Connected, ConnectorError> {
    let code = oauth::code(Platform::Tiktok, callback)?;
    let form =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", redirect_url.as_str())];
    let token = token(config, http, "token", &form).await.map_err(|error| match error.kind {
        ErrorKind::Reauthorize(_) => oauth::refused(
            Platform::Tiktok,
            "code_refused",
            "TikTok did not accept the sign-in: its code was used or is too old. Start again.",
        ),
        _ => error,
    })?;
    let open_id = token.open_id.clone();
    let credentials = credentials(token, None);
    let api = Api { base: &config.open, http, token: &credentials.access };
    let profile = profile(open_id, api.creator().await?);
    Ok(Connected { profile, credentials })
}

/// The old refresh token stops working as soon as a new one is out.
pub(super) async fn refresh(
    config: &TiktokConfig,
    http: &Http,
    old: &Credentials,
) -> Result<Credentials, ConnectorError> {
    let Some(refresh) = &old.refresh else {
        return Err(ConnectorError::new(Platform::Tiktok, "refresh", ErrorKind::Reauthorize(ended())));
    };
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
    Ok(credentials(token(config, http, "refresh", &form).await?, Some(old)))
}

/// A token that is already dead counts as revoked.
pub(super) async fn revoke(
    config: &TiktokConfig,
    http: &Http,
    token: &SecretString,
) -> Result<(), ConnectorError> {
    let form = [
        ("client_key", config.client_key.as_str()),
        ("client_secret", config.client_secret.expose_secret()),
        ("token", token.expose_secret()),
    ];
    let url = below(&config.open, &["v2", "oauth", "revoke", ""]);
    let answer = http.post_form(url, &form).await;
    let answer = answer.map_err(|broken| ConnectorError::broken(Platform::Tiktok, "revoke", &broken))?;
    match answer.status {
        200..300 | 400 | 401 => Ok(()),
        status => Err(ConnectorError::unexpected(Platform::Tiktok, "revoke", status)),
    }
}

pub(super) fn profile(open_id: String, creator: Creator) -> AccountProfile {
    AccountProfile {
        external_id: open_id,
        handle: creator.creator_username,
        avatar_url: creator.creator_avatar_url.and_then(|url| url.parse().ok()),
    }
}

async fn token(
    config: &TiktokConfig,
    http: &Http,
    step: &'static str,
    form: &[(&str, &str)],
) -> Result<Token, ConnectorError> {
    let mut form = form.to_vec();
    form.push(("client_key", &config.client_key));
    form.push(("client_secret", config.client_secret.expose_secret()));
    let answer = http.post_form(below(&config.open, &["v2", "oauth", "token", ""]), &form).await;
    let answer = answer.map_err(|broken| ConnectorError::broken(Platform::Tiktok, step, &broken))?;
    let token = answer.is_success().then(|| answer.json::<Token>()).flatten();
    token.ok_or_else(|| ConnectorError::new(Platform::Tiktok, step, refused(&answer)))
}

/// Only `invalid_grant` and `access_denied` are about the account; the rest passes, or is our own fault.
fn refused(answer: &Answer) -> ErrorKind {
    if answer.status == 429 {
        return ErrorKind::Throttled(answer.throttled_until(super::refusal::DEFAULT_PAUSE));
    }
    let code = answer.json::<OAuthError>().map_or(String::new(), |error| error.error);
    match code.as_str() {
        "invalid_grant" | "access_denied" => ErrorKind::Reauthorize(ended()),
        _ => ErrorKind::Transient(format!("unexpected answer, HTTP {}", answer.status)),
    }
}

fn ended() -> Problem {
    let message = "TikTok ended the connection. Connect the account again.";
    Problem::new("tiktok.invalid_grant", message, Remedy::Reconnect)
}

fn credentials(token: Token, old: Option<&Credentials>) -> Credentials {
    Credentials {
        access: token.access_token,
        expires_at: Some(oauth::ends_in(token.expires_in)),
        refresh_expires_at: token
            .refresh_expires_in
            .map(oauth::ends_in)
            .or_else(|| old.and_then(|old| old.refresh_expires_at)),
        refresh: token.refresh_token.or_else(|| old.and_then(|old| old.refresh.clone())),
    }
}
