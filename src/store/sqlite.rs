//! The journal in an SQLite file, which several processes of one machine may share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, QueryBuilder, Sqlite, SqliteConnection};

use super::backend::{Connection, Done, Hash, Holder, Store, Trouble, Work, millis};
use super::sql;

/// How long another process may hold the file before we say that it is busy. Its batches take milliseconds.
const BUSY: Duration = Duration::from_secs(5);

/// An SQLite file, made with its directory when it is not there.
pub(super) struct SqliteStore {
    path: PathBuf,
}

impl SqliteStore {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    async fn open(&self) -> Result<SqliteConnection, Trouble> {
        if let Some(directory) = self.path.parent().filter(|directory| *directory != Path::new("")) {
            tokio::fs::create_dir_all(directory)
                .await
                .map_err(|error| Trouble(format!("no directory for it: {error}")))?;
        }
        // WAL lets readers go on beside the one writer. FULL: what was answered survives a power cut.
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(|error| trouble(&error))?;
        sql::migrate(&mut connection, sql::SQLITE).await?;
        Ok(connection)
    }
}

impl Store for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn advice(&self) -> &'static str {
        "check that the user of this process may write the file and its directory, and that the disk has room; or name another file \
         in store.url"
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>, Trouble>> {
        async {
            let connection = self.open().await?;
            Ok(Box::new(SqliteSession(connection)) as Box<dyn Connection>)
        }
        .boxed()
    }
}

struct SqliteSession(SqliteConnection);

impl Connection for SqliteSession {
    fn execute<'a>(&'a mut self, work: &'a Work) -> BoxFuture<'a, Result<Done, Trouble>> {
        execute(&mut self.0, work).map(|done| done.map_err(|error| trouble(&error))).boxed()
    }

    fn purge(&mut self, now: Duration, limit: u32) -> BoxFuture<'_, Result<bool, Trouble>> {
        purge(&mut self.0, now, limit).map(|more| more.map_err(|error| trouble(&error))).boxed()
    }
}

fn trouble(error: &sqlx::Error) -> Trouble {
    Trouble(sql::why(error))
}

async fn execute(connection: &mut SqliteConnection, work: &Work) -> Result<Done, sqlx::Error> {
    if work.is_read_only() {
        return Ok(Done { recalled: recall(connection, work).await?.collect(), ..Done::default() });
    }
    // A transaction that begins as a reader cannot wait to become a writer: it is told at once that the file is busy.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    record(&mut transaction, work).await?;
    let holders = claim(&mut transaction, work).await?.collect();
    let recalled = recall(&mut transaction, work).await?.collect();
    transaction.commit().await?;
    Ok(Done { recalled, holders })
}

async fn record(connection: &mut SqliteConnection, work: &Work) -> Result<(), sqlx::Error> {
    if work.outcomes.is_empty() {
        return Ok(());
    }
    let expires_at = millis(work.now.saturating_add(work.retention));
    let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO outcomes (key, body, expires_at) ");
    query.push_values(&work.outcomes, |mut row, (key, body)| {
        row.push_bind(key.to_vec()).push_bind(body.to_vec()).push_bind(expires_at);
    });
    query.push(
        " ON CONFLICT (key) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at \
         WHERE outcomes.expires_at <= ",
    );
    query.push_bind(millis(work.now));
    query.build().persistent(false).execute(connection).await.map(drop)
}

async fn claim(
    connection: &mut SqliteConnection,
    work: &Work,
) -> Result<impl Iterator<Item = (Hash, Holder)>, sqlx::Error> {
    let mut rows = Vec::new();
    if !work.claims.is_empty() {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO claims (event, input, origin, expires_at) ");
        query.push_values(&work.claims, |mut row, (event, claim)| {
            let expires_at = millis(work.now.saturating_add(claim.window));
            row.push_bind(event.to_vec()).push_bind(claim.input.to_vec());
            row.push_bind(claim.origin.clone().into_bytes()).push_bind(expires_at);
        });
        query.push(
            " ON CONFLICT (event) DO UPDATE SET input = excluded.input, origin = excluded.origin, \
             expires_at = excluded.expires_at WHERE claims.expires_at <= ",
        );
        query.push_bind(millis(work.now));
        query.build().persistent(false).execute(&mut *connection).await?;

        let mut query = QueryBuilder::<Sqlite>::new("SELECT event, input, origin FROM claims WHERE event IN ");
        in_list(&mut query, work.claims.keys());
        rows = query.build_query_as().persistent(false).fetch_all(connection).await?;
    }
    Ok(sql::holders(rows))
}

async fn recall(
    connection: &mut SqliteConnection,
    work: &Work,
) -> Result<impl Iterator<Item = (Hash, Bytes)>, sqlx::Error> {
    let mut rows = Vec::new();
    if !work.recalls.is_empty() {
        let mut query = QueryBuilder::<Sqlite>::new("SELECT key, body FROM outcomes WHERE key IN ");
        in_list(&mut query, &work.recalls);
        query.push(" AND expires_at > ").push_bind(millis(work.now));
        rows = query.build_query_as().persistent(false).fetch_all(connection).await?;
    }
    Ok(sql::outcomes(rows))
}

fn in_list<'a>(query: &mut QueryBuilder<Sqlite>, keys: impl IntoIterator<Item = &'a Hash>) {
    query.push("(");
    let mut list = query.separated(", ");
    for key in keys {
        list.push_bind(key.to_vec());
    }
    query.push(")");
}

async fn purge(connection: &mut SqliteConnection, now: Duration, limit: u32) -> Result<bool, sqlx::Error> {
    const OUTCOMES: &str = "DELETE FROM outcomes WHERE key IN (SELECT key FROM outcomes WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)";
    const CLAIMS: &str = "DELETE FROM claims WHERE event IN (SELECT event FROM claims WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)";
    let mut is_more = false;
    for statement in [OUTCOMES, CLAIMS] {
        let deleted = sqlx::query(statement).bind(millis(now)).bind(limit).execute(&mut *connection).await?;
        is_more |= deleted.rows_affected() >= u64::from(limit);
    }
    Ok(is_more)
}
