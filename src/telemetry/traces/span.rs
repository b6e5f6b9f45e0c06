//! A span and its parts.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a text in an attribute at most; the rest is cut off.
pub const MAX_TEXT_BYTES: usize = 16 << 10;

/// On which side of an exchange a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// On none.
    Internal,
    /// Answers a request.
    Server,
    /// Makes one.
    Client,
    /// Sends a message.
    Producer,
    /// Takes one.
    Consumer,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(Cow<'static, str>),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// One text in a list, for attributes that are lists by convention.
    TextList(Cow<'static, str>),
}

impl Value {
    /// A text that may be long.
    pub fn text(text: &str) -> Self {
        Self::Text(Cow::Owned(text[..text.floor_char_boundary(MAX_TEXT_BYTES)].to_owned()))
    }

    /// A count.
    pub fn count(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The same as the only one of a list.
    #[must_use]
    pub fn in_list(text: &'static str) -> Self {
        Self::TextList(Cow::Borrowed(text))
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// The id of a trace, which is not 0. Written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// Its bytes, as they are sent.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// It as a number.
    pub fn number(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl From<u128> for TraceId {
    fn from(number: u128) -> Self {
        // Bytes can stand anywhere, so that what carries a trace stays small.
        Self(number.to_be_bytes())
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.number())
    }
}

/// Names a span of another trace, which did a part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanLink {
    /// The other trace.
    pub trace_id: TraceId,
    /// The span in it.
    pub span: u64,
}

/// An attribute.
pub type Attribute = (&'static str, Value);

/// A span that has ended, or is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its id, which is not 0.
    pub id: u64,
    /// The span that it is a part of; `None` for the first of a trace.
    pub parent: Option<u64>,
    /// What it is called.
    pub name: Cow<'static, str>,
    /// On which side it is.
    pub kind: SpanKind,
    /// When it began, since the Unix epoch.
    pub began_at: Duration,
    /// When it ended; zero while it is open.
    pub ended_at: Duration,
    /// What is known of it.
    pub attributes: Vec<Attribute>,
    /// Who did the work, where that is another trace.
    pub link: Option<SpanLink>,
    /// The code of the failure that it ended with.
    pub error: Option<Cow<'static, str>>,
}

/// The spans of one trace that this process made.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanBatch {
    /// The trace.
    pub trace_id: TraceId,
    /// Whether the trace is sampled. What failed is exported all the same.
    pub is_sampled: bool,
    /// Whether the first span's parent is another process's.
    pub has_remote_parent: bool,
    /// What vendors have noted on the trace.
    pub tracestate: Option<Arc<str>>,
    /// The first span, and those below it.
    pub spans: Vec<Span>,
}

/// An id for a span.
pub(super) fn new_id() -> u64 {
    fastrand::u64(1..)
}
