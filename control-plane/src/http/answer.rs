//! How an answer is written: by the GraphQL over HTTP specification (draft of 2025-10), in the media
//! type that the client accepts.

use async_graphql::{ErrorExtensionValues, Response as Answered, ServerError, Value};
use axum::http::header::{ACCEPT, ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::graphql::failure::Failure;

/// The two media types of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// `application/json`: 200 whatever a well-formed request led to.
    Json,
    /// `application/graphql-response+json`: the status tells whether it ran.
    GraphqlResponse,
}

impl MediaType {
    /// The first one that the client accepts; JSON for those who accept all or say nothing.
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let Some(accept) = headers.get(ACCEPT) else { return Some(Self::Json) };
        let names =
            accept.to_str().ok()?.split(',').map(|range| range.split(';').next().unwrap_or("").trim());
        names.map(str::to_ascii_lowercase).find_map(|name| match name.as_str() {
            "application/graphql-response+json" => Some(Self::GraphqlResponse),
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            _ => None,
        })
    }

    const fn header(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }
}

/// Writes what the schema answered. What the request itself got wrong has no `data`.
#[must_use]
pub fn executed(media: MediaType, mut answered: Answered) -> Response {
    let ours =
        |error: &ServerError| error.extensions.as_ref().is_some_and(|values| values.get("code").is_some());
    // Resolvers give every error a code, so one without is the library's: the request is at fault.
    let request_error =
        answered.data == Value::Null && !answered.errors.is_empty() && !answered.errors.iter().any(ours);
    for error in answered.errors.iter_mut().filter(|error| !ours(error)) {
        error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", "BAD_REQUEST");
    }
    let body = if request_error { json!({ "errors": answered.errors }) } else { json!(answered) };
    let status = if request_error && media == MediaType::GraphqlResponse {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    };
    write(media, status, &body)
}

/// Refuses a request that is not executed.
#[must_use]
pub fn refused(media: MediaType, status: StatusCode, failure: Failure) -> Response {
    let error: async_graphql::Error = failure.into();
    let body = json!({ "errors": [{ "message": error.message, "extensions": error.extensions }] });
    let mut response = write(media, status, &body);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn write(media: MediaType, status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.header()));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_type_that_is_accepted_is_taken() {
        for (accept, expected) in [
            (None, Some(MediaType::Json)),
            (Some("*/*"), Some(MediaType::Json)),
            (
                Some("application/graphql-response+json; charset=utf-8, application/json;q=0.9"),
                Some(MediaType::GraphqlResponse),
            ),
            (Some("text/html, application/json"), Some(MediaType::Json)),
            (Some("text/html"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(MediaType::accepted(&headers), expected, "{accept:?}");
        }
    }
}
