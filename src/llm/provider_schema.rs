//! The form in which each schema is sent to one provider, made once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::ports::model::{Finish, Reply};
use crate::prompt::parse::parse_answer;
use crate::schema::dialect::{self, Compiled, Dialect};

/// Schemas kept: more than the connectors of one process use. When full, all are forgotten and made again on demand.
const CAPACITY: usize = 256;

/// Server errors in a row with a schema that was never answered, before one request goes without it. Then after twice as many,
/// and so on: most servers that fail do so for other reasons.
const ERRORS_BEFORE_TRIAL: u32 = 3;

/// Times that a request without the schema has to be answered right after one with it failed, before the schema is given up. A
/// server that comes back at the right moment would look like one that fails on the schema.
const CONFIRMATIONS: u32 = 2;

/// What is sent of a schema, from all of it to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SchemaMode {
    /// The mode that the provider enforces.
    Strict,
    /// What the provider takes as a hint.
    Hint,
    /// Nothing: the instructions alone ask for it.
    Instructions,
}

/// Why a call leaves out more of the schema than others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server refused the request with it.
    Refused,
    /// The server failed again and again with it. The number is that of confirmations before the request was sent.
    Failed(u32),
}

/// One schema in the provider's dialect, and what the provider takes of it.
#[derive(Debug)]
pub(super) struct ProviderSchema {
    dialect: Dialect,
    compiled: Compiled,
    original: Value,
    /// Whether an answer may hold what the dialect added: only nulls for properties that may be absent are.
    may_restore: bool,
    /// The [`SchemaMode`] that is sent; it only grows.
    mode: AtomicU8,
    /// The forms with which a request was answered, one bit each.
    answered: AtomicU8,
    server_errors: AtomicU32,
    confirmations: AtomicU32,
}

impl Cause {
    /// For the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "it refuses requests with more of it",
            Self::Failed(_) => "it fails on requests with it",
        }
    }
}

impl SchemaMode {
    const ALL: [Self; 3] = [Self::Strict, Self::Hint, Self::Instructions];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl ProviderSchema {
    fn new(dialect: Dialect, schema: &Value) -> Self {
        let compiled = dialect::compile(dialect, schema);
        let first = if compiled.is_strict { SchemaMode::Strict } else { SchemaMode::Hint };
        Self {
            dialect,
            may_restore: compiled.is_strict && has_optional_property(schema),
            compiled,
            original: schema.clone(),
            mode: AtomicU8::new(first as u8),
            answered: AtomicU8::new(0),
            server_errors: AtomicU32::new(0),
            confirmations: AtomicU32::new(0),
        }
    }

    /// The mode to send, at least as loose as this one.
    pub(super) fn mode(&self, at_least: SchemaMode) -> SchemaMode {
        let known = self.mode.load(Ordering::Relaxed);
        let mode = SchemaMode::ALL
            .into_iter()
            .find(|mode| *mode as u8 == known)
            .unwrap_or(SchemaMode::Instructions)
            .max(at_least);
        match self.dialect {
            Dialect::OpenAi => mode,
            // They take only what they enforce.
            Dialect::Anthropic | Dialect::Gemini if mode == SchemaMode::Hint => SchemaMode::Instructions,
            Dialect::Anthropic | Dialect::Gemini => mode,
        }
    }

    /// The schema in this mode.
    pub(super) fn schema(&self, mode: SchemaMode) -> Option<&Value> {
        match mode {
            SchemaMode::Strict => Some(&self.compiled.schema),
            SchemaMode::Hint => Some(&self.original),
            SchemaMode::Instructions => None,
        }
    }

    /// Confirmations so far that the server fails on the schema.
    pub(super) fn confirmations(&self) -> u32 {
        self.confirmations.load(Ordering::Relaxed)
    }

    /// The server failed on a request with the schema that was sent after so many confirmations. Whether to find out now
    /// if it answers without.
    pub(super) fn failed(&self, confirmations: u32) -> bool {
        if self.answered.load(Ordering::Relaxed) & (SchemaMode::Strict.bit() | SchemaMode::Hint.bit()) != 0 {
            return false;
        }
        let errors = self.server_errors.fetch_add(1, Ordering::Relaxed) + 1;
        let step = if confirmations == 0 { ERRORS_BEFORE_TRIAL } else { 1 };
        errors.is_multiple_of(step) && (errors / step).is_power_of_two()
    }

    /// A request in this mode was answered; `cause` says why it was looser than others. True if the mode is from now on that
    /// of all requests. It is not if a stricter one was ever answered: then the server has trouble with this one record.
    pub(super) fn answered(&self, mode: SchemaMode, cause: Option<Cause>) -> bool {
        let answered = self.answered.fetch_or(mode.bit(), Ordering::Relaxed);
        if mode != SchemaMode::Instructions {
            self.server_errors.store(0, Ordering::Relaxed);
        }
        let has_stricter = SchemaMode::ALL.into_iter().any(|one| one < mode && answered & one.bit() != 0);
        let is_learned = match cause {
            None => false,
            Some(Cause::Refused) => true,
            Some(Cause::Failed(before)) => self.confirm(before),
        };
        is_learned && !has_stricter && self.mode.fetch_max(mode as u8, Ordering::Relaxed) < mode as u8
    }

    /// Counts a confirmation, unless another call has given it meanwhile. True with the last one that is needed.
    fn confirm(&self, before: u32) -> bool {
        let (ok, now) = (Ordering::Relaxed, before + 1);
        let is_next = self.confirmations.compare_exchange(before, now, ok, ok).is_ok();
        self.server_errors.store(0, ok);
        is_next && now >= CONFIRMATIONS
    }

    /// The reply to a strict request in the form of the original schema: each object that may be the answer is restored
    /// where it stands. All else stays as it is, byte for byte, and so does an object that the dialect did not change.
    pub(super) fn restored(&self, mut reply: Reply, mode: SchemaMode) -> Reply {
        if mode != SchemaMode::Strict || !self.may_restore {
            return reply;
        }
        let reading = parse_answer(&reply.text);
        // It is no answer, and must not look like a whole one.
        if reading.is_cut && reply.finish == Finish::Truncated {
            return reply;
        }
        let mut changes = Vec::new();
        for mut candidate in reading.candidates {
            if self.compiled.restore(&mut candidate.value) {
                let text = candidate.value.to_string();
                changes.extend(candidate.places.into_iter().map(|place| (place, text.clone())));
            }
        }
        // From the end, so that those before stay where they are.
        changes.sort_unstable_by_key(|(place, _)| Reverse(place.start));
        for (place, text) in changes {
            reply.text.replace_range(place, &text);
        }
        reply
    }
}

/// Whether a property somewhere in a schema may be absent, as far as its own object says.
fn has_optional_property(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => {
            let required = keywords.get("required").and_then(Value::as_array);
            let is_required =
                |name: &String| required.is_some_and(|names| names.iter().any(|one| one == name.as_str()));
            let properties = keywords.get("properties").and_then(Value::as_object);
            properties.is_some_and(|properties| !properties.keys().all(is_required))
                || keywords.values().any(has_optional_property)
        }
        Value::Array(schemas) => schemas.iter().any(has_optional_property),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The schemas made so far.
#[derive(Debug)]
pub(super) struct ProviderSchemas {
    dialect: Dialect,
    /// Keyed by name and a hash of the schema. The hasher has random keys, so nobody can choose schemas that collide.
    made: Mutex<HashMap<(String, u64), Arc<ProviderSchema>>>,
    hasher: std::hash::RandomState,
}

impl ProviderSchemas {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, made: Mutex::default(), hasher: std::hash::RandomState::default() }
    }

    /// This schema as it is sent under this name.
    pub(super) fn of(&self, name: &str, schema: &Value) -> Arc<ProviderSchema> {
        let key = (name.to_owned(), self.hasher.hash_one(schema));
        if let Some(provider_schema) = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(provider_schema);
        }
        let provider_schema = Arc::new(ProviderSchema::new(self.dialect, schema));
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= CAPACITY {
            made.clear();
        }
        Arc::clone(made.entry(key).or_insert(provider_schema))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::model::FakeModel;
    use serde_json::json;

    #[test]
    fn a_restored_answer_keeps_its_digits_and_never_chooses_between_two_members() {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "type": "string" }, "n": { "type": "array", "items": { "type": "number" } } },
            "required": ["n"],
            "additionalProperties": false,
        });
        let provider_schema = ProviderSchemas::new(Dialect::OpenAi).of("one", &schema);
        let restored = |text: &str| {
            let reply = FakeModel::says(text).unwrap();
            provider_schema.restored(reply, SchemaMode::Strict).text
        };
        assert_eq!(
            restored(r#"{"a":null,"n":[500105175407324931000123,1E5,1.10,-0]}"#),
            r#"{"n":[500105175407324931000123,1E5,1.10,-0]}"#
        );
        let twice = r#"{"a":null,"n":[1],"n":[2]}"#;
        assert_eq!(restored(twice), twice, "it is refused when it is read");
    }

    #[test]
    fn nulls_are_taken_back_wherever_the_answer_stands_and_nothing_else_changes() {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "type": "string" }, "n": { "type": "integer" } },
            "required": ["n"],
            "additionalProperties": false,
        });
        let provider_schema = ProviderSchema::new(Dialect::OpenAi, &schema);
        let restored = |finish: Finish, text: &str| {
            let reply = FakeModel::says(text).map(|reply| Reply { finish, ..reply }).unwrap();
            provider_schema.restored(reply, SchemaMode::Strict).text
        };
        let (nulls, none) = (r#"{"a":null,"n":1}"#, r#"{"n":1}"#);
        for (before, after) in [
            ("", ""),
            ("\u{FEFF} \n", "\n\n"),
            ("```json\n", "\n```"),
            (r#"<think>maybe {"a":null,"n":2}</think>"#, ""),
            (r#"日本 {"x": {"a":null}}: "#, r#" or {"a": null, n: 2}"#),
        ] {
            for finish in [Finish::Complete, Finish::Truncated] {
                assert_eq!(restored(finish, &format!("{before}{nulls}{after}")), format!("{before}{none}{after}"));
            }
        }
        let two = r#"{"n":1,"a":null} {"a":null,"n":2}, I said {"a":null,"n":1}"#;
        assert_eq!(restored(Finish::Complete, two), r#"{"n":1} {"n":2}, I said {"n":1}"#);
        let slip = r#"{"a":None,"n":[1]"#;
        assert_eq!(restored(Finish::Complete, slip), r#"{"n":[1]}"#);
        assert_eq!(restored(Finish::Truncated, slip), slip, "it must not look whole");
    }

    #[test]
    fn only_a_schema_whose_properties_may_be_absent_has_something_to_restore() {
        let schema = |required: Value| {
            let inner = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": required,
                "additionalProperties": false});
            json!({"type": "object", "properties": {"list": {"type": "array", "items": inner}}, "required": ["list"],
                "additionalProperties": false})
        };
        assert!(ProviderSchema::new(Dialect::OpenAi, &schema(json!([]))).may_restore);
        assert!(!ProviderSchema::new(Dialect::OpenAi, &schema(json!(["a"]))).may_restore);
    }

    #[test]
    fn a_schema_is_made_once_per_name_and_content() {
        let schemas = ProviderSchemas::new(Dialect::OpenAi);
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        let first = schemas.of("one", &schema);
        assert!(Arc::ptr_eq(&first, &schemas.of("one", &schema.clone())));
        assert!(!Arc::ptr_eq(&first, &schemas.of("two", &schema)));
        assert!(!Arc::ptr_eq(&first, &schemas.of("one", &json!({"type": "object"}))));
        for i in 0..2 * CAPACITY {
            schemas.of("one", &json!({ "description": i }));
        }
        assert!(schemas.made.lock().unwrap().len() <= CAPACITY);
    }

    fn provider_schema() -> ProviderSchema {
        ProviderSchema::new(Dialect::OpenAi, &json!({"type": "object", "properties": {"a": {"type": "string"}}}))
    }

    #[test]
    fn a_schema_beyond_the_dialect_is_a_hint_or_left_to_the_instructions() {
        let free = json!({"type": "object", "additionalProperties": {"type": "string"}});
        let provider_schema = ProviderSchema::new(Dialect::OpenAi, &free);
        assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Hint);
        assert_eq!(provider_schema.schema(SchemaMode::Hint), Some(&free));
        assert_eq!(ProviderSchema::new(Dialect::Anthropic, &free).mode(SchemaMode::Strict), SchemaMode::Instructions);
    }

    #[test]
    fn a_refused_form_gives_way_to_one_that_is_answered() {
        let provider_schema = provider_schema();
        assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Strict);
        assert!(
            provider_schema.answered(SchemaMode::Hint, Some(Cause::Refused))
                && !provider_schema.answered(SchemaMode::Hint, Some(Cause::Refused))
        );
        assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Hint);
        assert!(!provider_schema.answered(SchemaMode::Instructions, Some(Cause::Refused)), "the hint was answered");
        assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Hint);
    }

    #[test]
    fn a_form_that_was_answered_is_not_given_up_for_one_request() {
        let provider_schema = provider_schema();
        assert!(!provider_schema.answered(SchemaMode::Strict, None));
        for mode in [SchemaMode::Hint, SchemaMode::Instructions] {
            assert!(!provider_schema.answered(mode, Some(Cause::Refused)));
        }
        assert!(!provider_schema.failed(0), "nor tried without after any number of errors");
        assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Strict);
    }

    #[test]
    fn a_server_that_fails_on_the_schema_is_asked_without_it_after_two_confirmations() {
        let provider_schema = provider_schema();
        let tried: Vec<u32> = (1..=24).filter(|_| provider_schema.failed(0)).collect();
        assert_eq!(tried, [3, 6, 12, 24]);
        assert!(
            !provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(0))),
            "it may have come back just then"
        );
        assert!(
            !provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(0))),
            "another call saw the same"
        );
        assert_eq!(
            (provider_schema.mode(SchemaMode::Strict), provider_schema.confirmations()),
            (SchemaMode::Strict, 1)
        );
        assert!(provider_schema.failed(1), "the next error is tried out at once");
        assert!(provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(1))));
        assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Instructions);
    }

    #[test]
    fn a_server_that_answers_with_the_schema_after_errors_keeps_it() {
        let provider_schema = provider_schema();
        assert_eq!((1..=3).filter(|_| provider_schema.failed(0)).count(), 1);
        assert!(!provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(0))));
        provider_schema.answered(SchemaMode::Strict, None);
        assert!(!provider_schema.answered(SchemaMode::Instructions, Some(Cause::Failed(1))));
        assert_eq!(provider_schema.mode(SchemaMode::Strict), SchemaMode::Strict);
    }
}
