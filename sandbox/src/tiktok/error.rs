//! TikTok's two envelopes: that of its API and the flat one of OAuth (PLATFORMS §5.1, §5.6).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::faults::Trouble;
use crate::grant::random_text;
use crate::journal::StorageError;

/// One error of the API.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_params", message)
    }

    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    pub fn token() -> Self {
        let message = "The access token is invalid or not found in the request.";
        Self::new(StatusCode::UNAUTHORIZED, "access_token_invalid", message)
    }

    pub fn scope(scope: &str) -> Self {
        let message =
            format!("The user did not authorize the scope required for completing this request: {scope}");
        Self::new(StatusCode::UNAUTHORIZED, "scope_not_authorized", message)
    }

    pub fn throttled() -> Self {
        let message = "The API rate limit was exceeded. Please try again later.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message)
    }

    fn internal() -> Self {
        let message = "Something went wrong. Please try again later.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        tracing::error!(%error, "the sandbox cannot store its state");
        Self::internal()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = json!({"code": self.code, "message": self.message, "log_id": log_id()});
        (self.status, Json(json!({"data": {}, "error": error}))).into_response()
    }
}

/// What a handler of the API answers: the `data`.
pub type Answer = Result<Value, ApiError>;

/// Puts the data of a good answer into the envelope.
pub fn respond(answer: Answer) -> Response {
    match answer {
        Ok(data) => {
            let error = json!({"code": "ok", "message": "", "log_id": log_id()});
            Json(json!({"data": data, "error": error})).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// One error of OAuth.
#[derive(Debug)]
pub enum OauthError {
    Refused(StatusCode, &'static str, &'static str),
    Storage(StorageError),
}

impl OauthError {
    pub const fn new(code: &'static str, description: &'static str) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, code, description)
    }
}

impl From<StorageError> for OauthError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(status, error, description) => {
                let body = json!({"error": error, "error_description": description, "log_id": log_id()});
                (status, Json(body)).into_response()
            }
            Self::Storage(error) => ApiError::from(error).into_response(),
        }
    }
}

/// A fault in TikTok's words, which document no `Retry-After`; it is there when the fault says so.
pub fn trouble(trouble: &Trouble) -> Response {
    match trouble {
        Trouble::Internal => ApiError::internal().into_response(),
        Trouble::Revoked => ApiError::token().into_response(),
        Trouble::Throttled(seconds) => {
            let mut response = ApiError::throttled().into_response();
            if let Some(seconds) = seconds {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
            }
            response
        }
    }
}

fn log_id() -> String {
    random_text()
}
