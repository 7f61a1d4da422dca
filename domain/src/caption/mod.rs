//! The text of a post: the validator that no author can skip, and what it is made of.
//!
//! Lengths are counted as the network counts them. Links, hashtags and mentions are found by
//! [`words`], phrases that a brand forbids by [`forbidden`], and what does not fit beside the media
//! is divided by [`split`].

mod forbidden;
mod split;
mod words;

use crate::problem::{Problem, Remedy};
use crate::profile::TextRules;

pub use forbidden::{Forbidden, forbidden};
pub use split::{Parts, cut, split};
pub use words::{Kind, Word, words};

/// The most that a text may bring in from outside, bytes. No network takes a tenth of it.
pub const INPUT_BYTES_MAX: usize = 32 * 1024;

/// What is known of a text that was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptionFacts {
    /// As the network counts.
    pub length: usize,
    /// With a reply where the network has one.
    pub max_length: usize,
}

/// Takes in a text from outside: refuses what cannot be a caption and cleans the rest.
///
/// # Errors
/// A [`Problem`] for more than [`INPUT_BYTES_MAX`] bytes, or a NUL character.
pub fn accept(text: &str) -> Result<String, Problem> {
    if text.len() > INPUT_BYTES_MAX {
        let message =
            format!("The text has {} bytes and at most {INPUT_BYTES_MAX} are taken. Shorten it.", text.len());
        return Err(Problem::new("caption.too_long", message, Remedy::EditCaption));
    }
    if text.contains('\0') {
        return Err(unprintable());
    }
    Ok(clean(text))
}

/// Removes what no reader is to see: control characters, and marks that turn the direction of the
/// text around them. Line ends become `\n`, tabs blanks; blanks at both ends go.
#[must_use]
pub fn clean(text: &str) -> String {
    let lines = text.replace("\r\n", "\n");
    let cleaned: String = lines
        .chars()
        .filter_map(|character| match character {
            '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => Some('\n'),
            '\t' => Some(' '),
            _ if is_unprintable(character) => None,
            _ => Some(character),
        })
        .collect();
    cleaned.trim().to_owned()
}

/// Checks a text that is to be sent on a network with these `rules` by a brand that forbids
/// `phrases`.
///
/// # Errors
/// A [`Problem`] with [`Remedy::EditCaption`]: too long, too many hashtags or mentions, a forbidden
/// phrase, or characters that cannot be shown or that the network refuses.
pub fn check(text: &str, rules: &TextRules, phrases: &[String]) -> Result<CaptionFacts, Problem> {
    if text.chars().any(is_unprintable) {
        return Err(unprintable());
    }
    if let Some(refused) = text.chars().find(|character| rules.refused.contains(*character)) {
        let message = format!("The network takes no “{refused}” in a text. Take it out.");
        return Err(Problem::new("caption.refused_character", message, Remedy::EditCaption));
    }
    split(text, rules)?;
    let marks = words(text);
    check_count(&marks, Kind::Hashtag, rules.hashtags_max)?;
    check_count(&marks, Kind::Mention, rules.mentions_max)?;
    if let Some(found) = forbidden(text, phrases).first() {
        return Err(Problem::new(
            "caption.forbidden_phrase",
            format!("The brand does not want “{}” in its texts. Take it out.", found.phrase),
            Remedy::EditCaption,
        ));
    }
    Ok(CaptionFacts { length: rules.unit.count(text), max_length: rules.max_length() })
}

/// Checks that every link of `original` is in `text`, unless they are too long to fit together.
///
/// # Errors
/// A [`Problem`] that names a lost link.
pub fn check_links(original: &str, text: &str, rules: &TextRules) -> Result<(), Problem> {
    let links: Vec<&str> = links(original).collect();
    if rules.unit.count(&links.join("\n")) > rules.caption_max {
        return Ok(());
    }
    let kept: Vec<&str> = self::links(text).collect();
    match links.into_iter().find(|link| !kept.contains(link)) {
        Some(lost) => Err(Problem::new(
            "caption.link_lost",
            format!("The link {lost} is missing from the text. Put it back."),
            Remedy::EditCaption,
        )),
        None => Ok(()),
    }
}

/// The links of `text`, in their order.
pub fn links(text: &str) -> impl Iterator<Item = &str> {
    words(text).into_iter().filter(|word| word.kind == Kind::Link).map(|word| word.text)
}

fn check_count(marks: &[Word<'_>], kind: Kind, max: Option<usize>) -> Result<(), Problem> {
    let count = marks.iter().filter(|word| word.kind == kind).count();
    match max.filter(|max| count > *max) {
        None => Ok(()),
        Some(max) => {
            let (code, what) = match kind {
                Kind::Hashtag => ("caption.too_many_hashtags", "hashtags"),
                Kind::Mention => ("caption.too_many_mentions", "mentions"),
                Kind::Link => ("caption.too_many_links", "links"),
            };
            let message = format!("The text has {count} {what} and the network takes {max}. Take some out.");
            Err(Problem::new(code, message, Remedy::EditCaption))
        }
    }
}

/// Controls other than the line feed; embeddings, overrides and isolates of direction (ordinary
/// right-to-left letters and their marks stay); byte-order marks and non-characters.
const fn is_unprintable(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{9}'
            | '\u{b}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}'
            | '\u{ffff}'
    )
}

fn unprintable() -> Problem {
    Problem::new(
        "caption.unprintable",
        "The text holds control characters that nobody can see. Type it anew, or paste it as plain text.",
        Remedy::EditCaption,
    )
}

#[cfg(test)]
mod tests;
