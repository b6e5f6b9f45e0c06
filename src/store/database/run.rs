//! How statements are written once for both kinds of databases. Their text is the same, with parameters `$1`, `$2` …;
//! but sqlx has other types for each kind, so what is written once is compiled twice.

use crate::ports::repository::RepositoryError;
use crate::store::database::store_error;
use crate::store::error::StoreError;

/// Does work with a connection to a [`Database`](super::Database), within an `async fn` that fails with a
/// [`RepositoryError`]: `with_connection!(self.database, |connection| sqlx::query(…).execute(connection).await?)`.
macro_rules! with_connection {
    ($database:expr, |$connection:ident| $work:expr) => {
        match &$database {
            $crate::store::database::Database::Sqlite(database) => {
                let mut connection = database.acquire().await?;
                let $connection = &mut *connection;
                $work
            }
            $crate::store::database::Database::Postgres(database) => {
                let mut connection = database.acquire().await?;
                let $connection = &mut *connection;
                $work
            }
        }
    };
}

/// The same within a transaction, which is committed when the work is done, and undone when it fails.
macro_rules! with_transaction {
    ($database:expr, |$transaction:ident| $work:expr) => {
        match &$database {
            $crate::store::database::Database::Sqlite(database) => {
                let mut connection = database.acquire().await?;
                // One that begins as a reader cannot wait to become a writer: it is told at once that the file is busy.
                let mut transaction = sqlx::Connection::begin_with(&mut *connection, "BEGIN IMMEDIATE").await?;
                let $transaction = &mut *transaction;
                let done = $work;
                transaction.commit().await?;
                done
            }
            $crate::store::database::Database::Postgres(database) => {
                let mut connection = database.acquire().await?;
                let mut transaction = sqlx::Connection::begin(&mut *connection).await?;
                let $transaction = &mut *transaction;
                let done = $work;
                transaction.commit().await?;
                done
            }
        }
    };
}

impl From<sqlx::Error> for RepositoryError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            Some(error) if error.is_unique_violation() => Self::AlreadyExists,
            _ => store_error(&error).into(),
        }
    }
}

impl From<StoreError> for RepositoryError {
    fn from(StoreError(why): StoreError) -> Self {
        Self::Unavailable(why)
    }
}
