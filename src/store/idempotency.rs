//! Requests that are answered once, in a database.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::database::columns::{count, damaged, millis};
use super::database::{Database, answered};
use crate::domain::tenant::Tenant;
use crate::ports::clock::Clock;
use crate::ports::idempotency::{Begun, Idempotency, IdempotentRequest, StoredAnswer, Ticket};
use crate::ports::repository::{RepositoryError, RepositoryFuture};

/// Time between two looks for what has expired, and between two parts of a removal that is under way.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEEP_PAUSE: Duration = Duration::from_millis(500);
const SWEEP_ROWS: u32 = 500;

/// The table of requests.
pub struct StoredIdempotency {
    database: Database,
    clock: Arc<dyn Clock>,
}

/// Who holds a key: the request that has it, and its answer if there is one.
#[derive(sqlx::FromRow)]
struct Holder {
    fingerprint: Vec<u8>,
    ticket: i64,
    status: Option<i64>,
    headers: Option<String>,
    body: Option<Vec<u8>>,
}

impl StoredIdempotency {
    /// The requests in this database.
    pub fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }

    /// Removes what has expired, in parts, until it is told to stop.
    pub(super) async fn sweep(self: Arc<Self>, stop: CancellationToken) {
        let mut pause = SWEEP_EVERY;
        while stop.run_until_cancelled(sleep(pause)).await.is_some() {
            // A database that is away is the matter of those who wait for it.
            let is_more = self.delete_expired(SWEEP_ROWS).await.is_ok_and(|deleted| deleted >= u64::from(SWEEP_ROWS));
            pause = if is_more { SWEEP_PAUSE } else { SWEEP_EVERY };
        }
    }

    /// Removes at most `limit` requests that have expired, and returns how many there were.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn delete_expired(&self, limit: u32) -> Result<u64, RepositoryError> {
        const DELETE: &str = "
            DELETE FROM idempotency WHERE (organization_id, team_id, key) IN (
                SELECT organization_id, team_id, key FROM idempotency
                WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
        let now = millis(self.clock.now());
        Ok(with_connection!(self.database, |connection| sqlx::query(DELETE)
            .bind(now)
            .bind(i64::from(limit))
            .execute(connection)
            .await?
            .rows_affected()))
    }

    async fn insert(&self, tenant: &Tenant, request: IdempotentRequest) -> Result<Begun, RepositoryError> {
        // Whoever holds the key keeps it until it has expired. The row is locked in any case, so it is still there when
        // it is read.
        const INSERT: &str = "
            INSERT INTO idempotency (organization_id, team_id, key, fingerprint, ticket, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (organization_id, team_id, key) DO UPDATE
            SET fingerprint = excluded.fingerprint, ticket = excluded.ticket, expires_at = excluded.expires_at,
                status = NULL, headers = NULL, body = NULL
            WHERE idempotency.expires_at <= $7";
        const SELECT: &str = "
            SELECT fingerprint, ticket, status, headers, body FROM idempotency
            WHERE organization_id = $1 AND team_id = $2 AND key = $3";
        let IdempotentRequest { key, fingerprint, lease } = request;
        let (now, ticket) = (self.clock.now(), fastrand::i64(..));
        let holder: Holder = with_transaction!(self.database, |transaction| {
            sqlx::query(INSERT)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(&key)
                .bind(&fingerprint.0[..])
                .bind(ticket)
                .bind(millis(now.saturating_add(lease)))
                .bind(millis(now))
                .execute(&mut *transaction)
                .await?;
            sqlx::query_as(SELECT)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(&key)
                .fetch_one(transaction)
                .await?
        });
        if holder.ticket == ticket {
            return Ok(Begun::New(Ticket(ticket)));
        }
        if holder.fingerprint != fingerprint.0 {
            return Ok(Begun::OtherRequest);
        }
        holder.answer().map(|answer| answer.map_or(Begun::Running, Begun::Done))
    }

    async fn update(
        &self,
        tenant: &Tenant,
        key: &str,
        ticket: Ticket,
        answer: StoredAnswer,
        ttl: Duration,
    ) -> Result<(), RepositoryError> {
        const UPDATE: &str = "
            UPDATE idempotency SET status = $5, headers = $6, body = $7, expires_at = $8
            WHERE organization_id = $1 AND team_id = $2 AND key = $3 AND ticket = $4";
        let StoredAnswer { status, headers, body } = answer;
        let headers = serde_json::to_string(&headers).map_err(|_| damaged("a list of headers"))?;
        let expires_at = millis(self.clock.now().saturating_add(ttl));
        with_connection!(self.database, |connection| sqlx::query(UPDATE)
            .bind(tenant.organization())
            .bind(tenant.team())
            .bind(key)
            .bind(ticket.0)
            .bind(i64::from(status))
            .bind(headers)
            .bind(&body[..])
            .bind(expires_at)
            .execute(connection)
            .await
            .map(drop)?);
        Ok(())
    }

    async fn remove(&self, tenant: &Tenant, key: &str, ticket: Ticket) -> Result<(), RepositoryError> {
        const DELETE: &str = "
            DELETE FROM idempotency
            WHERE organization_id = $1 AND team_id = $2 AND key = $3 AND ticket = $4 AND status IS NULL";
        with_connection!(self.database, |connection| sqlx::query(DELETE)
            .bind(tenant.organization())
            .bind(tenant.team())
            .bind(key)
            .bind(ticket.0)
            .execute(connection)
            .await
            .map(drop)?);
        Ok(())
    }
}

impl Idempotency for StoredIdempotency {
    fn begin<'a>(&'a self, tenant: &'a Tenant, request: IdempotentRequest) -> RepositoryFuture<'a, Begun> {
        answered(self.insert(tenant, request))
    }

    fn finish<'a>(
        &'a self,
        tenant: &'a Tenant,
        key: &'a str,
        ticket: Ticket,
        answer: StoredAnswer,
        ttl: Duration,
    ) -> RepositoryFuture<'a, ()> {
        answered(self.update(tenant, key, ticket, answer, ttl))
    }

    fn abandon<'a>(&'a self, tenant: &'a Tenant, key: &'a str, ticket: Ticket) -> RepositoryFuture<'a, ()> {
        answered(self.remove(tenant, key, ticket))
    }
}

impl Holder {
    fn answer(self) -> Result<Option<StoredAnswer>, RepositoryError> {
        let (Some(status), Some(headers), Some(body)) = (self.status, self.headers, self.body) else { return Ok(None) };
        let headers = serde_json::from_str(&headers).map_err(|_| damaged("a list of headers"))?;
        Ok(Some(StoredAnswer { status: count(status), headers, body: Bytes::from(body) }))
    }
}
