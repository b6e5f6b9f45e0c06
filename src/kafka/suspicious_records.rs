//! Records that look like an attack, as security events.

use std::sync::Arc;

use crate::domain::answer::Flag;
use crate::domain::failure::{Code, Failure};
use crate::domain::record::Record;
use crate::domain::tenant::Tenant;
use crate::ports::audit::{AuditEvent, AuditEventType, AuditLog, AuditResult};
use crate::ports::clock::Clock;

/// Says which records of a connector are suspicious.
pub(super) struct SuspiciousRecords {
    pub(super) log: Arc<dyn AuditLog>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) connector: Arc<str>,
    pub(super) tenant: Tenant,
}

impl SuspiciousRecords {
    /// A record whose result is published with these flags.
    pub(super) fn published(&self, record: &Record, flags: &[Flag]) {
        let patterns: Vec<_> = flags.iter().filter_map(|flag| flag.pattern()).collect();
        if !patterns.is_empty() {
            self.record(record, AuditResult::Success, patterns.join(", "));
        }
    }

    /// A record that becomes a dead letter.
    pub(super) fn refused(&self, record: &Record, failure: &Failure) {
        if failure.code == Code::SuspiciousInput {
            self.record(record, AuditResult::Denied, failure.detail.clone());
        }
    }

    fn record(&self, record: &Record, result: AuditResult, detail: String) {
        self.log.record(AuditEvent {
            timestamp: self.clock.now(),
            tenant: self.tenant.clone(),
            event_type: AuditEventType::SuspiciousInput,
            actor: format!("connector {}", self.connector),
            resource: record.position.to_string(),
            result,
            request_id: None,
            detail: Some(detail),
            times: 1,
        });
    }
}
