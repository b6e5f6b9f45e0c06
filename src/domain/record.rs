//! What a Kafka topic carries, before and after the pipeline. Bytes are kept as they came: a dead letter must be able
//! to give them back unchanged.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// Where a record stands in Kafka. Together with the cluster it identifies the record for good.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// Topic name.
    pub topic: Arc<str>,
    /// Partition number.
    pub partition: i32,
    /// Offset of the record in its partition.
    pub offset: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// One record header. Kafka allows a null value, any bytes, and the same name more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Header name. Those of ours are known beforehand and cost nothing.
    pub name: Cow<'static, str>,
    /// Header value; `None` is Kafka's null.
    pub value: Option<Bytes>,
}

impl Header {
    /// A header with a text value.
    pub fn text(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Some(Bytes::from(value.into())) }
    }
}

/// A record as it was consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it came from.
    pub position: Position,
    /// Record timestamp in milliseconds since the Unix epoch, if the broker gave one.
    pub timestamp_ms: Option<i64>,
    /// Record key.
    pub key: Option<Bytes>,
    /// Record value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<Header>,
}

impl Outgoing {
    /// Bytes that the record has in a batch before compression, roughly.
    pub fn weight(&self) -> usize {
        let length = |bytes: &Option<Bytes>| bytes.as_ref().map_or(0, Bytes::len);
        let headers: usize = self.headers.iter().map(|header| header.name.len() + length(&header.value) + 4).sum();
        length(&self.key) + length(&self.value) + headers
    }
}

impl Record {
    /// Which record this is, for good. With its timestamp, because a topic that is created anew counts from zero again.
    pub fn identity(&self) -> String {
        format!("{}@{}", self.position, self.timestamp_ms.unwrap_or_default())
    }

    /// Bytes that the record occupies in memory, roughly: what intake is bounded by.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 256;
        let headers: usize =
            self.headers.iter().map(|h| 64 + h.name.len() + h.value.as_ref().map_or(0, Bytes::len)).sum();
        FIXED + self.key.as_ref().map_or(0, Bytes::len) + self.value.as_ref().map_or(0, Bytes::len) + headers
    }
}

/// A record to be produced. The topic is chosen by the sink, never by data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Record key, kept from the source.
    pub key: Option<Bytes>,
    /// Record value.
    pub value: Option<Bytes>,
    /// Headers in order.
    pub headers: Vec<Header>,
    /// Timestamp in milliseconds since the Unix epoch; `None` lets the producer set the time of sending.
    pub timestamp_ms: Option<i64>,
}
