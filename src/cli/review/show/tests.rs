use bytes::Bytes;

use super::*;
use crate::codec::review_record::encode;
use crate::domain::failure::Code;
use crate::domain::record::{Header, Outgoing, Position, Record};

const BODY: &str = "Grüße, Ada: 12,50 € for order AB-1";

fn waiting(evidence: &Value) -> WaitingResult {
    let position = |topic: &str| Position { topic: topic.into(), partition: 1, offset: 17 };
    let asked = Record {
        position: position("mails"),
        timestamp_ms: Some(7),
        key: None,
        value: Some(Bytes::from(json!({ "body": BODY }).to_string())),
        headers: Vec::new(),
    };
    let evidence = evidence.to_string();
    let headers = [
        ("ce_source", "/structured-prompt/claims"),
        ("ce_causationid", "e-1"),
        ("ce_confidence", "0.50"),
        ("ce_fieldevidence", evidence.as_str()),
    ];
    let result = Outgoing {
        key: None,
        value: Some(Bytes::from_static(b"{\"amount\":12.5,\"name\":\"Bob\"}")),
        headers: headers.map(|(name, value)| Header::text(name, value)).to_vec(),
        timestamp_ms: None,
    };
    let Outgoing { key, value, headers, timestamp_ms } = encode(&asked, result, &[Code::Ungrounded]);
    let record = Record { position: position("review"), timestamp_ms, key, value, headers };
    WaitingResult::decode(record, "claims").unwrap()
}

fn evidence_of_both() -> Value {
    json!({
        "/amount": { "evidence": "normalized", "source": "/body", "spans": [[12, 19]] },
        "/name": { "evidence": "none" },
    })
}

fn shown(evidence: &Value) -> String {
    let mut out = Vec::new();
    one(&waiting(evidence), Some(&json!({ "body": BODY })), false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_list_says_why_each_result_waits() {
    let listed = |is_json| {
        let mut out = Vec::new();
        let unsearched = json!({ "/amount": { "evidence": "unsearched" }, "/name": { "evidence": "absent" } });
        list(&[waiting(&evidence_of_both()), waiting(&unsearched)], is_json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let text = listed(false);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["1/17", "e-1", "ungrounded", "0.50", "/name"]);
    assert_eq!((lines.len(), lines[2].ends_with(" /amount")), (3, true), "{text}");
    let lines: Vec<Value> = listed(true).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["reason"], &lines[0]["ungrounded"]), (&json!(["ungrounded"]), &json!(["/name"])));
    assert_eq!((&lines[0]["confidence"], &lines[0]["data"]["name"]), (&json!(0.5), &json!("Bob")));
    assert_eq!((lines.len(), &lines[1]["ungrounded"]), (2, &json!(["/amount"])));
}

#[test]
fn a_result_stands_beside_its_record_with_the_places_marked() {
    let text = shown(&evidence_of_both());
    assert!(text.contains("event e-1, record mails/1/17\nwaits because of ungrounded, confidence 0.50\n"), "{text}");
    assert!(text.contains("/name                none         \"Bob\"\n"), "{text}");
    assert!(text.contains("\n/body\nGrüße, Ada: ⟦12,50 €⟧ for order AB-1\n"), "{text}");
    assert!(!text.contains("all of it"), "{text}");
}

#[test]
fn values_whose_evidence_is_not_told_are_shown_as_well() {
    let whole = "all of it: {\"amount\":12.5,\"name\":\"Bob\"}\n";
    assert!(shown(&json!({})).contains(whole));
    let cut = json!({ "/name": { "evidence": "none" }, "left_out": { "fields": 1 } });
    assert!(shown(&cut).contains(whole));
}

#[test]
fn places_that_are_not_in_the_text_mark_nothing() {
    let beyond = json!({ "/name": { "evidence": "exact", "source": "/body", "spans": [[30, u32::MAX], [9, 2]] } });
    assert!(shown(&beyond).contains("order ⟦AB-1⟧\n"), "{}", shown(&beyond));
}

#[test]
fn nothing_in_a_record_speaks_to_the_terminal() {
    let chars: BTreeSet<usize> = (2..5).chain(6..7).collect();
    assert_eq!(marked("é 12€ x", &chars, IN_TEXT), "é ⟦12€⟧ ⟦x⟧");
    assert_eq!(marked("a\u{1b}[2Jb\u{202e}\n\tc", &BTreeSet::new(), IN_TERMINAL), "a\u{fffd}[2Jb\u{fffd}\n c");
    assert_eq!(in_line("a\nb"), "a\u{fffd}b");
}
