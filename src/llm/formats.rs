//! The form in which each schema is sent to one provider, made once.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::ports::model::{Finish, Reply};
use crate::schema::dialect::{self, Compiled, Dialect};

/// Schemas kept: more than the connectors of one process use. When full, all are forgotten and made again on demand.
const CAPACITY: usize = 256;

/// One schema in the provider's dialect.
#[derive(Debug)]
pub(super) struct Format {
    dialect: Dialect,
    compiled: Compiled,
    original: Value,
    /// [`STRICT`], [`HINT`] or [`NONE`]; it only grows.
    given_up: AtomicU8,
    /// Whether the provider has answered a request that had it.
    is_accepted: AtomicBool,
}

/// The form that the provider enforces is sent, where there is one.
const STRICT: u8 = 0;
/// Only what the provider takes as a hint.
const HINT: u8 = 1;
/// Nothing: the instructions alone have to ask for it.
const NONE: u8 = 2;

impl Format {
    fn new(dialect: Dialect, schema: &Value) -> Self {
        let compiled = dialect::compile(dialect, schema);
        Self {
            dialect,
            compiled,
            original: schema.clone(),
            given_up: AtomicU8::new(STRICT),
            is_accepted: AtomicBool::new(false),
        }
    }

    /// Whether the form that the provider enforces is to be sent.
    pub(super) fn is_strict(&self) -> bool {
        self.compiled.is_strict && self.given_up.load(Ordering::Relaxed) == STRICT
    }

    /// What to send: the strict form, or else what the provider takes as a hint. `None` when it takes only what it enforces.
    pub(super) fn schema(&self, is_strict: bool) -> Option<&Value> {
        if is_strict {
            return Some(&self.compiled.schema);
        }
        match self.dialect {
            Dialect::OpenAi if self.given_up.load(Ordering::Relaxed) < NONE => Some(&self.original),
            Dialect::OpenAi | Dialect::Anthropic | Dialect::Gemini => None,
        }
    }

    /// Gives up the strict form. True the first time.
    pub(super) fn loosen(&self) -> bool {
        self.given_up.fetch_max(HINT, Ordering::Relaxed) == STRICT
    }

    /// A request with it was answered: what the provider refuses from now on has other reasons.
    pub(super) fn accepted(&self) {
        self.is_accepted.store(true, Ordering::Relaxed);
    }

    /// A request without it was answered that was refused with it. Gives it up altogether, unless it is known to be accepted.
    /// True the first time.
    pub(super) fn refused(&self) -> bool {
        !self.is_accepted.load(Ordering::Relaxed) && self.given_up.fetch_max(NONE, Ordering::Relaxed) < NONE
    }

    /// The reply to a strict request in the form of the original schema. The text stays as it is, byte for byte, unless the
    /// dialect changed it.
    pub(super) fn restored(&self, mut reply: Reply, schema: &Value, is_strict: bool) -> Reply {
        if is_strict
            && reply.finish == Finish::Complete
            && let Ok(mut answer) = serde_json::from_str::<Value>(&reply.text)
            && dialect::restore(self.dialect, schema, &mut answer)
        {
            reply.text = answer.to_string();
        }
        reply
    }
}

/// The formats made so far.
#[derive(Debug)]
pub(super) struct Formats {
    dialect: Dialect,
    /// Keyed by name and a hash of the schema. The hasher has random keys, so nobody can choose schemas that collide.
    made: Mutex<HashMap<(String, u64), Arc<Format>>>,
    hasher: std::hash::RandomState,
}

impl Formats {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, made: Mutex::default(), hasher: std::hash::RandomState::default() }
    }

    /// The format of this schema under this name.
    pub(super) fn of(&self, name: &str, schema: &Value) -> Arc<Format> {
        let key = (name.to_owned(), self.hasher.hash_one(schema));
        if let Some(format) = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(format);
        }
        let format = Arc::new(Format::new(self.dialect, schema));
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
    use serde_json::json;

    #[test]
    fn a_schema_is_made_once_per_name_and_content() {
        let formats = Formats::new(Dialect::OpenAi);
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
    fn a_schema_beyond_the_dialect_is_a_hint_or_left_to_the_instructions() {
        let free = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let format = Format::new(Dialect::OpenAi, &free);
        assert!(!format.is_strict());
        assert_eq!(format.schema(false), Some(&free));
        assert_eq!(Format::new(Dialect::Anthropic, &free).schema(false), None);
    }

    #[test]
    fn a_refused_strict_form_gives_way() {
        let format = Format::new(Dialect::OpenAi, &json!({"type": "object", "properties": {"a": {"type": "string"}}}));
        assert!(format.is_strict());
        assert!(format.loosen() && !format.loosen());
        assert!(!format.is_strict() && format.schema(false).is_some());
        assert!(format.refused() && !format.refused());
        assert_eq!(format.schema(false), None);
    }

    #[test]
    fn a_form_that_was_accepted_is_not_given_up_for_one_request() {
        let format = Format::new(Dialect::OpenAi, &json!({"type": "object", "properties": {"a": {"type": "string"}}}));
        format.accepted();
        assert!(!format.refused());
        assert!(format.is_strict());
    }
}
