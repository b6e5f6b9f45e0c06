//! Everything that the HTTP API keeps, in one place.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::api_keys::StoredKeys;
use super::audit::{AuditTable, StoredAuditHistory};
use super::catalog::StoredCatalog;
use super::database::Database;
use super::idempotency::StoredIdempotency;
use super::request_log::{RequestTable, StoredRequestHistory};
use super::row_writer::{self, RowWriter};
use crate::ports::audit::{AuditHistory, AuditLog, MemoryAudit};
use crate::ports::catalog::{Catalog, MemoryCatalog};
use crate::ports::clock::Clock;
use crate::ports::idempotency::{Idempotency, MemoryIdempotency};
use crate::ports::keys::{Keys, MemoryKeys};
use crate::ports::request_log::{MemoryRequestLog, RequestHistory, RequestLog};
use crate::tasks::Tasks;
use crate::telemetry::metrics::Metrics;

/// The repositories of the HTTP API.
#[derive(Clone)]
pub struct Repositories {
    /// API keys.
    pub keys: Arc<dyn Keys>,
    /// Schemas.
    pub schemas: Arc<dyn Catalog>,
    /// Prompt templates.
    pub templates: Arc<dyn Catalog>,
    /// Requests with an idempotency key.
    pub idempotency: Arc<dyn Idempotency>,
    /// Takes requests down.
    pub request_log: Arc<dyn RequestLog>,
    /// What was taken down of requests.
    pub request_history: Arc<dyn RequestHistory>,
    /// Takes security events down.
    pub audit_log: Arc<dyn AuditLog>,
    /// What was taken down of security events.
    pub audit_history: Arc<dyn AuditHistory>,
}

/// How long rows are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Those of the request log.
    pub request_log: Duration,
    /// Those of the audit log.
    pub audit_log: Duration,
}

/// What repositories in a database need beside it.
pub struct Dependencies<'a> {
    /// Dates entries.
    pub clock: Arc<dyn Clock>,
    /// Where their tasks run.
    pub tasks: &'a Tasks,
    /// Their metrics.
    pub metrics: &'a Metrics,
    /// Tells their tasks to write what they have, and to end.
    pub stop: CancellationToken,
}

/// The tasks behind repositories in a database. Each ends when it is told to stop.
pub struct RepositoryTasks {
    /// Writes the request log.
    pub request_log: JoinHandle<()>,
    /// Writes the audit log.
    pub audit_log: JoinHandle<()>,
    /// Removes what has expired.
    pub sweep: JoinHandle<()>,
}

impl Repositories {
    /// Those in a database.
    pub fn stored(database: &Database, retention: Retention, deps: Dependencies<'_>) -> (Self, RepositoryTasks) {
        let Dependencies { clock, tasks, metrics, stop } = deps;
        let writer = |table| row_writer::Dependencies {
            clock: Arc::clone(&clock),
            tasks: tasks.clone(),
            metrics: metrics.table(table),
            stop: stop.clone(),
        };
        let requests = RequestTable::new(database.clone(), retention.request_log);
        let (request_log, request_task) = RowWriter::open(requests, writer("request_log"));
        let events = AuditTable::new(database.clone(), retention.audit_log);
        let (audit_log, audit_task) = RowWriter::open(events, writer("audit_log"));
        let idempotency = Arc::new(StoredIdempotency::new(database.clone(), Arc::clone(&clock)));
        let sweep = tasks.service(Arc::clone(&idempotency).sweep(stop.clone()));
        let repositories = Self {
            keys: Arc::new(StoredKeys::new(database.clone(), Arc::clone(&clock))),
            schemas: Arc::new(StoredCatalog::schemas(database.clone(), Arc::clone(&clock))),
            templates: Arc::new(StoredCatalog::templates(database.clone(), clock.clone())),
            idempotency,
            request_log: Arc::new(request_log),
            request_history: Arc::new(StoredRequestHistory::new(database.clone())),
            audit_log: Arc::new(audit_log),
            audit_history: Arc::new(StoredAuditHistory::new(database.clone())),
        };
        (repositories, RepositoryTasks { request_log: request_task, audit_log: audit_task, sweep })
    }

    /// Those in memory, which end with the process.
    pub fn in_memory(clock: &Arc<dyn Clock>) -> Self {
        let (requests, audit) = (Arc::new(MemoryRequestLog::default()), Arc::new(MemoryAudit::default()));
        Self {
            keys: Arc::new(MemoryKeys::new(Arc::clone(clock))),
            schemas: Arc::new(MemoryCatalog::new(Arc::clone(clock))),
            templates: Arc::new(MemoryCatalog::new(Arc::clone(clock))),
            idempotency: Arc::new(MemoryIdempotency::new(Arc::clone(clock))),
            request_log: Arc::clone(&requests) as Arc<dyn RequestLog>,
            request_history: requests,
            audit_log: Arc::clone(&audit) as Arc<dyn AuditLog>,
            audit_history: audit,
        }
    }
}
