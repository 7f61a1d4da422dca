//! The Graph API's error envelope and the errors that publishing has (PLATFORMS §1.3, §2.6).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::faults::Trouble;
use crate::grant::random_text;
use crate::journal::StorageError;

/// A documented refusal with code and subcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: i32,
    pub subcode: i32,
    pub message: &'static str,
    pub title: &'static str,
}

const fn refusal(code: i32, subcode: i32, message: &'static str, title: &'static str) -> Refusal {
    Refusal { code, subcode, message, title }
}

pub const NOT_READY: Refusal =
    refusal(9007, 2_207_027, "Media ID is not available", "The media is not ready");
pub const GONE: Refusal = refusal(24, 2_207_008, "The media builder is expired", "Media builder expired");
pub const NOT_FOUND: Refusal =
    refusal(24, 2_207_006, "The requested resource does not exist", "Media not found");
pub const QUOTA: Refusal =
    refusal(9, 2_207_042, "Application request limit reached", "Reached the daily publishing limit");
pub const UNFETCHABLE: Refusal =
    refusal(9004, 2_207_052, "Only photo or video can be accepted as media type.", "Media download failed");
pub const VIDEO_FORMAT: Refusal =
    refusal(352, 2_207_026, "The video format is not supported", "Unsupported video format");
pub const IMAGE_TOO_LARGE: Refusal =
    refusal(36000, 2_207_004, "The image size is too large", "The image is larger than 8 MiB");
pub const IMAGE_FORMAT: Refusal =
    refusal(36001, 2_207_005, "The image format is not supported", "Unsupported image format");
pub const IMAGE_RATIO: Refusal =
    refusal(36003, 2_207_009, "The aspect ratio is not supported", "Invalid aspect ratio");
pub const CAPTION: Refusal = refusal(36004, 2_207_010, "The caption was too long", "Caption too long");
pub const MEDIA_TYPE: Refusal = refusal(100, 2_207_023, "The media type is unknown", "Unknown media type");
pub const CAROUSEL: Refusal =
    refusal(100, 2_207_028, "Your post won't work as a carousel", "A carousel needs 2 to 10 items");
pub const MENTIONS: Refusal =
    refusal(100, 2_207_040, "Cannot use more than 20 tags in a caption", "Too many tags");
pub const THUMB_OFFSET: Refusal =
    refusal(1, 2_207_057, "The thumbnail offset is not within the video", "Invalid thumbnail offset");
pub const SERVER: Refusal =
    refusal(-1, 2_207_001, "Instagram server error. Try again later.", "Instagram server error");

/// One error of the Graph API.
#[derive(Debug)]
pub struct GraphError {
    status: StatusCode,
    code: i32,
    subcode: Option<i32>,
    kind: &'static str,
    message: String,
    title: Option<&'static str>,
    transient: bool,
}

impl GraphError {
    fn new(status: StatusCode, code: i32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            subcode: None,
            kind: "OAuthException",
            message: message.into(),
            title: None,
            transient: false,
        }
    }

    /// A parameter is missing or wrong.
    pub fn parameter(message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 100, format!("(#100) {}", message.as_ref()))
    }

    /// No such path or version.
    pub fn path(path: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 2500, format!("Unknown path components: /{path}"))
    }

    /// The token has not the scope.
    pub fn permission() -> Self {
        let message = "(#10) Application does not have permission for this action";
        Self::new(StatusCode::FORBIDDEN, 10, message)
    }

    /// The object does not exist, or is somebody else's; the network does not say which.
    pub fn missing(method: &str, id: &str) -> Self {
        let message = format!(
            "Unsupported {} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
             permissions, or does not support this operation.",
            method.to_ascii_lowercase()
        );
        let error = Self::new(StatusCode::BAD_REQUEST, 100, message);
        Self { kind: "GraphMethodException", subcode: Some(33), ..error }
    }

    /// No token, or one that was never issued.
    pub fn no_token() -> Self {
        let message = "An access token is required to request this resource.";
        Self::new(StatusCode::BAD_REQUEST, 104, message)
    }

    pub fn unknown_token() -> Self {
        let message = "Invalid OAuth access token - Cannot parse access token";
        Self::new(StatusCode::UNAUTHORIZED, 190, message)
    }

    pub fn expired_token(at: chrono::DateTime<chrono::Utc>) -> Self {
        let at = at.format("%A, %d-%b-%y %H:%M:%S UTC");
        let message = format!("Error validating access token: Session has expired on {at}.");
        Self { subcode: Some(463), ..Self::new(StatusCode::UNAUTHORIZED, 190, message) }
    }

    pub fn revoked_token() -> Self {
        let message = "Error validating access token: The session has been invalidated because the user \
                       changed their password or Instagram has changed the session for security reasons.";
        Self { subcode: Some(460), ..Self::new(StatusCode::UNAUTHORIZED, 190, message) }
    }

    /// Too many calls of the app.
    pub fn throttled(status: StatusCode) -> Self {
        let message = "(#4) Application request limit reached";
        Self { transient: true, ..Self::new(status, 4, message) }
    }

    fn internal() -> Self {
        let message = "An unexpected error has occurred. Please retry your request later.";
        Self { transient: true, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, 2, message) }
    }
}

impl From<Refusal> for GraphError {
    fn from(refusal: Refusal) -> Self {
        let error = Self::new(StatusCode::BAD_REQUEST, refusal.code, refusal.message);
        Self { subcode: Some(refusal.subcode), title: Some(refusal.title), ..error }
    }
}

impl From<StorageError> for GraphError {
    fn from(error: StorageError) -> Self {
        tracing::error!(%error, "the sandbox cannot store its state");
        Self::internal()
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let mut error = json!({
            "message": self.message,
            "type": self.kind,
            "code": self.code,
            "is_transient": self.transient,
            "fbtrace_id": format!("A{}", &random_text()[..22]),
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        if let Some(title) = self.title {
            error["error_user_title"] = json!(title);
            error["error_user_msg"] = json!(self.message);
        }
        (self.status, Json(json!({ "error": error }))).into_response()
    }
}

/// A fault in Instagram's words. Meta documents minutes in a header of its own and no
/// `Retry-After`; a throttled answer that is to say when carries both.
pub fn trouble(trouble: &Trouble) -> Response {
    let Trouble::Throttled(seconds) = trouble else {
        return match trouble {
            Trouble::Revoked => GraphError::revoked_token().into_response(),
            _ => GraphError::internal().into_response(),
        };
    };
    let mut response = GraphError::throttled(StatusCode::TOO_MANY_REQUESTS).into_response();
    if let Some(seconds) = seconds {
        let minutes = seconds.div_ceil(60);
        let usage = json!({"0": [{"type": "instagram", "call_count": 100, "total_cputime": 25, "total_time": 25,
            "estimated_time_to_regain_access": minutes}]});
        if let Ok(usage) = HeaderValue::from_str(&usage.to_string()) {
            response.headers_mut().insert("x-business-use-case-usage", usage);
        }
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    let usage = HeaderValue::from_static(r#"{"call_count":100,"total_time":25,"total_cputime":25}"#);
    response.headers_mut().insert("x-app-usage", usage);
    response
}
