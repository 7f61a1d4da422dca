//! What a person chose for an account, and what TikTok is told of it with each post.

use domain::platform::{MediaKind, Platform};
use domain::problem::{Problem, Remedy};
use serde_json::{Value, json};

use super::api::Creator;
use crate::connector::{Post, PostMedia, Session, SettingSpec};
use crate::error::{ConnectorError, ErrorKind};

/// Who may see the posts. TikTok wants a person to choose it, without a default.
pub(super) const PRIVACY: &str = "privacy_level";
/// What viewers may do unless a person says "no": the setting's key, and how it is labelled.
const ALLOWED: [(&str, &str); 3] = [
    ("allow_comments", "Viewers may comment"),
    ("allow_duets", "Viewers may make duets"),
    ("allow_stitches", "Viewers may stitch"),
];
/// Direct post reference, 2026-05-01: the title is the whole caption.
const TITLE_UNITS: usize = 2200;

/// All levels that exist; an account offers some of them.
pub(super) fn all_levels() -> Vec<String> {
    ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"]
        .map(str::to_owned)
        .to_vec()
}

/// The settings, with these levels to choose from.
pub(super) fn settings(levels: Vec<String>) -> Vec<SettingSpec> {
    let privacy =
        SettingSpec { key: PRIVACY, label: "Who can see the posts", required: true, choices: Some(levels) };
    let yes_or_no = || Some(vec!["yes".to_owned(), "no".to_owned()]);
    let allowed =
        ALLOWED.map(|(key, label)| SettingSpec { key, label, required: false, choices: yes_or_no() });
    [privacy].into_iter().chain(allowed).collect()
}

/// Everything chosen, in a fixed order: a part of what an upload session depends on.
pub(super) fn chosen(session: &Session) -> String {
    let keys = [PRIVACY].into_iter().chain(ALLOWED.map(|(key, _)| key));
    keys.map(|key| format!("{key}={};", session.settings.get(key).map_or("", String::as_str))).collect()
}

/// The one video of a post.
pub(super) fn video(post: &Post) -> Option<&PostMedia> {
    match post.media.as_slice() {
        [media] if media.kind == MediaKind::Video => Some(media),
        _ => None,
    }
}

/// `post_info`, checked against what the creator may choose right now.
pub(super) fn post_info(session: &Session, post: &Post, creator: &Creator) -> Result<Value, ConnectorError> {
    let Some(level) = session.settings.get(PRIVACY) else {
        return Err(no(
            "privacy_level_missing",
            "Choose in the account's settings who can see the posts.",
            Remedy::Retry,
        ));
    };
    if !creator.privacy_level_options.contains(level) {
        let message = "The account no longer offers the chosen privacy. Choose another in the account's settings, then try again.";
        return Err(no("privacy_level_option_mismatch", message, Remedy::Retry));
    }
    if post.text.encode_utf16().count() > TITLE_UNITS {
        let message = "TikTok takes 2,200 characters of text, and some characters count twice. Shorten it.";
        return Err(no("title_too_long", message, Remedy::EditCaption));
    }
    // Plans know the limit as of the last refresh: it may have become stricter since.
    let longest_ms = creator.longest_ms().unwrap_or(u64::MAX);
    if video(post).and_then(|media| media.duration_ms).is_some_and(|duration| duration > longest_ms) {
        let message =
            format!("This account may post videos of up to {} s. Choose a shorter one.", longest_ms / 1000);
        return Err(no("duration_check_failed", &message, Remedy::ChangeMedia));
    }
    let refused = |key: &str| session.settings.get(key).is_some_and(|choice| choice == "no");
    Ok(json!({
        "privacy_level": level,
        "title": post.text,
        "disable_comment": creator.comment_disabled || refused("allow_comments"),
        "disable_duet": creator.duet_disabled || refused("allow_duets"),
        "disable_stitch": creator.stitch_disabled || refused("allow_stitches"),
    }))
}

fn no(code: &str, message: &str, remedy: Remedy) -> ConnectorError {
    let problem = Problem::new(format!("tiktok.{code}"), message, remedy);
    ConnectorError::new(Platform::Tiktok, "init", ErrorKind::Permanent(problem))
}
