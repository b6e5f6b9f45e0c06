use proptest::prelude::*;

use super::*;
use crate::codec::fixtures::{any_record, binary};
use crate::codec::kafka_binary;
use crate::codec::result_event::ResultEvent;
use crate::codec::review_record::encode;
use crate::domain::failure::Code;

const AT: Duration = Duration::from_millis(1_767_225_600_007);

fn result(record: &Record) -> Outgoing {
    let event = ResultEvent {
        attributes: Vec::new(),
        content_type: "application/json",
        data: Bytes::from_static(b"{\"a\":1}"),
        traceparent: Bytes::from_static(b"00-1-2-01"),
        tracestate: None,
    };
    let mut result = kafka_binary::encode(record, event);
    result.headers.push(Header::text("ce_source", "/structured-prompt/claims"));
    result
}

/// What is read of the review topic for a result with these headers beside its own.
fn waiting(record: &Record, more: &[(&'static str, &str)]) -> WaitingResult {
    let mut result = result(record);
    result.headers.extend(more.iter().map(|(name, value)| Header::text(*name, *value)));
    let Outgoing { key, value, headers, timestamp_ms } = encode(record, result, &[Code::Ungrounded]);
    let position = Position { topic: "review".into(), partition: 1, offset: 5 };
    WaitingResult::decode(Record { position, timestamp_ms, key, value, headers }, "claims").unwrap()
}

fn text<'a>(outgoing: &'a Outgoing, name: &str) -> Option<&'a str> {
    let header = outgoing.headers.iter().find(|header| header.name == name)?;
    Some(std::str::from_utf8(header.value.as_ref()?).unwrap())
}

proptest! {
    #[test]
    fn the_answered_record_comes_back_byte_for_byte(record in any_record()) {
        let waiting = waiting(&record, &[]);
        prop_assert_eq!(&waiting.source, &record);
        prop_assert_eq!(&waiting.result, &result(&record));
    }
}

#[test]
fn an_accepted_result_is_the_same_and_says_who_saw_it() {
    let waiting =
        waiting(&binary(&[("tenant", "a")], Some(b"x")), &[("ce_validation", "passed"), ("ce_grounded", "0.5")]);
    let accepted = waiting.approved(&Approval { reviewer: &"ada".parse().unwrap(), at: AT, correction: None });
    assert_eq!((&accepted.key, &accepted.value), (&waiting.result.key, &waiting.result.value));
    for (name, value) in [
        ("ce_validation", "reviewed"),
        ("ce_reviewedby", "ada"),
        ("ce_reviewedat", "2026-01-01T00:00:00.007Z"),
        ("ce_grounded", "0.5"),
        ("tenant", "a"),
    ] {
        assert_eq!(text(&accepted, name), Some(value), "{name}");
    }
    assert!(accepted.headers.iter().all(|header| !is_mark(&header.name)));
}

#[test]
fn a_corrected_result_says_nothing_of_the_models_answer() {
    let of_answer =
        ["ce_fieldevidence", "ce_grounded", "ce_confidence", "ce_confidencefactors", "ce_agreement", "ce_flags"];
    let waiting = waiting(&binary(&[], Some(b"x")), &of_answer.map(|name| (name, "old")));
    let correction = Correction {
        data: Bytes::from_static(b"{\"a\":2}"),
        schema_uri: "urn:s".to_owned(),
        schema_version: "2.0.0".to_owned(),
    };
    let reviewer = "ada".parse().unwrap();
    let corrected = waiting.approved(&Approval { reviewer: &reviewer, at: AT, correction: Some(&correction) });
    assert_eq!(corrected.value.as_deref(), Some(&b"{\"a\":2}"[..]));
    assert_eq!(
        (text(&corrected, "ce_dataschema"), text(&corrected, "ce_schemaversion")),
        (Some("urn:s"), Some("2.0.0"))
    );
    assert!(of_answer.iter().all(|name| text(&corrected, name).is_none()));
}

#[test]
fn a_record_that_another_program_wrote_is_no_result_for_review() {
    let mut record = binary(&[(REASON, "ungrounded"), ("sp-source-topic", "t")], Some(b"x"));
    let refused = |record: &Record| WaitingResult::decode(record.clone(), "claims").unwrap_err().to_string();
    assert!(refused(&record).contains("support.tickets/3/42 is no result for review: its header sp-source-partition"));
    record.headers.push(Header::text("sp-source-partition", "many"));
    assert!(refused(&record).contains("sp-source-partition"));
    assert!(refused(&binary(&[], Some(b"x"))).contains(REASON));
    assert!(matches!(WaitingResult::decode(record, "claims"), Err(NotForReview::Foreign(..))));
}

#[test]
fn a_result_of_another_connector_is_for_its_own_reviewers() {
    let record = binary(&[], Some(b"x"));
    let Outgoing { key, value, headers, timestamp_ms } = encode(&record, result(&record), &[Code::Ungrounded]);
    let waiting = Record { position: record.position.clone(), timestamp_ms, key, value, headers };
    assert!(WaitingResult::decode(waiting.clone(), "claims").is_ok());
    for other in ["claim", "claims-eu", "Claims", ""] {
        let refused = WaitingResult::decode(waiting.clone(), other).unwrap_err();
        assert!(matches!(refused, NotForReview::OfOther(..)), "{other}: {refused}");
        assert!(refused.to_string().contains("a result of /structured-prompt/claims;"), "{refused}");
    }
    let mut nameless = waiting;
    nameless.headers.retain(|header| header.name != "ce_source");
    assert!(matches!(WaitingResult::decode(nameless, "claims"), Err(NotForReview::Foreign(_, "ce_source"))));
}

#[test]
fn a_letter_is_as_old_as_the_rejection() {
    let failure = Failure::new(Code::RejectedByReviewer, "ada rejected the result");
    let origin = DeadLetterOrigin { connector: "claims" };
    for timestamp_ms in [Some(1_767_225_600_123), Some(0), None] {
        let record = Record { timestamp_ms, ..binary(&[("sp-source-timestamp", "theirs")], Some(b"x")) };
        let letter = waiting(&record, &[]).rejected(&failure, &origin, AT);
        assert_eq!(letter.timestamp_ms, Some(1_767_225_600_007));
        assert_eq!((&letter.key, &letter.value), (&record.key, &record.value));
        assert!(letter.headers.starts_with(&record.headers));
        let added = letter.headers.get(record.headers.len()..).unwrap().iter();
        let told = added.filter(|header| header.name == "sp-source-timestamp").map(|header| header.value.clone());
        let expected = timestamp_ms.map(|ms| Some(Bytes::from(ms.to_string())));
        assert_eq!(told.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_reviewer_has_a_name_that_an_attribute_can_hold() {
    assert_eq!("Ada Lovelace".parse(), Ok(Reviewer("Ada Lovelace".to_owned())));
    for none in ["", "  ", "a\nb", "a\u{1b}b", "\u{ffff}"] {
        assert!(none.parse::<Reviewer>().is_err(), "{none:?}");
    }
}
