//! What Telegram says no with, and what each no means.
//!
//! Source of the texts: the server itself, `tdlib/telegram-bot-api` `Client.cpp` at 01a3679, and for
//! those that it passes on from Telegram the Bot API 10.1 documentation, read 2026-11-20. A 4xx that
//! is not listed here is not believed to be a refusal.

use chrono::{DateTime, Duration, Utc};
use domain::problem::{Problem, Remedy};
use serde::Deserialize;

use crate::answer::Answer;

/// When Telegram throttles without saying for how long.
const DEFAULT_PAUSE: Duration = Duration::seconds(30);

/// The answer to anything that failed.
#[derive(Deserialize)]
struct Failure {
    ok: bool,
    error_code: u16,
    description: String,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<i64>,
}

/// A documented no.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refusal {
    /// Not before this time.
    Throttled(DateTime<Utc>),
    /// The bot has lost its token or its place: nothing goes until the account is connected again.
    Account(Problem),
    /// This post will not do.
    Post(Problem),
}

/// `description` contains, code, message, remedy; the first that fits counts.
type Row = (&'static str, &'static str, &'static str, Remedy);

const BAD_REQUESTS: [Row; 14] = [
    (
        "chat not found",
        "chat_not_found",
        "Telegram does not find the channel. Check that it exists and that the bot is its administrator, then connect it again.",
        Remedy::Reconnect,
    ),
    (
        "upgraded to a supergroup",
        "chat_moved",
        "The group became a supergroup and has a new id. Connect it again.",
        Remedy::Reconnect,
    ),
    (
        "not enough rights",
        "not_enough_rights",
        "The bot may not post there. Let it post messages, then connect the channel again.",
        Remedy::Reconnect,
    ),
    (
        "have no rights to send",
        "not_enough_rights",
        "The bot may not post there. Let it post messages, then connect the channel again.",
        Remedy::Reconnect,
    ),
    (
        "need administrator rights",
        "not_enough_rights",
        "The bot may not post there. Make it an administrator, then connect the channel again.",
        Remedy::Reconnect,
    ),
    (
        "caption is too long",
        "caption_too_long",
        "Telegram says that the text is too long. Shorten it.",
        Remedy::EditCaption,
    ),
    (
        "message is too long",
        "text_too_long",
        "Telegram says that the text is too long. Shorten it.",
        Remedy::EditCaption,
    ),
    ("text is empty", "text_empty", "Telegram refuses an empty text. Write one.", Remedy::EditCaption),
    (
        "file is too big",
        "file_too_big",
        "Telegram says that the file is too big. Choose a smaller one.",
        Remedy::ChangeMedia,
    ),
    (
        "photo_invalid_dimensions",
        "photo_invalid_dimensions",
        "Telegram refuses the photo's dimensions. Choose another photo.",
        Remedy::ChangeMedia,
    ),
    (
        "image_process_failed",
        "image_process_failed",
        "Telegram could not read the photo. Choose another one.",
        Remedy::ChangeMedia,
    ),
    (
        "can't use the media of the specified type in the album",
        "album_type",
        "Telegram does not take these files together in one album. Post them apart.",
        Remedy::ChangeMedia,
    ),
    (
        "wrong file_id or the file is temporarily unavailable",
        "file_unavailable",
        "Telegram could not use the file. Try again.",
        Remedy::Retry,
    ),
    (
        "file must be non-empty",
        "file_empty",
        "Telegram says that the file is empty. Choose another one.",
        Remedy::ChangeMedia,
    ),
];

/// Reads a documented refusal out of an answer; `None`: it is not one.
pub(super) fn refusal(answer: &Answer) -> Option<Refusal> {
    let failure: Failure = answer.json()?;
    if failure.ok || failure.error_code != answer.status {
        return None;
    }
    let problem =
        |code: &str, message: &str, remedy| Problem::new(format!("telegram.{code}"), message, remedy);
    match failure.error_code {
        429 => Some(Refusal::Throttled(until(answer, failure.parameters.as_ref()))),
        401 | 404 => Some(Refusal::Account(problem(
            "token_refused",
            "Telegram refuses the bot's token. Get a new one from @BotFather and connect the channel again.",
            Remedy::Reconnect,
        ))),
        403 => Some(Refusal::Account(problem(
            "bot_removed",
            "The bot was removed from the channel. Make it an administrator there and connect the channel again.",
            Remedy::Reconnect,
        ))),
        413 => Some(Refusal::Post(problem(
            "file_too_big",
            "Telegram says that the file is too big. Choose a smaller one.",
            Remedy::ChangeMedia,
        ))),
        400 => {
            let text = failure.description.to_lowercase();
            let (_, code, message, remedy) = BAD_REQUESTS.iter().find(|row| text.contains(row.0))?;
            let problem = problem(code, message, *remedy);
            Some(if *remedy == Remedy::Reconnect {
                Refusal::Account(problem)
            } else {
                Refusal::Post(problem)
            })
        }
        _ => None,
    }
}

fn until(answer: &Answer, parameters: Option<&Parameters>) -> DateTime<Utc> {
    match parameters.and_then(|parameters| parameters.retry_after) {
        Some(seconds) => Utc::now() + Duration::seconds(seconds.clamp(0, 86_400) + 1),
        None => answer.throttled_until(DEFAULT_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Refusal, refusal};
    use bytes::Bytes;
    use hyper::HeaderMap;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn code(status: u16, description: &str) -> String {
        let body = serde_json::json!({ "ok": false, "error_code": status, "description": description });
        match refusal(&answer(status, &body.to_string())) {
            Some(Refusal::Account(problem)) => format!("account {}", problem.code),
            Some(Refusal::Post(problem)) => format!("post {}", problem.code),
            Some(Refusal::Throttled(_)) => "throttled".into(),
            None => "unknown".into(),
        }
    }

    #[test]
    fn only_documented_answers_are_refusals() {
        let table = [
            (400, "Bad Request: chat not found", "account telegram.chat_not_found"),
            (
                400,
                "Bad Request: not enough rights to send photos to the chat",
                "account telegram.not_enough_rights",
            ),
            (400, "Bad Request: message caption is too long", "post telegram.caption_too_long"),
            (400, "Bad Request: PHOTO_INVALID_DIMENSIONS", "post telegram.photo_invalid_dimensions"),
            (400, "Bad Request: something new", "unknown"),
            (401, "Unauthorized", "account telegram.token_refused"),
            (403, "Forbidden: bot was kicked from the channel chat", "account telegram.bot_removed"),
            (409, "Conflict: terminated by other getUpdates request", "unknown"),
            (413, "Request Entity Too Large", "post telegram.file_too_big"),
            (429, "Too Many Requests: retry after 17", "throttled"),
            (500, "Internal Server Error", "unknown"),
            (502, "Bad Gateway", "unknown"),
        ];
        for (status, description, expected) in table {
            assert_eq!(code(status, description), expected, "{status} {description}");
        }
    }

    #[test]
    fn what_is_not_telegrams_own_answer_refuses_nothing() {
        for (status, body) in [
            (400, "<html>Bad Request: chat not found</html>"),
            (403, ""),
            (404, "{}"),
            (400, r#"{"ok":true,"error_code":400,"description":"chat not found"}"#),
            (502, r#"{"ok":false,"error_code":403,"description":"Forbidden"}"#),
        ] {
            assert_eq!(refusal(&answer(status, body)), None, "{status} {body}");
        }
    }
}
