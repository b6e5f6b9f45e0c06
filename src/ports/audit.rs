//! Events that concern security, in a stream of their own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use serde_json::json;

use super::repository::{Memory, RepositoryFuture};
use crate::domain::page::{Cursor, Page, PageRequest};
use crate::domain::tenant::{Scope, Tenant};
use crate::domain::time::rfc3339;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditEventType {
    /// Somebody presented a key, or none.
    Authentication,
    /// Somebody with a good key asked for what is not theirs.
    Authorization,
    /// Somebody asked more often than they may.
    RateLimit,
    /// Input looks like an attack.
    SuspiciousInput,
    /// An administrator did something.
    AdminAction,
    /// Remembered answers were removed.
    CacheInvalidation,
}

impl AuditEventType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Authentication,
        Self::Authorization,
        Self::RateLimit,
        Self::SuspiciousInput,
        Self::AdminAction,
        Self::CacheInvalidation,
    ];

    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::RateLimit => "rate_limit",
            Self::SuspiciousInput => "suspicious_input",
            Self::AdminAction => "admin_action",
            Self::CacheInvalidation => "cache_invalidation",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditResult {
    /// It was done.
    Success,
    /// It was refused.
    Denied,
    /// It was allowed, and did not work.
    Failed,
}

impl AuditResult {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Success, Self::Denied, Self::Failed];

    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// An event. Nothing in it is a secret or a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// When, since the Unix epoch, to the millisecond.
    pub timestamp: Duration,
    /// Whose, as far as is known; the default tenant's otherwise.
    pub tenant: Tenant,
    /// What it is about.
    pub event_type: AuditEventType,
    /// Who did it: the id of a key, `admin`, `command line`, `connector NAME`, an address, `anonymous`, or `others` where
    /// too many did the same at once.
    pub actor: String,
    /// To what: a route, `api_keys/ID`, `cache`, a record's position.
    pub resource: String,
    /// How it ended.
    pub result: AuditResult,
    /// The request in which it happened.
    pub request_id: Option<String>,
    /// More in a sentence or a word.
    pub detail: Option<String>,
    /// How many of its kind it stands for. Of several it is the last.
    pub times: u32,
}

impl AuditEvent {
    /// The event as a line of JSON. `id` tells a line that was written twice from two events.
    pub fn to_json(&self, id: &str) -> String {
        let Self { timestamp, tenant, event_type, actor, resource, result, request_id, detail, times } = self;
        json!({
            "id": id,
            "timestamp": rfc3339(*timestamp),
            "event_type": event_type.as_str(),
            "organization": tenant.organization(),
            "team": tenant.team(),
            "actor": actor,
            "resource": resource,
            "result": result.as_str(),
            "request_id": request_id,
            "detail": detail,
            "times": times,
        })
        .to_string()
    }
}

/// Takes events down. Never waits and never fails: what there is no room for is dropped and counted.
pub trait AuditLog: Send + Sync {
    /// Takes one down.
    fn record(&self, event: AuditEvent);
}

/// Hands each event to all of these; to nobody where there are none.
pub struct AuditLogs(pub Vec<Arc<dyn AuditLog>>);

impl AuditLog for AuditLogs {
    fn record(&self, event: AuditEvent) {
        for log in &self.0 {
            log.record(event.clone());
        }
    }
}

/// A place beside the database to which events go, as lines of JSON.
pub trait AuditSink: Send + Sync {
    /// What it is called in the log.
    fn title(&self) -> &'static str;

    /// What it is called in metrics.
    fn label(&self) -> &'static str;

    /// Writes these lines. When that fails some of them may have been written; they are written again.
    fn write<'a>(&'a self, lines: Vec<&'a str>) -> BoxFuture<'a, Result<(), String>>;
}

/// What was taken down. Events come within seconds.
pub trait AuditHistory: Send + Sync {
    /// Events, newest first; of one type, if one is named.
    fn page<'a>(
        &'a self,
        scope: &'a Scope,
        event_type: Option<AuditEventType>,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<AuditEvent>>;
}

/// Events in memory, which end with the process.
#[derive(Debug, Default)]
pub struct MemoryAudit(Memory<Vec<AuditEvent>>);

impl MemoryAudit {
    /// Everything that was taken down, in its order.
    pub fn events(&self) -> Vec<AuditEvent> {
        self.0.state().map(|events| events.clone()).unwrap_or_default()
    }
}

impl AuditLog for MemoryAudit {
    fn record(&self, event: AuditEvent) {
        if let Ok(mut events) = self.0.state() {
            events.push(event);
        }
    }
}

impl AuditHistory for MemoryAudit {
    fn page<'a>(
        &'a self,
        scope: &'a Scope,
        event_type: Option<AuditEventType>,
        page: PageRequest,
    ) -> RepositoryFuture<'a, Page<AuditEvent>> {
        let place =
            |(index, event): &(usize, AuditEvent)| Cursor { created_at: event.timestamp, id: format!("{index:020}") };
        let found = self.0.state().map(|events| {
            let mut found: Vec<_> = events.iter().cloned().enumerate().collect();
            found.retain(|(_, event)| {
                scope.includes(&event.tenant) && event_type.is_none_or(|wanted| event.event_type == wanted)
            });
            found.retain(|numbered| page.after.as_ref().is_none_or(|after| place(numbered) < *after));
            found.sort_by_key(|numbered| std::cmp::Reverse(place(numbered)));
            let Page { items, next } = Page::cut(found, page.limit, place);
            Page { items: items.into_iter().map(|(_, event)| event).collect(), next }
        });
        ready(found).boxed()
    }
}
