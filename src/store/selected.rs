//! The store that the user selected with `store.url`.

use super::database::Database;
use super::database::postgres::PostgresDatabase;
use super::database::sqlite::SqliteDatabase;
use super::settings::Location;
use crate::file_watch::current_secret::CurrentSecret;

/// Where everything is kept that must outlive the process.
#[derive(Debug, Clone)]
pub enum SelectedStore {
    /// A database, for all that we keep.
    Database(Database),
    /// A Redis server, by its URL. It has the journal only.
    Redis(CurrentSecret),
}

impl SelectedStore {
    /// The store at this place. Nothing is connected yet.
    pub fn at(location: &Location) -> Self {
        match location {
            Location::Sqlite(path) => Self::Database(Database::Sqlite(SqliteDatabase::new(path.clone()))),
            Location::Postgres(url) => Self::Database(Database::Postgres(PostgresDatabase::new(url))),
            Location::Redis(url) => Self::Redis(url.clone()),
        }
    }
}
