//! The handles of the export of traces.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dropped {
    reason: &'static str,
}

/// The metrics of the export of traces. Fields are plain handles; `register` says what each means.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each field is one metric, documented where it is registered")]
pub struct TraceMetrics {
    pub exported: Counter,
    pub too_many: Counter,
    pub queue_full: Counter,
    pub refused: Counter,
    pub unreachable: Counter,
    pub export_errors: Counter,
    dropped: Family<Dropped, Counter>,
}

impl Default for TraceMetrics {
    fn default() -> Self {
        let dropped: Family<Dropped, Counter> = Family::default();
        let of = |reason| dropped.get_or_create_owned(&Dropped { reason });
        Self {
            exported: Counter::default(),
            too_many: of("too_many"),
            queue_full: of("queue_full"),
            refused: of("refused"),
            unreachable: of("unreachable"),
            export_errors: Counter::default(),
            dropped,
        }
    }
}

impl TraceMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("trace_spans_exported", "Spans that the collector has taken", self.exported.clone());
        let help = "Spans that were not exported, by reason";
        registry.register("trace_spans_dropped", help, self.dropped.clone());
        let help = "Attempts to export spans that failed";
        registry.register("trace_export_errors", help, self.export_errors.clone());
    }
}
