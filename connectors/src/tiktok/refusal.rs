//! What TikTok says no with, and what each no means.
//!
//! Source: developers.tiktok.com/doc/content-posting-api-reference-direct-post and
//! -get-video-status (error codes, fail_reason), read 2026-11-20.

use chrono::{Duration, Utc};
use domain::problem::{Problem, Remedy};

use crate::answer::Answer;
use crate::error::ErrorKind;

/// No `Retry-After` is documented; limits are per minute.
pub(super) const DEFAULT_PAUSE: Duration = Duration::seconds(60);
/// Daily caps slide: look again this often.
const QUOTA_PAUSE: Duration = Duration::hours(1);

/// Code, message, remedy of what no retry will change.
const PERMANENT: [(&str, &str, Remedy); 13] = [
    (
        "invalid_param",
        "TikTok refused a part of the request. Change the post, then try again.",
        Remedy::Retry,
    ),
    (
        "invalid_params",
        "TikTok refused a part of the request. Change the post, then try again.",
        Remedy::Retry,
    ),
    (
        "spam_risk_user_banned_from_posting",
        "TikTok does not let this account post. Open the TikTok app to see why, then try again.",
        Remedy::Retry,
    ),
    ("spam_risk_text", "TikTok takes the text for spam. Write another one.", Remedy::EditCaption),
    ("spam_risk", "TikTok takes the post for spam. Change it, then try again.", Remedy::Retry),
    (
        "unaudited_client_can_only_post_to_private_accounts",
        "TikTok has not audited this app yet, so it posts to private accounts only. Make the account private, then try again.",
        Remedy::Retry,
    ),
    (
        "privacy_level_option_mismatch",
        "The account no longer offers the chosen privacy. Choose another in the account's settings, then try again.",
        Remedy::Retry,
    ),
    (
        "file_format_check_failed",
        "TikTok does not accept the video's format. Choose another video.",
        Remedy::ChangeMedia,
    ),
    (
        "duration_check_failed",
        "TikTok does not accept the video's length. Choose another video.",
        Remedy::ChangeMedia,
    ),
    (
        "frame_rate_check_failed",
        "TikTok does not accept the video's frame rate. Choose another video.",
        Remedy::ChangeMedia,
    ),
    (
        "picture_size_check_failed",
        "TikTok does not accept the picture's size. Choose other media.",
        Remedy::ChangeMedia,
    ),
    (
        "publish_cancelled",
        "The post was cancelled at TikTok. Try again if that was a mistake.",
        Remedy::Retry,
    ),
    (
        "auth_removed",
        "The account withdrew its permission while TikTok worked. Connect it again.",
        Remedy::Reconnect,
    ),
];

/// What to do about an answer whose `error.code` is `code`.
pub(super) fn kind(answer: &Answer, code: &str) -> ErrorKind {
    match code {
        "access_token_invalid" => ErrorKind::TokenExpired,
        "scope_not_authorized" | "scope_permission_missed" => ErrorKind::Reauthorize(Problem::new(
            "tiktok.scope_not_authorized",
            "TikTok says that a permission is missing. Connect the account again and allow everything that is asked.",
            Remedy::Reconnect,
        )),
        "rate_limit_exceeded" => ErrorKind::Throttled(answer.throttled_until(DEFAULT_PAUSE)),
        "spam_risk_too_many_posts" | "spam_risk_too_many_pending_share" | "reached_active_user_cap" => {
            ErrorKind::Throttled(Utc::now() + QUOTA_PAUSE)
        }
        "invalid_publish_id" | "token_not_authorized_for_specified_publish_id" => ErrorKind::StepExpired,
        code => match permanent(code) {
            Some(problem) => ErrorKind::Permanent(problem),
            None if answer.status == 429 => ErrorKind::Throttled(answer.throttled_until(DEFAULT_PAUSE)),
            None => ErrorKind::Transient(format!("unexpected answer, HTTP {}", answer.status)),
        },
    }
}

/// Why a finished upload did not become a post.
pub(super) fn failed(reason: &str) -> Problem {
    permanent(reason).unwrap_or_else(|| {
        let message = "TikTok could not process the video, and nothing is live. Try again.";
        let code = if reason == "spam_risk_too_many_posts" { reason } else { "failed" };
        Problem::new(format!("tiktok.{code}"), message, Remedy::Retry)
    })
}

fn permanent(code: &str) -> Option<Problem> {
    let (code, message, remedy) = PERMANENT.iter().find(|row| row.0 == code)?;
    Some(Problem::new(format!("tiktok.{code}"), *message, *remedy))
}
