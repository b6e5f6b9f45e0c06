//! Requests that are answered once, in a database.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::database::columns::{count, damaged, millis};
use super::database::{Database, answered};
use super::removal::{ROWS_AT_ONCE, RemovalSchedule};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::tenant::Tenant;
use crate::ports::clock::Clock;
use crate::ports::idempotency::{Begun, Idempotency, IdempotentRequest, StoredAnswer, Ticket};
use crate::ports::repository::{RepositoryError, RepositoryFuture};

/// Attempts to get a key that its holders give up at the wrong moment, each time.
const ATTEMPTS: usize = 5;

/// The table of requests.
pub struct StoredIdempotency {
    database: Database,
    clock: Arc<dyn Clock>,
}

/// Who holds a key: the request that has it, and its answer if there is one.
#[derive(sqlx::FromRow)]
struct Holder {
    fingerprint: Vec<u8>,
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
    pub async fn sweep(self: Arc<Self>, stop: CancellationToken) {
        let sweep = async {
            let mut removal = RemovalSchedule::new();
            loop {
                removal.due().await;
                // A database that is away is the matter of those who wait for it.
                let deleted = self.delete_expired(ROWS_AT_ONCE).await.unwrap_or_default();
                removal.done(deleted == u64::from(ROWS_AT_ONCE));
            }
        };
        stop.run_until_cancelled(Box::pin(sweep)).await;
    }

    /// Removes at most `limit` requests that have expired, and returns how many there were.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn delete_expired(&self, limit: u32) -> Result<u64, RepositoryError> {
        // A key may be taken anew meanwhile. Postgres waits for that, and then looks again at the outer condition only.
        const DELETE: &str = "
            DELETE FROM idempotency WHERE (organization_id, team_id, key) IN (
                SELECT organization_id, team_id, key FROM idempotency
                WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1";
        let now = millis(self.clock.now());
        Ok(with_connection!(self.database, |connection| sqlx::query(DELETE)
            .bind(now)
            .bind(i64::from(limit))
            .execute(connection)
            .await?
            .rows_affected()))
    }

    async fn insert(&self, tenant: &Tenant, request: IdempotentRequest) -> Result<Begun, RepositoryError> {
        // Whoever holds the key keeps it until it has expired.
        const INSERT: &str = "
            INSERT INTO idempotency (organization_id, team_id, key, fingerprint, ticket, expires_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (organization_id, team_id, key) DO UPDATE
            SET fingerprint = excluded.fingerprint, ticket = excluded.ticket, expires_at = excluded.expires_at,
                status = NULL, headers = NULL, body = NULL
            WHERE idempotency.expires_at <= $7";
        let IdempotentRequest { key, fingerprint, ticket, lease } = request;
        let now = self.clock.now();
        for _ in 0..ATTEMPTS {
            let inserted = with_connection!(self.database, |connection| sqlx::query(INSERT)
                .bind(tenant.organization())
                .bind(tenant.team())
                .bind(&key)
                .bind(&fingerprint.0[..])
                .bind(ticket.0)
                .bind(millis(now.saturating_add(lease)))
                .bind(millis(now))
                .execute(connection)
                .await?
                .rows_affected());
            if inserted > 0 {
                return Ok(Begun::New);
            }
            if let Some(holder) = self.holder(tenant, &key).await? {
                return holder.says_to(&fingerprint);
            }
            // Its holder gave it up between the two statements.
        }
        Err(RepositoryError::Conflict)
    }

    async fn holder(&self, tenant: &Tenant, key: &str) -> Result<Option<Holder>, RepositoryError> {
        const SELECT: &str = "
            SELECT fingerprint, status, headers, body FROM idempotency
            WHERE organization_id = $1 AND team_id = $2 AND key = $3";
        Ok(with_connection!(self.database, |connection| sqlx::query_as(SELECT)
            .bind(tenant.organization())
            .bind(tenant.team())
            .bind(key)
            .fetch_optional(connection)
            .await?))
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
    /// What another request with this key comes to.
    fn says_to(self, fingerprint: &Fingerprint) -> Result<Begun, RepositoryError> {
        if self.fingerprint != fingerprint.0 {
            return Ok(Begun::OtherRequest);
        }
        self.answer().map(|answer| answer.map_or(Begun::Running, Begun::Done))
    }

    fn answer(self) -> Result<Option<StoredAnswer>, RepositoryError> {
        let (Some(status), Some(headers), Some(body)) = (self.status, self.headers, self.body) else { return Ok(None) };
        let headers = serde_json::from_str(&headers).map_err(|_| damaged("a list of headers"))?;
        Ok(Some(StoredAnswer { status: count(status), headers, body: Bytes::from(body) }))
    }
}
