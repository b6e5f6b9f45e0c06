//! The handles of tables to which rows are appended.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfTable {
    table: &'static str,
}

/// The metrics of all such tables.
#[derive(Debug, Clone, Default)]
pub(super) struct TableMetrics {
    written: Family<OfTable, Counter>,
    dropped: Family<OfTable, Counter>,
    errors: Family<OfTable, Counter>,
    waiting: Family<OfTable, Gauge>,
}

/// The metrics of one table. Fields are plain handles; `register` says what each means.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "each field is one metric, documented where it is registered")]
pub struct RowMetrics {
    pub written: Counter,
    pub dropped: Counter,
    pub errors: Counter,
    pub waiting: Gauge,
}

impl TableMetrics {
    pub(super) fn of(&self, table: &'static str) -> RowMetrics {
        let table = OfTable { table };
        RowMetrics {
            written: self.written.get_or_create_owned(&table),
            dropped: self.dropped.get_or_create_owned(&table),
            errors: self.errors.get_or_create_owned(&table),
            waiting: self.waiting.get_or_create_owned(&table),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("rows_written", "Rows that were written", self.written.clone());
        let help = "Rows that were dropped because too many waited";
        registry.register("rows_dropped", help, self.dropped.clone());
        registry.register("rows_errors", "Attempts to write rows that failed", self.errors.clone());
        registry.register("rows_waiting", "Rows that wait to be written", self.waiting.clone());
    }
}
