//! Audit events: the table, and streams of their own beside it.
//!
//! - [`stream`]: events as lines of JSON, on their way to a file or a topic; [`mod@file`]: the file;
//! - [`flood`]: what many events at once may cost.

pub mod file;
pub mod flood;
pub mod stream;

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::QueryBuilder;

use super::database::columns::{before, count, damaged, millis, place, row_limit, tenant, text, time};
use super::database::{Database, answered};
use super::removal::delete_part;
use super::row_writer::{RowTable, RowWriter};
use crate::domain::page::{Page, PageRequest};
use crate::domain::tenant::Scope;
use crate::ports::audit::{AuditEvent, AuditEventType, AuditHistory, AuditLog, AuditResult};
use crate::ports::repository::{RepositoryError, RepositoryFuture};

/// The table of events, to be written.
pub struct AuditTable {
    database: Database,
    /// How long events are kept.
    retention: Duration,
}

/// The table of events, to be read.
pub struct StoredAuditHistory(Database);

#[derive(sqlx::FromRow)]
struct EventRow {
    organization_id: String,
    team_id: String,
    created_at: i64,
    number: i64,
    event_type: String,
    actor: String,
    resource: String,
    result: String,
    request_id: Option<String>,
    detail: Option<String>,
    times: i64,
}

impl AuditTable {
    /// The events in this database, which are kept so long.
    pub fn new(database: Database, retention: Duration) -> Self {
        Self { database, retention }
    }

    /// Writes all of these events under their numbers, or none. Writing them again changes nothing.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn insert(&self, rows: &[(i64, AuditEvent)]) -> Result<(), RepositoryError> {
        const INSERT: &str = "
            INSERT INTO audit_log (organization_id, team_id, created_at, number, event_type, actor, resource, result,
            request_id, detail, times) ";
        const UNLESS_THERE: &str = " ON CONFLICT (organization_id, created_at, number) DO NOTHING";
        with_connection!(self.database, |connection| {
            let mut insert = QueryBuilder::new(INSERT);
            insert.push_values(rows, |mut row, (unique, event)| {
                row.push_bind(event.tenant.organization()).push_bind(event.tenant.team());
                row.push_bind(millis(event.timestamp)).push_bind(*unique);
                row.push_bind(event.event_type.as_str()).push_bind(text(&event.actor));
                row.push_bind(text(&event.resource)).push_bind(event.result.as_str());
                row.push_bind(event.request_id.as_deref().map(text));
                row.push_bind(event.detail.as_deref().map(text)).push_bind(i64::from(event.times));
            });
            insert.push(UNLESS_THERE);
            // Each number of rows is another statement, of which the connection would keep many.
            insert.build().persistent(false).execute(connection).await.map(drop)?;
        });
        Ok(())
    }

    /// Removes at most `limit` events that are older than the retention. True if there may be more.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn delete_old(&self, now: Duration, limit: u32) -> Result<bool, RepositoryError> {
        const OLD: &str = "
            DELETE FROM audit_log WHERE (organization_id, created_at, number) IN (
                SELECT organization_id, created_at, number FROM audit_log
                WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
        delete_part(&self.database, OLD, now.saturating_sub(self.retention), limit).await
    }
}

impl RowTable for AuditTable {
    type Row = AuditEvent;

    fn title(&self) -> &'static str {
        "audit log"
    }

    fn bytes(event: &AuditEvent) -> usize {
        size_of::<AuditEvent>() + event.resource.len() + event.detail.as_ref().map_or(0, String::len)
    }

    fn write<'a>(&'a self, rows: &'a [(i64, AuditEvent)]) -> BoxFuture<'a, Result<(), RepositoryError>> {
        self.insert(rows).boxed()
    }

    fn remove_old(&self, now: Duration, limit: u32) -> BoxFuture<'_, Result<bool, RepositoryError>> {
        self.delete_old(now, limit).boxed()
    }
}

impl AuditLog for RowWriter<AuditEvent> {
    fn record(&self, event: AuditEvent) {
        self.append(event);
    }
}

impl StoredAuditHistory {
    /// The events in this database.
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    async fn select(
        &self,
        scope: &Scope,
        event_type: Option<AuditEventType>,
        page: &PageRequest,
    ) -> Result<Page<AuditEvent>, RepositoryError> {
        const ALL: &str = "
            SELECT * FROM audit_log
            WHERE organization_id = $1 AND ($2 IS NULL OR team_id = $2) AND (created_at, number) < ($3, $4)
            ORDER BY created_at DESC, number DESC LIMIT $5";
        const OF_TYPE: &str = "
            SELECT * FROM audit_log
            WHERE organization_id = $1 AND ($2 IS NULL OR team_id = $2) AND (created_at, number) < ($3, $4)
                AND event_type = $6
            ORDER BY created_at DESC, number DESC LIMIT $5";
        let (created_at, number) = before(page);
        let rows: Vec<EventRow> = with_connection!(self.0, |connection| {
            let query = sqlx::query_as(if event_type.is_some() { OF_TYPE } else { ALL })
                .bind(scope.organization())
                .bind(scope.team())
                .bind(created_at)
                .bind(number)
                .bind(row_limit(page));
            let query = match event_type {
                Some(event_type) => query.bind(event_type.as_str()),
                None => query,
            };
            query.fetch_all(connection).await?
        });
        let Page { items, next } = Page::cut(rows, page.limit, |row| place(row.created_at, row.number));
        Ok(Page { items: items.into_iter().map(EventRow::event).collect::<Result<_, _>>()?, next })
    }
}

impl AuditHistory for StoredAuditHistory {
    fn page<'a>(
        &'a self,
        scope: &'a Scope,
        event_type: Option<AuditEventType>,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<AuditEvent>> {
        answered(async move { self.select(scope, event_type, &page).await })
    }
}

impl EventRow {
    fn event(self) -> Result<AuditEvent, RepositoryError> {
        let event_type = AuditEventType::ALL.into_iter().find(|kind| kind.as_str() == self.event_type);
        let result = AuditResult::ALL.into_iter().find(|result| result.as_str() == self.result);
        Ok(AuditEvent {
            timestamp: time(self.created_at),
            tenant: tenant(&self.organization_id, &self.team_id)?,
            event_type: event_type.ok_or_else(|| damaged("a type of event"))?,
            actor: self.actor,
            resource: self.resource,
            result: result.ok_or_else(|| damaged("the result of an event"))?,
            request_id: self.request_id,
            detail: self.detail,
            times: count(self.times),
        })
    }
}
