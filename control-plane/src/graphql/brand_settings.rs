//! What a person sets of a brand, checked.

use async_graphql::{InputObject, MaybeUndefined};
use backplane::store::tenants::BrandRow;
use serde::Serialize;

use super::user_error::{Code, Path, UserError};

/// Longest system prompt, in characters.
const PROMPT_MAX: usize = 20_000;
/// Most hashtags, and most forbidden phrases.
const WORDS_MAX: usize = 100;
/// Longest hashtag or phrase, in characters.
const WORD_MAX: usize = 200;

/// How the brand speaks. What is left out stays as it is and null clears.
#[derive(Clone, InputObject, Serialize, Default)]
pub struct BrandVoiceInput {
    /// What the author of captions is told of the brand: up to 20,000 characters.
    system_prompt: MaybeUndefined<String>,
    /// Put under captions, with or without the sign: up to 100.
    default_hashtags: MaybeUndefined<Vec<String>>,
    /// Never written: up to 100.
    forbidden_phrases: MaybeUndefined<Vec<String>>,
    /// The language of captions, as a BCP 47 tag, e.g. uk or pt-BR.
    language: MaybeUndefined<String>,
}

impl BrandVoiceInput {
    /// Writes what was given into `row`.
    ///
    /// # Errors
    /// `TOO_LARGE` or `INVALID` below `path`.
    pub fn apply(self, row: &mut BrandRow, path: &Path) -> Result<(), UserError> {
        match self.system_prompt {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => row.voice_prompt = String::new(),
            MaybeUndefined::Value(prompt) => {
                let path = path.field("systemPrompt");
                if prompt.chars().count() > PROMPT_MAX || prompt.contains('\0') {
                    let message = "a system prompt has up to 20,000 characters: shorten it";
                    return Err(UserError::new(Code::TooLarge, message, &path));
                }
                row.voice_prompt = prompt;
            }
        }
        if let Some(hashtags) = given(self.default_hashtags) {
            let path = path.field("defaultHashtags");
            row.voice_hashtags = hashtags
                .iter()
                .enumerate()
                .map(|(index, tag)| hashtag(tag, &path.index(index)))
                .collect::<Result<_, _>>()?;
            bounded(&row.voice_hashtags, &path)?;
        }
        if let Some(phrases) = given(self.forbidden_phrases) {
            bounded(&phrases, &path.field("forbiddenPhrases"))?;
            row.voice_forbidden = phrases;
        }
        match self.language {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => row.voice_language = None,
            MaybeUndefined::Value(language) => {
                row.voice_language = Some(check_language(&language, &path.field("language"))?);
            }
        }
        Ok(())
    }
}

/// A list that was given; null is the empty one.
fn given(list: MaybeUndefined<Vec<String>>) -> Option<Vec<String>> {
    match list {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(Vec::new()),
        MaybeUndefined::Value(list) => Some(list),
    }
}

fn bounded(words: &[String], path: &Path) -> Result<(), UserError> {
    if words.len() > WORDS_MAX {
        return Err(UserError::new(Code::TooLarge, "up to 100 are kept: leave some out", path));
    }
    for (index, word) in words.iter().enumerate() {
        if word.trim().is_empty() || word.chars().count() > WORD_MAX || word.contains('\0') {
            return Err(UserError::invalid("each has 1 to 200 characters", &path.index(index)));
        }
    }
    Ok(())
}

/// A hashtag without its sign.
fn hashtag(text: &str, path: &Path) -> Result<String, UserError> {
    let tag = text.trim().trim_start_matches('#');
    let fine = !tag.is_empty() && tag.chars().all(|c| !c.is_whitespace() && !c.is_control() && c != '#');
    if fine { Ok(tag.to_owned()) } else { Err(UserError::invalid("a hashtag is one word", path)) }
}

/// Checks the form of a BCP 47 tag, not whether anybody speaks it.
fn check_language(text: &str, path: &Path) -> Result<String, UserError> {
    let mut parts = text.split('-');
    let first = parts
        .next()
        .is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest =
        parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if first && rest && text.len() <= 35 {
        return Ok(text.to_owned());
    }
    Err(UserError::invalid("a language is a tag like uk, en or pt-BR", path))
}

/// Checks a brand's name.
///
/// # Errors
/// `INVALID` at `path`.
pub fn check_name(name: &str, path: &Path) -> Result<String, UserError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.contains('\0') {
        return Err(UserError::invalid("a name has 1 to 200 characters", path));
    }
    Ok(name.to_owned())
}

/// Checks that a time zone is known by its IANA name.
///
/// # Errors
/// `INVALID` at `path`.
pub fn check_timezone(name: &str, path: &Path) -> Result<String, UserError> {
    match name.parse::<chrono_tz::Tz>() {
        Ok(zone) => Ok(zone.name().to_owned()),
        Err(_) => Err(UserError::invalid("this is no time zone: take an IANA name like Europe/Kyiv", path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_by_their_form() {
        let path = Path::input();
        for (zone, fine) in [("Europe/Kyiv", true), ("UTC", true), ("Kyiv", false), ("", false)] {
            assert_eq!(check_timezone(zone, &path).is_ok(), fine, "{zone}");
        }
        for (language, fine) in
            [("uk", true), ("pt-BR", true), ("zh-Hant-TW", true), ("e", false), ("en_US", false), ("", false)]
        {
            assert_eq!(check_language(language, &path).is_ok(), fine, "{language}");
        }
        for (tag, kept) in
            [("#spring", Some("spring")), (" spring ", Some("spring")), ("two words", None), ("#", None)]
        {
            assert_eq!(hashtag(tag, &path).ok().as_deref(), kept, "{tag}");
        }
    }
}
