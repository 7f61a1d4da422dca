//! `parse_mode=HTML`: the tags that Telegram knows, and its words for the others.

use crate::telegram::entities::{Entity, Formatted};
use crate::text::utf16_len;

/// The kind of entity that a tag makes.
fn kind(tag: &str, attributes: &str) -> Option<&'static str> {
    Some(match tag {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "code" => "code",
        "pre" => "pre",
        "a" => "text_link",
        "tg-spoiler" => "spoiler",
        "span" if attribute(attributes, "class").as_deref() == Some("tg-spoiler") => "spoiler",
        "blockquote" => "blockquote",
        "tg-emoji" => "custom_emoji",
        _ => return None,
    })
}

struct Open {
    tag: String,
    kind: &'static str,
    offset: usize,
    url: Option<String>,
}

/// The text without its tags, or what is wrong with them.
pub fn parse(source: &str) -> Result<Formatted, String> {
    let mut parsed = Formatted::default();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(letter) = source[at..].chars().next() {
        let rest = &source[at..];
        if letter == '&' {
            let (decoded, length) = entity(rest).unwrap_or(('&', 1));
            parsed.text.push(decoded);
            at += length;
            continue;
        }
        if letter != '<' {
            parsed.text.push(letter);
            at += letter.len_utf8();
            continue;
        }
        let end = rest.find('>').ok_or_else(|| format!("Unclosed start tag at byte offset {at}"))?;
        let inside = &rest[1..end];
        if let Some(name) = inside.strip_prefix('/') {
            close(&mut parsed, open.pop(), name, at)?;
        } else {
            open.push(start(inside, utf16_len(&parsed.text), at)?);
        }
        at += end + 1;
    }
    match open.pop() {
        Some(left) => Err(format!("Can't find end tag corresponding to start tag \"{}\"", left.tag)),
        None => Ok(parsed),
    }
}

fn start(inside: &str, offset: usize, at: usize) -> Result<Open, String> {
    let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let tag = name.to_ascii_lowercase();
    let kind = kind(&tag, attributes)
        .ok_or_else(|| format!("Unsupported start tag \"{name}\" at byte offset {at}"))?;
    let url = if kind == "text_link" { attribute(attributes, "href") } else { None };
    Ok(Open { tag, kind, offset, url })
}

fn close(parsed: &mut Formatted, open: Option<Open>, name: &str, at: usize) -> Result<(), String> {
    let Some(open) = open else { return Err(format!("Unexpected end tag at byte offset {at}")) };
    let name = name.trim().to_ascii_lowercase();
    if !name.is_empty() && name != open.tag {
        let expected = &open.tag;
        return Err(format!(
            "Unmatched end tag at byte offset {at}, expected \"</{expected}>\", found \"</{name}>\""
        ));
    }
    let length = utf16_len(&parsed.text) - open.offset;
    if length > 0 {
        parsed.entities.push(Entity { kind: open.kind, offset: open.offset, length, url: open.url });
    }
    Ok(())
}

/// The character that `&…;` stands for and the bytes it takes.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.find(';').filter(|end| *end <= 10)?;
    let name = &text[1..end];
    let decoded = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((decoded, end + 1))
}

fn attribute(attributes: &str, name: &str) -> Option<String> {
    let value = attributes.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''));
    Some(match quote {
        Some(quote) => value[1..].split(quote).next()?.to_owned(),
        None => value.split_whitespace().next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn tags_become_entities_and_faults_are_named() {
        let parsed = parse("😀 <b>a<i>b</i></b> <a href=\"https://a.example/?x=1\">l</a> 1 &lt; 2 & 3");
        let parsed = parsed.unwrap_or_default();
        assert_eq!(parsed.text, "😀 ab l 1 < 2 & 3");
        let places: Vec<_> =
            parsed.entities.iter().map(|entity| (entity.kind, entity.offset, entity.length)).collect();
        assert_eq!(places, [("italic", 4, 1), ("bold", 3, 2), ("text_link", 6, 1)]);
        assert_eq!(parsed.entities[2].url.as_deref(), Some("https://a.example/?x=1"));
        let bad = [
            ("<p>a</p>", "Unsupported start tag \"p\" at byte offset 0"),
            ("<b>a", "Can't find end tag corresponding to start tag \"b\""),
            ("a</b>", "Unexpected end tag at byte offset 1"),
            ("<b>a</i>", "Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""),
            ("<b", "Unclosed start tag at byte offset 0"),
        ];
        for (source, problem) in bad {
            assert_eq!(parse(source).map(|parsed| parsed.text), Err(problem.to_owned()));
        }
    }
}
