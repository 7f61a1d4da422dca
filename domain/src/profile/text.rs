//! What a network allows in the text of a post, counted as that network counts.

use chrono::NaiveDate;
use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

use super::Confidence;

/// Limits of the text on one network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRules {
    /// The day of the page.
    pub as_of: NaiveDate,
    pub source: String,
    pub confidence: Confidence,
    pub unit: TextUnit,
    /// Of the text beside the media, in `unit`.
    pub caption_max: usize,
    /// Where what is over goes out as a reply: the most that the reply takes, in `unit`.
    #[serde(default)]
    pub reply_max: Option<usize>,
    #[serde(default)]
    pub title_max: Option<usize>,
    #[serde(default)]
    pub hashtags_max: Option<usize>,
    #[serde(default)]
    pub mentions_max: Option<usize>,
    /// Of the description of an image for those who do not see it.
    #[serde(default)]
    pub alt_max: Option<usize>,
}

/// What a network counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextUnit {
    /// Unicode scalar values.
    Chars,
    Utf16,
    Utf8Bytes,
    /// What a reader takes for one character.
    Graphemes,
}

impl TextUnit {
    /// The length of `text` as the network counts it.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Utf8Bytes => text.len(),
            Self::Graphemes => text.graphemes(true).count(),
        }
    }
}

impl TextRules {
    /// The most that a whole text may count: with a reply, caption and reply together.
    #[must_use]
    pub fn max_length(&self) -> usize {
        self.caption_max + self.reply_max.unwrap_or(0)
    }
}
