//! A result in Kafka's binary mode (CloudEvents Kafka binding 1.0.2, section 3.2): attributes are headers, the value is
//! the data.

use super::result_event::ResultEvent;
use super::{dead_letter, payload, replay_mark, review_record, write};
use crate::domain::record::{Outgoing, Record};

/// The record that carries a result: with the key of the record that asked for it, and with those of its headers that
/// are not about that record alone.
pub fn encode(record: &Record, event: ResultEvent) -> Outgoing {
    let ResultEvent { attributes, content_type, data, traceparent, tracestate } = event;
    let ours = attributes.len() + 3;
    let mut headers = Vec::with_capacity(ours + record.headers.len());
    write::push(&mut headers, "traceparent", traceparent);
    if let Some(state) = tracestate {
        write::push(&mut headers, "tracestate", state);
    }
    write::push(&mut headers, "content-type", content_type);
    for (name, value) in attributes {
        write::push(&mut headers, name.kafka_header(), value);
    }
    headers.extend(record.headers.iter().filter(|header| !is_replaced(&header.name)).cloned());
    Outgoing { key: record.key.clone(), value: Some(data), headers, timestamp_ms: None }
}

/// Whether a header of the source record speaks of that record only, so that the result has its own or none.
fn is_replaced(name: &str) -> bool {
    const REPLACED: [&str; 3] = ["content-type", "traceparent", "tracestate"];
    payload::strip_prefix(name, "ce_").is_some()
        || REPLACED.iter().any(|ours| name.eq_ignore_ascii_case(ours))
        || dead_letter::is_mark(name)
        || review_record::is_mark(name)
        || replay_mark::is_mark(name)
}
