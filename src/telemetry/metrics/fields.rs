//! The handles for the values of answers.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::labels::OfConnector;
use super::{Bounds, Histograms, SHARES};
use crate::domain::quotes::QuoteOutcome;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FieldStates {
    connector: String,
    field: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FieldValues {
    connector: String,
    field: String,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuoteOutcomes {
    connector: String,
    outcome: &'static str,
}

/// Those of all connectors.
#[derive(Debug)]
pub(super) struct AllFieldMetrics {
    states: Family<FieldStates, Counter>,
    values: Family<FieldValues, Counter>,
    quotes: Family<QuoteOutcomes, Counter>,
    grounded: Histograms<OfConnector>,
}

/// Those of one connector.
#[derive(Debug, Clone)]
pub struct FieldMetrics {
    connector: String,
    states: Family<FieldStates, Counter>,
    values: Family<FieldValues, Counter>,
    quotes: Family<QuoteOutcomes, Counter>,
    /// Shares of values that stand in the text.
    pub grounded: Histogram,
}

impl Default for AllFieldMetrics {
    fn default() -> Self {
        let grounded = Family::new_with_constructor(Bounds(&SHARES));
        Self { states: Family::default(), values: Family::default(), quotes: Family::default(), grounded }
    }
}

impl AllFieldMetrics {
    pub(super) fn of(&self, connector: &str) -> FieldMetrics {
        let connector = connector.to_owned();
        FieldMetrics {
            states: self.states.clone(),
            values: self.values.clone(),
            quotes: self.quotes.clone(),
            grounded: self.grounded.get_or_create_owned(&OfConnector { connector: connector.clone() }),
            connector,
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Values of answers, by field and by how they stand in the record's text";
        registry.register("field_evidence", help, self.states.clone());
        let help = "Values of answers that the schema names: those of enums, true and false";
        registry.register("field_values", help, self.values.clone());
        let help = "Quotes of models for values of their answers, by what came of them";
        registry.register("quotes", help, self.quotes.clone());
        let help = "Share of an answer's values that stand in the record's text";
        registry.register("answer_grounded", help, self.grounded.clone());
    }
}

impl FieldMetrics {
    /// Counts a value of a field that the schema names.
    pub fn evidence(&self, field: &str, state: &'static str) {
        let labels = FieldStates { connector: self.connector.clone(), field: field.to_owned(), state };
        self.states.get_or_create(&labels).inc();
    }

    /// Counts a quote.
    pub fn quote(&self, outcome: QuoteOutcome) {
        let labels = QuoteOutcomes { connector: self.connector.clone(), outcome: outcome.as_str() };
        self.quotes.get_or_create(&labels).inc();
    }

    /// Counts a value that the schema names.
    pub fn value(&self, field: &str, value: &str) {
        let (connector, field, value) = (self.connector.clone(), field.to_owned(), value.to_owned());
        self.values.get_or_create(&FieldValues { connector, field, value }).inc();
    }
}
