//! The sandbox's own API under `/sandbox/`, for tests, demos and checkers. No network has these.

pub mod accounts;
mod handmade;
mod records;
mod switches;

pub use records::serve as serve_file;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use crate::app::App;
use crate::journal::StorageError;

/// Every call of the control API.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/ledger", get(records::ledger))
        .route("/sandbox/requests", get(records::requests))
        .route("/sandbox/media/{sha256}", get(records::media))
        .route("/sandbox/accounts", get(accounts::list).post(accounts::create))
        .route("/sandbox/accounts/{id}/media", post(handmade::create).layer(DefaultBodyLimit::disable()))
        .route("/sandbox/accounts/{id}/revoke", post(switches::revoke))
        .route(
            "/sandbox/faults",
            get(switches::faults).post(switches::order_fault).delete(switches::clear_faults),
        )
        .route("/sandbox/limits", post(switches::limits))
        .route("/sandbox/clock", get(switches::clock).post(switches::advance))
        .route("/sandbox/settings", post(switches::settings))
}

/// Why a control call did nothing.
pub enum ControlError {
    Invalid(String),
    Missing(String),
    Storage(StorageError),
}

impl From<StorageError> for ControlError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Invalid(message) => (StatusCode::BAD_REQUEST, message),
            Self::Missing(message) => (StatusCode::NOT_FOUND, message),
            Self::Storage(error) => (StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

/// Refuses a call with the reason.
pub fn invalid(message: impl Into<String>) -> ControlError {
    ControlError::Invalid(message.into())
}
