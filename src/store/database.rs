//! Databases of ours: an SQLite file, or one on a Postgres server. Each has one pool of connections and the tables of
//! every subject that keeps something in it.
//!
//! - [`sqlite`], [`postgres`]: the two kinds, with how their connections are set up;
//! - `run`: how statements are written once for both; `columns`: how values are written;
//! - [`migrations`]: the tables, step by step.

#[macro_use]
mod run;

pub(super) mod columns;
pub mod migrations;
pub mod postgres;
pub mod sqlite;

use std::time::Duration;

use futures_util::FutureExt as _;

use self::migrations::{Readiness, Step};
use self::postgres::PostgresDatabase;
use self::sqlite::SqliteDatabase;
use super::availability::StoreName;
use super::error::StoreError;
use crate::ports::repository::{RepositoryError, RepositoryFuture};

/// A database. Clones share its connections.
#[derive(Debug, Clone)]
pub enum Database {
    /// A file of this machine, which several processes may share.
    Sqlite(SqliteDatabase),
    /// A database that the instances of a group share.
    Postgres(PostgresDatabase),
}

impl Database {
    /// Makes or changes the tables, and says what was done: nothing if they are those of this program.
    ///
    /// # Errors
    /// When the database is away, or a newer program has migrated it.
    pub async fn migrate(&self) -> Result<Vec<Step>, StoreError> {
        match self {
            Self::Sqlite(database) => database.migrate().await,
            Self::Postgres(database) => database.migrate().await,
        }
    }

    /// Whether this program can work with the tables. An SQLite file belongs to us, and is migrated first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn readiness(&self) -> Result<Readiness, StoreError> {
        match self {
            Self::Sqlite(database) => database.readiness().await,
            Self::Postgres(database) => database.readiness().await,
        }
    }

    /// How it is named to its operator: kind and place, without a password.
    pub fn title(&self) -> String {
        let StoreName { kind, place, .. } = self.name();
        format!("{kind} {place}")
    }

    pub(super) fn name(&self) -> StoreName {
        match self {
            Self::Sqlite(database) => database.name(),
            Self::Postgres(database) => database.name(),
        }
    }
}

/// How long a repository waits for a connection: whoever asked waits for an answer.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(2);

/// How long a repository works on an answer. Longer than a statement waits for a lock, which says more about what it
/// waited for.
const ANSWER_LIMIT: Duration = Duration::from_secs(6);

/// The answer of a repository, in time: a server that stands still is no reason to wait with it.
pub(super) fn answered<'a, T>(
    work: impl Future<Output = Result<T, RepositoryError>> + Send + 'a,
) -> RepositoryFuture<'a, T> {
    async {
        let late = |_| RepositoryError::Unavailable(format!("no answer within {} s", ANSWER_LIMIT.as_secs()));
        tokio::time::timeout(ANSWER_LIMIT, work).await.map_err(late)?
    }
    .boxed()
}

/// A connection from a pool, unless it takes too long. Then the error says which database it is and what to look at.
async fn soon<C>(name: &StoreName, connection: impl Future<Output = Result<C, sqlx::Error>>) -> Result<C, StoreError> {
    let StoreName { kind, place, advice } = name;
    let why = match tokio::time::timeout(ACQUIRE_LIMIT, connection).await {
        Ok(Ok(connection)) => return Ok(connection),
        Ok(Err(error)) => store_error(&error).0,
        Err(_) => format!("no connection within {} s", ACQUIRE_LIMIT.as_secs()),
    };
    Err(StoreError(format!("{kind} {place}: {why}; {advice}")))
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
