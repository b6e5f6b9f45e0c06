//! How values of ours are written in columns. Both kinds of databases have signed numbers, and texts without NUL.

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::page::{Cursor, PageRequest};
use crate::domain::tenant::Tenant;
use crate::ports::repository::RepositoryError;

/// A time, or how long something took, in milliseconds.
pub(in crate::store) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time of a column of milliseconds.
pub(in crate::store) fn time(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// A count for a column.
pub(in crate::store) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The count of a column. What another program wrote there, and is none, is the nearest one.
pub(in crate::store) fn count<T: TryFrom<i64> + Default>(number: i64) -> T {
    T::try_from(number).unwrap_or_default()
}

/// A text for a column: one that Postgres takes.
pub(in crate::store) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// The tenant of a row.
pub(in crate::store) fn tenant(organization: &str, team: &str) -> Result<Tenant, RepositoryError> {
    Tenant::new(organization, team).map_err(|_| damaged("a tenant"))
}

/// What a column has is not what this program writes there.
pub(in crate::store) fn damaged(what: &str) -> RepositoryError {
    RepositoryError::Unavailable(format!("the database has a value that is not {what}; another program wrote it"))
}

/// One more row than a page has: it tells whether there is another page.
pub(in crate::store) fn row_limit(page: &PageRequest) -> i64 {
    i64::from(page.limit) + 1
}

/// Where rows of a page begin, newest first: before this time, or at it and before this number. A cursor of another
/// list has no number, and stands before everything.
pub(in crate::store) fn before(page: &PageRequest) -> (i64, i64) {
    let Some(Cursor { created_at, id }) = &page.after else { return (i64::MAX, i64::MAX) };
    (millis(*created_at), id.parse().unwrap_or_default())
}

/// The place of a row in a list that is ordered by time and number.
pub(in crate::store) fn place(created_at: i64, number: i64) -> Cursor {
    Cursor { created_at: time(created_at), id: number.to_string() }
}
