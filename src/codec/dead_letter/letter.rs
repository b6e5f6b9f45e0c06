//! A dead letter, read back: why its record failed, and the record as it is sent again.

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::SOURCE_TIMESTAMP;
use crate::codec::replay_mark::{self, ReplayMark};
use crate::domain::failure::Code;
use crate::domain::record::{Header, Outgoing, Position, Record};
use crate::domain::time;

/// The header with which what [`encode`](super::encode) appends begins.
const FIRST: &str = "__connect.errors.topic";

/// How often an event is sent again at most.
pub const MOST_REPLAYS: u32 = 3;

/// A dead letter of a connector.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Where it stands.
    pub position: Position,
    /// Why the record failed: `sp-error-code`.
    pub code: String,
    /// The stage in which it failed.
    pub stage: String,
    /// The failure in a sentence.
    pub detail: String,
    /// The connector that wrote it.
    pub connector: String,
    /// When the record failed, since the Unix epoch.
    pub failed_at: Option<Duration>,
    /// The calls that were made, as the letter has them: JSON.
    pub attempt_log: Option<String>,
    /// The trace id under which the record was worked on.
    pub trace_id: String,
    /// The record that failed, as it stood in its topic. Without its value if [`DeadLetter::is_pointer`].
    pub source: Record,
    /// Whether the letter only says where its record stands, which was too large for it.
    pub is_pointer: bool,
}

/// A record that is no dead letter of a connector: another program wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotALetter;

/// Why a dead letter is not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftAlone {
    /// Its event was sent again often enough.
    ReplayedTooOften,
    /// It does not hold the value.
    ValueOmitted,
    /// It has a header that cannot be read, so the record could not be sent as it was.
    UnreadableHeader,
    /// The record came from a topic that its connector does not read.
    UnknownTopic,
    /// The topic that it would be sent to does not take records of its size.
    TooLarge,
}

impl LeftAlone {
    /// The name that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReplayedTooOften => "replayed_too_often",
            Self::ValueOmitted => "value_omitted",
            Self::UnreadableHeader => "unreadable_header",
            Self::UnknownTopic => "unknown_topic",
            Self::TooLarge => "too_large",
        }
    }
}

impl DeadLetter {
    /// Reads a record of a dead-letter topic.
    ///
    /// # Errors
    /// [`NotALetter`]: it lacks one of the headers that each letter has.
    pub fn decode(mut record: Record) -> Result<Self, NotALetter> {
        let start = record.headers.iter().rposition(|header| header.name == FIRST).ok_or(NotALetter)?;
        let explanation = Explanation(record.headers.split_off(start));
        let origin = Position {
            topic: explanation.text(FIRST)?.into(),
            partition: explanation.text("__connect.errors.partition")?.parse().map_err(|_| NotALetter)?,
            offset: explanation.text("__connect.errors.offset")?.parse().map_err(|_| NotALetter)?,
        };
        let text = |name| explanation.text(name).map(str::to_owned);
        // A letter that a reviewer made has the time of the rejection: topics delete by it.
        let own_time = explanation.text(SOURCE_TIMESTAMP).ok().and_then(|text| text.parse().ok());
        let timestamp_ms = own_time.or(record.timestamp_ms);
        Ok(Self {
            code: text("sp-error-code")?,
            stage: text("sp-stage")?,
            detail: text("sp-error-detail")?,
            connector: text("__connect.errors.connector.name")?,
            failed_at: time::parse_rfc3339(explanation.text("sp-first-failed-at")?),
            attempt_log: text("sp-attempt-log").ok(),
            trace_id: text("sp-trace-id")?,
            is_pointer: explanation.text("sp-value-omitted") == Ok("true"),
            position: record.position,
            source: Record { position: origin, timestamp_ms, ..record },
        })
    }

    /// The providers that were asked, each once.
    pub fn providers(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Call {
            provider: String,
        }
        let calls: Vec<Call> =
            self.attempt_log.as_ref().and_then(|log| serde_json::from_str(log).ok()).unwrap_or_default();
        let mut providers: Vec<String> = calls.into_iter().map(|call| call.provider).collect();
        providers.sort_unstable();
        providers.dedup();
        providers
    }

    /// How often its event was sent again before it became this letter.
    pub fn replays(&self) -> u32 {
        ReplayMark::of(&self.source).map_or(0, |mark| mark.times)
    }

    /// Why its record must not be sent again, as far as the letter says.
    pub fn left_alone(&self) -> Option<LeftAlone> {
        if self.is_pointer {
            Some(LeftAlone::ValueOmitted)
        } else if self.code == Code::InvalidHeader.as_str() {
            // Headers that could not be read are missing from the letter.
            Some(LeftAlone::UnreadableHeader)
        } else {
            (self.replays() >= MOST_REPLAYS).then_some(LeftAlone::ReplayedTooOften)
        }
    }

    /// The record as it is sent again: key, value and the sender's headers byte for byte, then those that count. Its
    /// time is that of sending, so that a topic with a short retention keeps it.
    pub fn replayed(&self) -> Outgoing {
        let Record { key, value, headers, .. } = &self.source;
        let before = ReplayMark::of(&self.source);
        let mark = ReplayMark {
            times: self.replays() + 1,
            original: before.map_or_else(|| self.source.identity(), |mark| mark.original),
            letter_trace_id: self.trace_id.clone(),
        };
        let mut headers: Vec<Header> =
            headers.iter().filter(|header| !replay_mark::is_mark(&header.name)).cloned().collect();
        mark.push(&mut headers);
        Outgoing { key: key.clone(), value: value.clone(), headers, timestamp_ms: None }
    }
}

/// The headers of a letter that say why it is one.
struct Explanation(Vec<Header>);

impl Explanation {
    fn text(&self, name: &str) -> Result<&str, NotALetter> {
        let header = self.0.iter().rev().find(|header| header.name == name);
        let bytes: Option<&Bytes> = header.and_then(|header| header.value.as_ref());
        bytes.and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or(NotALetter)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codec::dead_letter::{DeadLetterOrigin, encode, pointer};
    use crate::codec::fixtures::{any_record, binary};
    use crate::domain::answer::Usage;
    use crate::domain::attempt::{Attempt, LadderStep, PassedOver};
    use crate::domain::failure::Failure;

    const NOW: Duration = Duration::from_millis(1_767_225_600_007);
    const ORIGIN: DeadLetterOrigin<'static> = DeadLetterOrigin { connector: "support-triage" };

    /// What a topic has of a record that was sent to it.
    fn received(outgoing: Outgoing, topic: &str) -> Record {
        let Outgoing { key, value, headers, timestamp_ms } = outgoing;
        Record {
            position: Position { topic: topic.into(), partition: 0, offset: 9 },
            timestamp_ms,
            key,
            value,
            headers,
        }
    }

    fn letter(record: &Record, failure: &Failure) -> DeadLetter {
        DeadLetter::decode(received(encode(record, failure, &ORIGIN, NOW), "dlq")).unwrap()
    }

    #[test]
    fn a_letter_says_what_its_headers_say() {
        let attempt = |provider: &str| Attempt {
            step: LadderStep::Ask,
            provider: provider.into(),
            model: "m".into(),
            response_id: None,
            usage: Usage::default(),
            cost_usd: 0.0,
            error: Some(Code::AnswerInvalid),
            passed_over: PassedOver::default(),
            times: 1,
        };
        let record = binary(&[("tenant", "a")], Some(b"x"));
        let failure = Failure::new(Code::AnswerInvalid, "It did not fit.");
        let letter = letter(&record, &failure.after(["gpt", "claude", "gpt"].map(attempt).to_vec()));
        assert_eq!((letter.code.as_str(), letter.stage.as_str()), ("answer_invalid", "approve"));
        assert_eq!((letter.detail.as_str(), letter.connector.as_str()), ("It did not fit.", "support-triage"));
        assert_eq!((letter.failed_at, letter.providers()), (Some(NOW), vec!["claude".to_owned(), "gpt".to_owned()]));
        assert_eq!((&letter.source, letter.replays(), letter.is_pointer), (&record, 0, false));
        assert_eq!(letter.position.to_string(), "dlq/0/9");
    }

    #[test]
    fn the_record_of_a_letter_that_a_reviewer_made_has_its_own_time() {
        let record = binary(&[("sp-source-timestamp", "theirs")], Some(b"x"));
        let mut rejected = encode(&record, &Failure::new(Code::RejectedByReviewer, "no"), &ORIGIN, NOW);
        rejected.timestamp_ms = Some(1_800_000_000_000);
        let own_time = Header { name: SOURCE_TIMESTAMP.into(), value: Some("1767225600123".into()) };
        rejected.headers.push(own_time);
        let source = DeadLetter::decode(received(rejected, "dlq")).unwrap().source;
        assert_eq!(source, Record { timestamp_ms: Some(1_767_225_600_123), ..record });
    }

    #[test]
    fn a_record_whose_headers_could_not_be_read_is_left_alone() {
        let letter = letter(&binary(&[], Some(b"x")), &Failure::new(Code::InvalidHeader, "a name that is not UTF-8"));
        assert_eq!(letter.left_alone(), Some(LeftAlone::UnreadableHeader));
    }

    #[test]
    fn an_event_that_fails_again_and_again_is_left_alone_after_three_times() {
        let failure = Failure::new(Code::AnswerInvalid, "It did not fit.");
        let first = binary(&[("tenant", "a")], Some(b"x"));
        let mut record = first.clone();
        for times in 1..=MOST_REPLAYS {
            let letter = letter(&record, &failure);
            assert_eq!((letter.replays(), letter.left_alone()), (times - 1, None));
            record = received(letter.replayed(), "support.tickets");
            assert!(record.headers.starts_with(&first.headers), "{:?}", record.headers);
            assert_eq!(record.headers.len(), first.headers.len() + 3, "the marks of earlier times are replaced");
            let mark = ReplayMark::of(&record).unwrap();
            assert_eq!((mark.times, mark.original, mark.letter_trace_id), (times, first.identity(), letter.trace_id));
        }
        assert_eq!(letter(&record, &failure).left_alone(), Some(LeftAlone::ReplayedTooOften));
    }

    #[test]
    fn a_pointer_is_left_alone() {
        let failure = Failure::new(Code::ResultTooLarge, "too large");
        let pointer = pointer(&binary(&[], Some(b"x")), &failure, &ORIGIN, NOW);
        let letter = DeadLetter::decode(received(pointer, "dlq")).unwrap();
        assert_eq!((letter.left_alone(), letter.source.position.offset), (Some(LeftAlone::ValueOmitted), 42));
    }

    #[test]
    fn a_record_that_lacks_a_header_of_a_letter_is_none() {
        assert_eq!(DeadLetter::decode(binary(&[], Some(b"x"))), Err(NotALetter));
        let whole = received(encode(&binary(&[], None), &Failure::new(Code::Tombstone, "t"), &ORIGIN, NOW), "dlq");
        for name in ["__connect.errors.offset", "sp-error-code", "sp-trace-id"] {
            let mut record = whole.clone();
            record.headers.retain(|header| header.name != name);
            assert_eq!(DeadLetter::decode(record), Err(NotALetter), "{name}");
        }
    }

    proptest! {
        /// Whatever the record is, also one that was a letter before, and whatever another program has appended.
        #[test]
        fn the_record_comes_back_byte_for_byte(record in any_record(), code in prop::sample::select(Code::ALL), nested: bool) {
            let failure = Failure::new(code, "detail");
            let record = if nested { received(encode(&record, &failure, &ORIGIN, NOW), "in") } else { record };
            let mut sent = received(encode(&record, &failure, &ORIGIN, NOW), "dlq");
            sent.headers.push(Header::text("of-a-mirror", "x"));
            let letter = DeadLetter::decode(sent).unwrap();
            prop_assert_eq!(&letter.source, &record);
            let again = letter.replayed();
            prop_assert_eq!((&again.key, &again.value, again.timestamp_ms), (&record.key, &record.value, None));
            prop_assert_eq!(&again.headers[..record.headers.len()], &record.headers[..]);
        }
    }
}
