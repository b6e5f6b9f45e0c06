//! A database in an SQLite file.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, SqliteConnection};
use tokio::fs::OpenOptions;
use tokio::time::Instant;

use super::migrations::{self, Comparison, Readiness, Step};
use super::store_error;
use crate::store::availability::StoreName;
use crate::store::error::StoreError;

/// How long another process may hold the file before we say that it is busy. Its batches take milliseconds.
const BUSY: Duration = Duration::from_secs(5);
/// Attempts to make the tables, and the pause between two. More than there are steps: each may be applied by another
/// process first.
const ATTEMPTS: usize = 12;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);
/// Who may read a new file: it has hashes of keys and, where the user wants it, prompts. One that is there keeps its
/// permissions.
const OWNER_ONLY: u32 = 0o600;
/// The mode in which a file can give pages back.
const INCREMENTAL: i64 = 2;
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
        self.migrate().await?;
        self.pool.acquire().await.map_err(|error| store_error(&error))
    }

    /// A connection for somebody who does not wait long. The tables are taken to be there.
    pub(in crate::store) async fn acquire(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        super::soon(&self.name(), self.pool.acquire()).await
    }

    /// Makes the file and its tables where they are missing.
    pub(super) async fn migrate(&self) -> Result<Vec<Step>, StoreError> {
        let mut applied = Vec::new();
        match self.prepare(&mut applied).await? {
            Comparison::Same | Comparison::Behind(_) => Ok(applied),
            Comparison::Other(why) => Err(why),
        }
    }

    /// The same, but tells a file that another program made from one that cannot be used now.
    pub(super) async fn readiness(&self) -> Result<Readiness, StoreError> {
        Ok(match self.prepare(&mut Vec::new()).await? {
            Comparison::Same | Comparison::Behind(_) => Readiness::Ready,
            Comparison::Other(StoreError(why)) => Readiness::Refused(why),
        })
    }

    /// Makes what is missing, adds it to `applied`, and says what was found before. Another process that opens a new
    /// file at the same time gets in the way: then this looks again what is left to do.
    async fn prepare(&self, applied: &mut Vec<Step>) -> Result<Comparison, StoreError> {
        let began_at = Instant::now();
        for _ in 1..ATTEMPTS {
            match self.try_prepare(applied).await {
                // Whoever holds the file for so long does not make tables.
                Err(_) if began_at.elapsed() < BUSY => tokio::time::sleep(ATTEMPT_PAUSE).await,
                outcome => return outcome,
            }
        }
        self.try_prepare(applied).await
    }

    async fn try_prepare(&self, applied: &mut Vec<Step>) -> Result<Comparison, StoreError> {
        let mut connection = self.connect_directly().await?;
        let comparison = migrations::SQLITE.compare(&mut connection).await?;
        if let Comparison::Behind(_) = comparison {
            migrations::SQLITE.apply(&mut connection, applied).await?;
        }
        close(connection).await?;
        Ok(comparison)
    }

    /// A connection beside the pool: the pool would try for a while, and then say only that it took too long.
    async fn connect_directly(&self) -> Result<SqliteConnection, StoreError> {
        if let Some(directory) = self.path.parent().filter(|directory| *directory != Path::new("")) {
            let made = tokio::fs::create_dir_all(directory).await;
            made.map_err(|error| StoreError(format!("no directory for it: {error}")))?;
        }
        let is_empty = self.make_file().await.map_err(|error| StoreError(format!("it cannot be made: {error}")))?;
        let mut options = self.pool.connect_options().as_ref().clone();
        if is_empty {
            // Afterwards it is too late, and for each further connection it would be a write.
            options = options.auto_vacuum(SqliteAutoVacuum::Incremental);
        }
        options.connect().await.map_err(|error| store_error(&error))
    }

    /// Makes the file if it is not there. True if it is empty. SQLite gives the files that it makes beside it the same
    /// permissions.
    async fn make_file(&self) -> io::Result<bool> {
        match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(&self.path).await {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(_) | Err(_) => Ok(tokio::fs::metadata(&self.path).await?.len() == 0),
        }
    }
}

/// Gives room that nothing needs any more back to the file system, a part of it at once, where it is more than an
/// eighth of the file: less is soon used again. True if there may be more.
pub(in crate::store) async fn give_back(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    const USE: &str = "SELECT auto_vacuum, page_count, freelist_count \
                       FROM pragma_auto_vacuum, pragma_page_count, pragma_freelist_count";
    let (mode, pages, free): (i64, i64, i64) = sqlx::query_as(USE).fetch_one(&mut *connection).await?;
    // Files of version 0.1.0 keep their size.
    if mode != INCREMENTAL || free <= pages / 8 {
        return Ok(false);
    }
    sqlx::query("PRAGMA incremental_vacuum(500)").execute(connection).await?;
    Ok(true)
}

async fn close(connection: SqliteConnection) -> Result<(), StoreError> {
    connection.close().await.map_err(|error| store_error(&error))
}
