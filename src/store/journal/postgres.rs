//! The journal in Postgres 15 or newer, shared by the instances of a group.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, Postgres};

use super::backend::{Backend, Connection, Done, Hash, Holder, Work};
use super::rows;
use crate::store::availability::StoreName;
use crate::store::database::columns::millis;
use crate::store::database::postgres::PostgresDatabase;
use crate::store::database::store_error;
use crate::store::error::StoreError;

/// The journal's tables in a database.
pub(super) struct PostgresJournal(pub(super) PostgresDatabase);

impl Backend for PostgresJournal {
    fn name(&self) -> StoreName {
        self.0.name()
    }

    fn connect(&self) -> BoxFuture<'_, Result<Box<dyn Connection>, StoreError>> {
        async {
            let mut connection = self.0.connect().await?;
            // It is given up after an error, perhaps within a transaction: nobody else may get it.
            connection.close_on_drop();
            Ok(Box::new(PostgresSession(connection)) as Box<dyn Connection>)
        }
        .boxed()
    }
}

struct PostgresSession(PoolConnection<Postgres>);

impl Connection for PostgresSession {
    fn execute<'a>(&'a mut self, work: &'a Work) -> BoxFuture<'a, Result<Done, StoreError>> {
        execute(&mut self.0, work).map(|done| done.map_err(|error| store_error(&error))).boxed()
    }

    fn purge(&mut self, now: Duration, limit: u32) -> BoxFuture<'_, Result<bool, StoreError>> {
        purge(&mut self.0, now, limit).map(|more| more.map_err(|error| store_error(&error))).boxed()
    }
}

async fn execute(connection: &mut PgConnection, work: &Work) -> Result<Done, sqlx::Error> {
    if work.is_read_only() {
        return Ok(Done { recalled: recall(connection, work).await?.collect(), ..Done::default() });
    }
    let mut transaction = connection.begin().await?;
    record(&mut transaction, work).await?;
    let holders = claim(&mut transaction, work).await?.collect();
    let recalled = recall(&mut transaction, work).await?.collect();
    transaction.commit().await?;
    Ok(Done { recalled, holders })
}

async fn record(connection: &mut PgConnection, work: &Work) -> Result<(), sqlx::Error> {
    // Ordered by key: two transactions that lock the same rows in different orders would wait for each other.
    const RECORD: &str = "
        INSERT INTO outcomes (key, body, expires_at)
        SELECT key, body, $3 FROM unnest($1::bytea[], $2::bytea[]) AS new (key, body) ORDER BY key
        ON CONFLICT (key) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at
        WHERE outcomes.expires_at <= $4";
    if work.outcomes.is_empty() {
        return Ok(());
    }
    let keys: Vec<&[u8]> = work.outcomes.keys().map(Hash::as_slice).collect();
    let bodies: Vec<&[u8]> = work.outcomes.values().map(|body| &body[..]).collect();
    let expires_at = millis(work.now.saturating_add(work.retention));
    let query = sqlx::query(RECORD).bind(keys).bind(bodies).bind(expires_at).bind(millis(work.now));
    query.execute(connection).await.map(drop)
}

async fn claim(
    connection: &mut PgConnection,
    work: &Work,
) -> Result<impl Iterator<Item = (Hash, Holder)>, sqlx::Error> {
    // A row that stays as it is was locked nevertheless: it is still there, and the same, when it is read.
    const CLAIM: &str = "
        INSERT INTO claims (event, input, origin, expires_at)
        SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bigint[]) AS new (event, input, origin, expires_at)
        ORDER BY event
        ON CONFLICT (event) DO UPDATE SET input = excluded.input, origin = excluded.origin, expires_at = excluded.expires_at
        WHERE claims.expires_at <= $5";
    const HOLDERS: &str = "SELECT event, input, origin FROM claims WHERE event = ANY ($1::bytea[])";
    if work.claims.is_empty() {
        return Ok(rows::holders(Vec::new()));
    }
    let events: Vec<&[u8]> = work.claims.keys().map(Hash::as_slice).collect();
    let claims = work.claims.values();
    let inputs: Vec<&[u8]> = claims.clone().map(|claim| &claim.input[..]).collect();
    let origins: Vec<&[u8]> = claims.clone().map(|claim| claim.origin.as_bytes()).collect();
    let expire_at: Vec<i64> = claims.map(|claim| millis(work.now.saturating_add(claim.window))).collect();
    let query = sqlx::query(CLAIM).bind(&events).bind(inputs).bind(origins).bind(expire_at).bind(millis(work.now));
    query.execute(&mut *connection).await?;
    let rows = sqlx::query_as(HOLDERS).bind(events).fetch_all(connection).await?;
    Ok(rows::holders(rows))
}

async fn recall(
    connection: &mut PgConnection,
    work: &Work,
) -> Result<impl Iterator<Item = (Hash, Bytes)>, sqlx::Error> {
    const RECALL: &str = "SELECT key, body FROM outcomes WHERE key = ANY ($1::bytea[]) AND expires_at > $2";
    if work.recalls.is_empty() {
        return Ok(rows::outcomes(Vec::new()));
    }
    let keys: Vec<&[u8]> = work.recalls.iter().map(Hash::as_slice).collect();
    let rows = sqlx::query_as(RECALL).bind(keys).bind(millis(work.now)).fetch_all(connection).await?;
    Ok(rows::outcomes(rows))
}

/// Rows that another process is removing, or claiming anew, are left to it.
async fn purge(connection: &mut PgConnection, now: Duration, limit: u32) -> Result<bool, sqlx::Error> {
    const OUTCOMES: &str = "
        DELETE FROM outcomes WHERE key IN
        (SELECT key FROM outcomes WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    const CLAIMS: &str = "
        DELETE FROM claims WHERE event IN
        (SELECT event FROM claims WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let mut is_more = false;
    for statement in [OUTCOMES, CLAIMS] {
        let query = sqlx::query(statement).bind(millis(now)).bind(i64::from(limit));
        is_more |= query.execute(&mut *connection).await?.rows_affected() >= u64::from(limit);
    }
    Ok(is_more)
}
