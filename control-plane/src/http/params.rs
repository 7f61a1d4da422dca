//! The parameters of a GraphQL request, from a body or from an address.

use async_graphql::Variables;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::graphql::failure::{Answer, Failure};

/// What is to be run.
#[derive(Debug)]
pub struct Params {
    pub query: String,
    pub operation: Option<String>,
    pub variables: Variables,
}

/// Whether the body is JSON in UTF-8, as GraphQL over HTTP wants it.
#[must_use]
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(text)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let text = text.to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let json = matches!(parts.next(), Some("application/json" | "application/graphql+json"));
    json && parts.all(|part| !part.starts_with("charset=") || part.trim_matches('"').ends_with("utf-8"))
}

impl Params {
    /// Reads a body.
    ///
    /// # Errors
    /// `BAD_REQUEST`, with what is wrong.
    pub fn of_body(body: &[u8]) -> Answer<Self> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Self::of_map(map),
            Ok(Value::Array(_)) => {
                Err(Failure::bad_request("send one request at a time: batches are not taken"))
            }
            Ok(_) => Err(Failure::bad_request("the body has to be a JSON object with `query`")),
            Err(error) => Err(Failure::bad_request(format!(
                "the body is no JSON: line {}, column {}",
                error.line(),
                error.column()
            ))),
        }
    }

    /// Reads the query string of an address.
    ///
    /// # Errors
    /// `BAD_REQUEST`, with what is wrong.
    pub fn of_address(query: &str) -> Answer<Self> {
        let mut map = Map::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = match name.as_ref() {
                "variables" | "extensions" => serde_json::from_str(&value)
                    .map_err(|_| Failure::bad_request(format!("`{name}` has to be JSON")))?,
                _ => Value::String(value.into_owned()),
            };
            map.insert(name.into_owned(), value);
        }
        Self::of_map(map)
    }

    fn of_map(mut map: Map<String, Value>) -> Answer<Self> {
        let Some(Value::String(query)) = map.remove("query") else {
            return Err(Failure::bad_request("`query` has to be a text"));
        };
        let operation = match map.remove("operationName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
            Some(_) => return Err(Failure::bad_request("`operationName` has to be a text")),
        };
        let variables = match map.remove("variables") {
            None | Some(Value::Null) => Variables::default(),
            Some(variables @ Value::Object(_)) => Variables::from_json(variables),
            Some(_) => return Err(Failure::bad_request("`variables` has to be an object")),
        };
        match map.remove("extensions") {
            None | Some(Value::Null | Value::Object(_)) => {}
            Some(_) => return Err(Failure::bad_request("`extensions` has to be an object")),
        }
        Ok(Self { query, operation, variables })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_request_is_read() {
        for (body, fine) in [
            (r#"{"query":"{a}"}"#, true),
            (r#"{"query":"{a}","variables":null,"operationName":null,"extensions":null}"#, true),
            (r#"{"query":"{a}","variables":{"a":[1]},"operationName":"A"}"#, true),
            ("", false),
            ("{", false),
            ("7", false),
            ("{}", false),
            (r#"{"query":7}"#, false),
            (r#"[{"query":"{a}"}]"#, false),
            (r#"{"query":"{a}","variables":"x"}"#, false),
            (r#"{"query":"{a}","operationName":[]}"#, false),
            (r#"{"query":"{a}","extensions":1}"#, false),
        ] {
            assert_eq!(Params::of_body(body.as_bytes()).is_ok(), fine, "{body}");
        }
        assert!(Params::of_address("query=%7Ba%7D&variables=%7B%7D").is_ok());
        assert!(Params::of_address("query=%7Ba%7D&variables=x").is_err());
    }
}
