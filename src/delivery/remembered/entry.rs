//! A remembered outcome as bytes: JSON of a version, so that another version's entry is told from ours; [`packed`],
//! because a store keeps millions of them for days.

mod packed;

use std::sync::Arc;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::delivery::outcome::{RecordOutcome, Settled};
use crate::domain::answer::CacheHit;
use crate::domain::failure::Code;
use crate::domain::record::{Header, Outgoing};
use crate::telemetry::traces::trace::Trace;

const VERSION: u32 = 2;
/// The version before, which is still read: all of its texts are Base64, and it is not packed.
const FORMER_VERSION: u32 = 1;
/// What Base64 begins with, to tell it from other texts.
const BASE64: char = '\0';
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
    let text = |bytes: &Option<Bytes>| bytes.as_ref().map(|bytes| text_of(bytes));
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
    let json = serde_json::to_vec(&entry).unwrap_or_default();
    Bytes::from(packed::pack(&json).unwrap_or(json))
}

/// `None` if the bytes are no entry of this version or the one before.
pub(super) fn decode(bytes: &[u8]) -> Option<Settled> {
    let entry: Entry = serde_json::from_slice(&packed::unpack(bytes)?).ok()?;
    let is_former = match entry.version {
        VERSION => false,
        FORMER_VERSION => true,
        _ => return None,
    };
    let bytes_of = |text: Option<String>| text.map(|text| bytes_of(text, is_former)).transpose().ok();
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

/// Bytes as text: as they are, which takes a third less than Base64, where they are text.
fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with(BASE64) => text.to_owned(),
        Ok(_) | Err(_) => format!("{BASE64}{}", STANDARD.encode(bytes)),
    }
}

/// # Errors
/// For text that should be Base64 and is not.
fn bytes_of(text: String, is_former: bool) -> Result<Bytes, DecodeError> {
    let base64 = if is_former { Some(text.as_str()) } else { text.strip_prefix(BASE64) };
    match base64 {
        Some(base64) => STANDARD.decode(base64).map(Bytes::from),
        None => Ok(Bytes::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(outcome: RecordOutcome) -> Settled {
        let headers = vec![
            Header::text("ce_id", "1"),
            Header { name: "raw".into(), value: Some(Bytes::from_static(b"\xff\x00")) },
            Header { name: "raw".into(), value: None },
            Header { name: "raw".into(), value: Some(Bytes::from_static(b"\0Zm9v")) },
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

    /// As version 0.1.0 wrote it.
    #[test]
    fn an_entry_of_the_version_before_is_read() {
        let former = r#"{"version":1,"outcome":{"result":{"confidence":0.5,"reference_usd":0.25}},"key":"aw==",
            "value":"eyJhIjoxfQ==","headers":[["ce_id","MQ=="],["raw","/wA="],["raw",null],["raw","AFptOXY="]],
            "timestamp_ms":7}"#;
        let read = decode(former.as_bytes()).unwrap();
        let expected = settled(RecordOutcome::DeadLetter { code: Code::AnswerInvalid }).outgoing;
        assert_eq!(read.outgoing, Outgoing { key: Some(Bytes::from_static(b"k")), ..expected });
        assert_eq!(read.outcome, result(false, 0.5, 0.25));
        assert!(decode(former.replace("eyJhIjoxfQ==", "not Base64").as_bytes()).is_none());
    }

    #[test]
    fn what_is_no_entry_of_a_known_version_is_none() {
        let packed = encode(&settled(RecordOutcome::DeadLetter { code: Code::AnswerInvalid }));
        let text = String::from_utf8(packed::unpack(&packed).unwrap().into_owned()).unwrap();
        for other in ["", "{}", &text.replace("\"version\":2", "\"version\":3"), &text.replace("answer_invalid", "new")]
        {
            assert!(decode(other.as_bytes()).is_none(), "{other}");
            assert!(decode(&packed::pack(other.as_bytes()).unwrap()).is_none(), "{other}");
        }
    }
}
