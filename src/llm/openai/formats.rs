//! The `response_format` of each schema, made once.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::llm::openai::dialect;

/// Schemas kept: more than the connectors of one process use. When full, all are forgotten and made again on demand.
const CAPACITY: usize = 256;

/// A schema as `response_format`.
#[derive(Debug)]
pub(super) struct Format {
    strict: Option<Value>,
    loose: Value,
    loosened: AtomicBool,
}

impl Format {
    fn new(name: &str, schema: &Value) -> Self {
        let wrap = |schema: &Value, strict: bool| json!({ "type": "json_schema", "json_schema": { "name": name, "strict": strict, "schema": schema } });
        Self {
            strict: dialect::strict(schema).map(|schema| wrap(&schema, true)),
            loose: wrap(schema, false),
            loosened: AtomicBool::new(false),
        }
    }

    /// Whether the strict form is to be sent. The answer to it has to be pruned.
    pub(super) fn strict(&self) -> bool {
        self.strict.is_some() && !self.loosened.load(Ordering::Relaxed)
    }

    /// The value to send: the strict form if `strict` and there is one, or else the schema as it is.
    pub(super) fn response_format(&self, strict: bool) -> &Value {
        self.strict.as_ref().filter(|_| strict).unwrap_or(&self.loose)
    }

    /// Gives up the strict form. True the first time.
    pub(super) fn loosen(&self) -> bool {
        !self.loosened.swap(true, Ordering::Relaxed)
    }
}

/// The formats made so far.
#[derive(Debug, Default)]
pub(super) struct Formats {
    /// Keyed by name and a hash of the schema. The hasher has random keys, so nobody can choose schemas that collide.
    made: Mutex<HashMap<(String, u64), Arc<Format>>>,
    hasher: std::hash::RandomState,
}

impl Formats {
    /// The format of this schema under this name.
    pub(super) fn of(&self, name: &str, schema: &Value) -> Arc<Format> {
        let key = (name.to_owned(), self.hasher.hash_one(schema));
        if let Some(format) = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(format);
        }
        let format = Arc::new(Format::new(name, schema));
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= CAPACITY {
            made.clear();
        }
        Arc::clone(made.entry(key).or_insert(format))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_made_once_per_name_and_content() {
        let formats = Formats::default();
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        let first = formats.of("one", &schema);
        assert!(Arc::ptr_eq(&first, &formats.of("one", &schema.clone())));
        assert!(!Arc::ptr_eq(&first, &formats.of("two", &schema)));
        assert!(!Arc::ptr_eq(&first, &formats.of("one", &json!({"type": "object"}))));
        for i in 0..2 * CAPACITY {
            formats.of("one", &json!({ "description": i }));
        }
        assert!(formats.made.lock().unwrap().len() <= CAPACITY);
    }

    #[test]
    fn a_schema_beyond_the_dialect_is_sent_as_it_is() {
        let free = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let format = Format::new("free", &free);
        assert!(!format.strict());
        let json_schema = &format.response_format(format.strict())["json_schema"];
        assert_eq!(*json_schema, json!({"name": "free", "strict": false, "schema": free}));
    }

    #[test]
    fn a_refused_strict_form_gives_way_to_the_schema_itself() {
        let format = Format::new("s", &json!({"type": "object", "properties": {"a": {"type": "string"}}}));
        assert!(format.strict());
        assert_eq!(format.response_format(true)["json_schema"]["strict"], true);
        assert!(format.loosen() && !format.loosen());
        assert!(!format.strict());
        assert_eq!(format.response_format(false)["json_schema"]["strict"], false);
    }
}
