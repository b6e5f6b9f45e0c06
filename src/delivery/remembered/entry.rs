//! A remembered outcome as bytes: JSON of a version, so that another version's entry is told from ours.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::delivery::outcome::{RecordOutcome, Settled};
use crate::domain::answer::CacheHit;
use crate::domain::failure::Code;
use crate::domain::record::{Header, Outgoing};
use crate::telemetry::traces::trace::Trace;

const VERSION: u32 = 1;
/// The one header that a remembered outcome does not keep as it was: it tells where this outcome comes from.
const CACHE_HIT: &str = "ce_cachehit";

#[derive(Serialize, Deserialize)]
struct Entry {
    version: u32,
    outcome: Kind,
    key: Option<String>,
    value: Option<String>,
    headers: Vec<(String, Option<String>)>,
    timestamp_ms: Option<i64>,
    /// The topic that was chosen for the result, where its connector has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Result {
        confidence: f64,
        reference_usd: f64,
    },
    /// A result for review. Apart from the others, so that no earlier version takes it for one of them.
    Review {
        confidence: f64,
        reference_usd: f64,
    },
    DeadLetter {
        code: String,
        detail: Option<String>,
    },
}

pub(super) fn encode(settled: &Settled) -> Bytes {
    let Settled { outgoing, topic, outcome, is_pointer: _, detail, trace: _ } = settled;
    let outcome = match *outcome {
        RecordOutcome::Result { is_for_review: true, confidence, reference_usd, cache_hit: _ } => {
            Kind::Review { confidence, reference_usd }
        }
        RecordOutcome::Result { is_for_review: false, confidence, reference_usd, cache_hit: _ } => {
            Kind::Result { confidence, reference_usd }
        }
        RecordOutcome::DeadLetter { code } => {
            Kind::DeadLetter { code: code.as_str().to_owned(), detail: detail.clone() }
        }
    };
    let text = |bytes: &Option<Bytes>| bytes.as_ref().map(|bytes| STANDARD.encode(bytes));
    let entry = Entry {
        version: VERSION,
        outcome,
        key: text(&outgoing.key),
        value: text(&outgoing.value),
        headers: outgoing
            .headers
            .iter()
            .map(|header| (header.name.clone().into_owned(), text(&header.value)))
            .collect(),
        timestamp_ms: outgoing.timestamp_ms,
        topic: topic.as_deref().map(str::to_owned),
    };
    // JSON of strings and finite numbers cannot fail.
    Bytes::from(serde_json::to_vec(&entry).unwrap_or_default())
}

/// `None` if the bytes are no entry of this version.
pub(super) fn decode(bytes: &[u8]) -> Option<Settled> {
    let entry: Entry = serde_json::from_slice(bytes).ok().filter(|entry: &Entry| entry.version == VERSION)?;
    let (outcome, detail) = match entry.outcome {
        Kind::Result { confidence, reference_usd } => (result(false, confidence, reference_usd), None),
        Kind::Review { confidence, reference_usd } => (result(true, confidence, reference_usd), None),
        Kind::DeadLetter { code, detail } => {
            let code = Code::ALL.iter().copied().find(|known| known.as_str() == code)?;
            (RecordOutcome::DeadLetter { code }, detail)
        }
    };
    let headers = entry.headers.into_iter().map(|(name, value)| {
        let value = if name == CACHE_HIT {
            Some(Bytes::from_static(CacheHit::Journal.as_str().as_bytes()))
        } else {
            bytes_of(value)?
        };
        Some(Header { name: name.into(), value })
    });
    let outgoing = Outgoing {
        key: bytes_of(entry.key)?,
        value: bytes_of(entry.value)?,
        headers: headers.collect::<Option<_>>()?,
        timestamp_ms: entry.timestamp_ms,
    };
    let topic = entry.topic.map(Arc::from);
    Some(Settled { outgoing, topic, outcome, is_pointer: false, detail, trace: Trace::default() })
}

fn result(is_for_review: bool, confidence: f64, reference_usd: f64) -> RecordOutcome {
    RecordOutcome::Result { is_for_review, cache_hit: CacheHit::Journal, confidence, reference_usd }
}

/// The outer `None` is text that is not Base64.
#[allow(clippy::option_option, reason = "an absent value is a value")]
fn bytes_of(text: Option<String>) -> Option<Option<Bytes>> {
    text.map(|text| STANDARD.decode(text).map(Bytes::from)).transpose().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(outcome: RecordOutcome) -> Settled {
        let headers = vec![
            Header::text("ce_id", "1"),
            Header { name: "raw".into(), value: Some(Bytes::from_static(b"\xff\x00")) },
            Header { name: "raw".into(), value: None },
        ];
        let value = Some(Bytes::from_static(b"{\"a\":1}"));
        let outgoing = Outgoing { key: None, value, headers, timestamp_ms: Some(7) };
        let (detail, trace, topic) = (Some("why".to_owned()), Trace::default(), Some("out.eu".into()));
        Settled { outgoing, topic, outcome, is_pointer: false, detail, trace }
    }

    #[test]
    fn an_entry_gives_back_every_byte() {
        let dead_letter = settled(RecordOutcome::DeadLetter { code: Code::AnswerInvalid });
        let read = decode(&encode(&dead_letter)).unwrap();
        assert_eq!(
            (read.outgoing, read.outcome, read.detail),
            (dead_letter.outgoing, dead_letter.outcome, dead_letter.detail)
        );
        for is_for_review in [false, true] {
            let outcome =
                |cache_hit| RecordOutcome::Result { is_for_review, cache_hit, confidence: 0.5, reference_usd: 0.25 };
            let result = settled(outcome(CacheHit::None));
            let read = decode(&encode(&result)).unwrap();
            assert_eq!((read.outgoing, read.outcome), (result.outgoing, outcome(CacheHit::Journal)));
            assert_eq!(read.topic, result.topic);
        }
    }

    #[test]
    fn what_is_no_entry_of_this_version_is_none() {
        let text =
            String::from_utf8(encode(&settled(RecordOutcome::DeadLetter { code: Code::AnswerInvalid })).to_vec())
                .unwrap();
        for other in ["", "{}", &text.replace("\"version\":1", "\"version\":2"), &text.replace("answer_invalid", "new")]
        {
            assert!(decode(other.as_bytes()).is_none(), "{other}");
        }
    }
}
