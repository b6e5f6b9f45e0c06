//! The form in which each schema is sent to one provider, made once.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use serde_json::Value;

use crate::ports::model::{Finish, Reply};
use crate::prompt::parse::parse_answer;
use crate::schema::dialect::{self, Compiled, Dialect};

/// Server errors in a row with a schema that was never answered, before one request goes without it. Then after twice
/// as many, and so on: most servers that fail do so for other reasons.
const ERRORS_BEFORE_TRIAL: u32 = 3;

/// Times that a request without the schema has to be answered right after one with it failed, before the schema is
/// given up. A server that comes back at the right moment would look like one that fails on the schema.
const CONFIRMATIONS: u32 = 2;

/// The words for null that are read in answers.
const NULLS: [&str; 2] = ["null", "None"];

/// What is sent of a schema, from all of it to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SchemaMode {
    /// In the form that the provider enforces.
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
    /// The modes in which a request was answered, one bit each.
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
    pub(super) const ALL: [Self; 3] = [Self::Strict, Self::Hint, Self::Instructions];

    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The next mode in which less is sent.
    pub(super) fn looser(self) -> Self {
        match self {
            Self::Strict => Self::Hint,
            Self::Hint | Self::Instructions => Self::Instructions,
        }
    }
}

impl ProviderSchema {
    /// A schema that is sent at least as loosely as this at first.
    pub(super) fn new(dialect: Dialect, schema: &Value, at_least: SchemaMode) -> Self {
        let compiled = dialect::compile(dialect, schema);
        let first = strictest(&compiled).max(at_least);
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

    /// The strictest mode in which it can be sent.
    pub(super) fn strictest(&self) -> SchemaMode {
        strictest(&self.compiled)
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

    /// The server failed on a request with the schema that was sent after so many confirmations. Whether to find out
    /// now if it answers without.
    pub(super) fn failed(&self, confirmations: u32) -> bool {
        if self.answered.load(Ordering::Relaxed) & (SchemaMode::Strict.bit() | SchemaMode::Hint.bit()) != 0 {
            return false;
        }
        let errors = self.server_errors.fetch_add(1, Ordering::Relaxed) + 1;
        let step = if confirmations == 0 { ERRORS_BEFORE_TRIAL } else { 1 };
        errors.is_multiple_of(step) && (errors / step).is_power_of_two()
    }

    /// A request in this mode was answered; `cause` says why it was looser than others. True if the mode is from now on
    /// that of all requests. It is not if a stricter one was ever answered: then the server has trouble with this one
    /// record.
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
        let may_have_null = || NULLS.iter().any(|null| reply.text.contains(null));
        if mode != SchemaMode::Strict || !self.may_restore || !may_have_null() {
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
        for object in &mut reply.logprobs {
            object.start = shifted(object.start, &changes);
        }
        // From the end, so that those before stay where they are.
        changes.sort_unstable_by_key(|(place, _)| Reverse(place.start));
        for (place, text) in changes {
            reply.text.replace_range(place, &text);
        }
        reply
    }
}

/// Where a place in a text is after changes elsewhere in it.
fn shifted(start: usize, changes: &[(Range<usize>, String)]) -> usize {
    let before = changes.iter().filter(|(place, _)| place.start < start);
    let (removed, added) =
        before.fold((0, 0), |(removed, added), (place, text)| (removed + place.len(), added + text.len()));
    start + added - removed
}

fn strictest(compiled: &Compiled) -> SchemaMode {
    if compiled.is_strict { SchemaMode::Strict } else { SchemaMode::Hint }
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

#[cfg(test)]
mod tests;
