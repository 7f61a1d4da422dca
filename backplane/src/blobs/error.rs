//! What can go wrong with object storage, classified where it is born.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// A failed request. Holds no key, no signature and no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("object storage: {operation} failed ({code})")]
pub struct BlobError {
    pub kind: BlobErrorKind,
    operation: &'static str,
    code: String,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobErrorKind {
    /// There is no such object or upload.
    NotFound,
    /// Try again later: a timeout, a lost connection, a busy server.
    Transient,
    /// The file on this machine could not be read or written.
    Local,
    /// The server refused: settings or keys are wrong, or the request is.
    Refused,
}

impl BlobError {
    pub(super) fn new(kind: BlobErrorKind, operation: &'static str, code: impl Into<String>) -> Self {
        Self { kind, operation, code: code.into() }
    }

    /// A file of this machine failed.
    pub(super) fn local(operation: &'static str, error: &std::io::Error) -> Self {
        Self::new(BlobErrorKind::Local, operation, error.kind().to_string())
    }

    /// S3's own name for it, e.g. `NoSuchKey`.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// There is no such object or upload.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind == BlobErrorKind::NotFound
    }
}

pub(super) fn classify<E: ProvideErrorMetadata>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> BlobError {
    let transient = |code: &str| BlobError::new(BlobErrorKind::Transient, operation, code);
    match error {
        SdkError::TimeoutError(_) => transient("timeout"),
        SdkError::DispatchFailure(_) => transient("unreachable"),
        SdkError::ResponseError(_) => transient("unreadable answer"),
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service.err().code().map_or_else(|| status.to_string(), str::to_owned);
            let kind = match (status, code.as_str()) {
                (404, _) | (_, "NoSuchKey" | "NoSuchUpload" | "NotFound") => BlobErrorKind::NotFound,
                (408 | 429 | 500..=599, _) | (_, "SlowDown" | "RequestTimeout")
                    if code != "NotImplemented" =>
                {
                    BlobErrorKind::Transient
                }
                _ => BlobErrorKind::Refused,
            };
            BlobError::new(kind, operation, code)
        }
        _ => BlobError::new(BlobErrorKind::Refused, operation, "bad request"),
    }
}
