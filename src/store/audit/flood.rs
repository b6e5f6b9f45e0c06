//! What many events at once may cost. Whoever tries out keys, or asks far more often than they may, makes thousands of
//! equal events; in a database that keeps them for years they are an attack of their own.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ports::audit::{AuditEvent, AuditEventType, AuditLog, AuditResult};
use crate::telemetry::metrics::AuditMetrics;

/// Events of one type that are recorded one by one within a minute.
const MOST_A_MINUTE: u32 = 1000;

/// Lets through what is not too much. What administrators do and what is allowed always is.
pub struct FloodGuard {
    log: Arc<dyn AuditLog>,
    metrics: AuditMetrics,
    now: Mutex<Minute>,
}

/// What came within one minute.
#[derive(Debug, Default)]
struct Minute {
    /// Which one, since the Unix epoch.
    number: u64,
    recorded: [u32; AuditEventType::ALL.len()],
    /// Whose limit was reached.
    limited: HashSet<String>,
    held_back: u64,
}

impl FloodGuard {
    /// A guard before this log.
    pub fn new(log: Arc<dyn AuditLog>, metrics: AuditMetrics) -> Self {
        Self { log, metrics, now: Mutex::default() }
    }

    fn is_too_much(&self, event: &AuditEvent) -> bool {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let number = event.timestamp.as_secs() / 60;
        if now.number != number {
            now.report();
            *now = Minute { number, ..Minute::default() };
        }
        now.is_too_much(event)
    }
}

impl AuditLog for FloodGuard {
    fn record(&self, event: AuditEvent) {
        if self.is_too_much(&event) {
            self.metrics.held_back(event.event_type.as_str());
        } else {
            self.log.record(event);
        }
    }
}

impl Minute {
    fn is_too_much(&mut self, event: &AuditEvent) -> bool {
        let is_guarded = match event.event_type {
            AuditEventType::Authentication => event.result != AuditResult::Success,
            AuditEventType::Authorization | AuditEventType::RateLimit | AuditEventType::SuspiciousInput => true,
            AuditEventType::AdminAction | AuditEventType::CacheInvalidation => false,
        };
        if !is_guarded {
            return false;
        }
        let recorded = AuditEventType::ALL.iter().zip(&mut self.recorded).find(|(kind, _)| **kind == event.event_type);
        let Some((_, recorded)) = recorded.filter(|(_, recorded)| **recorded < MOST_A_MINUTE) else {
            self.held_back += 1;
            return true;
        };
        // A client beyond its limit is one event a minute, however often it asks.
        if event.event_type == AuditEventType::RateLimit && !self.limited.insert(event.actor.clone()) {
            return true;
        }
        *recorded += 1;
        false
    }

    fn report(&self) {
        if self.held_back > 0 {
            let events = self.held_back;
            tracing::warn!(events, "so many events came within a minute that they were not recorded one by one");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::tenant::Tenant;
    use crate::ports::audit::MemoryAudit;
    use crate::telemetry::metrics::Metrics;

    fn event(event_type: AuditEventType, result: AuditResult, actor: &str, second: u64) -> AuditEvent {
        AuditEvent {
            timestamp: Duration::from_secs(second),
            tenant: Tenant::default(),
            event_type,
            actor: actor.to_owned(),
            resource: "/v1/analyze".to_owned(),
            result,
            request_id: None,
            detail: None,
        }
    }

    /// How many of these events are recorded.
    fn recorded(events: impl IntoIterator<Item = AuditEvent>) -> (usize, String) {
        let (log, metrics) = (Arc::new(MemoryAudit::default()), Metrics::default());
        let guard = FloodGuard::new(Arc::clone(&log) as _, metrics.audit());
        events.into_iter().for_each(|event| guard.record(event));
        (log.events().len(), metrics.encode().unwrap())
    }

    #[test]
    fn a_client_beyond_its_limit_is_one_event_a_minute() {
        let refused = |actor, second| event(AuditEventType::RateLimit, AuditResult::Denied, actor, second);
        let (count, metrics) = recorded((0..180).flat_map(|second| [refused("a", second), refused("b", second)]));
        assert_eq!(count, 6);
        assert!(metrics.contains("sp_audit_held_back_total{event_type=\"rate_limit\"} 354"), "{metrics}");
    }

    #[test]
    fn each_refused_key_is_an_event_until_there_are_too_many_in_a_minute() {
        let refused = |n| event(AuditEventType::Authentication, AuditResult::Denied, "anonymous", 60 + n / 1000);
        let most = u64::from(MOST_A_MINUTE);
        assert_eq!(recorded((0..most).map(refused)).0, 1000);
        assert_eq!(recorded((0..2 * most).map(refused)).0, 1000);
        let other = event(AuditEventType::SuspiciousInput, AuditResult::Denied, "a", 61);
        assert_eq!(recorded((0..2 * most).map(refused).chain([other])).0, 1001, "each type has its own share");
    }

    #[test]
    fn what_is_done_is_always_recorded() {
        for (event_type, result) in [
            (AuditEventType::AdminAction, AuditResult::Failed),
            (AuditEventType::CacheInvalidation, AuditResult::Success),
            (AuditEventType::Authentication, AuditResult::Success),
        ] {
            assert_eq!(recorded((0..3000).map(|_| event(event_type, result, "admin", 1))).0, 3000);
        }
    }
}
