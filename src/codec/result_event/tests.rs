use std::sync::{Arc, OnceLock};

use serde_json::json;

use super::*;
use crate::codec::fixtures::binary;
use crate::codec::{cloudevents, json_event, kafka_binary, trace};
use crate::domain::agreement::Agreement;
use crate::domain::answer::{Answer, AnswerFactors, Confidence, Flag, Validation};
use crate::domain::attempt::{Attempt, LadderStep, PassedOver};
use crate::domain::event::Data;
use crate::domain::evidence::{Evidence, EvidenceState, FieldEvidence, Span};
use crate::domain::failure::Code;
use crate::domain::grounding::RememberedGrounding;
use crate::domain::record::{Header, Outgoing, Record};

const NOW: Duration = Duration::from_millis(1_767_225_600_007);

const SCHEMA_URI: &str = "urn:structured-prompt:schema:support-intent:1.0.0";

fn origin() -> Origin {
    let versions = Versions { schema_uri: SCHEMA_URI, schema: "1.0.0", prompt: "p1", config_hash: "c0ffee" };
    Origin::new("support-triage", versions)
}

fn encode(record: &Record, event: &Event, answered: &Answered) -> Outgoing {
    kafka_binary::encode(
        record,
        ResultEvent::new(&trace::context(record, Some(event)), event, answered, &origin(), NOW),
    )
}

fn attempt(step: LadderStep, error: Option<Code>) -> Attempt {
    Attempt {
        step,
        provider: "claude".into(),
        model: "claude-sonnet-5-5".into(),
        response_id: None,
        usage: Usage { input_tokens: 60, output_tokens: 17, ..Usage::default() },
        cost_usd: 0.000_006_15,
        error,
        passed_over: PassedOver::default(),
        times: 1,
    }
}

fn answered() -> Answered {
    let answer = Answer {
        data: Bytes::from_static(br#"{"intent":"refund"}"#),
        provider: "claude".into(),
        model: "claude-sonnet-5-5\u{7}".into(),
        validation: Validation::Passed,
        factors: AnswerFactors { validation: 1.0, ladder: 1.0, provider: Some(0.876) },
        attempt_log: vec![attempt(LadderStep::Ask, Some(Code::AnswerInvalid)), attempt(LadderStep::Correct, None)],
        usage: Usage { input_tokens: 120, output_tokens: 34, ..Usage::default() },
        cost_usd: 0.000_012_3,
        quotes: Vec::new(),
        logprobs: Vec::new(),
        grounding: RememberedGrounding::default(),
        agreement: Some(Agreement::new(0.5, vec![("/intent".into(), true), ("/order".into(), false)])),
    };
    let evidence = vec![
        FieldEvidence {
            field: "/intent".into(),
            state: EvidenceState::Judged,
            source: None,
            spans: Vec::new(),
            accuracy: None,
        },
        FieldEvidence {
            field: "/order".into(),
            state: EvidenceState::Exact,
            source: Some("/body".into()),
            spans: vec![Span { start: 3, end: 7 }],
            accuracy: None,
        },
    ];
    let grounding = Grounding {
        evidence: Evidence { fields: evidence, quotes: Vec::new() },
        grounded: Some(1.0),
        data: None,
        flags: Vec::new(),
        is_for_review: false,
        refused: Vec::new(),
        written: OnceLock::new(),
    };
    let confidence = Confidence::new(answer.factors, grounding.grounded);
    let (answer, grounding) = (Arc::new(answer), Some(Arc::new(grounding)));
    Answered { answer, cache_hit: CacheHit::None, flags: vec![], confidence, grounding }
}

fn cause(more: &[(&str, &str)]) -> (Record, Event) {
    let record = binary(more, Some(b"hello"));
    let event = cloudevents::decode(&record).unwrap();
    (record, event)
}

/// The result as a reader of the output topic decodes it.
fn read(outgoing: &Outgoing, record: &Record) -> Event {
    let Outgoing { key, value, headers, timestamp_ms } = outgoing.clone();
    cloudevents::decode(&Record { position: record.position.clone(), key, value, headers, timestamp_ms }).unwrap()
}

#[test]
fn a_result_reads_back_as_the_event_that_was_written() {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (record, event) = cause(&[
        ("ce_subject", "ticket 7"),
        ("ce_traceparent", parent),
        ("ce_partitionkey", "customer-7"),
        ("ce_correlationid", "order-1"),
    ]);
    let outgoing = encode(&record, &event, &answered());
    let result = read(&outgoing, &record);
    // python: uuid.uuid5(uuid.UUID("4b014fb9-70ce-5541-9666-8856c3545c1f"), "support-triage\n/tickets\na-1")
    assert_eq!(result.id, "ab387774-9f86-5c35-aa28-23608698bb92");
    assert_eq!(result.source, "/structured-prompt/support-triage");
    assert_eq!(result.kind, RESULT);
    assert_eq!(result.subject.as_deref(), Some("ticket 7"));
    assert_eq!(result.time.as_deref(), Some("2026-01-01T00:00:00.007Z"));
    assert_eq!(result.data_schema.as_deref(), Some(SCHEMA_URI));
    assert_eq!(result.data, Data::Json(json!({"intent": "refund"})));
    let log = crate::codec::attempt_log::encode(&answered().answer.attempt_log);
    let evidence = [
        r#"{"/intent":{"evidence":"judged","agreed":true},"#,
        r#""/order":{"evidence":"exact","source":"/body","spans":[[3,7]],"agreed":false}}"#,
    ]
    .concat();
    let expected = [
        ("agreement", "0.50"),
        ("attemptlog", log.as_str()),
        ("attempts", "2"),
        ("cachehit", "none"),
        ("causationid", "a-1"),
        ("causationsource", "/tickets"),
        ("confidence", "0.88"),
        ("confidencefactors", "validation=1.00 ladder=1.00 grounding=1.00 provider=0.88"),
        ("confighash", "c0ffee"),
        ("correlationid", "order-1"),
        ("costusd", "0.000012"),
        ("fieldevidence", &evidence),
        ("grounded", "1.00"),
        ("inputtokens", "120"),
        ("model", "claude-sonnet-5-5"),
        ("outputtokens", "34"),
        ("partitionkey", "customer-7"),
        ("promptversion", "p1"),
        ("provider", "claude"),
        ("schemaversion", "1.0.0"),
        ("traceparent", parent),
        ("validation", "passed"),
    ];
    let extensions: Vec<_> = result.extensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(extensions, expected);
}

#[test]
fn a_cache_hit_cost_nothing() {
    let (record, event) = cause(&[]);
    let hit = Answered {
        cache_hit: CacheHit::Memory,
        flags: vec![Flag::SuspiciousInput("sql-union"), Flag::LowConfidence],
        ..answered()
    };
    let result = read(&encode(&record, &event, &hit), &record);
    for (name, value) in [
        ("attempts", "0"),
        ("inputtokens", "0"),
        ("outputtokens", "0"),
        ("costusd", "0.000000"),
        ("cachehit", "memory"),
        ("flags", "suspicious-input:sql-union,low-confidence"),
        ("correlationid", "a-1"),
    ] {
        assert_eq!(result.extensions.get(name).map(String::as_str), Some(value), "{name}");
    }
}

#[test]
fn one_call_has_a_log_where_it_tells_more_than_the_attributes() {
    let (record, event) = cause(&[]);
    let log_of = |passed_over| {
        let plain = Attempt { passed_over, ..attempt(LadderStep::Ask, None) };
        let mut one_call = answered();
        one_call.answer = Arc::new(Answer { attempt_log: vec![plain], ..Answer::clone(&one_call.answer) });
        let result = read(&encode(&record, &event, &one_call), &record);
        result.extensions.get("attemptlog").cloned()
    };
    assert_eq!(log_of(PassedOver::default()), None);
    let log = log_of(PassedOver { reasoning: true, objects: 2 }).unwrap();
    let log: serde_json::Value = serde_json::from_str(&log).unwrap();
    assert_eq!(log[0]["passed_over"], json!({ "reasoning": true, "objects": 2 }));
}

#[test]
fn key_and_the_users_headers_are_kept() {
    let hop = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (mut record, event) = cause(&[
        ("b", "1"),
        ("Content-Type", "text/plain"),
        ("TraceParent", hop),
        ("tracestate", "v=1"),
        ("CE_Odd", "x"),
    ]);
    record.headers.push(Header { name: "a".into(), value: None });
    record.headers.push(Header::text("b", "2"));
    let outgoing = encode(&record, &event, &answered());
    assert_eq!(outgoing.key, record.key);
    let named = |name: &str| outgoing.headers.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).collect::<Vec<_>>();
    let kept = [Header::text("b", "1"), Header { name: "a".into(), value: None }, Header::text("b", "2")];
    assert!(outgoing.headers.ends_with(&kept));
    assert_eq!(named("content-type"), [&Header::text("content-type", "application/json")]);
    assert_eq!(named("tracestate"), [&Header::text("tracestate", "v=1")]);
    assert_eq!(named("ce_traceparent"), [&Header::text("ce_traceparent", hop)], "the first hop we know is the start");
    let [ours] = named("traceparent")[..] else { panic!("one traceparent") };
    assert_ne!(ours.value.as_deref(), Some(hop.as_bytes()));
    assert!(ours.value.as_deref().unwrap().starts_with(b"00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    assert!(named("ce_odd").is_empty());
}

/// A record that was a dead letter, or waited for review, and was sent again.
#[test]
fn headers_that_an_earlier_outcome_of_the_record_added_are_left_out() {
    let (record, event) = cause(&[
        ("sp-review-reason", "ungrounded"),
        ("sp-source-topic", "t"),
        ("sp-source-value", "x"),
        ("sp-source-header-tenant", "a"),
        ("sp-error-code", "low_confidence"),
        ("__connect.errors.topic", "t"),
        ("sp-sourced", "1"),
        ("tenant", "a"),
    ]);
    let outgoing = encode(&record, &event, &answered());
    let kept: Vec<_> = outgoing.headers.iter().rev().take_while(|header| !header.name.starts_with("ce_")).collect();
    assert_eq!(kept, [&Header::text("tenant", "a"), &Header::text("sp-sourced", "1")]);
}

#[test]
fn the_data_and_its_evidence_are_shared() {
    let (record, event) = cause(&[]);
    let answered = answered();
    let [one, other] = [(); 2].map(|()| encode(&record, &event, &answered));
    assert_eq!(one.value.as_ref().unwrap().as_ptr(), answered.answer.data.as_ptr());
    let evidence = |outgoing: &Outgoing| {
        let header = outgoing.headers.iter().find(|header| header.name == "ce_fieldevidence").unwrap();
        header.value.as_ref().unwrap().as_ptr()
    };
    assert_eq!(evidence(&one), evidence(&other));
}

#[test]
fn what_is_unknown_is_said_and_not_counted() {
    let (record, event) = cause(&[]);
    let mut answered = answered();
    answered.confidence = Confidence::new(AnswerFactors { validation: 1.0, ladder: 0.85, provider: None }, None);
    answered.grounding = None;
    let result = read(&encode(&record, &event, &answered), &record);
    let attribute = |name: &str| result.extensions.get(name).map(String::as_str);
    let factors = "validation=1.00 ladder=0.85 grounding=unknown provider=unknown";
    assert_eq!((attribute("confidence"), attribute("confidencefactors")), (Some("0.85"), Some(factors)));
    assert_eq!((attribute("grounded"), attribute("fieldevidence")), (None, None));
}

#[test]
fn null_is_published_in_the_place_of_a_value_without_ground() {
    let (record, event) = cause(&[]);
    let mut answered = answered();
    answered.grounding = Some(Arc::new(Grounding {
        evidence: Evidence::default(),
        grounded: None,
        data: Some(Bytes::from_static(b"{\"intent\":null}")),
        flags: Vec::new(),
        is_for_review: false,
        refused: Vec::new(),
        written: OnceLock::new(),
    }));
    answered.flags = vec![Flag::Nulled("/intent".into())];
    let result = read(&encode(&record, &event, &answered), &record);
    assert_eq!(result.data, Data::Json(json!({ "intent": null })));
    assert_eq!(result.extensions.get("flags").map(String::as_str), Some("nulled:/intent"));
}

#[test]
fn the_id_is_of_connector_source_and_id() {
    assert_eq!(NAMESPACE, Uuid::new_v5(&Uuid::nil(), RESULT.as_bytes()));
    let (_, event) = cause(&[]);
    let other = |change: fn(&mut Event)| {
        let mut other = event.clone();
        change(&mut other);
        id("c", &other)
    };
    assert_eq!(id("c", &event), other(|event| event.kind.push('x')));
    assert_ne!(id("c", &event), id("d", &event));
    assert_ne!(id("c", &event), other(|event| event.id.push('x')));
    assert_ne!(id("c", &event), other(|event| event.source.push('x')));
}

#[test]
fn a_result_is_the_same_event_in_the_json_format() {
    let (record, event) = cause(&[("ce_subject", "ticket \"7\""), ("ce_traceparent", "no context")]);
    let result = ResultEvent::new(&trace::context(&record, Some(&event)), &event, &answered(), &origin(), NOW);
    let binary = read(&kafka_binary::encode(&record, result.clone()), &record);
    let headers = vec![Header::text("content-type", json_event::CONTENT_TYPE)];
    let value = Some(json_event::encode(&result));
    let structured = cloudevents::decode(&Record { value, headers, ..record }).unwrap();
    assert_eq!(structured, binary);
}
