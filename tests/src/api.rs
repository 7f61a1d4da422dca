//! A GraphQL client: one POST for each call, refusals as values, and a memory of every reply for the search for secrets.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

/// Somebody who may call the API.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    pub url: Url,
    token: Option<SecretString>,
    heard: Heard,
}

/// Every reply of a story.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn add(&self, reply: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(reply);
    }

    /// All of it.
    #[must_use]
    pub fn all(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What the server said.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub data: Value,
    /// Top-level errors, then the `userErrors` of every payload.
    pub refusals: Vec<Refusal>,
}

/// One thing that the server would not do.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub code: String,
    pub message: String,
    pub path: Vec<String>,
}

impl Answer {
    /// The `data`.
    ///
    /// # Panics
    /// When something was refused.
    pub fn granted(self) -> Value {
        assert!(self.refusals.is_empty(), "refused: {:?}", self.refusals);
        self.data
    }

    /// The codes of all refusals.
    #[must_use]
    pub fn codes(&self) -> Vec<&str> {
        self.refusals.iter().map(|refusal| refusal.code.as_str()).collect()
    }

    /// The only refusal.
    ///
    /// # Panics
    /// When it was not refused with exactly this code.
    pub fn refused(&self, code: &str) -> &Refusal {
        assert_eq!(self.codes(), [code], "{self:?}");
        &self.refusals[0]
    }
}

impl Api {
    /// Somebody who is not signed in.
    #[must_use]
    pub fn anonymous(url: Url, heard: Heard) -> Self {
        Self { http: crate::networks::http(), url, token: None, heard }
    }

    /// The same server, asked with this token or key.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned().into()), ..self.clone() }
    }

    /// What goes along in `Authorization`.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.expose_secret())
    }

    /// Signs in by password.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn sign_in(&self, email: &str, password: &str) -> Self {
        let input = json!({ "email": email, "password": password });
        // The token is a secret of this reply alone, so it is not remembered among the replies.
        let quiet = Self { heard: Heard::default(), ..self.clone() };
        let payload = quiet.mutate("signIn", input, "token").await;
        self.with_token(payload["token"].as_str().unwrap())
    }

    /// Sends an operation.
    ///
    /// # Panics
    /// When the server does not answer with JSON.
    pub async fn attempt(&self, query: &str, variables: Value) -> Answer {
        self.attempt_named(query, None, variables).await
    }

    /// Sends one operation of a document that has several.
    ///
    /// # Panics
    /// When the server does not answer with JSON.
    pub async fn attempt_named(&self, query: &str, operation: Option<&str>, variables: Value) -> Answer {
        let body = json!({ "query": query, "operationName": operation, "variables": variables });
        let mut request = self.http.post(self.url.clone()).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        self.heard.add(&text);
        let mut reply: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("not JSON (HTTP {status}): {text}"));
        let data = reply["data"].take();
        let mut refusals: Vec<Refusal> = list(&reply["errors"]).map(top_level).collect();
        for payload in data.as_object().into_iter().flat_map(serde_json::Map::values) {
            refusals.extend(list(&payload["userErrors"]).map(user_error));
        }
        Answer { status, data, refusals }
    }

    /// Reads.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn query(&self, query: &str, variables: Value) -> Value {
        self.attempt(query, variables).await.granted()
    }

    /// Runs the mutation `name` and returns its payload with the fields `select`.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn mutate(&self, name: &str, input: Value, select: &str) -> Value {
        let answer = self.try_mutate(name, input, select).await;
        assert!(answer.refusals.is_empty(), "{name} was refused: {:?}", answer.refusals);
        let mut data = answer.data;
        data[name].take()
    }

    /// Runs the mutation `name`, whatever comes of it.
    pub async fn try_mutate(&self, name: &str, input: Value, select: &str) -> Answer {
        let mut chars = name.chars();
        let kind: String = chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect();
        let query = format!(
            "mutation ($in: {kind}Input!) {{ {name}(input: $in) {{ {select} userErrors {{ code message path }} }} }}"
        );
        self.attempt(&query, json!({ "in": input })).await
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn top_level(error: &Value) -> Refusal {
    Refusal {
        code: error["extensions"]["code"].as_str().unwrap_or_default().to_owned(),
        message: error["message"].as_str().unwrap_or_default().to_owned(),
        path: list(&error["path"]).map(Value::to_string).collect(),
    }
}

fn user_error(error: &Value) -> Refusal {
    Refusal {
        code: error["code"].as_str().unwrap_or_default().to_owned(),
        message: error["message"].as_str().unwrap_or_default().to_owned(),
        path: list(&error["path"]).filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}
