//! How a text is spread over a caption and replies.

use crate::connector::Post;

/// Of a caption, in UTF-16 units (Bot API 10.1, sendPhoto: 0-1024 after entity parsing).
const CAPTION_UNITS: usize = 1024;
/// Of a message, in UTF-16 units (Bot API 10.1, sendMessage: 1-4096).
const MESSAGE_UNITS: usize = 4096;

/// The caption, then one text for each reply. Never empty.
pub(super) fn parts(post: &Post) -> Vec<String> {
    let mut limit = if post.media.is_empty() { MESSAGE_UNITS } else { CAPTION_UNITS };
    let mut parts = Vec::new();
    let mut rest = post.text.trim();
    loop {
        let cut = cut(rest, limit);
        parts.push(rest[..cut].trim_end().to_owned());
        rest = rest[cut..].trim_start();
        if rest.is_empty() {
            return parts;
        }
        limit = MESSAGE_UNITS;
    }
}

/// Where to cut: all of it, else after the last paragraph, line or word that fits, else hard.
fn cut(text: &str, limit: usize) -> usize {
    let mut units = 0;
    let fits = text.char_indices().find_map(|(at, c)| {
        units += c.len_utf16();
        (units > limit).then_some(at)
    });
    let Some(fits) = fits else { return text.len() };
    let head = &text[..fits];
    let half = fits / 2;
    ["\n\n", "\n", " "].into_iter().find_map(|gap| head.rfind(gap).filter(|at| *at >= half)).unwrap_or(fits)
}

#[cfg(test)]
mod tests {
    use super::{CAPTION_UNITS, MESSAGE_UNITS, cut};

    #[test]
    fn a_text_is_cut_where_people_would() {
        assert_eq!(cut("short", CAPTION_UNITS), 5);
        assert_eq!(cut(&"a".repeat(5000), MESSAGE_UNITS), 4096);
        assert_eq!(cut(&"😀".repeat(600), CAPTION_UNITS), 512 * 4, "a surrogate pair is two units");
        let words = format!("{} {}", "a".repeat(1000), "b".repeat(100));
        assert_eq!(cut(&words, CAPTION_UNITS), 1000);
        let paragraphs = format!("{}\n\n{} c", "a".repeat(900), "b".repeat(200));
        assert_eq!(cut(&paragraphs, CAPTION_UNITS), 900);
    }
}
