//! The attributes of one event while it is written. Their texts share one buffer, because an event has about thirty of
//! them, and an allocation for each would be most of its cost.

use std::fmt::{self, Write as _};
use std::ops::Range;

use bytes::Bytes;

use super::attributes::is_allowed;
use crate::domain::decimals::Decimals;

/// Texts of an ordinary event, in bytes.
const TEXTS: usize = 768;
/// Attributes of one with all that there can be.
const MOST: usize = 35;

/// The name of a context attribute, kept as Kafka's binary mode writes it: that is written most often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeName(&'static str);

impl AttributeName {
    /// With the prefix of Kafka headers (CloudEvents Kafka binding 1.0.2, section 3.2.3.1).
    pub fn kafka_header(self) -> &'static str {
        self.0
    }

    /// The name itself.
    pub fn as_str(self) -> &'static str {
        self.0.strip_prefix("ce_").unwrap_or(self.0)
    }
}

/// Attributes in the order in which they are written.
#[derive(Debug)]
pub(super) struct AttributeList {
    texts: String,
    attributes: Vec<(AttributeName, Value)>,
}

#[derive(Debug)]
enum Value {
    /// A part of the common buffer.
    Written(Range<usize>),
    /// Bytes that are there already.
    Shared(Bytes),
}

impl AttributeList {
    pub(super) fn new() -> Self {
        Self { texts: String::with_capacity(TEXTS), attributes: Vec::with_capacity(MOST) }
    }

    /// Appends a value that is there already.
    pub(super) fn shared(&mut self, name: &'static str, value: impl Into<Bytes>) {
        self.attributes.push((AttributeName(name), Value::Shared(value.into())));
    }

    /// Appends a text.
    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        self.written(name, |texts| texts.push_str(value));
    }

    /// Appends a text that a provider chose, without what an attribute may not contain.
    pub(super) fn allowed_text(&mut self, name: &'static str, value: &str) {
        self.written(name, |texts| match value.chars().all(is_allowed) {
            true => texts.push_str(value),
            false => texts.extend(value.chars().filter(|c| is_allowed(*c))),
        });
    }

    /// Appends what a value shows itself as.
    pub(super) fn shown(&mut self, name: &'static str, value: impl fmt::Display) {
        self.written(name, |texts| {
            // A string takes everything.
            write!(texts, "{value}").unwrap_or_default();
        });
    }

    /// Appends a number with so many decimals.
    pub(super) fn number(&mut self, name: &'static str, value: f64, decimals: u32) {
        self.shown(name, Decimals(value, decimals));
    }

    fn written(&mut self, name: &'static str, write: impl FnOnce(&mut String)) {
        let start = self.texts.len();
        write(&mut self.texts);
        self.attributes.push((AttributeName(name), Value::Written(start..self.texts.len())));
    }

    /// The attributes, and a text beside them that shares their buffer.
    pub(super) fn finish(mut self, beside: &str) -> (Vec<(AttributeName, Bytes)>, Bytes) {
        let end = self.texts.len();
        self.texts.push_str(beside);
        let texts = Bytes::from(self.texts);
        let value = |value| match value {
            Value::Written(range) => texts.slice(range),
            Value::Shared(bytes) => bytes,
        };
        let attributes = self.attributes.into_iter().map(|(name, written)| (name, value(written))).collect();
        (attributes, texts.slice(end..))
    }
}
