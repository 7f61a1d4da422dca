//! Counting a text as a network does.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::UnicodeEmoji;
use unicode_segmentation::UnicodeSegmentation;

use super::text::TextUnit;
use crate::caption::{Kind, words};

/// What X counts for a link, whatever its length.
const LINK_WEIGHT: usize = 23;

/// What X counts for an emoji, and for a letter outside of [`is_light`].
const HEAVY: usize = 2;

impl TextUnit {
    /// The length of `text` as the network counts it.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Utf8Bytes => text.len(),
            Self::Graphemes => text.graphemes(true).count(),
            Self::EmojiBytes => text.graphemes(true).map(emoji_bytes).sum(),
            Self::Weighted => weighted(text),
        }
    }

    /// Links count the same, however long they are: none may be cut.
    #[must_use]
    pub const fn counts_links_whole(self) -> bool {
        matches!(self, Self::Weighted)
    }
}

/// An emoji may be several characters: skin, gender and the joints between them count along.
fn emoji_bytes(grapheme: &str) -> usize {
    if is_emoji(grapheme) { grapheme.len() } else { grapheme.chars().count() }
}

fn weighted(text: &str) -> usize {
    let (mut sum, mut from) = (0, 0);
    for link in words(text).into_iter().filter(|word| word.kind == Kind::Link) {
        sum += weight(&text[from..link.range.start]) + LINK_WEIGHT;
        from = link.range.end;
    }
    sum + weight(&text[from..])
}

fn weight(text: &str) -> usize {
    let one = |grapheme: &str| {
        if is_emoji(grapheme) {
            return HEAVY;
        }
        grapheme.nfc().map(|letter| if is_light(letter) { 1 } else { HEAVY }).sum()
    };
    text.graphemes(true).map(one).sum()
}

/// The ranges of version 3 of twitter-text's configuration.
const fn is_light(letter: char) -> bool {
    matches!(letter as u32, 0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247)
}

/// Digits, `#`, `*`, `©` and `®` are emoji only under a mark that asks for it.
fn is_emoji(grapheme: &str) -> bool {
    let is_one = |letter: char| letter > '\u{ff}' && letter.is_emoji_char();
    grapheme.chars().any(|letter| matches!(letter, '\u{fe0f}' | '\u{20e3}') || is_one(letter))
}
