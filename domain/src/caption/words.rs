//! The words of a text that networks act upon: links, hashtags and mentions.

use std::ops::Range;

use unicode_normalization::char::is_combining_mark;

/// What a network makes of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Link,
    Hashtag,
    Mention,
}

/// One of them, where it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    pub kind: Kind,
    /// In bytes of the text.
    pub range: Range<usize>,
    /// With its sign, e.g. `#summer`.
    pub text: &'a str,
}

/// Finds every link, hashtag and mention of `text`, in their order; they never overlap.
#[must_use]
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    for token in text.split_whitespace() {
        // Both are slices of one text, so the difference of their addresses is the offset.
        let offset = token.as_ptr() as usize - text.as_ptr() as usize;
        let link = link_in(token);
        let before = link.as_ref().map_or(token.len(), |range| range.start);
        found.extend(signs(&token[..before]).map(|(kind, range)| word(text, kind, range, offset)));
        if let Some(range) = link {
            let rest = offset + range.end;
            found.push(word(text, Kind::Link, range.clone(), offset));
            found.extend(signs(&token[range.end..]).map(|(kind, range)| word(text, kind, range, rest)));
        }
    }
    found
}

fn word(text: &str, kind: Kind, range: Range<usize>, offset: usize) -> Word<'_> {
    let range = offset + range.start..offset + range.end;
    Word { kind, text: &text[range.clone()], range }
}

/// From `http://`, `https://` or `www.` up to the blank, without the punctuation that ends it.
fn link_in(token: &str) -> Option<Range<usize>> {
    let lower = token.to_ascii_lowercase();
    let start = ["https://", "http://", "www."].into_iter().filter_map(|scheme| lower.find(scheme)).min()?;
    let closing = |c: char| {
        // A blank that nobody sees is no part of an address either.
        matches!(c, '.' | ',' | '!' | '?' | ';' | ':' | '…' | '"' | '\'' | '»' | '”' | '’' | '\u{200b}')
    };
    let mut link = token[start..].trim_end_matches(closing);
    // A bracket that the link does not open belongs to the sentence around it.
    for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
        if link.ends_with(close) && !link.contains(open) {
            link = link.trim_end_matches(close).trim_end_matches(closing);
        }
    }
    let has_host = link.split_once("://").map_or(link.len() > "www.".len(), |(_, host)| !host.is_empty());
    has_host.then(|| start..start + link.len())
}

/// Hashtags and mentions of a text without blanks and links.
fn signs(text: &str) -> impl Iterator<Item = (Kind, Range<usize>)> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        while from < text.len() {
            let start = from + text[from..].find(['#', '＃', '@', '＠'])?;
            let sign = text[start..].chars().next()?;
            let body = start + sign.len_utf8();
            let is_tag = matches!(sign, '#' | '＃');
            let inside =
                |c: char| c == '_' || c.is_alphanumeric() || is_combining_mark(c) || (!is_tag && c == '.');
            let end = text[body..].find(|c| !inside(c)).map_or(text.len(), |length| body + length);
            let before = text[..start].chars().next_back();
            // `&#39;` is no hashtag and `me@example.org` no mention.
            let apart = match before {
                Some(c) if is_tag => c != '&',
                Some(c) => !c.is_alphanumeric(),
                None => true,
            };
            from = end;
            let end = body + text[body..end].trim_end_matches('.').len();
            if apart && end > body {
                return Some((if is_tag { Kind::Hashtag } else { Kind::Mention }, start..end));
            }
        }
        None
    })
}
