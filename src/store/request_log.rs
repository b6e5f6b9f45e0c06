//! The request log in a database: rows, and their sums by the hour.
//!
//! - `write`: batches of requests, and what they add to the sums, in one transaction;
//! - `rows`, `usage`: how both are read.

mod rows;
mod usage;
mod write;

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use self::rows::RequestRow;
use super::database::columns::{before, millis, place, row_limit, text};
use super::database::{Database, answered};
use super::removal::delete_part;
use super::row_writer::{RowTable, RowWriter};
use crate::domain::page::{Page, PageRequest};
use crate::domain::tenant::Tenant;
use crate::ports::repository::{RepositoryError, RepositoryFuture};
use crate::ports::request_log::{
    LoggedRequest, PastRequest, RequestFilter, RequestHistory, RequestLog, Usage, UsageQuery,
};

/// How long sums are kept: two years can be compared.
const USAGE_RETENTION: Duration = Duration::from_secs(2 * 366 * 24 * 3600);

/// The tables, to be read.
pub struct StoredRequestHistory(Database);

/// The tables, to be written.
pub struct RequestTable {
    database: Database,
    /// How long rows are kept.
    retention: Duration,
}

impl StoredRequestHistory {
    /// The requests in this database.
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    async fn select(
        &self,
        tenant: &Tenant,
        filter: &RequestFilter,
        page: &PageRequest,
    ) -> Result<Page<PastRequest>, RepositoryError> {
        let rows: Vec<RequestRow> = with_connection!(self.0, |connection| {
            let mut query = sqlx::QueryBuilder::new("SELECT * FROM request_logs WHERE organization_id = ");
            query.push_bind(tenant.organization()).push(" AND team_id = ").push_bind(tenant.team());
            let (created_at, number) = before(page);
            query.push(" AND (created_at, number) < (").push_bind(created_at).push(", ").push_bind(number).push(")");
            let RequestFilter { from, to, key_id, provider, status, code } = filter;
            if let Some(from) = from {
                query.push(" AND created_at >= ").push_bind(millis(*from));
            }
            if let Some(to) = to {
                query.push(" AND created_at < ").push_bind(millis(*to));
            }
            if let Some(status) = status {
                query.push(" AND status = ").push_bind(i64::from(*status));
            }
            for (column, value) in [("api_key_id", key_id), ("provider", provider), ("code", code)] {
                if let Some(value) = value {
                    query.push(format_args!(" AND {column} = ")).push_bind(text(value));
                }
            }
            query.push(" ORDER BY created_at DESC, number DESC LIMIT ").push_bind(row_limit(page));
            query.build_query_as().fetch_all(connection).await?
        });
        let Page { items, next } = Page::cut(rows, page.limit, |row| place(row.created_at, row.number));
        Ok(Page { items: items.into_iter().map(PastRequest::from).collect(), next })
    }

    async fn select_one(&self, tenant: &Tenant, request_id: &str) -> Result<PastRequest, RepositoryError> {
        const SELECT: &str = "
            SELECT * FROM request_logs WHERE organization_id = $1 AND team_id = $2 AND request_id = $3
            ORDER BY created_at DESC, number DESC LIMIT 1";
        let row: Option<RequestRow> = with_connection!(self.0, |connection| sqlx::query_as(SELECT)
            .bind(tenant.organization())
            .bind(tenant.team())
            .bind(&*text(request_id))
            .fetch_optional(connection)
            .await?);
        row.map(PastRequest::from).ok_or(RepositoryError::NotFound)
    }
}

impl RequestHistory for StoredRequestHistory {
    fn page<'a>(
        &'a self,
        tenant: &'a Tenant,
        filter: RequestFilter,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<PastRequest>> {
        answered(async move { self.select(tenant, &filter, &page).await })
    }

    fn get<'a>(&'a self, tenant: &'a Tenant, request_id: &'a str) -> RepositoryFuture<'a, PastRequest> {
        answered(self.select_one(tenant, request_id))
    }

    fn usage<'a>(&'a self, tenant: &'a Tenant, query: UsageQuery) -> RepositoryFuture<'a, Vec<Usage>> {
        answered(usage::select(&self.0, tenant, query))
    }
}

impl RequestTable {
    /// The requests in this database, of which rows are kept so long.
    pub fn new(database: Database, retention: Duration) -> Self {
        Self { database, retention }
    }

    /// Writes all of these rows under their numbers, or none. Writing them again changes nothing.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn insert(&self, rows: &[(i64, LoggedRequest)]) -> Result<(), RepositoryError> {
        write::insert(&self.database, rows).await
    }

    /// Removes at most `limit` rows that are older than the retention, and as many sums that are kept no longer. True
    /// if there may be more.
    ///
    /// # Errors
    /// When the database cannot be used.
    pub async fn delete_old(&self, now: Duration, limit: u32) -> Result<bool, RepositoryError> {
        const ROWS: &str = "
            DELETE FROM request_logs WHERE (organization_id, team_id, created_at, number) IN (
                SELECT organization_id, team_id, created_at, number FROM request_logs
                WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
        const SUMS: &str = "
            DELETE FROM usage_hourly WHERE (organization_id, team_id, hour, provider, model, api_key_id, status) IN (
                SELECT organization_id, team_id, hour, provider, model, api_key_id, status FROM usage_hourly
                WHERE hour < $1 ORDER BY hour LIMIT $2)";
        let mut is_more = false;
        for (statement, retention) in [(ROWS, self.retention), (SUMS, USAGE_RETENTION)] {
            is_more |= delete_part(&self.database, statement, now.saturating_sub(retention), limit).await?;
        }
        Ok(is_more)
    }
}

impl RowTable for RequestTable {
    type Row = LoggedRequest;

    fn title(&self) -> &'static str {
        "request log"
    }

    fn bytes(row: &LoggedRequest) -> usize {
        let texts = [&row.prompt, &row.data].into_iter().flatten().map(String::len).sum::<usize>();
        size_of::<LoggedRequest>() + texts
    }

    fn write<'a>(&'a self, rows: &'a [(i64, LoggedRequest)]) -> BoxFuture<'a, Result<(), RepositoryError>> {
        self.insert(rows).boxed()
    }

    fn remove_old(&self, now: Duration, limit: u32) -> BoxFuture<'_, Result<bool, RepositoryError>> {
        self.delete_old(now, limit).boxed()
    }
}

impl RequestLog for RowWriter<LoggedRequest> {
    fn log(&self, request: LoggedRequest) {
        self.append(request);
    }
}
