//! A number for each subject that processes remember entries of. It grows with each change, and is cheap to ask for.

use sqlx::query::Query;
use sqlx::{Database as Kind, Encode, Type};

use super::database::Database;
use super::database::columns::count;
use crate::ports::repository::RepositoryError;

/// Notes a change, in the transaction that makes it.
pub(super) fn grow<'q, K: Kind>(subject: &'q str) -> Query<'q, K, K::Arguments>
where
    &'q str: Encode<'q, K> + Type<K>,
{
    sqlx::query("UPDATE revisions SET revision = revision + 1 WHERE subject = $1").bind(subject)
}

/// The number now.
pub(super) async fn current(database: &Database, subject: &str) -> Result<u64, RepositoryError> {
    const SELECT: &str = "SELECT revision FROM revisions WHERE subject = $1";
    let revision: i64 =
        with_connection!(database, |connection| sqlx::query_scalar(SELECT).bind(subject).fetch_one(connection).await?);
    Ok(count(revision))
}
