//! A dead letter: the original record byte for byte, and why it failed.
//!
//! The `__connect.errors.*` headers are those of Kafka Connect's dead-letter queue (KIP-298), which Kafka tools already
//! read; the `sp-` headers are ours. [`DeadLetter`] reads one back.

mod letter;

use std::time::Duration;

use bytes::Bytes;

pub use self::letter::{DeadLetter, LeftAlone, MOST_REPLAYS, NotALetter};
use super::{cloudevents, trace, write};
use crate::domain::failure::{Failure, Kind, Stage};
use crate::domain::record::{Header, Outgoing, Record};

/// Headers that [`encode`] and [`pointer()`] add at most.
const OURS: usize = 18;
/// The timestamp of the record that a reviewer decided about, in milliseconds since the Unix epoch.
pub(super) const SOURCE_TIMESTAMP: &str = "sp-source-timestamp";

/// Who writes a dead letter.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetterOrigin<'a> {
    /// Name of the connector.
    pub connector: &'a str,
}

/// The dead letter of a record: its key, value, headers and timestamp unchanged, then our headers.
///
/// Ours are appended even where the original has headers of the same names, as a letter that failed again has: the
/// original stays as it was, and since Kafka's `lastHeader` and every reader that fills a map take the last of a
/// name, they see ours.
pub fn encode(record: &Record, failure: &Failure, origin: &DeadLetterOrigin<'_>, now: Duration) -> Outgoing {
    let mut headers = Vec::with_capacity(record.headers.len() + OURS);
    headers.extend_from_slice(&record.headers);
    explain(&mut headers, record, failure, origin, now);
    Outgoing { key: record.key.clone(), value: record.value.clone(), headers, timestamp_ms: record.timestamp_ms }
}

/// A stand-in for a dead letter that is itself too large for its topic: without value and without the sender's headers.
/// Topic, partition and offset lead to the original for as long as its topic keeps it.
pub fn pointer(record: &Record, failure: &Failure, origin: &DeadLetterOrigin<'_>, now: Duration) -> Outgoing {
    let mut headers = Vec::with_capacity(OURS);
    explain(&mut headers, record, failure, origin, now);
    write::push(&mut headers, "sp-value-omitted", "true");
    write::push(&mut headers, "sp-value-bytes", record.value.as_ref().map_or(0, Bytes::len).to_string());
    Outgoing { key: record.key.clone(), value: None, headers, timestamp_ms: record.timestamp_ms }
}

fn explain(
    headers: &mut Vec<Header>,
    record: &Record,
    failure: &Failure,
    origin: &DeadLetterOrigin<'_>,
    now: Duration,
) {
    let stage = failure.code.stage();
    let position = &record.position;
    let detail = Bytes::from(failure.detail.clone());
    write::push(headers, "__connect.errors.topic", position.topic.to_string());
    write::push(headers, "__connect.errors.partition", position.partition.to_string());
    write::push(headers, "__connect.errors.offset", position.offset.to_string());
    write::push(headers, "__connect.errors.connector.name", origin.connector.to_owned());
    // Connect numbers a connector's tasks. All work of ours is task 0.
    write::push(headers, "__connect.errors.task.id", "0");
    write::push(headers, "__connect.errors.stage", stage.as_str());
    write::push(headers, "__connect.errors.class.name", component(stage));
    write::push(headers, "__connect.errors.exception.class.name", failure.code.as_str());
    write::push(headers, "__connect.errors.exception.message", detail.clone());
    write::push(headers, "sp-error-code", failure.code.as_str());
    write::push(headers, "sp-error-detail", detail);
    write::push(headers, "sp-stage", stage.as_str());
    write::push(headers, "sp-attempts", failure.attempts().to_string());
    if !failure.attempt_log.is_empty() {
        write::push(headers, "sp-attempt-log", super::attempt_log::encode(&failure.attempt_log));
    }
    write::push(headers, "sp-first-failed-at", write::time(now));
    write::push(headers, "sp-trace-id", trace_id(record, failure));
}

/// Whether a header marks a dead letter. A record that was one and is sent again must not look like one for ever.
pub(super) fn is_mark(name: &str) -> bool {
    const OURS: [&str; 9] = [
        "sp-error-code",
        "sp-error-detail",
        "sp-stage",
        "sp-attempts",
        "sp-attempt-log",
        "sp-first-failed-at",
        "sp-trace-id",
        "sp-value-omitted",
        "sp-value-bytes",
    ];
    OURS.contains(&name) || name.starts_with("__connect.errors.")
}

/// The trace id under which the record was worked on. A structured event carries it in its value, so the record is
/// decoded once more; but not if decoding may be what failed.
fn trace_id(record: &Record, failure: &Failure) -> String {
    let decodes = failure.code.stage() != Stage::Decode && failure.kind() != Kind::Bug;
    let event = if decodes { cloudevents::decode(record).ok() } else { None };
    trace::context(record, event.as_ref()).trace_id
}

/// The part of this program that failed, where Connect names a Java class.
fn component(stage: Stage) -> &'static str {
    match stage {
        Stage::Decode => "structured-prompt/decode",
        Stage::Resolve => "structured-prompt/resolve",
        Stage::Accept => "structured-prompt/accept",
        Stage::Ask => "structured-prompt/ask",
        Stage::Approve => "structured-prompt/approve",
        Stage::Score => "structured-prompt/score",
        Stage::Publish => "structured-prompt/publish",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::fixtures::{any_record, binary, envelope};
    use crate::domain::answer::Usage;
    use crate::domain::attempt::{Attempt, LadderStep, PassedOver};
    use crate::domain::failure::Code;

    const NOW: Duration = Duration::from_millis(1_767_225_600_007);
    const ORIGIN: DeadLetterOrigin<'static> = DeadLetterOrigin { connector: "support-triage" };

    fn failure() -> Failure {
        let attempt = Attempt {
            step: LadderStep::Ask,
            provider: "gpt".into(),
            model: "gpt-4.1".into(),
            response_id: None,
            usage: Usage::default(),
            cost_usd: 0.0,
            error: Some(Code::AnswerInvalid),
            passed_over: PassedOver::default(),
            times: 1,
        };
        Failure::new(Code::AnswerInvalid, "The answer never fitted the schema.").after(vec![attempt; 3])
    }

    /// The last header of that name, as readers take it.
    fn last<'a>(outgoing: &'a Outgoing, name: &str) -> &'a str {
        let header = outgoing.headers.iter().rev().find(|header| header.name == name).unwrap();
        std::str::from_utf8(header.value.as_ref().unwrap()).unwrap()
    }

    #[test]
    fn says_where_why_and_when() {
        let letter = encode(&binary(&[("sp-stage", "theirs")], Some(b"x")), &failure(), &ORIGIN, NOW);
        for (name, value) in [
            ("__connect.errors.topic", "support.tickets"),
            ("__connect.errors.partition", "3"),
            ("__connect.errors.offset", "42"),
            ("__connect.errors.connector.name", "support-triage"),
            ("__connect.errors.task.id", "0"),
            ("__connect.errors.stage", "approve"),
            ("__connect.errors.class.name", "structured-prompt/approve"),
            ("__connect.errors.exception.class.name", "answer_invalid"),
            ("__connect.errors.exception.message", "The answer never fitted the schema."),
            ("sp-error-code", "answer_invalid"),
            ("sp-error-detail", "The answer never fitted the schema."),
            ("sp-stage", "approve"),
            ("sp-attempts", "3"),
            ("sp-first-failed-at", "2026-01-01T00:00:00.007Z"),
        ] {
            assert_eq!(last(&letter, name), value, "{name}");
        }
    }

    #[test]
    fn names_the_trace_that_the_pipeline_worked_under() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let structured = envelope(&format!(r#","traceparent":"{parent}""#));
        assert_eq!(
            last(&encode(&structured, &failure(), &ORIGIN, NOW), "sp-trace-id"),
            "0af7651916cd43dd8448eb211c80319c"
        );
        let untraced = binary(&[], Some(b"x"));
        let event = cloudevents::decode(&untraced).unwrap();
        let expected = trace::context(&untraced, Some(&event)).trace_id;
        assert_eq!(last(&encode(&untraced, &failure(), &ORIGIN, NOW), "sp-trace-id"), expected);
    }

    #[test]
    fn a_pointer_leads_to_the_original() {
        let record = binary(&[("b", "1")], Some(&[0; 1000]));
        let pointer = pointer(&record, &failure(), &ORIGIN, NOW);
        assert_eq!((&pointer.key, &pointer.value, pointer.timestamp_ms), (&record.key, &None, record.timestamp_ms));
        assert_eq!((last(&pointer, "sp-value-omitted"), last(&pointer, "sp-value-bytes")), ("true", "1000"));
        assert_eq!(last(&pointer, "__connect.errors.offset"), "42");
        assert!(pointer.headers.iter().all(|header| header.name != "b" && !header.name.starts_with("ce_")));
        assert_eq!(pointer.headers.len(), OURS);
    }

    proptest! {
        /// Key, value, timestamp and headers come out byte for byte, with ours behind them.
        #[test]
        fn the_original_is_untouched(record in any_record(), code in prop::sample::select(Code::ALL)) {
            let letter = encode(&record, &Failure::new(code, "detail"), &ORIGIN, NOW);
            prop_assert_eq!(&letter.key, &record.key);
            prop_assert_eq!(&letter.value, &record.value);
            prop_assert_eq!(letter.timestamp_ms, record.timestamp_ms);
            prop_assert!(letter.headers.starts_with(&record.headers));
            prop_assert_eq!(letter.headers.len(), record.headers.len() + OURS - 3);
            prop_assert_eq!(last(&letter, "sp-stage"), code.stage().as_str());
        }
    }
}
