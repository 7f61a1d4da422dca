//! `parse_mode=MarkdownV2`: its markers, and the letters that must be escaped.

use crate::telegram::entities::{Entity, Formatted};
use crate::text::utf16_len;

/// Letters that mean something and must be escaped where they shall not.
const RESERVED: &str = "_*[]()~`>#+-=|{}.!";
/// Markers of formatting that may hold other formatting; longer ones first.
const MARKERS: [(&str, &str); 5] =
    [("__", "underline"), ("||", "spoiler"), ("*", "bold"), ("_", "italic"), ("~", "strikethrough")];

struct Open {
    marker: &'static str,
    kind: &'static str,
    offset: usize,
    at: usize,
}

/// The text without its markers, or what is wrong with them.
pub fn parse(source: &str) -> Result<Formatted, String> {
    let mut parsed = Formatted::default();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(letter) = source[at..].chars().next() {
        let rest = &source[at..];
        if let Some(after) = rest.strip_prefix('\\') {
            let escaped = after.chars().next().filter(char::is_ascii);
            parsed.text.push(escaped.unwrap_or('\\'));
            at += 1 + escaped.map_or(0, char::len_utf8);
        } else if letter == '`' {
            at += code(&mut parsed, rest, at)?;
        } else if letter == '[' {
            open.push(Open { marker: "[", kind: "text_link", offset: utf16_len(&parsed.text), at });
            at += 1;
        } else if letter == ']' && open.last().is_some_and(|open| open.marker == "[") {
            at += link(&mut parsed, open.pop(), rest)?;
        } else if letter == '>' && (parsed.text.is_empty() || parsed.text.ends_with('\n')) {
            // A quotation; its place is not needed by anybody here.
            at += 1;
        } else if let Some((marker, kind)) = MARKERS.into_iter().find(|(mark, _)| rest.starts_with(mark)) {
            toggle(&mut parsed, &mut open, Open { marker, kind, offset: 0, at });
            at += marker.len();
        } else if RESERVED.contains(letter) {
            return Err(format!(
                "Character '{letter}' is reserved and must be escaped with the preceding '\\'"
            ));
        } else {
            parsed.text.push(letter);
            at += letter.len_utf8();
        }
    }
    match open.pop() {
        Some(left) => Err(format!("Can't find end of {} entity at byte offset {}", left.kind, left.at)),
        None => Ok(parsed),
    }
}

/// Ends the innermost entity when the marker is its own, else begins one.
fn toggle(parsed: &mut Formatted, open: &mut Vec<Open>, next: Open) {
    let offset = utf16_len(&parsed.text);
    if open.last().is_none_or(|open| open.marker != next.marker) {
        open.push(Open { offset, ..next });
        return;
    }
    if let Some(open) = open.pop() {
        push(parsed, open.kind, open.offset, None);
    }
}

/// Code and pre-formatted blocks hold no other formatting. Returns the bytes taken.
fn code(parsed: &mut Formatted, rest: &str, at: usize) -> Result<usize, String> {
    let (fence, kind) = if rest.starts_with("```") { ("```", "pre") } else { ("`", "code") };
    let unclosed = || {
        let name = if kind == "pre" { "Pre" } else { "Code" };
        format!("Can't find end of {name} entity at byte offset {at}")
    };
    let length = rest[fence.len()..].find(fence).ok_or_else(unclosed)?;
    let offset = utf16_len(&parsed.text);
    parsed.text.push_str(&rest[fence.len()..fence.len() + length]);
    push(parsed, kind, offset, None);
    Ok(fence.len() * 2 + length)
}

/// `](address)`. Returns the bytes taken.
fn link(parsed: &mut Formatted, open: Option<Open>, rest: &str) -> Result<usize, String> {
    let Some(open) = open else { return Ok(1) };
    let address = rest.strip_prefix("](").and_then(|rest| rest.split_once(')'));
    let Some((address, _)) = address else {
        return Err(format!("Can't find end of a URL at byte offset {}", open.at));
    };
    push(parsed, open.kind, open.offset, Some(address.to_owned()));
    Ok("]()".len() + address.len())
}

fn push(parsed: &mut Formatted, kind: &'static str, offset: usize, url: Option<String>) {
    let length = utf16_len(&parsed.text) - offset;
    if length > 0 {
        parsed.entities.push(Entity { kind, offset, length, url });
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn markers_become_entities_and_reserved_letters_are_refused() {
        let parsed = parse("*a _b_* __c__ `x*y` [l](https://a.example) 1\\.").unwrap_or_default();
        assert_eq!(parsed.text, "a b c x*y l 1.");
        let places: Vec<_> =
            parsed.entities.iter().map(|entity| (entity.kind, entity.offset, entity.length)).collect();
        let expected =
            [("italic", 2, 1), ("bold", 0, 3), ("underline", 4, 1), ("code", 6, 3), ("text_link", 10, 1)];
        assert_eq!(places, expected);
        for letter in ['.', '!', '-', '#', '(', '{', '='] {
            let problem =
                format!("Character '{letter}' is reserved and must be escaped with the preceding '\\'");
            assert_eq!(parse(&format!("a{letter}")).map(|parsed| parsed.text), Err(problem));
        }
        assert!(parse("*a").is_err() && parse("`a").is_err() && parse("[a](b").is_err());
    }
}
