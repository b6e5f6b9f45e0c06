//! Lists that are read in parts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Which part of a list is meant: the newest entries, or those behind a place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// The most entries that are returned.
    pub limit: u32,
    /// Where the part before this one ended.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The newest entries.
    pub fn first(limit: u32) -> Self {
        Self { limit, after: None }
    }
}

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next part begins, if there is one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page from what a store found, which was asked for one more than the page has room for.
    pub fn cut(mut found: Vec<T>, limit: u32, place: impl Fn(&T) -> Cursor) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| is_more).map(place);
        Self { items: found, next }
    }
}

/// A place in a list: behind the entry of this time and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When the entry was made, since the Unix epoch, to the millisecond.
    pub created_at: Duration,
    /// The entry among those of the same time.
    pub id: String,
}

impl Cursor {
    /// The text by which a client asks for the next page.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}", self.created_at.as_millis(), self.id))
    }

    /// Reads what [`Cursor::encode`] wrote; `None` for anything else.
    pub fn decode(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (millis, id) = text.split_once('.')?;
        // Databases have signed numbers.
        let millis = millis.parse().ok().filter(|millis| i64::try_from(*millis).is_ok())?;
        // No id has control characters, and Postgres takes no text with NUL.
        let is_id = !id.contains(char::is_control);
        is_id.then(|| Self { created_at: Duration::from_millis(millis), id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(millis: u64, id: &str) -> Cursor {
        Cursor { created_at: Duration::from_millis(millis), id: id.to_owned() }
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_and_nothing_else_is_one() {
        for cursor in [cursor(0, ""), cursor(1_800_000_000_123, "a.b é")] {
            assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let too_late = format!("{}.a", u64::MAX);
        for text in
            ["", "!", &encoded("12"), &encoded("-1.a"), &encoded(&too_late), &encoded("1.\0"), &encoded("1.a\n")]
        {
            assert_eq!(Cursor::decode(text), None, "{text}");
        }
    }

    #[test]
    fn a_page_says_where_the_next_one_begins_only_if_there_is_one() {
        let page = |found: &[u64]| Page::cut(found.to_vec(), 2, |millis| cursor(*millis, ""));
        assert_eq!(page(&[3, 2, 1]), Page { items: vec![3, 2], next: Some(cursor(2, "")) });
        assert_eq!(page(&[3, 2]), Page { items: vec![3, 2], next: None });
        assert_eq!(page(&[]), Page { items: Vec::new(), next: None });
    }
}
