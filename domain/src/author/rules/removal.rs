//! Taking something out of a text, so that what is around the hole goes on as if it had never been there.
//!
//! Only the marks and blanks that touch the hole are judged; nothing else of the text changes.

use std::ops::Range;

use super::marks::{self, Mark, Strength};
use crate::caption::words;

/// Removes stretches of the text, given in their order.
pub(super) fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for range in ranges {
        // Widened to whole hashtags, neighbours may have come to overlap; and a seam takes blanks along.
        kept.push_str(&text[from..range.start.max(from)]);
        let (left, gap, right) = seam(&kept, &text[range.end.max(from)..]);
        (kept, from) = (format!("{left}{gap}"), text.len() - right.len());
    }
    kept.push_str(&text[from..]);
    kept.trim().to_owned()
}

/// What is left of both sides of a hole, and what stands between them.
fn seam<'a>(left: &'a str, right: &'a str) -> (&'a str, String, &'a str) {
    let mut sides = Sides { left, right, left_blank: None, right_blank: None };
    sides.take_blanks();
    let untouched = sides;
    while sides.mend() {
        sides.take_blanks();
    }
    let gap = sides.gap();
    if keeps_words((left, right), &sides, &gap) {
        sides.keep_the_longer_line_end();
        return (sides.left, gap, sides.right);
    }
    // A blank between them keeps them what they were.
    let mut sides = untouched;
    let gap = if sides.is_at_line_end() { "" } else { " " };
    sides.keep_the_longer_line_end();
    (sides.left, gap.to_owned(), sides.right)
}

/// Both sides of a hole without the blanks there, but with their line ends.
#[derive(Clone, Copy, Debug)]
struct Sides<'a> {
    left: &'a str,
    right: &'a str,
    /// Blanks that stood there.
    left_blank: Option<char>,
    right_blank: Option<char>,
}

impl Sides<'_> {
    fn take_blanks(&mut self) {
        let left = self.left.trim_end_matches(marks::is_blank);
        let right = self.right.trim_start_matches(marks::is_blank);
        let seen = |blanks: &str| blanks.chars().find(|blank| blank.is_whitespace());
        self.left_blank = seen(&self.left[left.len()..]).or(self.left_blank);
        self.right_blank = seen(&self.right[..self.right.len() - right.len()]).or(self.right_blank);
        (self.left, self.right) = (left, right);
    }

    /// Drops marks that lost what they belonged to; `false` when there are none.
    fn mend(&mut self) -> bool {
        if let Some((opening, closing)) = marks::emptied(self.left, self.right) {
            self.left = &self.left[..self.left.len() - opening];
            self.right = &self.right[closing..];
            return true;
        }
        let is_sign = |mark: &Mark| mark.strength == Strength::Link && mark.touches;
        let left = marks::last(self.left);
        // The minus of ` -5 %` belongs to what follows it.
        let right = marks::first(self.right).filter(|mark| !(is_sign(mark) && self.right_blank.is_some()));
        let takes_left = match (left, right) {
            // Nothing is left that it ends, or parts from what follows.
            (_, Some(_)) if self.starts_here() => false,
            (Some(mark), _) if self.ends_here() && mark.strength < Strength::Sentence => true,
            (Some(left), Some(right)) => left.strength < right.strength,
            // Half of `super-cheap`, and of `cheap/fine`.
            (Some(mark), None) if is_sign(&mark) && self.left_blank.is_none() && !self.is_one_word() => true,
            (None, Some(mark)) if is_sign(&mark) && !self.is_one_word() => false,
            _ => return false,
        };
        if takes_left {
            self.left = &self.left[..self.left.len() - left.map_or(0, |mark| mark.length)];
        } else {
            self.right = &self.right[right.map_or(0, |mark| mark.length)..];
        }
        true
    }

    /// Letters stand on both sides, or behind a hyphen, without a blank between them.
    fn is_one_word(&self) -> bool {
        let is_letter = |side: Option<char>| side.is_some_and(char::is_alphanumeric);
        let left = self.left.chars().next_back();
        let touching = self.left_blank.is_none() && self.right_blank.is_none();
        touching && (is_letter(left) || is_letter(self.right.chars().next()))
    }

    fn starts_here(&self) -> bool {
        self.left.is_empty() || self.left.ends_with('\n') || marks::opens_at_end(self.left)
    }

    fn ends_here(&self) -> bool {
        self.right.is_empty() || self.right.starts_with('\n') || marks::closes_at_start(self.right)
    }

    fn is_at_line_end(&self) -> bool {
        self.left.is_empty()
            || self.left.ends_with('\n')
            || self.right.is_empty()
            || self.right.starts_with('\n')
    }

    fn gap(&self) -> String {
        let clings = marks::first(self.right).is_some_and(|mark| mark.strength > Strength::Link);
        let blank = if self.is_at_line_end() {
            None
        } else if marks::opens_at_end(self.left) {
            self.left_blank.filter(|_| self.left.ends_with(marks::stands_apart))
        } else if clings || marks::closes_at_start(self.right) {
            self.right_blank.filter(|_| self.right.starts_with(marks::stands_apart))
        } else {
            self.left_blank.or(self.right_blank)
        };
        blank.map(String::from).unwrap_or_default()
    }

    /// A line that became empty leaves one line end, or one empty line where there was one.
    fn keep_the_longer_line_end(&mut self) {
        let (left, right) = (self.left.trim_end(), self.right.trim_start());
        let line_ends = |blanks: &str| blanks.matches('\n').count();
        let before = line_ends(&self.left[left.len()..]);
        let after = line_ends(&self.right[..self.right.len() - right.len()]);
        if before == 0 || after == 0 {
            return;
        }
        if before > after {
            self.right = right;
        } else {
            self.left = left;
        }
    }
}

/// Whether links, hashtags and mentions next to the hole are what they were with it.
fn keeps_words((left, right): (&str, &str), sides: &Sides<'_>, gap: &str) -> bool {
    let start = sides.left.rfind(char::is_whitespace).unwrap_or(0);
    let taken = right.len() - sides.right.len();
    let end = sides.right.find(char::is_whitespace).map_or(right.len(), |end| taken + end);
    let texts = |text: &str| words(text).into_iter().map(|word| word.text.to_owned()).collect::<Vec<_>>();
    let before = [texts(&left[start..]), texts(&right[..end])].concat();
    before == texts(&format!("{}{gap}{}", &sides.left[start..], &right[taken..end]))
}
