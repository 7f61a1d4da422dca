//! The Bot API's errors with the server's own texts (PLATFORMS §6.6).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::faults::Trouble;
use crate::journal::StorageError;

/// One refusal.
#[derive(Debug)]
pub struct BotError {
    status: StatusCode,
    description: String,
    retry_after_s: Option<u64>,
}

impl BotError {
    fn new(status: StatusCode, description: impl Into<String>) -> Self {
        Self { status, description: description.into(), retry_after_s: None }
    }

    pub fn bad(message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("Bad Request: {}", message.as_ref()))
    }

    pub fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, format!("Forbidden: {message}"))
    }

    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized")
    }

    pub fn malformed_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized: invalid token specified")
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    pub fn no_method() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found: method not found")
    }

    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
    }

    pub fn flood(retry_after_s: u64) -> Self {
        let text = format!("Too Many Requests: retry after {retry_after_s}");
        Self { retry_after_s: Some(retry_after_s), ..Self::new(StatusCode::TOO_MANY_REQUESTS, text) }
    }

    fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    }
}

impl From<StorageError> for BotError {
    fn from(error: StorageError) -> Self {
        tracing::error!(%error, "the sandbox cannot store its state");
        Self::internal()
    }
}

impl IntoResponse for BotError {
    fn into_response(self) -> Response {
        let code = self.status.as_u16();
        let mut body = json!({"ok": false, "error_code": code, "description": self.description});
        let Some(seconds) = self.retry_after_s else { return (self.status, Json(body)).into_response() };
        body["parameters"] = json!({ "retry_after": seconds });
        let header = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
        (self.status, header, Json(body)).into_response()
    }
}

/// A fault in Telegram's words.
pub fn trouble(trouble: &Trouble) -> Response {
    let error = match trouble {
        Trouble::Internal => BotError::internal(),
        Trouble::Revoked => BotError::unauthorized(),
        Trouble::Throttled(Some(seconds)) => BotError::flood(*seconds),
        Trouble::Throttled(None) => BotError::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
    };
    error.into_response()
}
