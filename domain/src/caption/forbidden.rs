//! Finding phrases whatever their case, width, accents' encoding or invisible characters.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// A phrase that a brand forbids, where it stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden<'a> {
    pub phrase: &'a str,
    /// In bytes of the text.
    pub range: Range<usize>,
}

/// Where any of `phrases` stands in `text` as whole words, in the order of the text.
///
/// Both are compared after compatibility decomposition, in lower case, without invisible
/// characters, and with any run of blanks as one. An empty phrase is nowhere.
#[must_use]
pub fn forbidden<'a>(text: &str, phrases: &'a [String]) -> Vec<Forbidden<'a>> {
    if phrases.is_empty() {
        return Vec::new();
    }
    let hay = fold(text);
    let mut found: Vec<_> = phrases
        .iter()
        .flat_map(|phrase| find(&hay, phrase).into_iter().map(move |range| Forbidden { phrase, range }))
        .collect();
    found.sort_by_key(|one| (one.range.start, one.range.end));
    found
}

fn find(hay: &[Unit], phrase: &str) -> Vec<Range<usize>> {
    let needle: Vec<char> = fold(phrase.trim()).into_iter().map(|unit| unit.character).collect();
    let mut found = Vec::new();
    let mut from = 0;
    while !needle.is_empty() && from + needle.len() <= hay.len() {
        let window = &hay[from..from + needle.len()];
        let same = window.iter().map(|unit| unit.character).eq(needle.iter().copied());
        if same && stands_alone(hay, from, from + needle.len()) {
            found.push(window[0].range.start..window[needle.len() - 1].range.end);
            from += needle.len();
        } else {
            from += 1;
        }
    }
    found
}

/// One folded character, and what of the text it came from.
struct Unit {
    character: char,
    range: Range<usize>,
    /// First and last of what a character of the reader was folded to.
    first: bool,
    last: bool,
}

/// Whether the match from `start` to `end` is made of whole characters and whole words.
fn stands_alone(hay: &[Unit], start: usize, end: usize) -> bool {
    let apart = |at: usize| {
        let (Some(left), Some(right)) = (at.checked_sub(1).and_then(|left| hay.get(left)), hay.get(at))
        else {
            return true;
        };
        !(is_of_a_word(left.character) && is_of_a_word(right.character))
    };
    hay[start].first && hay[end - 1].last && apart(start) && apart(end)
}

/// Letters and digits of scripts that set blanks between words; elsewhere a word may begin and end
/// anywhere.
fn is_of_a_word(character: char) -> bool {
    let unspaced = matches!(
        character,
        '\u{e00}'..='\u{eff}' // Thai, Lao
            | '\u{1000}'..='\u{11ff}' // Myanmar, Georgian capitals, Hangul letters (particles follow the noun)
            | '\u{1780}'..='\u{17ff}' // Khmer
            | '\u{3040}'..='\u{30ff}' // Kana
            | '\u{3400}'..='\u{9fff}' // Han
            | '\u{20000}'..='\u{3ffff}' // Han, supplementary planes
    );
    !unspaced && (character.is_alphanumeric() || is_combining_mark(character))
}

fn fold(text: &str) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::with_capacity(text.len());
    for (at, grapheme) in text.grapheme_indices(true) {
        let range = at..at + grapheme.len();
        let before = units.len();
        for character in fold_grapheme(grapheme) {
            let blank_again = character == ' ' && units.last().is_some_and(|unit| unit.character == ' ');
            if !blank_again {
                let first = units.len() == before;
                units.push(Unit { character, range: range.clone(), first, last: false });
            }
        }
        if units.len() > before
            && let Some(unit) = units.last_mut()
        {
            unit.last = true;
        }
    }
    units
}

fn fold_grapheme(grapheme: &str) -> impl Iterator<Item = char> + '_ {
    // Decomposed again after lowering: some capitals lower to a letter and a mark.
    let lowered = grapheme.nfkd().flat_map(char::to_lowercase).nfkd();
    let visible = lowered.filter(|character| !is_invisible(*character));
    visible.map(|character| if character.is_whitespace() { ' ' } else { character })
}

/// Characters that readers do not see and that would hide a phrase from a comparison.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}'
    )
}
