//! The journal in an SQLite file, which several processes of one machine may share.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};

use super::backend::{Backend, Connection, Done, Hash, Holder, Work};
use super::rows;
use crate::store::availability::StoreName;
use crate::store::database::columns::millis;
use crate::store::database::sqlite::{self, SqliteDatabase};
use crate::store::database::store_error;
use crate::store::error::StoreError;

/// The journal's tables in a database.
pub(super) struct SqliteJournal(pub(super) SqliteDatabase);

impl Backend for SqliteJournal {
    fn name(&self) -> StoreName {
        self.0.name()
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>, StoreError>> {
        async {
            let mut connection = self.0.connect().await?;
            // It is given up after an error, perhaps within a transaction: nobody else may get it.
            connection.close_on_drop();
            Ok(Box::new(SqliteSession(connection)) as Box<dyn Connection>)
        }
        .boxed()
    }
}

struct SqliteSession(PoolConnection<Sqlite>);

impl Connection for SqliteSession {
    fn execute<'a>(&'a mut self, work: &'a Work) -> BoxFuture<'a, Result<Done, StoreError>> {
        execute(&mut self.0, work).map(|done| done.map_err(|error| store_error(&error))).boxed()
    }

    fn purge(&mut self, now: Duration, limit: u32) -> BoxFuture<'_, Result<bool, StoreError>> {
        purge(&mut self.0, now, limit).map(|more| more.map_err(|error| store_error(&error))).boxed()
    }
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
    Ok(rows::holders(rows))
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
    Ok(rows::outcomes(rows))
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
    // First all rows, then their pages.
    if is_more { Ok(true) } else { sqlite::give_back(connection).await }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const KEPT: Duration = Duration::from_secs(60);

    async fn pages(connection: &mut SqliteConnection) -> i64 {
        sqlx::query_scalar("PRAGMA page_count").fetch_one(connection).await.unwrap()
    }

    /// Pages while 2,000 outcomes are kept, and when all of them are gone.
    async fn before_and_after(path: &Path) -> (i64, i64) {
        let mut journal = SqliteSession(SqliteDatabase::new(path.to_owned()).connect().await.unwrap());
        let key = |n: u16| {
            let mut key = [0; 32];
            key[..2].copy_from_slice(&n.to_be_bytes());
            key
        };
        let outcomes = (0..2000).map(|n| (key(n), Bytes::from(vec![7; 2000]))).collect();
        let work = Work { retention: KEPT, outcomes, ..Work::default() };
        journal.execute(&work).await.unwrap();
        let before = pages(&mut journal.0).await;
        while journal.purge(KEPT, 500).await.unwrap() {}
        (before, pages(&mut journal.0).await)
    }

    #[tokio::test]
    async fn what_has_expired_leaves_a_small_file() {
        let directory = tempfile::tempdir().unwrap();
        let (before, after) = before_and_after(&directory.path().join("store.db")).await;
        assert!(before > 1000 && after < before / 8, "{before} pages, then {after}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_give_pages_back_keeps_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut file = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::raw_sql("CREATE TABLE earlier (n INTEGER)").execute(&mut file).await.unwrap();
        file.close().await.unwrap();
        let (before, after) = before_and_after(&path).await;
        assert_eq!(before, after);
    }
}
