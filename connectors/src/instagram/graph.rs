//! Calls of the Graph API that may be repeated.

use domain::platform::Platform;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::refusal;
use crate::answer::{Answer, Broken};
use crate::config::{InstagramConfig, below};
use crate::error::ConnectorError;
use crate::http::Http;

/// The API as one account sees it.
pub(super) struct Graph<'a> {
    pub(super) config: &'a InstagramConfig,
    pub(super) http: &'a Http,
    pub(super) token: &'a SecretString,
}

impl Graph<'_> {
    /// The address of an object or edge, without a query.
    pub(super) fn at(&self, path: &[&str]) -> Url {
        let versioned = below(&self.config.graph, &[self.config.version.as_str()]);
        below(&versioned, path)
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        step: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, ConnectorError> {
        let mut url = self.at(path);
        url.query_pairs_mut().extend_pairs(query).append_pair("access_token", self.token.expose_secret());
        read(step, self.http.get(url).await)
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        step: &'static str,
        path: &[&str],
        form: &[(&str, &str)],
    ) -> Result<T, ConnectorError> {
        let mut form = form.to_vec();
        form.push(("access_token", self.token.expose_secret()));
        read(step, self.http.post_form(self.at(path), &form).await)
    }
}

/// Reads an answer as `T`, or says what to do next.
pub(super) fn read<T: DeserializeOwned>(
    step: &'static str,
    answer: Result<Answer, Broken>,
) -> Result<T, ConnectorError> {
    let answer = answer.map_err(|broken| ConnectorError::broken(Platform::Instagram, step, &broken))?;
    if !answer.is_success() {
        return Err(ConnectorError::new(Platform::Instagram, step, refusal::kind(&answer)));
    }
    let unreadable = || ConnectorError::unexpected(Platform::Instagram, step, answer.status);
    answer.json().ok_or_else(unreadable)
}

/// An id, which Meta writes as a string in some answers and as a number in others.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Text(String),
        Number(u64),
    }
    Ok(match Id::deserialize(deserializer)? {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    })
}

/// What most writes answer with.
#[derive(Deserialize)]
pub(super) struct Created {
    #[serde(deserialize_with = "id")]
    pub(super) id: String,
}
