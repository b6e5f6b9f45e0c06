//! librdkafka's messages to ours and back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use rdkafka::Message as _;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers as _, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use super::cluster::Ticket;
use crate::domain::failure::{Code, Failure};
use crate::domain::record::{Header, Outgoing, Position, Record};

/// Copies a message out of the client's buffers. A header that the client library cannot represent is left out and
/// reported as a failure beside the record.
pub(crate) fn record(message: &BorrowedMessage<'_>, topics: &[Arc<str>]) -> (Record, Option<Failure>) {
    let name = message.topic();
    let topic = topics.iter().find(|topic| &***topic == name).map_or_else(|| Arc::from(name), Arc::clone);
    let (headers, failure) = message.headers().map_or_else(|| (Vec::new(), None), headers);
    let record = Record {
        position: Position { topic, partition: message.partition(), offset: message.offset() },
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key().map(Bytes::copy_from_slice),
        value: message.payload().map(Bytes::copy_from_slice),
        headers,
    };
    (record, failure)
}

fn headers(borrowed: &BorrowedHeaders) -> (Vec<Header>, Option<Failure>) {
    let all = catch_unwind(AssertUnwindSafe(|| (0..borrowed.count()).map(|index| header(borrowed, index)).collect()));
    if let Ok(headers) = all {
        return (headers, None);
    }
    // The library panics on a name that is not UTF-8 (rdkafka 0.39, `BorrowedHeaders::try_get`), which any producer can
    // send: keep the others.
    let readable = |index| catch_unwind(AssertUnwindSafe(|| header(borrowed, index))).ok();
    let kept: Vec<Header> = (0..borrowed.count()).filter_map(readable).collect();
    let lost = borrowed.count() - kept.len();
    let detail = format!("{lost} header name(s) are not UTF-8; they are missing from this letter, send names in UTF-8");
    (kept, Some(Failure::new(Code::InvalidHeader, detail)))
}

fn header(borrowed: &BorrowedHeaders, index: usize) -> Header {
    let header = borrowed.get(index);
    Header { name: header.key.to_owned().into(), value: header.value.map(Bytes::copy_from_slice) }
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
