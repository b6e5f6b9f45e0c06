//! Spans as an `ExportTraceServiceRequest` (opentelemetry-proto 1.9). The numbers are those of its fields.

use std::time::Duration;

use super::protobuf::{Message, OneOf};
use super::span::{Span, SpanBatch, SpanKind, SpanLink, Value};

/// Flags of a span beside the one that says that it is sampled: whether its parent is another process's is known, and is
/// so.
const IS_REMOTE_KNOWN: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// A request with these traces, of the resource that these attributes describe.
pub(super) fn request(resource: &[(String, String)], batches: &[SpanBatch]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |resource_spans| {
        resource_spans.message(1, |message| {
            for (name, value) in resource {
                message.message(1, |attribute| key_value(attribute, name, OneOf::Text(value)));
            }
        });
        resource_spans.message(2, |scope_spans| {
            scope_spans.message(1, |scope| {
                scope.text(1, env!("CARGO_PKG_NAME"));
                scope.text(2, env!("CARGO_PKG_VERSION"));
            });
            for batch in batches {
                for (index, one) in batch.spans.iter().enumerate() {
                    scope_spans.message(2, |message| span(message, batch, one, index == 0));
                }
            }
        });
    });
    request.into_bytes()
}

fn span(message: &mut Message, batch: &SpanBatch, span: &Span, is_first: bool) {
    let Span { id, parent, name, kind, began_at, ended_at, attributes, link, error } = span;
    message.bytes(1, batch.trace_id.bytes());
    message.bytes(2, &id.to_be_bytes());
    message.text(3, batch.tracestate.as_deref().unwrap_or_default());
    if let Some(parent) = parent {
        message.bytes(4, &parent.to_be_bytes());
    }
    message.text(5, name);
    message.uint(6, kind_number(*kind));
    message.fixed64(7, nanoseconds(*began_at));
    message.fixed64(8, nanoseconds(*ended_at));
    for (name, value) in attributes {
        message.message(9, |attribute| match value {
            Value::Text(text) => key_value(attribute, name, OneOf::Text(text)),
            Value::Int(value) => key_value(attribute, name, OneOf::Int(*value)),
            Value::Double(value) => key_value(attribute, name, OneOf::Double(*value)),
            Value::Bool(value) => key_value(attribute, name, OneOf::Bool(*value)),
            Value::TextList(text) => {
                attribute.text(1, name);
                attribute.message(2, |value| {
                    value.message(5, |list| list.message(1, |item| item.one_of(1, OneOf::Text(text))));
                });
            }
        });
    }
    if let Some(SpanLink { trace_id, span }) = link {
        message.message(13, |link| {
            link.bytes(1, trace_id.bytes());
            link.bytes(2, &span.to_be_bytes());
        });
    }
    if error.is_some() {
        const ERROR: u64 = 2;
        // Without a message: that is the attribute `error.type`, and what is said beyond it may quote the record.
        message.message(15, |status| status.uint(3, ERROR));
    }
    let remote = if is_first && batch.has_remote_parent { IS_REMOTE } else { 0 };
    message.fixed32(16, u32::from(batch.is_sampled) | IS_REMOTE_KNOWN | remote);
}

fn key_value(attribute: &mut Message, name: &str, value: OneOf<'_>) {
    let field = match value {
        OneOf::Text(_) => 1,
        OneOf::Bool(_) => 2,
        OneOf::Int(_) => 3,
        OneOf::Double(_) => 4,
    };
    attribute.text(1, name);
    attribute.message(2, |any| any.one_of(field, value));
}

fn kind_number(kind: SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
