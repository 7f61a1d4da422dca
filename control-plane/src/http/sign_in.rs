//! Whose session or key came with a request.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};
use secrecy::SecretString;

use crate::auth::Asker;
use crate::config::ApiConfig;
use crate::graphql::failure::Answer;
use crate::system::System;

/// A secret as it came in.
#[derive(Debug)]
pub struct Credential {
    pub secret: SecretString,
    pub by_cookie: bool,
}

/// The header wins over the cookie: who sends it means it.
#[must_use]
pub fn credential(config: &ApiConfig, headers: &HeaderMap) -> Option<Credential> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let secret = bearer(value.to_str().ok()?)?;
        return Some(Credential { secret, by_cookie: false });
    }
    let mut pairs = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == config.cookie_name())?;
    Some(Credential { secret: value.into(), by_cookie: true })
}

/// The secret in `Bearer …`.
#[must_use]
pub fn bearer(value: &str) -> Option<SecretString> {
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim().into())
}

/// Who that is; `None` for nobody, or no longer.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn asker(system: &System, credential: Option<&Credential>) -> Answer<Option<Asker>> {
    match credential {
        Some(credential) => Ok(Asker::resolve(&system.store, &credential.secret).await?),
        None => Ok(None),
    }
}
