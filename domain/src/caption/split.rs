//! Dividing a text where a reader would: between paragraphs, sentences or words.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::words::{Kind, words};
use crate::problem::{Problem, Remedy};
use crate::profile::{TextRules, TextUnit};

/// A text as it goes out: beside the media, and what did not fit as a reply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    pub caption: &'a str,
    pub reply: Option<&'a str>,
}

/// Divides `text` for a network with these `rules`; most texts stay whole.
///
/// # Errors
/// A [`Problem`] when it is too long even so.
pub fn split<'a>(text: &'a str, rules: &TextRules) -> Result<Parts<'a>, Problem> {
    if rules.unit.count(text) <= rules.caption_max {
        return Ok(Parts { caption: text, reply: None });
    }
    if let Some(reply_max) = rules.reply_max {
        let (caption, reply) = text.split_at(cut(text, rules.caption_max, rules.unit));
        let (caption, reply) = (caption.trim_end(), reply.trim_start());
        if rules.unit.count(reply) <= reply_max {
            return Ok(Parts { caption, reply: Some(reply).filter(|reply| !reply.is_empty()) });
        }
    }
    Err(Problem::new(
        "caption.too_long",
        format!(
            "The text counts {} and the network takes {}. Shorten it.",
            rules.unit.count(text),
            rules.max_length()
        ),
        Remedy::EditCaption,
    ))
}

/// The byte where `text` is best cut so that what comes before counts at most `limit`.
///
/// It is after a paragraph, else a sentence, if one ends beyond a third of what fits, else after a
/// word; inside of a link, hashtag, mention or character only if that alone is too long.
#[must_use]
pub fn cut(text: &str, limit: usize, unit: TextUnit) -> usize {
    let hard = last_fitting(text, limit, unit);
    if hard == text.len() {
        return hard;
    }
    let inside = words(text).into_iter().find(|word| word.range.start < hard && hard < word.range.end);
    let hard = inside.map(|word| word.range.start).filter(|start| *start > 0).unwrap_or(hard);
    let head = &text[..hard];
    let paragraph = head.rfind("\n\n");
    let sentence = last_sentence_end(text, hard);
    let late = |end: &usize| *end >= hard / 3 && *end > 0;
    if let Some(end) = paragraph.filter(late).or(sentence.filter(late)) {
        return end;
    }
    if text[hard..].starts_with(char::is_whitespace) {
        return hard;
    }
    // The blank itself goes with what follows, where it is trimmed.
    head.rfind(char::is_whitespace).filter(|end| *end > 0).unwrap_or(hard)
}

/// The last boundary of a character, or of a link that counts as a whole, up to which `text` counts
/// at most `limit`.
fn last_fitting(text: &str, limit: usize, unit: TextUnit) -> usize {
    let mut left = limit;
    for (piece, is_link) in pieces(text, unit) {
        let count = unit.count(&text[piece.clone()]);
        if count <= left {
            left -= count;
        } else if piece.start > 0 {
            return piece.start;
        } else {
            // A part of a link would be another link.
            return if is_link { 0 } else { last_fitting_scalar(&text[piece], limit, unit) };
        }
    }
    text.len()
}

/// What counts for itself, and whether it is a link that does.
fn pieces(text: &str, unit: TextUnit) -> Vec<(Range<usize>, bool)> {
    let links = if unit.counts_links_whole() { words(text) } else { Vec::new() };
    let (mut pieces, mut from) = (Vec::new(), 0);
    let graphemes = |part: Range<usize>| {
        let found = text[part.clone()].grapheme_indices(true);
        found.map(move |(at, one)| (part.start + at..part.start + at + one.len(), false))
    };
    for link in links.into_iter().filter(|word| word.kind == Kind::Link) {
        pieces.extend(graphemes(from..link.range.start));
        from = link.range.end;
        pieces.push((link.range, true));
    }
    pieces.extend(graphemes(from..text.len()));
    pieces
}

/// As above for one character of more marks than `limit`, which has to be broken somewhere.
fn last_fitting_scalar(grapheme: &str, limit: usize, unit: TextUnit) -> usize {
    // Its beginning may count otherwise than as a sum, so each is counted as a whole.
    let ends: Vec<usize> = grapheme.char_indices().map(|(at, _)| at).collect();
    let fitting = ends.partition_point(|end| unit.count(&grapheme[..*end]) <= limit);
    ends[..fitting].last().copied().unwrap_or(0)
}

fn last_sentence_end(text: &str, hard: usize) -> Option<usize> {
    let ends = |(at, character): &(usize, char)| {
        let after = at + character.len_utf8();
        match character {
            '\n' => true,
            '。' | '！' | '？' => after <= hard,
            '.' | '!' | '?' | '…' => after <= hard && text[after..].starts_with(char::is_whitespace),
            _ => false,
        }
    };
    let (at, character) = text[..hard].char_indices().rfind(ends)?;
    Some(if character == '\n' { at } else { at + character.len_utf8() })
}
