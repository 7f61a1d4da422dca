//! What a network allows in the text of a post. How each counts is in `count`.

use chrono::NaiveDate;
use serde::Deserialize;

use super::row::Confidence;

/// Limits of the text on one network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRules {
    /// The day of the page; of one without a date, the day that it was read.
    pub as_of: NaiveDate,
    pub source: String,
    pub confidence: Confidence,
    pub unit: TextUnit,
    /// Of the text beside the media, in `unit`. 0: there is none.
    pub caption_max: usize,
    /// Where what is over goes out as a reply: the most that the reply takes, in `unit`.
    #[serde(default)]
    pub reply_max: Option<usize>,
    /// `None`: there is no title.
    #[serde(default)]
    pub title_max: Option<usize>,
    /// What a title is counted in; `None`: in `unit`.
    #[serde(default)]
    pub title_unit: Option<TextUnit>,
    #[serde(default)]
    pub hashtags_max: Option<usize>,
    #[serde(default)]
    pub mentions_max: Option<usize>,
    /// Of the description of an image for those who do not see it.
    #[serde(default)]
    pub alt_max: Option<usize>,
    /// Characters that the network refuses wherever they stand, e.g. `<>`.
    #[serde(default)]
    pub refused: String,
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
    /// Unicode scalar values, but an emoji by its bytes in UTF-8.
    EmojiBytes,
    /// X's weights: 1 for Latin and its neighbours, 2 for other letters and for an emoji however long,
    /// 23 for a link. A link without `http://`, `https://` or `www.` is not known for one.
    Weighted,
}

impl TextRules {
    /// The most that a whole text may count: with a reply, caption and reply together.
    #[must_use]
    pub fn max_length(&self) -> usize {
        self.caption_max + self.reply_max.unwrap_or(0)
    }

    /// What a title is counted in.
    #[must_use]
    pub fn title_unit(&self) -> TextUnit {
        self.title_unit.unwrap_or(self.unit)
    }
}
