//! Databases of ours: an SQLite file, or one on a Postgres server. Each has one pool of connections and the tables of
//! every subject that keeps something in it.
//!
//! - [`sqlite`], [`postgres`]: the two kinds, with how their connections are set up;
//! - `migrations`: the tables, step by step.

mod migrations;
pub mod postgres;
pub mod sqlite;

use self::postgres::PostgresDatabase;
use self::sqlite::SqliteDatabase;
use super::error::StoreError;

/// A database. Clones share its connections. Statements differ, so whoever keeps something in it has them for each
/// kind.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file of this machine, which several processes may share.
    Sqlite(SqliteDatabase),
    /// A database that the instances of a group share.
    Postgres(PostgresDatabase),
}

/// What a database says about an error; no data of ours, no address, no secret.
#[allow(clippy::wildcard_enum_match_arm, reason = "the enum is open, and its other errors say what they are")]
pub(super) fn store_error(error: &sqlx::Error) -> StoreError {
    StoreError(match error {
        sqlx::Error::Database(error) => match error.code() {
            Some(code) => format!("{} ({code})", error.message()),
            None => error.message().to_owned(),
        },
        sqlx::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    })
}
