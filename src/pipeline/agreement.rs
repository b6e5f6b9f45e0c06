//! Which answers a second provider is asked about, and how two answers are compared.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::agreement::Agreement;
use crate::domain::event::Event;
use crate::eval::fields::{Field, FieldError, of_schema};
use crate::eval::verdict::{Verdict, judge_within};
use crate::pipeline::route::provider::Provider;
use crate::pipeline::route::router::Router;
use crate::schema::Schema;

/// Items of lists that an answer may have to be compared. Each is held against each: time grows with the square.
const MAX_ITEMS: usize = 200;
/// Pairs of values that may have to be compared: those of two lists of 200 items with 25 fields. They keep a core busy
/// for a part of a second.
const MAX_PAIRS: usize = 1_000_000;
/// Fields of a schema by which answers are compared. Each is a label of a metric.
const MAX_FIELDS: usize = 500;

/// A share of all events, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample(u32);

impl Sample {
    /// All events, in millionths.
    pub const ALL: u32 = 1_000_000;

    /// So many millionths of all events, and at most all of them.
    pub const fn millionths(millionths: u32) -> Self {
        Self(if millionths < Self::ALL { millionths } else { Self::ALL })
    }

    /// Whether the event belongs to it. Its source and id decide, so that an event that is read again does so again.
    fn contains(self, event: &Event) -> bool {
        let mut hash = Sha256::new_with_prefix(b"structured-prompt/sample/1");
        // With its length, so that two names cannot be taken for others.
        hash.update((event.source.len() as u64).to_be_bytes());
        hash.update(&event.source);
        hash.update(&event.id);
        let digest: [u8; 32] = hash.finalize().into();
        let drawn = digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        drawn % u64::from(Self::ALL) < u64::from(self.0)
    }
}

/// Which answers a second provider is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgreementSettings {
    /// Those to this share of all events.
    pub sample: Option<Sample>,
    /// Those with values that do not stand in the record's text.
    pub when_ungrounded: bool,
}

/// Why answers to a schema cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotComparable {
    /// The schema does not say how.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// It has too many fields, or leads back to itself too often.
    #[error("more than {MAX_FIELDS} fields; leave options.agreement out, or ask for less")]
    TooManyFields,
    /// It has none that is compared.
    #[error("x-eval: ignore at all of its fields, so that nothing can be compared")]
    NoField,
}

/// The provider that is asked a second time, and what its answers are compared by.
pub struct SecondProvider {
    router: Router,
    settings: AgreementSettings,
    fields: Vec<Field>,
}

/// What came of comparing two answers.
#[derive(Debug)]
pub(super) struct Compared {
    /// What the answer says of it.
    pub(super) agreement: Agreement,
    /// For each field of the schema, by its JSON Pointer, whether both have the same.
    pub(super) fields: Vec<(String, bool)>,
}

impl SecondProvider {
    /// The only provider of `router`, for answers of this schema.
    ///
    /// # Errors
    /// Why answers cannot be compared.
    pub fn new(router: Router, settings: AgreementSettings, schema: &Schema) -> Result<Self, NotComparable> {
        let fields = of_schema(schema.json())?;
        match fields.len() {
            0 => Err(NotComparable::NoField),
            1..=MAX_FIELDS => Ok(Self { router, settings, fields }),
            _ => Err(NotComparable::TooManyFields),
        }
    }

    /// Leads to the second provider and to no other.
    pub(super) fn router(&self) -> &Router {
        &self.router
    }

    /// The provider that is asked a second time.
    pub(super) fn provider(&self) -> &Provider {
        self.router.member(0)
    }

    /// Whether it is asked about the answers to this event in any case.
    pub(super) fn samples(&self, event: &Event) -> bool {
        self.settings.sample.is_some_and(|sample| sample.contains(event))
    }

    /// Whether it is asked about answers with values that do not stand in the record's text.
    pub(super) fn is_asked_when_ungrounded(&self) -> bool {
        self.settings.when_ungrounded
    }

    /// Compares an answer with that of the second provider; `None` where there is too much to compare. Where lists are
    /// long it keeps a core busy for a part of a second.
    pub(super) fn compare(&self, answer: &Value, other: &Value) -> Option<Compared> {
        if [answer, other].into_iter().any(|data| items(data) > MAX_ITEMS) {
            return None;
        }
        let judged = judge_within(MAX_PAIRS, &self.fields, other, answer)?;
        let mut values: Vec<(String, bool)> =
            judged.values.into_iter().map(|value| (value.pointer, value.is_right)).collect();
        let fields = self.fields.iter().zip(&judged.fields).map(|(field, one)| (field.pointer.clone(), one.verdict));
        let fields: Vec<(String, Verdict)> = fields.collect();
        // A value that the answer does not have is compared as well, but is none of those that were given.
        let absent = fields.iter().filter(|(_, verdict)| matches!(verdict, Verdict::RightlyAbsent | Verdict::Omitted));
        values.extend(absent.map(|(pointer, verdict)| (pointer.clone(), verdict.is_right())));
        let same = fields.iter().filter(|(_, verdict)| verdict.is_right()).count();
        let agreement = Agreement::new(share(same, fields.len()), values);
        let fields = fields.into_iter().map(|(pointer, verdict)| (pointer, verdict.is_right())).collect();
        Some(Compared { agreement, fields })
    }
}

/// Items of all lists in a value.
fn items(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.len() + list.iter().map(items).sum::<usize>(),
        Value::Object(members) => members.values().map(items).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

#[allow(clippy::cast_precision_loss, reason = "a schema has far fewer than 2^52 fields")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests;
