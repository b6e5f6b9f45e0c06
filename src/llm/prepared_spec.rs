//! What is prepared for the calls of one specification, and what was learned about them. Made once.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::provider_schema::{Cause, ProviderSchema, SchemaMode};
use super::request_body::PreparedBodies;
use super::schema_support::SchemaSupport;
use crate::ports::model::CallSpec;
use crate::schema::dialect::Dialect;

/// Memory for what is kept: some hundreds of ordinary specifications.
const CAPACITY_BYTES: u64 = 64 << 20;

/// What is made of each byte of a schema's text, by measure: 35 to 58 bytes, of four built-in schemas in three
/// dialects.
const BYTES_PER_SCHEMA_BYTE: u64 = 56;

/// What a kept specification takes beside its schema: our instructions, tables, allocation headers.
const OVERHEAD_BYTES: u64 = 1024;

/// Specifications of a usual process. It sizes the cache's tables, not its bound.
const USUAL_COUNT: usize = 256;

/// What is prepared for one specification.
#[derive(Debug)]
pub(super) struct PreparedSpec {
    pub(super) schema: ProviderSchema,
    pub(super) bodies: PreparedBodies,
    schema_len: u64,
}

/// Those of one provider. Specifications that are used once, because they came with a request, do not push out those
/// that are used again and again.
#[derive(Debug)]
pub(super) struct PreparedSpecs {
    dialect: Dialect,
    kept: Cache<[u8; 32], Arc<PreparedSpec>, SpecBytes>,
    support: SchemaSupport,
}

#[derive(Debug, Clone)]
struct SpecBytes;

impl Weighter<[u8; 32], Arc<PreparedSpec>> for SpecBytes {
    fn weight(&self, _digest: &[u8; 32], spec: &Arc<PreparedSpec>) -> u64 {
        OVERHEAD_BYTES + BYTES_PER_SCHEMA_BYTE * spec.schema_len
    }
}

impl PreparedSpecs {
    pub(super) fn new(dialect: Dialect) -> Self {
        let kept = Cache::with_weighter(USUAL_COUNT, CAPACITY_BYTES, SpecBytes);
        Self { dialect, kept, support: SchemaSupport::default() }
    }

    /// What is prepared for this specification.
    pub(super) fn of(&self, spec: &CallSpec) -> Arc<PreparedSpec> {
        if let Some(kept) = self.kept.get(spec.digest()) {
            return kept;
        }
        // Made outside of the cache's locks. Of two that are made at the same time the first one counts.
        let made = Arc::new(PreparedSpec {
            schema: ProviderSchema::new(self.dialect, &spec.schema, self.support.first_mode()),
            bodies: PreparedBodies::default(),
            schema_len: spec.schema_len() as u64,
        });
        let first =
            self.kept.get_or_insert_with(spec.digest(), || Ok::<_, std::convert::Infallible>(Arc::clone(&made)));
        first.unwrap_or(made)
    }

    /// A request of this specification was answered that had the schema in this mode, for this cause.
    pub(super) fn answered(
        &self,
        provider: &str,
        spec: &CallSpec,
        prepared: &PreparedSpec,
        mode: SchemaMode,
        cause: Option<Cause>,
    ) {
        self.support.answered(mode);
        if !prepared.schema.answered(mode, cause) {
            return;
        }
        let (schema, reason) = (&spec.schema_name, cause.map(Cause::as_str));
        match mode {
            SchemaMode::Strict | SchemaMode::Hint => {
                tracing::warn!(provider, schema, reason, "the schema is sent to the provider as a hint only");
            }
            SchemaMode::Instructions => {
                tracing::warn!(provider, schema, reason, "the schema is not sent to the provider again");
            }
        }
        if self.support.gave_up(prepared.schema.strictest(), mode) {
            tracing::warn!(provider, "the provider takes no schema in full; few new ones are still tried");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ports::model::CallSettings;

    fn spec(name: &str, schema: serde_json::Value) -> CallSpec {
        CallSpec::new(CallSettings {
            instructions: String::new(),
            closing_instructions: String::new(),
            schema_name: name.to_owned(),
            schema,
            data_schema: None,
            temperature: None,
            max_tokens: None,
        })
    }

    #[test]
    fn a_specification_is_prepared_once() {
        let specs = PreparedSpecs::new(Dialect::OpenAi);
        let schema = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let first = specs.of(&spec("one", schema.clone()));
        assert!(Arc::ptr_eq(&first, &specs.of(&spec("one", schema.clone()))));
        assert!(!Arc::ptr_eq(&first, &specs.of(&spec("two", schema))));
        assert!(!Arc::ptr_eq(&first, &specs.of(&spec("one", json!({ "type": "object" })))));
    }

    #[test]
    fn schemas_that_come_once_do_not_push_out_what_was_learned_of_others() {
        let specs = PreparedSpecs::new(Dialect::OpenAi);
        let connectors: Vec<_> =
            (0..20).map(|n| spec(&format!("connector-{n}"), json!({ "description": n }))).collect();
        let learned: Vec<_> = connectors.iter().map(|spec| specs.of(spec)).collect();
        connectors.iter().for_each(|spec| drop(specs.of(spec)));
        let padding = "x".repeat(8000);
        for n in 0..2000 {
            specs.of(&spec("request", json!({ "description": n, "title": padding })));
        }
        assert!(specs.kept.weight() <= CAPACITY_BYTES);
        for (spec, learned) in connectors.iter().zip(&learned) {
            assert!(Arc::ptr_eq(learned, &specs.of(spec)), "{}", spec.schema_name);
        }
    }
}
