//! What the networks' OAuth flows have in common.

use chrono::{DateTime, Duration, Utc};
use domain::platform::Platform;
use domain::problem::{Problem, Remedy};
use url::Url;

use crate::connector::Credentials;
use crate::error::{ConnectorError, ErrorKind};

/// The code that the network sent the person back with.
///
/// # Errors
/// `Permanent` when the person or the network said no.
pub(crate) fn code(platform: Platform, callback: &Url) -> Result<String, ConnectorError> {
    let value = |name| callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value);
    // Instagram appends `#_`, which is a fragment here and no part of the query.
    match value("code") {
        Some(code) if !code.is_empty() => Ok(code.into_owned()),
        _ => Err(refused(
            platform,
            "access_denied",
            "The sign-in was not finished. Start again when you are ready.",
        )),
    }
}

/// A sign-in that the network did not accept.
pub(crate) fn refused(platform: Platform, code: &str, message: &str) -> ConnectorError {
    let problem = Problem::new(format!("{platform}.{code}"), message, Remedy::Reconnect);
    ConnectorError::new(platform, "connect", ErrorKind::Permanent(problem))
}

/// Three quarters into the token's life, and not before `earliest`.
pub(crate) fn refresh_at(
    credentials: &Credentials,
    issued_at: DateTime<Utc>,
    earliest: Duration,
) -> Option<DateTime<Utc>> {
    let expires_at = credentials.expires_at?;
    Some((issued_at + (expires_at - issued_at) * 3 / 4).max(issued_at + earliest).min(expires_at))
}

/// When something that lives `seconds` from now ends.
pub(crate) fn ends_in(seconds: i64) -> DateTime<Utc> {
    Utc::now() + Duration::seconds(seconds.clamp(0, 10 * 366 * 86_400))
}
