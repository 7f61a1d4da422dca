//! Which of the posts found on an account are our own, so that nothing comes back as an echo.

use chrono::{DateTime, Duration, Utc};

use crate::platform::MediaKind;

/// A send to this account whose post has no id yet.
#[derive(Clone, Copy, Debug)]
pub struct OwnPost<'a> {
    pub text: &'a str,
    pub kind: MediaKind,
    pub started_at: DateTime<Utc>,
    /// The outcome is not known.
    pub open: bool,
}

/// A post found on the account that is no target's yet.
#[derive(Clone, Copy, Debug)]
pub struct SeenPost<'a> {
    pub text: &'a str,
    pub kind: MediaKind,
    pub posted_at: DateTime<Utc>,
}

/// The posts found, by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recognition {
    /// (post, send): this post is the one that this send made.
    pub matches: Vec<(usize, usize)>,
    /// To be taken in.
    pub foreign: Vec<usize>,
    /// Made while a send of the same kind is undecided, with another text: looked at again when
    /// that is decided.
    pub deferred: Vec<usize>,
}

/// A network's clock may run behind ours by this much.
const CLOCK_TOLERANCE: Duration = Duration::seconds(60);

/// Sorts the posts found into our own, foreign ones, and those that cannot be told yet.
///
/// A post is our own when text and kind are equal and it was made after the send started; each
/// send is matched once, the earliest post first.
#[must_use]
pub fn recognise(sent: &[OwnPost<'_>], seen: &[SeenPost<'_>]) -> Recognition {
    let mut free: Vec<bool> = vec![true; sent.len()];
    let mut order: Vec<usize> = (0..seen.len()).collect();
    order.sort_by_key(|index| (seen[*index].posted_at, *index));
    let mut sorted = Recognition::default();
    for index in order {
        let post = &seen[index];
        let after =
            |own: &OwnPost<'_>| own.kind == post.kind && post.posted_at >= own.started_at - CLOCK_TOLERANCE;
        let own = (0..sent.len())
            .find(|own| free[*own] && after(&sent[*own]) && sent[*own].text.trim() == post.text.trim());
        if let Some(own) = own {
            free[own] = false;
            sorted.matches.push((index, own));
        } else if (0..sent.len()).any(|own| free[own] && sent[own].open && after(&sent[own])) {
            sorted.deferred.push(index);
        } else {
            sorted.foreign.push(index);
        }
    }
    sorted.foreign.sort_unstable();
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).expect("a time within chrono's range")
    }

    fn own(text: &str, started: i64, open: bool) -> OwnPost<'_> {
        OwnPost { text, kind: MediaKind::Video, started_at: at(started), open }
    }

    fn post(text: &str, posted: i64) -> SeenPost<'_> {
        SeenPost { text, kind: MediaKind::Video, posted_at: at(posted) }
    }

    #[test]
    fn our_posts_are_recognised_and_the_rest_is_foreign_or_waits() {
        let cases = [
            ("nothing was sent", vec![], vec![post("a", 0)], vec![], vec![0], vec![]),
            (
                "equal text after the send",
                vec![own("a", 0, true)],
                vec![post("a ", 5)],
                vec![(0, 0)],
                vec![],
                vec![],
            ),
            (
                "made by hand before the send",
                vec![own("a", 500, true)],
                vec![post("a", 0)],
                vec![],
                vec![0],
                vec![],
            ),
            (
                "another text while undecided",
                vec![own("a", 0, true)],
                vec![post("b", 5)],
                vec![],
                vec![],
                vec![0],
            ),
            (
                "another text, and decided",
                vec![own("a", 0, false)],
                vec![post("b", 5)],
                vec![],
                vec![0],
                vec![],
            ),
            (
                "one send matches one post, the earliest",
                vec![own("a", 0, false)],
                vec![post("a", 9), post("a", 5)],
                vec![(1, 0)],
                vec![0],
                vec![],
            ),
        ];
        for (name, sent, seen, matches, foreign, deferred) in cases {
            assert_eq!(recognise(&sent, &seen), Recognition { matches, foreign, deferred }, "{name}");
        }
    }

    #[test]
    fn another_kind_is_never_ours() {
        let seen = SeenPost { kind: MediaKind::Image, ..post("a", 5) };
        assert_eq!(recognise(&[own("a", 0, true)], &[seen]).foreign, vec![0]);
    }
}
