//! librdkafka's messages to ours and back.

use std::borrow::Cow;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use rdkafka::Message as _;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers as _, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use super::cluster::Ticket;
use crate::domain::failure::{Code, Failure};
use crate::domain::record::{Header, Outgoing, Position, Record};

/// Room beside key and value for the headers of an ordinary event, in bytes.
const HEADER_BYTES: usize = 512;

/// Copies a message out of the client's buffers, into one of its own. A header that the client library cannot
/// represent is left out and reported as a failure beside the record.
pub(crate) fn record(message: &BorrowedMessage<'_>, topics: &[Arc<str>]) -> (Record, Option<Failure>) {
    let name = message.topic();
    let topic = topics.iter().find(|topic| &***topic == name).map_or_else(|| Arc::from(name), Arc::clone);
    let (key, value) = (message.key(), message.payload());
    let length = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
    let mut copy = CopiedBytes(Vec::with_capacity(length(key) + length(value) + HEADER_BYTES));
    let (key, value) = (key.map(|key| copy.add(key)), value.map(|value| copy.add(value)));
    let (headers, failure) =
        message.headers().map_or_else(|| (Vec::new(), None), |borrowed| headers(borrowed, &mut copy));
    let bytes = Bytes::from(copy.0);
    let part = |range: Option<Range<usize>>| range.map(|range| bytes.slice(range));
    let record = Record {
        position: Position { topic, partition: message.partition(), offset: message.offset() },
        timestamp_ms: message.timestamp().to_millis(),
        key: part(key),
        value: part(value),
        headers: headers.into_iter().map(|(name, value)| Header { name, value: part(value) }).collect(),
    };
    (record, failure)
}

/// What was copied so far: key, value and header values one after the other.
struct CopiedBytes(Vec<u8>);

impl CopiedBytes {
    fn add(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.0.len();
        self.0.extend_from_slice(bytes);
        start..self.0.len()
    }
}

/// A header's name, and where its value was copied to.
type CopiedHeader = (Cow<'static, str>, Option<Range<usize>>);

fn headers(borrowed: &BorrowedHeaders, copy: &mut CopiedBytes) -> (Vec<CopiedHeader>, Option<Failure>) {
    let all =
        catch_unwind(AssertUnwindSafe(|| (0..borrowed.count()).map(|index| header(borrowed, index, copy)).collect()));
    if let Ok(headers) = all {
        return (headers, None);
    }
    // The library panics on a name that is not UTF-8 (rdkafka 0.39, `BorrowedHeaders::try_get`), which any producer can
    // send: keep the others.
    let mut readable = |index| catch_unwind(AssertUnwindSafe(|| header(borrowed, index, copy))).ok();
    let kept: Vec<CopiedHeader> = (0..borrowed.count()).filter_map(&mut readable).collect();
    let lost = borrowed.count() - kept.len();
    let detail = format!("{lost} header name(s) are not UTF-8; they are missing from this letter, send names in UTF-8");
    (kept, Some(Failure::new(Code::InvalidHeader, detail)))
}

fn header(borrowed: &BorrowedHeaders, index: usize, copy: &mut CopiedBytes) -> CopiedHeader {
    let header = borrowed.get(index);
    let name = well_known(header.key).map_or_else(|| Cow::Owned(header.key.to_owned()), Cow::Borrowed);
    (name, header.value.map(|value| copy.add(value)))
}

/// The names that nearly every record has are not copied.
fn well_known(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 12] = [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_subject",
        "ce_datacontenttype",
        "ce_dataschema",
        "ce_partitionkey",
        "content-type",
        "traceparent",
        "tracestate",
    ];
    NAMES.into_iter().find(|known| *known == name)
}

/// What the producer takes. The ticket comes back with the delivery report.
pub(crate) fn base_record<'a>(
    topic: &'a str,
    outgoing: &'a Outgoing,
    ticket: Ticket,
) -> BaseRecord<'a, [u8], [u8], usize> {
    let mut headers = OwnedHeaders::new_with_capacity(outgoing.headers.len());
    for Header { name, value } in &outgoing.headers {
        headers = headers.insert(rdkafka::message::Header { key: name, value: value.as_deref() });
    }
    let mut record = BaseRecord::with_opaque_to(topic, ticket.0).headers(headers);
    if let Some(key) = &outgoing.key {
        record = record.key(&**key);
    }
    if let Some(value) = &outgoing.value {
        record = record.payload(&**value);
    }
    if let Some(timestamp) = outgoing.timestamp_ms {
        record = record.timestamp(timestamp);
    }
    record
}
