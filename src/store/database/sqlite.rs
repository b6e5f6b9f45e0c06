//! A database in an SQLite file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite};

use super::{migrations, store_error};
use crate::store::availability::StoreName;
use crate::store::error::StoreError;

/// How long another process may hold the file before we say that it is busy. Its batches take milliseconds.
const BUSY: Duration = Duration::from_secs(5);
/// One writes; the others read beside it.
const MAX_CONNECTIONS: u32 = 4;

/// An SQLite file, made with its directory when it is not there.
#[derive(Debug, Clone)]
pub struct SqliteDatabase {
    path: PathBuf,
    pool: SqlitePool,
}

impl SqliteDatabase {
    /// The database in this file. Nothing is opened yet.
    pub(in crate::store) fn new(path: PathBuf) -> Self {
        // WAL lets readers go on beside the one writer. FULL: what was answered survives a power cut.
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let pool = PoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(BUSY);
        Self { path, pool: pool.connect_lazy_with(options) }
    }

    pub(in crate::store) fn name(&self) -> StoreName {
        StoreName {
            kind: "sqlite",
            place: self.path.display().to_string(),
            advice: "check that the user of this process may write the file and its directory, and that the disk has room; or name \
                     another file in store.url",
        }
    }

    /// A connection to a file that is there and has all tables.
    pub(in crate::store) async fn connect(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.prepare().await?;
        self.pool.acquire().await.map_err(|error| store_error(&error))
    }

    /// Makes the file and its tables, through a connection beside the pool: the pool would try for a while, and then
    /// say only that it took too long.
    async fn prepare(&self) -> Result<(), StoreError> {
        if let Some(directory) = self.path.parent().filter(|directory| *directory != Path::new("")) {
            let made = tokio::fs::create_dir_all(directory).await;
            made.map_err(|error| StoreError(format!("no directory for it: {error}")))?;
        }
        let mut connection = self.pool.connect_options().connect().await.map_err(|error| store_error(&error))?;
        migrations::apply(&mut connection, migrations::SQLITE).await?;
        connection.close().await.map_err(|error| store_error(&error))
    }
}
