//! Records for the tests of this layer.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::domain::record::{Header, Position, Record};

pub(super) fn record(headers: &[(&str, &str)], value: Option<&[u8]>) -> Record {
    Record {
        position: Position { topic: "support.tickets".into(), partition: 3, offset: 42 },
        timestamp_ms: Some(1_767_225_600_123),
        key: Some(Bytes::from_static(b"customer-7")),
        value: value.map(Bytes::copy_from_slice),
        headers: headers.iter().map(|(name, value)| Header::text((*name).to_owned(), *value)).collect(),
    }
}

/// A record in binary mode with the required attributes and `more` headers.
pub(super) fn binary(more: &[(&str, &str)], value: Option<&[u8]>) -> Record {
    let required = [("ce_specversion", "1.0"), ("ce_id", "a-1"), ("ce_source", "/tickets"), ("ce_type", "t.v1")];
    record(&[&required, more].concat(), value)
}

/// A record in structured mode.
pub(super) fn structured(value: &str) -> Record {
    record(&[("content-type", "application/cloudevents+json; charset=UTF-8")], Some(value.as_bytes()))
}

/// A structured record with the required attributes and `more` members (which start with a comma).
pub(super) fn envelope(more: &str) -> Record {
    structured(&format!(r#"{{"specversion":"1.0","id":"a-1","source":"/tickets","type":"t.v1"{more}}}"#))
}

/// Any record: events that are almost right, and noise.
pub(super) fn any_record() -> impl Strategy<Value = Record> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "ce_specversion",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_time",
            "ce_subject",
            "ce_",
            "ce_Bad",
            "ce_data",
            "ce_datacontenttype",
            "ce_traceparent",
            "content-type",
            "Content-Type",
            "traceparent",
            "sp-stage",
        ])
        .prop_map(str::to_owned),
        "(ce_)?[a-zA-Z0-9_\u{0}é-]{0,8}",
    ];
    let text = prop::sample::select(vec![
        "1.0",
        "0.3",
        "",
        "2026-01-31T12:00:00Z",
        "application/json",
        "application/cloudevents+json",
        "text/plain",
        "application/cloudevents+avro",
        "application/cloudevents-batch+json",
        "\u{7}",
        "\u{ffff}",
    ]);
    let bytes = prop_oneof![text.prop_map(|text| text.as_bytes().to_vec()), vec(any::<u8>(), 0..20)];
    let header = (name, option::weighted(0.9, bytes))
        .prop_map(|(name, value)| Header { name: name.into(), value: value.map(Bytes::from) });
    let required = prop::bool::weighted(0.6);
    (required, vec(header, 0..8), option::weighted(0.9, any_value()), option::of(any::<i64>())).prop_map(
        |(required, headers, value, timestamp_ms)| {
            let mut record = if required { binary(&[], None) } else { record(&[], None) };
            record.headers.extend(headers);
            record.value = value.map(Bytes::from);
            record.timestamp_ms = timestamp_ms;
            record
        },
    )
}

fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let member = r#"("(id|source|type|subject|time|data|data_base64|ext|Bad|datacontenttype)":("x"|""|null|1|-2|1.5|true|\[\]|\{\}|"\\u0000"|"e30="),){0,5}"#;
    prop_oneof![
        vec(any::<u8>(), 0..64),
        member.prop_map(|members| {
            format!(r#"{{{members}"specversion":"1.0","id":"1","source":"s","type":"t"}}"#).into_bytes()
        }),
        member.prop_map(|members| format!(r#"{{{members}"specversion":"1.0"}}"#).into_bytes()),
    ]
}
