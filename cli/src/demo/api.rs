//! A small GraphQL client: one POST for each call, and `userErrors` taken for the errors they are.

use std::time::Duration;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::Url;

/// The longest that one call may take.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// A client that is signed in.
pub struct Api {
    http: reqwest::Client,
    graphql: Url,
    token: SecretString,
}

impl Api {
    /// Signs in with email address and password.
    ///
    /// # Errors
    /// The control plane does not answer, or refuses the password.
    pub async fn sign_in(graphql: &Url, email: &str, password: &SecretString) -> anyhow::Result<Self> {
        let http = http()?;
        let mut api = Self { http, graphql: graphql.clone(), token: SecretString::from("") };
        let query =
            "mutation ($in: SignInInput!) { signIn(input: $in) { token userErrors { code message path } } }";
        let input = json!({ "email": email, "password": password.expose_secret() });
        let answer = api.call(query, json!({ "in": input })).await.context("sign in")?;
        let token = answer["signIn"]["token"].as_str().context("the sign-in answered without a token")?;
        api.token = token.to_owned().into();
        Ok(api)
    }

    /// The organisation that the user belongs to.
    ///
    /// # Errors
    /// The call fails, or the user belongs to none.
    pub async fn organization_id(&self) -> anyhow::Result<String> {
        let data = self.call("{ viewer { organizations { id } } }", json!({})).await?;
        let id = data["viewer"]["organizations"][0]["id"].as_str();
        Ok(id.context("the user belongs to no organisation")?.to_owned())
    }

    /// Sends one operation and returns its `data`.
    ///
    /// # Errors
    /// No answer within 30 s, a GraphQL error, or a `userError`: the message says which.
    pub async fn call(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let mut request =
            self.http.post(self.graphql.clone()).json(&json!({ "query": query, "variables": variables }));
        let token = self.token.expose_secret();
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.context("call the control plane")?;
        let mut answer: Value = response.json().await.context("read the control plane's answer")?;
        if let Some(errors) = answer["errors"].as_array().filter(|errors| !errors.is_empty()) {
            anyhow::bail!("the control plane refused: {}", messages(errors));
        }
        let data = answer["data"].take();
        for payload in data.as_object().into_iter().flat_map(serde_json::Map::values) {
            if let Some(errors) = payload["userErrors"].as_array().filter(|errors| !errors.is_empty()) {
                anyhow::bail!("the control plane refused: {}", messages(errors));
            }
        }
        Ok(data)
    }
}

fn messages(errors: &[Value]) -> String {
    let texts: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
    texts.join("; ")
}

/// An HTTP client with a limit on every call, which follows no redirect: consent pages answer with one.
///
/// # Errors
/// The TLS library is not usable.
pub fn http() -> anyhow::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().timeout(CALL_LIMIT).redirect(reqwest::redirect::Policy::none());
    builder.no_proxy().build().context("make an HTTP client")
}
