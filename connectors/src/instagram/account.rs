//! Instagram Login: from a person's consent to a token that lasts 60 days, and its refreshing.

use domain::platform::Platform;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::graph::{Graph, id, read};
use crate::config::{InstagramConfig, below};
use crate::connector::{AccountProfile, Connected, Credentials};
use crate::error::{ConnectorError, ErrorKind};
use crate::http::Http;
use crate::oauth;

const SCOPES: &str = "instagram_business_basic,instagram_business_content_publish,instagram_business_manage_comments,instagram_business_manage_insights";

#[derive(Deserialize)]
struct LongLived {
    access_token: SecretString,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Me {
    #[serde(deserialize_with = "id")]
    user_id: String,
    username: String,
    profile_picture_url: Option<String>,
}

/// Where the person consents.
pub(super) fn authorize_url(config: &InstagramConfig, state: &str, redirect_url: &Url) -> Url {
    let mut url = below(&config.authorize, &["oauth", "authorize"]);
    url.query_pairs_mut().extend_pairs([
        ("client_id", config.client_id.as_str()),
        ("redirect_uri", redirect_url.as_str()),
        ("response_type", "code"),
        ("scope", SCOPES),
        ("state", state),
    ]);
    url
}

/// Code to short token (1 h) to long token (60 days) to profile.
pub(super) async fn connect(
    config: &InstagramConfig,
    http: &Http,
    callback: &Url,
    redirect_url: &Url,
) -> Result<Connected, ConnectorError> {
    let code = oauth::code(Platform::Instagram, callback)?;
    let form = [
        ("client_id", config.client_id.as_str()),
        ("client_secret", config.client_secret.expose_secret()),
        ("grant_type", "authorization_code"),
        ("redirect_uri", redirect_url.as_str()),
        ("code", code.as_str()),
    ];
    let answer = http.post_form(below(&config.api, &["oauth", "access_token"]), &form).await;
    let answer = answer.map_err(|broken| ConnectorError::broken(Platform::Instagram, "token", &broken))?;
    if (400..500).contains(&answer.status) && answer.status != 429 {
        let message = "Instagram did not accept the sign-in: its code was used or is too old. Start again.";
        return Err(oauth::refused(Platform::Instagram, "code_refused", message));
    }
    let short = short_token(&read::<Value>("token", Ok(answer))?)
        .ok_or_else(|| ConnectorError::unexpected(Platform::Instagram, "token", 200))?;
    let credentials = exchange(config, http, &short).await?;
    let profile = profile(&Graph { config, http, token: &credentials.access }).await?;
    Ok(Connected { profile, credentials })
}

/// Documented as `{"data":[{…}]}`, seen live as the flat inner object.
fn short_token(answer: &Value) -> Option<SecretString> {
    let inner = answer["data"].get(0).unwrap_or(answer);
    inner["access_token"].as_str().map(SecretString::from)
}

async fn exchange(
    config: &InstagramConfig,
    http: &Http,
    short: &SecretString,
) -> Result<Credentials, ConnectorError> {
    let mut url = below(&config.graph, &["access_token"]);
    url.query_pairs_mut().extend_pairs([
        ("grant_type", "ig_exchange_token"),
        ("client_secret", config.client_secret.expose_secret()),
        ("access_token", short.expose_secret()),
    ]);
    Ok(credentials(read("exchange", http.get(url).await)?))
}

/// A token for 60 more days. Instagram wants it to be a day old, and still alive.
pub(super) async fn refresh(
    config: &InstagramConfig,
    http: &Http,
    token: &SecretString,
) -> Result<Credentials, ConnectorError> {
    let mut url = below(&config.graph, &["refresh_access_token"]);
    url.query_pairs_mut()
        .extend_pairs([("grant_type", "ig_refresh_token"), ("access_token", token.expose_secret())]);
    let refreshed: Result<LongLived, _> = read("refresh", http.get(url).await);
    refreshed.map(credentials).map_err(|mut error| {
        // Only an answer about the token itself disconnects an account: Meta's invalid-grant class.
        let dead = |code: &str| ["instagram.190", "instagram.102"].iter().any(|dead| code.starts_with(dead));
        if let ErrorKind::Permanent(problem) | ErrorKind::Reauthorize(problem) = &error.kind
            && !dead(&problem.code)
        {
            error.kind = ErrorKind::Transient(problem.code.clone());
        }
        error
    })
}

pub(super) async fn profile(graph: &Graph<'_>) -> Result<AccountProfile, ConnectorError> {
    let fields = [("fields", "user_id,username,profile_picture_url")];
    let me: Me = graph.get("me", &["me"], &fields).await?;
    let avatar = me.profile_picture_url.and_then(|url| url.parse().ok());
    Ok(AccountProfile { external_id: me.user_id, handle: me.username, avatar_url: avatar })
}

fn credentials(token: LongLived) -> Credentials {
    Credentials {
        access: token.access_token,
        refresh: None,
        expires_at: Some(oauth::ends_in(token.expires_in)),
        refresh_expires_at: None,
    }
}
