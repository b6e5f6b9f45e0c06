use std::time::Duration;

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::codec::attributes::is_allowed;
use crate::codec::fixtures::{any_record, binary, envelope, record, structured};
use crate::codec::plain;
use crate::domain::cpu_time::CpuTime;
use crate::domain::event::Data;

mod senders;

fn code(record: &Record) -> Code {
    decode(record).expect_err("must be refused").code
}

fn null(name: &str) -> Header {
    Header { name: name.to_owned().into(), value: None }
}

fn raw(name: &str, value: &'static [u8]) -> Header {
    Header { name: name.to_owned().into(), value: Some(Bytes::from_static(value)) }
}

/// Kafka protocol binding, section 3.2.5.
#[test]
fn reads_the_binary_example_of_the_binding() {
    let headers = [
        ("ce_specversion", "1.0"),
        ("ce_type", "com.example.someevent"),
        ("ce_source", "/mycontext/subcontext"),
        ("ce_id", "1234-1234-1234"),
        ("ce_time", "2018-04-05T03:56:24Z"),
        ("content-type", "application/avro"),
        ("traceid", "ordinary"),
    ];
    let event = decode(&record(&headers, Some(b"\xff\x00 avro"))).unwrap();
    assert_eq!((event.id.as_str(), event.source.as_str()), ("1234-1234-1234", "/mycontext/subcontext"));
    assert_eq!(event.kind, "com.example.someevent");
    assert_eq!(event.time.as_deref(), Some("2018-04-05T03:56:24Z"));
    assert_eq!(event.data_content_type.as_deref(), Some("application/avro"));
    assert!(event.extensions.is_empty(), "ordinary headers are not attributes");
    assert_eq!(event.data, Data::Binary(Bytes::from_static(b"\xff\x00 avro")));
}

/// JSON event format, section 3.2: an event with JSON data.
#[test]
fn reads_the_structured_example_of_the_json_format() {
    let event = decode(&structured(
        r#"{"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","subject":null,
            "id":"C234-1234-1234","time":"2018-04-05T17:31:00Z","comexampleextension1":"value",
            "comexampleothervalue":5,"flag":true,"unsetextension":null,"datacontenttype":"application/json",
            "data":{"appinfoA":"abc","appinfoB":123,"appinfoC":true}}"#,
    ))
    .unwrap();
    assert_eq!(event.data, Data::Json(json!({"appinfoA":"abc","appinfoB":123,"appinfoC":true})));
    assert_eq!(event.subject, None);
    let extensions: Vec<_> = event.extensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(extensions, [("comexampleextension1", "value"), ("comexampleothervalue", "5"), ("flag", "true")]);
}

#[test]
fn the_content_type_decides_the_mode_whatever_its_case() {
    let value = br#"{"specversion":"1.0","id":"in-value","source":"/s","type":"t"}"#;
    for name in
        ["APPLICATION/CLOUDEVENTS+JSON; charset=UTF-8", "application/cloudevents", " application/cloudevents+json"]
    {
        let event = decode(&binary(&[("Content-Type", name)], Some(value))).unwrap();
        assert_eq!(event.id, "in-value", "{name}");
    }
    let avro = [("content-type", "application/cloudevents+avro")];
    assert_eq!(decode(&binary(&avro, Some(b"\xff"))).unwrap().id, "a-1");
    assert_eq!(code(&record(&avro, Some(b"\xff"))), Code::NotACloudEvent);
    let batch = binary(&[("content-type", "application/cloudevents-batch+json")], Some(b"[]"));
    let failure = decode(&batch).unwrap_err();
    assert_eq!(failure.code, Code::NotACloudEvent);
    assert!(failure.detail.contains("batch"), "{}", failure.detail);
}

#[test]
fn an_undeclared_envelope_is_taken_as_structured() {
    let value = br#" {"data":{"a":1},"specversion":"1.0","id":"x","source":"/s","type":"t"}"#;
    assert_eq!(decode(&record(&[], Some(value))).unwrap().data, Data::Json(json!({"a":1})));
    assert_eq!(decode(&record(&[("content-type", "application/json")], Some(value))).unwrap().id, "x");
    for other in ["{}", "[]", "text", "", r#"{"specversion":"1.0","id":"x","source":"/s"}"#, r#"{"Text":1,"id":"x"}"#] {
        assert_eq!(code(&record(&[], Some(other.as_bytes()))), Code::NotACloudEvent, "{other}");
    }
    assert_eq!(code(&record(&[], Some(b"\xff"))), Code::NotACloudEvent);
    let old = br#"{"specversion":"0.3","id":"x","source":"/s","type":"t"}"#;
    assert_eq!(code(&record(&[], Some(old))), Code::UnsupportedSpecVersion);
}

#[test]
fn no_value_is_a_tombstone_unless_headers_make_it_an_event() {
    assert_eq!(code(&record(&[], None)), Code::Tombstone);
    assert_eq!(code(&record(&[("content-type", "application/cloudevents+json")], None)), Code::Tombstone);
    assert_eq!(decode(&binary(&[], None)).unwrap().data, Data::Absent);
    assert_eq!(decode(&binary(&[("content-type", "application/json")], None)).unwrap().data, Data::Absent);
}

#[test]
fn null_headers_are_unset() {
    let mut event = binary(&[("ce_subject", "s")], None);
    event.headers.extend([null("ce_subject"), null("ce_time"), null("content-type"), null("other")]);
    assert_eq!(decode(&event).unwrap().subject.as_deref(), Some("s"));
    event.headers.iter_mut().filter(|header| header.name == "ce_id").for_each(|header| header.value = None);
    let failure = decode(&event).unwrap_err();
    assert_eq!(failure.code, Code::MissingAttribute);
    assert!(failure.detail.contains(": id."), "{}", failure.detail);
}

#[test]
fn repeated_attributes_must_agree() {
    assert!(decode(&binary(&[("ce_id", "a-1"), ("ce_x", "1"), ("ce_x", "1")], None)).is_ok());
    for repeated in ["ce_id", "ce_x"] {
        assert_eq!(code(&binary(&[("ce_x", "1"), (repeated, "other")], None)), Code::InvalidAttribute);
    }
    let twice = [("content-type", "text/plain"), ("Content-Type", "application/json")];
    assert_eq!(code(&binary(&twice, None)), Code::InvalidAttribute);
}

#[test]
fn names_and_values_obey_the_type_system() {
    for name in ["ce_Bad", "ce_a_b", "ce_a-b", "ce_", "ce_é", "ce_data"] {
        assert_eq!(code(&binary(&[(name, "1")], None)), Code::InvalidAttribute, "{name}");
    }
    for value in ["a\nb", "\u{0}", "\u{85}", "\u{fdd0}", "\u{1fffe}"] {
        assert_eq!(code(&binary(&[("ce_subject", value)], None)), Code::InvalidAttribute, "{value:?}");
    }
    let mut event = binary(&[], None);
    event.headers.extend([raw("other", b"\xff"), raw("ce_subject", b"ok\xff")]);
    let failure = decode(&event).unwrap_err();
    assert_eq!(failure.code, Code::InvalidUtf8);
    assert!(failure.detail.contains("ce_subject") && failure.detail.contains("byte 3"), "{}", failure.detail);
    assert!(decode(&binary(&[("ce_subject", "Grüße \u{1f600}"), ("CE_ignored", "\n")], None)).is_ok());
}

#[test]
fn required_attributes_are_all_named_when_missing() {
    let failure = decode(&record(&[("ce_specversion", "1.0"), ("ce_type", "")], None)).unwrap_err();
    assert_eq!(failure.code, Code::MissingAttribute);
    assert!(failure.detail.contains("id, source, type"), "{}", failure.detail);
    let old = record(&[("ce_specversion", "0.3"), ("ce_id", "1"), ("ce_source", "s"), ("ce_type", "t")], None);
    assert_eq!(code(&old), Code::UnsupportedSpecVersion);
}

#[test]
fn data_follows_its_content_type() {
    let data = |kind: &str, value: &[u8]| decode(&binary(&[("content-type", kind)], Some(value))).map(|e| e.data);
    for kind in ["application/vnd.x+json; charset=utf-8", "APPLICATION/JSON", "text/json"] {
        assert_eq!(data(kind, b"null"), Ok(Data::Json(json!(null))), "{kind}");
        assert_eq!(data(kind, b"").unwrap_err().code, Code::InvalidJson);
        assert_eq!(data(kind, b"\"\xff\"").unwrap_err().code, Code::InvalidUtf8);
    }
    assert_eq!(data("text/plain", b"{}"), Ok(Data::Text("{}".to_owned())));
    assert_eq!(data("text/plain", b"\xff").unwrap_err().code, Code::InvalidUtf8);
    assert_eq!(data("image/png", b"\xff"), Ok(Data::Binary(Bytes::from_static(b"\xff"))));
    assert_eq!(data("application/xml", b"<a/>"), Ok(Data::Text("<a/>".to_owned())));

    let guessed = |value: &[u8]| decode(&binary(&[], Some(value))).map(|event| event.data);
    assert_eq!(guessed(b"[1]"), Ok(Data::Json(json!([1]))));
    assert_eq!(guessed(b"hello"), Ok(Data::Text("hello".to_owned())));
    assert_eq!(guessed(b"\xff").unwrap_err().code, Code::InvalidUtf8);
}

#[test]
fn json_errors_say_where_and_never_what() {
    let invalid = binary(&[("content-type", "application/json")], Some(b"{\n \"secret\": hunter2}"));
    let failure = decode(&invalid).unwrap_err();
    assert_eq!(failure.code, Code::InvalidJson);
    assert!(failure.detail.contains("line 2, column 12"), "{}", failure.detail);
    assert!(!failure.detail.contains("hunter2") && !failure.detail.contains("secret"));
    let text = decode(&structured("\"hunter2\"")).unwrap_err();
    assert_eq!(text.code, Code::InvalidJson);
    assert!(!text.detail.contains("hunter2"), "{}", text.detail);
}

#[test]
fn structured_data_follows_its_content_type() {
    let data = |more: &str| decode(&envelope(more)).map(|event| event.data);
    assert_eq!(data(""), Ok(Data::Absent));
    assert_eq!(data(r#","data":null"#), Ok(Data::Json(json!(null))));
    assert_eq!(data(r#","data":"text""#), Ok(Data::Json(json!("text"))));
    assert_eq!(data(r#","data":"<a/>","datacontenttype":"application/xml""#), Ok(Data::Text("<a/>".to_owned())));
    assert_eq!(data(r#","data":{"a":1},"datacontenttype":"application/xml""#), Ok(Data::Json(json!({"a":1}))));
    assert_eq!(data(r#","data_base64":"eyJhIjoxfQ==""#), Ok(Data::Json(json!({"a":1}))));
    let png = data(r#","data_base64":"/w==","datacontenttype":"image/png""#);
    assert_eq!(png, Ok(Data::Binary(Bytes::from_static(b"\xff"))));
    assert_eq!(data(r#","data_base64":null,"data":1"#), Ok(Data::Json(json!(1))));
}

#[test]
fn structured_envelopes_are_checked() {
    for (more, expected) in [
        (r#","data":1,"data_base64":"MQ==""#, Code::InvalidAttribute),
        (r#","data_base64":"no!""#, Code::InvalidAttribute),
        (r#","data_base64":1"#, Code::InvalidAttribute),
        (r#","id":"a-1""#, Code::InvalidJson),
        (r#","subject":null,"subject":"s""#, Code::InvalidJson),
        (r#","x":1,"x":1"#, Code::InvalidJson),
        (r#","data":1,"data":1"#, Code::InvalidJson),
        (r#","subject":5"#, Code::InvalidAttribute),
        (r#","x":1.5"#, Code::InvalidAttribute),
        (r#","x":{"y":[1]}"#, Code::InvalidAttribute),
        (r#","Bad":"1""#, Code::InvalidAttribute),
        (r#","x":"\u0007""#, Code::InvalidAttribute),
        (r#","time":"noon""#, Code::InvalidAttribute),
        (r#"} {"#, Code::InvalidJson),
        (r#","x":"#, Code::InvalidJson),
    ] {
        assert_eq!(code(&envelope(more)), expected, "{more}");
    }
    assert_eq!(code(&structured(r#"{"specversion":"1.0"}"#)), Code::MissingAttribute);
    assert_eq!(code(&structured("")), Code::InvalidJson);
    let many: String = (0..=MAX_HEADERS).map(|n| format!(r#","x{n}":null"#)).collect();
    assert_eq!(code(&envelope(&many)), Code::InvalidAttribute);
}

#[test]
fn hostile_sizes_are_refused_or_read_at_once() {
    let begun = CpuTime::now();
    let deep = "[".repeat(100_000);
    let closed = format!("{deep}{}", "]".repeat(100_000));
    for value in [&deep, &closed] {
        assert_eq!(code(&binary(&[], Some(value.as_bytes()))), Code::JsonTooDeep);
        assert_eq!(code(&binary(&[("content-type", "application/json")], Some(value.as_bytes()))), Code::JsonTooDeep);
        assert_eq!(code(&envelope(&format!(r#","data":{value}"#))), Code::JsonTooDeep);
    }
    assert_eq!(code(&envelope(&format!(r#","x":{closed}"#))), Code::InvalidAttribute);
    assert_eq!(plain::decode_json(&record(&[], Some(closed.as_bytes()))).unwrap_err().code, Code::JsonTooDeep);
    assert!(decode(&binary(&[], Some(format!("{}{}", "[".repeat(120), "]".repeat(120)).as_bytes()))).is_ok());

    let mut headers = binary(&[], None);
    headers.headers.extend(std::iter::repeat_n(null("h"), 10_000));
    assert_eq!(code(&headers), Code::TooManyHeaders);
    headers.headers.truncate(MAX_HEADERS);
    assert!(decode(&headers).is_ok());

    let large = format!("\"{}\"", "x".repeat(1 << 20));
    assert!(decode(&binary(&[], Some(large.as_bytes()))).is_ok());
    assert!(decode(&envelope(&format!(r#","data":{large}"#))).is_ok());
    // Generous: an unoptimised build on a busy machine. Quadratic work would take minutes.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn long_names_stay_out_of_details() {
    let name = format!("ce_{}", "A".repeat(1 << 20));
    assert!(decode(&binary(&[(&name, "1")], None)).unwrap_err().detail.len() < 300);
}

proptest! {
    /// Nothing panics, and an accepted event keeps what `Event` promises.
    #[test]
    fn any_record_is_refused_or_a_sound_event(record in any_record()) {
        for result in [decode(&record), plain::decode_json(&record), plain::decode_text(&record)] {
            let event = match result {
                Ok(event) => event,
                Err(failure) => {
                    prop_assert!(!failure.detail.is_empty());
                    continue;
                }
            };
            for required in [&event.id, &event.source, &event.kind] {
                prop_assert!(!required.is_empty());
            }
            let optional = [&event.subject, &event.time, &event.data_content_type, &event.data_schema];
            let values = [&event.id, &event.source, &event.kind].into_iter().chain(optional.into_iter().flatten());
            for value in values.chain(event.extensions.values()) {
                prop_assert!(value.chars().all(is_allowed));
            }
            prop_assert!(event.time.is_none_or(|time| DateTime::parse_from_rfc3339(&time).is_ok()));
            for name in event.extensions.keys() {
                prop_assert!(check_name(name).is_ok());
            }
        }
    }
}
