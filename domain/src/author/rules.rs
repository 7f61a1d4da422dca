//! The author without a model: keeps the text, makes it fit, and adds the brand's hashtags.

mod marks;
mod removal;

use std::ops::Range;

use self::removal::without;
use super::{BrandVoice, Draft};
use crate::caption::{Kind, check, clean, cut, forbidden, split, words};
use crate::problem::{Problem, Remedy};
use crate::profile::TextRules;

/// Stands for what was left out.
const ELLIPSIS: &str = " …";

/// Taking something out can put words side by side that were apart: how often that is looked at.
const ROUNDS: usize = 8;

/// Adapts `original` to a network. The same arguments always give the same text.
///
/// What the brand forbids is taken out, hashtags and mentions above the network's number go, the
/// brand's own hashtags that are missing are added where they fit, and a text that is too long ends
/// at a sentence, with its links and as many of its hashtags as fit behind it.
///
/// # Errors
/// A [`Problem`] when a forbidden phrase is part of a link, which cannot be taken out of it.
pub fn adapt(original: &str, voice: &BrandVoice, rules: &TextRules) -> Result<Draft, Problem> {
    let phrases = &voice.forbidden_phrases;
    let taken: String = clean(original).chars().filter(|letter| !rules.refused.contains(*letter)).collect();
    let mut text = without_forbidden(&taken, phrases)?;
    text = with_hashtags(text, voice, rules);
    let mut verdict = check(&text, rules, phrases);
    for _ in 0..ROUNDS {
        if verdict.is_ok() {
            break;
        }
        text = without_forbidden(&text, phrases)?;
        text = limit_mentions(&text, rules);
        text = limit_hashtags(&text, rules);
        if split(&text, rules).is_err() {
            text = shorten(&text, rules);
        }
        verdict = check(&text, rules, phrases);
    }
    verdict?;
    let title = rules.title_max.map(|max| title(&text, max, rules));
    Ok(Draft { title, text })
}

/// Takes forbidden phrases out, and the whole hashtag or mention that one is part of.
fn without_forbidden(text: &str, phrases: &[String]) -> Result<String, Problem> {
    let mut text = text.to_owned();
    // Each turn makes the text shorter, so this ends.
    loop {
        let mut found = forbidden(&text, phrases);
        if found.is_empty() {
            return Ok(text);
        }
        for word in words(&text) {
            for one in found.iter_mut().filter(|one| overlap(&one.range, &word.range)) {
                if word.kind == Kind::Link {
                    return Err(in_a_link(one.phrase, word.text));
                }
                one.range = one.range.start.min(word.range.start)..one.range.end.max(word.range.end);
            }
        }
        let ranges: Vec<_> = found.into_iter().map(|one| one.range).collect();
        text = without(&text, &ranges);
    }
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Beyond the network's number a mention becomes a plain name.
fn limit_mentions(text: &str, rules: &TextRules) -> String {
    let mut text = text.to_owned();
    for range in above(&text, Kind::Mention, rules.mentions_max).into_iter().rev() {
        let sign = text[range.start..].chars().next().map_or(0, char::len_utf8);
        text.replace_range(range.start..range.start + sign, "");
    }
    text
}

/// Beyond the network's number a hashtag goes.
fn limit_hashtags(text: &str, rules: &TextRules) -> String {
    let ranges = above(text, Kind::Hashtag, rules.hashtags_max);
    if ranges.is_empty() { text.to_owned() } else { without(text, &ranges) }
}

/// Where the words of that kind above `max` stand.
fn above(text: &str, kind: Kind, max: Option<usize>) -> Vec<Range<usize>> {
    let of_kind = words(text).into_iter().filter(|word| word.kind == kind);
    of_kind.skip(max.unwrap_or(usize::MAX)).map(|word| word.range).collect()
}

/// Adds the brand's hashtags that the text lacks: beside the media while they fit there, and behind
/// a text that does not fit there anyway.
fn with_hashtags(text: String, voice: &BrandVoice, rules: &TextRules) -> String {
    let over = |text: &str| rules.unit.count(text) > rules.caption_max;
    let mut present: Vec<String> = hashtags(&text).map(str::to_lowercase).collect();
    let (mut with, is_long) = (text.clone(), over(&text));
    let mut gap = if text.is_empty() { "" } else { "\n\n" };
    for tag in voice.default_hashtags.iter().filter_map(|tag| hashtag(tag)) {
        let longer = format!("{with}{gap}{tag}");
        let room = rules.hashtags_max.is_none_or(|max| present.len() < max) && (is_long || !over(&longer));
        if room && !present.contains(&tag.to_lowercase()) {
            present.push(tag.to_lowercase());
            (with, gap) = (longer, " ");
        }
    }
    with
}

/// What a brand wrote as one hashtag, with its sign; `None` when no network would take it for one.
fn hashtag(written: &str) -> Option<String> {
    let body: String = written.chars().filter(|c| !c.is_whitespace() && !matches!(c, '#' | '＃')).collect();
    let tag = format!("#{}", clean(&body));
    let is_whole = hashtags(&tag).next() == Some(tag.as_str());
    is_whole.then_some(tag)
}

fn hashtags(text: &str) -> impl Iterator<Item = &str> {
    words(text).into_iter().filter(|word| word.kind == Kind::Hashtag).map(|word| word.text)
}

/// Ends the text at a sentence, and sets its links and hashtags behind it.
fn shorten(text: &str, rules: &TextRules) -> String {
    // A reply takes what is over; its length is what fits wherever the text is divided.
    let limit = rules.reply_max.unwrap_or(rules.caption_max);
    let count = |text: &str| rules.unit.count(text);
    let mut kept: Vec<&str> = Vec::new();
    for word in words(text).into_iter().filter(|word| word.kind == Kind::Link) {
        keep(&mut kept, word.text, limit, rules);
    }
    // Half of the room stays for what the post says.
    for tag in hashtags(text) {
        keep(&mut kept, tag, limit / 2, rules);
    }
    let tail = kept.join(" ");
    let gap = if tail.is_empty() { 0 } else { 2 };
    let room = limit.saturating_sub(count(&tail) + gap + count(ELLIPSIS));
    let head = text[..cut(text, room, rules.unit)].trim_end();
    if head.is_empty() {
        return tail;
    }
    let in_head: Vec<&str> = words(head).into_iter().map(|word| word.text).collect();
    kept.retain(|word| !in_head.contains(word));
    let tail = kept.join(" ");
    let gap = if tail.is_empty() { "" } else { "\n\n" };
    format!("{head}{ELLIPSIS}{gap}{tail}")
}

/// Adds `word` while the row of them counts at most `limit`.
fn keep<'a>(kept: &mut Vec<&'a str>, word: &'a str, limit: usize, rules: &TextRules) {
    if kept.contains(&word) {
        return;
    }
    kept.push(word);
    if rules.unit.count(&kept.join(" ")) > limit {
        kept.pop();
    }
}

/// The first line, cut between words.
fn title(text: &str, max: usize, rules: &TextRules) -> String {
    let line = text.lines().next().unwrap_or_default();
    line[..cut(line, max, rules.title_unit())].trim_end().to_owned()
}

fn in_a_link(phrase: &str, link: &str) -> Problem {
    Problem::new(
        "caption.forbidden_phrase",
        format!("The brand does not want “{phrase}”, but it is part of the link {link}. Change the text."),
        Remedy::EditCaption,
    )
}

#[cfg(test)]
mod tests;
