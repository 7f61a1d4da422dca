//! Lists that can grow: Relay connections over a keyset, with opaque cursors.

use std::borrow::Cow;

use async_graphql::{Object, OutputType, SimpleObject, TypeName};
use backplane::store::publishing::{Edge as EdgeRow, Window};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::failure::{Answer, Failure};

/// Most rows of a page.
const PAGE_MAX: i32 = 100;
/// Longest cursor that this server hands out, in bytes, with room to spare.
const CURSOR_MAX: usize = 2_000;

/// Which rows of a list are asked for: those strictly between two keys, from one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    pub after: Option<K>,
    pub before: Option<K>,
    /// 1 to 100.
    pub size: i64,
    /// The last ones instead of the first.
    pub backward: bool,
}

/// The four arguments of every connection.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

impl PageArgs {
    /// Takes the arguments as the resolver has them.
    #[must_use]
    pub const fn new(
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Self {
        Self { first, after, last, before }
    }

    /// Checks the arguments and opens the cursors.
    ///
    /// # Errors
    /// `BAD_REQUEST` unless exactly one of `first` and `last` is 1 to 100, and for a cursor that this
    /// list did not hand out.
    pub fn page<K: DeserializeOwned>(&self) -> Answer<Page<K>> {
        let (size, backward) = match (self.first, self.last) {
            (Some(first), None) => (first, false),
            (None, Some(last)) => (last, true),
            _ => return Err(Failure::bad_request("give either `first` or `last`, from 1 to 100")),
        };
        if !(1..=PAGE_MAX).contains(&size) {
            return Err(Failure::bad_request("`first` and `last` go from 1 to 100"));
        }
        Ok(Page {
            after: self.after.as_deref().map(open).transpose()?,
            before: self.before.as_deref().map(open).transpose()?,
            size: i64::from(size),
            backward,
        })
    }
}

impl<K> Page<K> {
    /// How many rows to read: one more than asked for tells whether there are others.
    #[must_use]
    pub const fn limit(&self) -> i64 {
        self.size + 1
    }
}

impl<K: Ord> Page<K> {
    /// Cuts the page out of a short list that is all there, in ascending order, with one row more
    /// than asked for.
    #[must_use]
    pub fn cut<R>(&self, rows: Vec<R>, key: impl Fn(&R) -> K) -> Vec<R> {
        let after = |row: &R| self.after.as_ref().is_none_or(|after| key(row) > *after);
        let before = |row: &R| self.before.as_ref().is_none_or(|before| key(row) < *before);
        let mut rows: Vec<R> = rows.into_iter().filter(|row| after(row) && before(row)).collect();
        if self.backward {
            rows.reverse();
        }
        rows.truncate(usize::try_from(self.limit()).unwrap_or(usize::MAX));
        rows
    }
}

/// Where a row stands in a list by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeKey(Option<DateTime<Utc>>, Uuid);

impl From<&EdgeRow> for TimeKey {
    fn from(row: &EdgeRow) -> Self {
        Self(row.at, row.id)
    }
}

/// Which end of its times a list begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    OldestFirst,
    NewestFirst,
}

impl Page<TimeKey> {
    /// The rows to read, with one more than asked for.
    #[must_use]
    pub fn window(&self, order: Order) -> Window {
        let newest_first = order == Order::NewestFirst;
        let (lower, upper) = if newest_first { (self.before, self.after) } else { (self.after, self.before) };
        let whole = Window::whole(self.limit(), newest_first != self.backward);
        Window {
            from: lower.map_or(whole.from, |TimeKey(at, id)| (at, id)),
            until: upper.map_or(whole.until, |TimeKey(at, id)| (at, id)),
            ..whole
        }
    }
}

fn open<K: DeserializeOwned>(cursor: &str) -> Answer<K> {
    let bad = || Failure::bad_request("this cursor is not one of this list: start without it");
    if cursor.len() > CURSOR_MAX {
        return Err(bad());
    }
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
    serde_json::from_slice(&json).map_err(|_| bad())
}

fn seal<K: Serialize>(key: &K) -> Answer<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(key)?))
}

/// Counts all rows of a list, asked only when `totalCount` is.
pub type Count = Box<dyn Fn() -> BoxFuture<'static, Answer<i64>> + Send + Sync>;

/// One page of a list.
pub struct Connection<N: OutputType> {
    edges: Vec<Edge<N>>,
    has_next_page: bool,
    has_previous_page: bool,
    count: Count,
}

/// A row and where it stands.
pub struct Edge<N: OutputType> {
    cursor: String,
    node: N,
}

/// Where a page stands in its list.
#[derive(Clone, Debug, SimpleObject)]
pub struct PageInfo {
    /// There is more after this page.
    has_next_page: bool,
    /// There is more before this page.
    has_previous_page: bool,
    /// The cursor of the first row of this page.
    start_cursor: Option<String>,
    /// The cursor of the last row of this page: give it as `after` to go on.
    end_cursor: Option<String>,
}

impl<N: OutputType> Connection<N> {
    /// Makes a page of `rows`, which were read in the direction of `page`, with [`Page::limit`].
    /// `key` is what the list is ordered by.
    ///
    /// # Errors
    /// When a key cannot be written as JSON, which keys of numbers, texts and ids can.
    pub fn of<R, K: Serialize>(
        page: &Page<K>,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> K,
        node: impl Fn(R) -> N,
        count: Count,
    ) -> Answer<Self> {
        let size = usize::try_from(page.size).unwrap_or(0);
        let more = rows.len() > size;
        rows.truncate(size);
        if page.backward {
            rows.reverse();
        }
        let edges = rows
            .into_iter()
            .map(|row| Ok(Edge { cursor: seal(&key(&row))?, node: node(row) }))
            .collect::<Answer<Vec<_>>>()?;
        Ok(Self {
            edges,
            has_next_page: if page.backward { page.before.is_some() } else { more },
            has_previous_page: if page.backward { more } else { page.after.is_some() },
            count,
        })
    }
}

impl<N: OutputType> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

/// One page of a list, by the Relay cursor specification.
#[Object(name_type)]
impl<N: OutputType> Connection<N> {
    /// The rows with their cursors.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }

    /// The rows.
    async fn nodes(&self) -> Vec<&N> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where this page stands.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.has_next_page,
            has_previous_page: self.has_previous_page,
            start_cursor: self.edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.clone()),
        }
    }

    /// How many rows there are on all pages together.
    async fn total_count(&self) -> Answer<i32> {
        Ok(i32::try_from((self.count)().await?).unwrap_or(i32::MAX))
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// A row and where it stands.
#[Object(name_type)]
impl<N: OutputType> Edge<N> {
    /// Give it as `after` or `before` to go on from here.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The row.
    async fn node(&self) -> &N {
        &self.node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Key = (String, u32);

    fn args(first: Option<i32>, last: Option<i32>, after: Option<&str>) -> PageArgs {
        PageArgs::new(first, after.map(str::to_owned), last, None)
    }

    #[test]
    fn a_page_is_asked_for_from_one_end_and_bounded() {
        for (first, last, after) in [
            (None, None, None),
            (Some(1), Some(1), None),
            (Some(0), None, None),
            (Some(101), None, None),
            (Some(100_000), None, None),
            (None, Some(-1), None),
            (Some(1), None, Some("%%%")),
            (Some(1), None, Some("")),
            (Some(1), None, Some("WzFd")),
        ] {
            let failure = args(first, last, after).page::<Key>().expect_err("is refused");
            assert_eq!(failure.code(), "BAD_REQUEST", "{first:?} {last:?} {after:?}");
        }
        let page = args(Some(100), None, None).page::<Key>().expect("is accepted");
        assert_eq!((page.limit(), page.backward), (101, false));
    }

    #[test]
    fn a_cursor_opens_as_it_was_sealed() {
        let key: Key = ("Zoë".to_owned(), 7);
        let cursor = seal(&key).expect("seals");
        let page = args(Some(1), None, Some(&cursor)).page::<Key>().expect("opens");
        assert_eq!(page.after, Some(key));
    }
}
