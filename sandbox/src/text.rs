//! Counting text in the units that the networks count it in.

/// Length in UTF-16 units, as Telegram and TikTok count.
pub fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

/// How many words begin with `mark` (`#` or `@`) and go on with a letter, digit or underscore.
pub fn marked_words(text: &str, mark: char) -> usize {
    let mut previous = ' ';
    let mut letters = text.chars().peekable();
    let mut count = 0;
    while let Some(letter) = letters.next() {
        let starts = letter == mark && !previous.is_alphanumeric() && previous != '_';
        if starts && letters.peek().is_some_and(|next| next.is_alphanumeric() || *next == '_') {
            count += 1;
        }
        previous = letter;
    }
    count
}

/// Makes text safe inside HTML, attributes included.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{marked_words, utf16_len};

    #[test]
    fn tags_are_counted_as_people_see_them() {
        let cases = [("", 0), ("#a #b", 2), ("a#b", 0), ("# a", 0), ("##a", 1), ("(#ä)", 1), ("#a#b", 1)];
        for (text, count) in cases {
            assert_eq!(marked_words(text, '#'), count, "{text}");
        }
    }

    #[test]
    fn letters_outside_of_the_first_plane_are_two_units() {
        assert_eq!((utf16_len("aä"), utf16_len("😀")), (2, 2));
    }
}
