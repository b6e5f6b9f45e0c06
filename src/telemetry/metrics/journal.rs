//! The handles of the journal.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::SECONDS;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operations {
    operation: &'static str,
}

/// The journal's metrics. Fields are plain handles; `register` says what each means.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each field is one metric, documented where it is registered")]
pub struct JournalMetrics {
    requests: Family<Operations, Counter>,
    pub recalls: Counter,
    pub records: Counter,
    pub claims: Counter,
    pub batches: Counter,
    pub errors: Counter,
    pub batch_seconds: Histogram,
}

impl Default for JournalMetrics {
    fn default() -> Self {
        let requests = Family::<Operations, Counter>::default();
        let of = |operation| requests.get_or_create_owned(&Operations { operation });
        Self {
            recalls: of("recall"),
            records: of("record"),
            claims: of("claim"),
            batches: Counter::default(),
            errors: Counter::default(),
            batch_seconds: Histogram::new(SECONDS),
            requests,
        }
    }
}

impl JournalMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("journal_requests", "Calls of the journal", self.requests.clone());
        registry.register("journal_batches", "Batches of calls that the store executed", self.batches.clone());
        let help = "Attempts to connect to the store or to execute a batch that failed";
        registry.register("journal_errors", help, self.errors.clone());
        registry.register("journal_batch_seconds", "Duration of a batch", self.batch_seconds.clone());
    }
}
