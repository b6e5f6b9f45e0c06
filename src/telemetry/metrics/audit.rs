//! The handles of the audit log.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfEventType {
    event_type: &'static str,
}

/// The metrics of security events.
#[derive(Debug, Clone, Default)]
pub struct AuditMetrics {
    held_back: Family<OfEventType, Counter>,
}

impl AuditMetrics {
    /// Events of this type may be held back: their counter is there before the first one.
    pub fn may_hold_back(&self, event_type: &'static str) {
        drop(self.held_back.get_or_create(&OfEventType { event_type }));
    }

    /// Counts an event that was not recorded by itself.
    pub fn held_back(&self, event_type: &'static str) {
        self.held_back.get_or_create(&OfEventType { event_type }).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Security events that were not recorded one by one, but counted in another of their minute";
        registry.register("audit_held_back", help, self.held_back.clone());
    }
}
