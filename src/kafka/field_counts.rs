//! How the values of new answers are counted: a model, or what it is sent, that changes over time shows here first.

use serde_json::Value;

use crate::domain::answer::{Answered, CacheHit};
use crate::schema::fields::SchemaFields;
use crate::telemetry::metrics::FieldMetrics;

/// Counts the values of an answer that a provider gave for this record; those of a remembered answer were counted then.
/// Only names and values that the schema has become labels.
pub(super) fn count(answered: &Answered, fields: &SchemaFields, metrics: &FieldMetrics) {
    let Some(grounding) = answered.grounding.as_ref().filter(|_| answered.cache_hit == CacheHit::None) else { return };
    if let Some(grounded) = grounding.grounded {
        metrics.grounded.observe(grounded);
    }
    grounding.evidence.quotes.iter().for_each(|outcome| metrics.quote(*outcome));
    let data: Value = serde_json::from_slice(&answered.answer.data).unwrap_or_default();
    for found in &grounding.evidence.fields {
        let Some(field) = fields.find(&found.field) else { continue };
        metrics.evidence(field.name(), found.state.as_str());
        if let Some(value) = data.pointer(&found.field).and_then(|value| field.value(value)) {
            metrics.value(field.name(), value);
        }
    }
}
