//! What Instagram says no with, and what each no means.
//!
//! Source: developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes
//! and docs/graph-api/guides/error-handling, read 2026-11-20.

use chrono::{DateTime, Duration, Utc};
use domain::problem::{Problem, Remedy};
use serde::Deserialize;

use crate::answer::Answer;
use crate::error::ErrorKind;

/// Meta sends no `Retry-After`; without a figure of its own this is the least that its docs advise.
const DEFAULT_PAUSE: Duration = Duration::minutes(15);
/// The daily quota is a sliding window: look again this often.
const QUOTA_PAUSE: Duration = Duration::hours(1);
/// A block for policy is not to be hammered.
const BLOCK_PAUSE: Duration = Duration::hours(24);

#[derive(Deserialize)]
struct Envelope {
    error: GraphError,
}

/// The Graph API's error.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(super) struct GraphError {
    pub(super) code: i64,
    #[serde(default)]
    pub(super) error_subcode: i64,
    #[serde(default)]
    is_transient: bool,
}

/// `subcode`, message, remedy of what no retry will change.
const PERMANENT: [(i64, &str, Remedy); 13] = [
    (2_207_026, "Instagram does not accept the video's format. Choose another video.", Remedy::ChangeMedia),
    (2_207_004, "Instagram takes photos up to 8 MB. Choose a smaller one.", Remedy::ChangeMedia),
    (2_207_005, "Instagram does not accept the photo's format. Choose another photo.", Remedy::ChangeMedia),
    (
        2_207_009,
        "Instagram does not accept the shape of this photo. Crop it between 4:5 and 1.91:1.",
        Remedy::ChangeMedia,
    ),
    (
        2_207_057,
        "Instagram does not accept the cover's time. Choose a moment within the video.",
        Remedy::ChangeMedia,
    ),
    (
        2_207_010,
        "Instagram says that the caption is too long. Shorten it to 2,200 characters.",
        Remedy::EditCaption,
    ),
    (2_207_023, "Instagram does not know this kind of post. Choose other media.", Remedy::ChangeMedia),
    (2_207_028, "Instagram's carousels hold 2 to 10 items. Change the number of items.", Remedy::ChangeMedia),
    (2_207_035, "Instagram refuses the product tags of this post. Remove them.", Remedy::EditCaption),
    (2_207_036, "Instagram refuses the product tags of this post. Remove them.", Remedy::EditCaption),
    (2_207_037, "Instagram refuses the product tags of this post. Remove them.", Remedy::EditCaption),
    (2_207_040, "Instagram takes 20 mentions in a caption. Remove some.", Remedy::EditCaption),
    (2_207_055, "Instagram does not accept this post's location. Remove it.", Remedy::EditCaption),
];

/// Containers that are gone or spoilt: a new one is made.
const CONTAINER_GONE: [i64; 4] = [2_207_006, 2_207_008, 2_207_020, 2_207_053];

/// Reads the error; `None`: this is no answer of the Graph API.
pub(super) fn graph_error(answer: &Answer) -> Option<GraphError> {
    answer.json::<Envelope>().map(|envelope| envelope.error)
}

/// What to do about an answer that is no success.
pub(super) fn kind(answer: &Answer) -> ErrorKind {
    let Some(error) = graph_error(answer) else {
        return if answer.status == 429 {
            ErrorKind::Throttled(answer.throttled_until(DEFAULT_PAUSE))
        } else {
            ErrorKind::Transient(format!("unexpected answer, HTTP {}", answer.status))
        };
    };
    if let Some(known) = by_subcode(error.error_subcode) {
        return known;
    }
    match error.code {
        102 | 190 => ErrorKind::Reauthorize(reconnect(
            &error,
            "Instagram ended the connection: the password changed, the app was removed, or it expired. Connect the account again.",
        )),
        3 | 10 | 200..=299 => ErrorKind::Reauthorize(reconnect(
            &error,
            "Instagram says that a permission is missing. Connect the account again and allow everything that is asked.",
        )),
        4 | 17 | 32 | 341 | 613 | 80_001 | 80_002 => ErrorKind::Throttled(regain_access(answer)),
        368 => ErrorKind::Throttled(Utc::now() + BLOCK_PAUSE),
        // 33, "does not exist or missing permissions", also comes for what was made a moment ago.
        100 if error.error_subcode != 33 && !error.is_transient => ErrorKind::Permanent(Problem::new(
            "instagram.100",
            "Instagram refused a part of the request. Change the post, then try again.",
            Remedy::Retry,
        )),
        _ if answer.status == 429 => ErrorKind::Throttled(answer.throttled_until(DEFAULT_PAUSE)),
        code => ErrorKind::Transient(format!("Instagram error {code}/{}", error.error_subcode)),
    }
}

/// What the subcode alone decides, from an answer or from a container's status text.
pub(super) fn by_subcode(subcode: i64) -> Option<ErrorKind> {
    if CONTAINER_GONE.contains(&subcode) {
        return Some(ErrorKind::StepExpired);
    }
    if let Some((_, message, remedy)) = PERMANENT.iter().find(|row| row.0 == subcode) {
        return Some(ErrorKind::Permanent(Problem::new(format!("instagram.{subcode}"), *message, *remedy)));
    }
    match subcode {
        2_207_042 => Some(ErrorKind::Throttled(Utc::now() + QUOTA_PAUSE)),
        2_207_051 => Some(ErrorKind::Throttled(Utc::now() + BLOCK_PAUSE)),
        2_207_050 => Some(ErrorKind::Reauthorize(Problem::new(
            "instagram.2207050",
            "Instagram restricted the account. Open the Instagram app, follow its steps, then connect the account again.",
            Remedy::Reconnect,
        ))),
        _ => None,
    }
}

fn reconnect(error: &GraphError, message: &str) -> Problem {
    let code = match error.error_subcode {
        0 => format!("instagram.{}", error.code),
        subcode => format!("instagram.{}.{subcode}", error.code),
    };
    Problem::new(code, message, Remedy::Reconnect)
}

/// `Retry-After` where it comes, else the longest `estimated_time_to_regain_access`, minutes, of
/// `X-Business-Use-Case-Usage`.
fn regain_access(answer: &Answer) -> DateTime<Utc> {
    if answer.retry_after().is_some() {
        return answer.throttled_until(DEFAULT_PAUSE);
    }
    let usage = answer.header("x-business-use-case-usage");
    let usage = usage.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let minutes = usage
        .as_ref()
        .and_then(serde_json::Value::as_object)
        .into_iter()
        .flat_map(|accounts| accounts.values())
        .filter_map(serde_json::Value::as_array)
        .flatten()
        .filter_map(|entry| entry["estimated_time_to_regain_access"].as_i64())
        .max()
        .filter(|minutes| (1..=1440).contains(minutes));
    Utc::now() + minutes.map_or(DEFAULT_PAUSE, Duration::minutes)
}

#[cfg(test)]
mod tests {
    use super::{Answer, ErrorKind, kind};
    use bytes::Bytes;
    use chrono::{Duration, Utc};
    use hyper::HeaderMap;
    use serde_json::json;

    fn answer(status: u16, code: i64, subcode: i64) -> Answer {
        let body = json!({ "error": { "code": code, "error_subcode": subcode, "message": "m" } });
        Answer { status, headers: HeaderMap::new(), body: Bytes::from(body.to_string()) }
    }

    #[test]
    fn every_class_of_error_says_what_to_do_next() {
        let table = [
            (401, 190, 463, "reauthorize instagram.190.463"),
            (400, 102, 0, "reauthorize instagram.102"),
            (403, 10, 0, "reauthorize instagram.10"),
            (403, 230, 0, "reauthorize instagram.230"),
            (400, 25, 2_207_050, "reauthorize instagram.2207050"),
            (400, 4, 0, "throttled"),
            (400, 80_002, 0, "throttled"),
            (400, 9, 2_207_042, "throttled"),
            (400, 4, 2_207_051, "throttled"),
            (400, 352, 2_207_026, "permanent instagram.2207026"),
            (400, 36_003, 2_207_009, "permanent instagram.2207009"),
            (400, 100, 2_207_028, "permanent instagram.2207028"),
            (400, 100, 0, "permanent instagram.100"),
            (400, 100, 33, "transient"),
            (400, 24, 2_207_008, "expired"),
            (400, -2, 2_207_020, "expired"),
            (400, 9004, 2_207_052, "transient"),
            (400, -1, 2_207_001, "transient"),
            (500, 2, 0, "transient"),
            (400, 99_999, 0, "transient"),
        ];
        for (status, code, subcode, expected) in table {
            let said = match kind(&answer(status, code, subcode)) {
                ErrorKind::Permanent(problem) => format!("permanent {}", problem.code),
                ErrorKind::Reauthorize(problem) => format!("reauthorize {}", problem.code),
                ErrorKind::Throttled(_) => "throttled".into(),
                ErrorKind::Transient(_) => "transient".into(),
                ErrorKind::StepExpired => "expired".into(),
                ErrorKind::TokenExpired => "token".into(),
            };
            assert_eq!(said, expected, "{status} {code}/{subcode}");
        }
    }

    #[test]
    fn the_longest_wait_of_the_usage_header_is_kept() {
        let mut throttled = answer(400, 4, 0);
        let usage =
            r#"{"17":[{"estimated_time_to_regain_access":3},{"estimated_time_to_regain_access":28}]}"#;
        throttled.headers.insert("x-business-use-case-usage", usage.parse().expect("a header value"));
        let ErrorKind::Throttled(until) = kind(&throttled) else { panic!("throttled") };
        let wait = until - Utc::now();
        assert!(wait > Duration::minutes(27) && wait <= Duration::minutes(28), "{wait}");
    }
}
