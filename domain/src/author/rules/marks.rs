//! Marks of punctuation, in the scripts that captions are written in.

/// How much a mark parts what is before it from what is after it. Of two that meet the stronger stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// A dash, a bullet, a slash.
    Link,
    Comma,
    Semicolon,
    Colon,
    Sentence,
}

/// A mark, or a run of one, at the edge of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub strength: Strength,
    /// In bytes.
    pub length: usize,
    /// A word touches it on its other side.
    pub touches: bool,
}

/// Marks by their strength: Latin, Greek, CJK, Arabic and Urdu, Devanagari, Armenian, Ethiopic, Khmer, Burmese.
const MARKS: [(Strength, &str); 5] = [
    (Strength::Link, "-‐‑‒–—―−・·•‣▪/|&"),
    (Strength::Comma, ",،、，､՝፣၊"),
    (Strength::Semicolon, ";؛；፤"),
    (Strength::Colon, ":：፡፥"),
    (Strength::Sentence, ".!?…‥‼⁇⁈⁉‽。．｡！？؟۔।॥։՞՜።፧។။"),
];

/// What opens and what closes it; one that is empty goes.
const PAIRS: [(char, char); 30] = [
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('（', '）'),
    ('［', '］'),
    ('｛', '｝'),
    ('【', '】'),
    ('〔', '〕'),
    ('〈', '〉'),
    ('《', '》'),
    ('「', '」'),
    ('『', '』'),
    ('｢', '｣'),
    ('¡', '!'),
    ('¿', '?'),
    ('“', '”'),
    ('„', '“'),
    ('„', '”'),
    ('‘', '’'),
    ('‚', '‘'),
    ('‚', '’'),
    ('‹', '›'),
    ('›', '‹'),
    ('«', '»'),
    ('»', '«'),
    ('"', '"'),
    ('\'', '\''),
    ('”', '”'),
    ('’', '’'),
    ('＂', '＂'),
];

/// Quotes that open in one place or language and close in another: they open before a word only, and
/// close behind one only.
const EITHER_WAY: &str = "\"'”’＂«»‹›";

/// Blanks of a line, and what takes no room at all.
pub(super) fn is_blank(character: char) -> bool {
    character != '\n'
        && (character.is_whitespace() || matches!(character, '\u{200b}' | '\u{2060}' | '\u{ad}'))
}

/// The run of marks that `text` ends with: all of one strength.
pub(super) fn last(text: &str) -> Option<Mark> {
    let strength = strength_of(text.chars().next_back()?)?;
    let rest = text.trim_end_matches(|character| strength_of(character) == Some(strength));
    let before = rest.chars().next_back();
    Some(mark(strength, &text[rest.len()..], before))
}

/// The run of marks that `text` begins with: all of one strength.
pub(super) fn first(text: &str) -> Option<Mark> {
    let strength = strength_of(text.chars().next()?)?;
    let rest = text.trim_start_matches(|character| strength_of(character) == Some(strength));
    let after = rest.chars().next();
    Some(mark(strength, &text[..text.len() - rest.len()], after))
}

fn mark(strength: Strength, run: &str, beyond: Option<char>) -> Mark {
    Mark { strength, length: run.len(), touches: beyond.is_some_and(char::is_alphanumeric) }
}

fn strength_of(character: char) -> Option<Strength> {
    MARKS.iter().find(|(_, marks)| marks.contains(character)).map(|(strength, _)| *strength)
}

/// A pair with nothing in it: how many bytes open it at the end of `left`, and close it in `right`.
pub(super) fn emptied(left: &str, right: &str) -> Option<(usize, usize)> {
    let (open, close) = (left.chars().next_back()?, right.chars().next()?);
    let closes = !EITHER_WAY.contains(open) || closes_at_start(right);
    let is_pair = PAIRS.contains(&(open, close)) && opens_at_end(left) && closes;
    is_pair.then_some((open.len_utf8(), close.len_utf8()))
}

/// Whether `text` ends with what opens a pair.
pub(super) fn opens_at_end(text: &str) -> bool {
    let mut backwards = text.chars().rev();
    let Some(last) = backwards.next().filter(|last| PAIRS.iter().any(|(open, _)| open == last)) else {
        return false;
    };
    let count = |quote: char| text.matches(quote).count();
    match last {
        // „German“ closes with what opens “elsewhere”.
        '“' => count('„') < count('“'),
        '‘' => count('‚') < count('‘'),
        _ => !EITHER_WAY.contains(last) || backwards.next().is_none_or(|before| !before.is_alphanumeric()),
    }
}

/// Whether `text` begins with what closes a pair.
pub(super) fn closes_at_start(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next().filter(|first| PAIRS.iter().any(|(_, close)| close == first));
    first.is_some_and(|first| {
        let apart = !matches!(first, '“' | '‘') && !EITHER_WAY.contains(first);
        apart || characters.next().is_none_or(|after| !after.is_alphanumeric())
    })
}

/// Marks that French, among others, sets a blank before, or behind.
pub(super) fn stands_apart(mark: char) -> bool {
    "!?;:«»‹›".contains(mark)
}
