//! Where the values of an answer stand in the record, as compact JSON in an attribute.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::ascii;
use crate::domain::agreement::Agreement;
use crate::domain::evidence::{Evidence, EvidenceState, FieldEvidence, Span};
use crate::domain::logprobs::{ByField, ValueLogprob};

/// Longest text. A record's headers count against its topic's limit of size, and brokers and proxies have limits of their
/// own.
const MAX_BYTES: usize = 8 << 10;
/// What the note on fields that were left out takes at most.
const LEFT_OUT_BYTES: usize = 64;

/// What is said of one field. The order is that of the text.
#[derive(Serialize)]
struct Place<'a> {
    evidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spans: Vec<[u32; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprob_mean: Option<f64>,
    /// Whether a second provider gave the same value, where one was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreed: Option<bool>,
    /// How often such values were right, to the third decimal, and of how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
}

/// What a result says of where its values stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReadEvidence {
    /// By the JSON Pointer of each value.
    pub fields: BTreeMap<String, ReadField>,
    /// How many more fields there were than had room.
    pub left_out: usize,
}

/// The same of one value.
#[derive(Debug, PartialEq, Eq)]
pub struct ReadField {
    /// Whether and how the text has it.
    pub state: EvidenceState,
    /// The text that has it.
    pub source: Option<String>,
    /// Its places there.
    pub spans: Vec<Span>,
}

/// A member as it is read: a field, or the note on those that were left out, which has `fields` alone.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Member {
    evidence: Option<String>,
    source: Option<String>,
    spans: Vec<[u32; 2]>,
    fields: Option<usize>,
}

/// Reads what [`encode`] wrote; `None` if the text is something else.
pub fn decode(text: &str) -> Option<ReadEvidence> {
    let members: BTreeMap<String, Member> = serde_json::from_str(text).ok()?;
    let mut read = ReadEvidence::default();
    for (name, Member { evidence, source, spans, fields }) in members {
        let Some(evidence) = evidence else {
            read.left_out = fields?;
            continue;
        };
        let state = EvidenceState::ALL.into_iter().find(|state| state.as_str() == evidence)?;
        let spans = spans.into_iter().map(|[start, end]| Span { start, end }).collect();
        read.fields.insert(name, ReadField { state, source, spans });
    }
    Some(read)
}

/// `{"/order_id":{"evidence":"exact","source":"/body","spans":[[112,121]]}, …}`: each value's JSON Pointer in the data
/// with its evidence, in the order of the answer. Fields for which there is no room are left out from the end, and counted
/// in the last member, whose name is no pointer: `"left_out":{"fields":12}`. ASCII, because it stands in a header. Log
/// probabilities, whether a second provider agrees, and how often such values were right stand beside the evidence.
pub(super) fn encode(evidence: &Evidence, logprobs: &[ValueLogprob], agreement: Option<&Agreement>) -> Bytes {
    let logprobs = ByField::new(logprobs);
    let mut text = String::from("{");
    for (index, field) in evidence.fields.iter().enumerate() {
        let agreed = agreement.and_then(|agreement| agreement.of(&field.field));
        let entry = entry(field, logprobs.mean(&field.field), agreed);
        let is_last = index + 1 == evidence.fields.len();
        let rest = if is_last { 1 } else { LEFT_OUT_BYTES };
        let separator = if index == 0 { "" } else { "," };
        if text.len() + separator.len() + entry.len() + rest > MAX_BYTES {
            let left_out = evidence.fields.len() - index;
            // A string takes everything.
            write!(text, "{separator}\"left_out\":{{\"fields\":{left_out}}}").unwrap_or_default();
            break;
        }
        text.push_str(separator);
        text.push_str(&entry);
    }
    text.push('}');
    Bytes::from(text.into_boxed_str().into_boxed_bytes())
}

fn entry(field: &FieldEvidence, logprob_mean: Option<f64>, agreed: Option<bool>) -> String {
    let FieldEvidence { field: pointer, state, source, spans, accuracy } = field;
    let place = Place {
        evidence: state.as_str(),
        source: source.as_deref(),
        spans: spans.iter().map(|span| [span.start, span.end]).collect(),
        logprob_mean,
        agreed,
        p: accuracy.map(|accuracy| (accuracy.p * 1000.0).round() / 1000.0),
        n: accuracy.map(|accuracy| accuracy.n),
    };
    // Texts and numbers can be written.
    let [pointer, place] =
        [serde_json::to_string(pointer), serde_json::to_string(&place)].map(Result::unwrap_or_default);
    ascii::json(format!("{pointer}:{place}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::evidence::{Accuracy, EvidenceState, Span};

    fn field(pointer: &str, state: EvidenceState) -> FieldEvidence {
        let is_located = state.is_located();
        FieldEvidence {
            field: pointer.into(),
            state,
            source: is_located.then(|| "/körper".into()),
            spans: if is_located { vec![Span { start: 112, end: 121 }] } else { Vec::new() },
            accuracy: None,
        }
    }

    fn read(fields: Vec<FieldEvidence>) -> (usize, Value) {
        read_with(fields, &[])
    }

    fn read_with(fields: Vec<FieldEvidence>, logprobs: &[ValueLogprob]) -> (usize, Value) {
        let evidence = Evidence { fields, quotes: Vec::new() };
        let bytes = encode(&evidence, logprobs, None);
        assert!(bytes.iter().all(|byte| (b' '..=b'~').contains(byte)), "{bytes:?}");
        let read = decode(std::str::from_utf8(&bytes).unwrap()).unwrap();
        assert_eq!(read.fields.len() + read.left_out, evidence.fields.len());
        for field in evidence.fields.iter().take(read.fields.len()) {
            let FieldEvidence { state, source, spans, .. } = field;
            let source = source.as_deref().map(str::to_owned);
            let expected = ReadField { state: *state, source, spans: spans.clone() };
            assert_eq!(read.fields.get(&field.field), Some(&expected));
        }
        (bytes.len(), serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn each_field_has_its_evidence() {
        let fields = vec![
            field("/order_id", EvidenceState::Exact),
            field("/größe/0", EvidenceState::None),
            field("/a\u{7f}\n\"", EvidenceState::Judged),
        ];
        let expected = json!({
            "/order_id": { "evidence": "exact", "source": "/körper", "spans": [[112, 121]] },
            "/größe/0": { "evidence": "none" },
            "/a\u{7f}\n\"": { "evidence": "judged" },
        });
        assert_eq!(read(fields).1, expected);
        assert_eq!(read(Vec::new()).1, json!({}));
    }

    #[test]
    fn a_field_has_the_log_probability_of_its_value_where_there_is_one() {
        let fields = vec![field("/a~1b", EvidenceState::Judged), field("/c", EvidenceState::None)];
        let logprobs = [("/a~1b", -0.0617), ("/other", -1.0)].map(|(field, mean)| ValueLogprob {
            field: field.into(),
            mean,
            tokens: 2,
        });
        let expected = json!({
            "/a~1b": { "evidence": "judged", "logprob_mean": -0.0617 },
            "/c": { "evidence": "none" },
        });
        assert_eq!(read_with(fields, &logprobs).1, expected);
    }

    #[test]
    fn each_field_that_a_second_provider_was_asked_about_says_whether_it_agrees() {
        let fields = ["/a", "/b", "/c"].map(|pointer| field(pointer, EvidenceState::Judged)).into();
        let agreement = Agreement::new(0.5, vec![("/a".into(), true), ("/b".into(), false)]);
        let bytes = encode(&Evidence { fields, quotes: Vec::new() }, &[], Some(&agreement));
        let expected = json!({
            "/a": { "evidence": "judged", "agreed": true },
            "/b": { "evidence": "judged", "agreed": false },
            "/c": { "evidence": "judged" },
        });
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), expected);
    }

    #[test]
    fn a_field_says_how_often_such_values_were_right_where_that_was_counted() {
        let accuracy = Some(Accuracy { p: 22.0 / 23.0, n: 23 });
        let counted = FieldEvidence { accuracy, ..field("/a", EvidenceState::None) };
        assert_eq!(read(vec![counted]).1, json!({ "/a": { "evidence": "none", "p": 0.957, "n": 23 } }));
    }

    #[test]
    fn what_there_is_no_room_for_is_left_out_from_the_end_and_counted() {
        for (count, is_cut) in [(50, false), (5_000, true)] {
            let fields = (0..count).map(|n| field(&format!("/items/{n}"), EvidenceState::Exact)).collect();
            let (bytes, read) = read(fields);
            let members = read.as_object().unwrap();
            assert!(bytes <= MAX_BYTES, "{bytes}");
            assert_eq!(members.contains_key("left_out"), is_cut);
            if is_cut {
                let kept = members.len() - 1;
                assert_eq!(members["left_out"], json!({ "fields": count - kept }));
                assert!(bytes > MAX_BYTES - 256 && members.contains_key(&format!("/items/{}", kept - 1)));
            }
        }
        let long = vec![field(&format!("/{}", "x".repeat(MAX_BYTES)), EvidenceState::None)];
        assert_eq!(read(long).1, json!({ "left_out": { "fields": 1 } }));
    }

    #[test]
    fn what_is_no_evidence_of_ours_is_not_read() {
        assert_eq!(decode("{}"), Some(ReadEvidence::default()));
        for text in ["", "[]", "{", r#"{"/a":{"evidence":"guessed"}}"#, r#"{"/a":{}}"#, r#"{"/a":"exact"}"#] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
