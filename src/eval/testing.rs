//! Labels and outcomes of tests.

use std::time::Duration;

use serde_json::{Value, json};

use super::fields::{Field, of_schema};
use super::labels::{Label, read};
use super::outcome::{End, Given, Outcome, Run};
use crate::domain::answer::{Usage, Validation};
use crate::domain::evidence::{Evidence, EvidenceState, FieldEvidence, Span};
use crate::domain::failure::Code;

/// A name, a total, a mood and tags.
pub(super) fn fields() -> Vec<Field> {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": ["string", "null"] },
            "total": { "type": ["number", "null"] },
            "mood": { "enum": ["good", "bad", "unknown", null] },
            "tags": { "type": "array", "items": { "type": "string" } }
        }
    });
    of_schema(&schema).unwrap()
}

/// A label for each of these expectations, called `l0`, `l1` ….
pub(super) fn labels(expected: &[&str]) -> Vec<Label> {
    let lines = expected.iter().enumerate().map(|(index, expected)| {
        let expected: Value = serde_json::from_str(expected).unwrap();
        let label = json!({
            "id": format!("l{index}"),
            "language": if index % 2 == 0 { "en" } else { "de" },
            "traps": [format!("odd-{}", index % 2)],
            "event": { "body": "Ada owes 12 or 12" },
            "expected": expected,
            "evidence": { "/name": "Ada" },
        });
        label.to_string()
    });
    let (labels, problems) = read("labels.jsonl", &lines.collect::<Vec<_>>().join("\n"));
    assert_eq!(problems, []);
    labels
}

/// An answer with this data, which took one call.
pub(super) fn answer(data: &str) -> Outcome {
    let given = Given {
        data: crate::domain::json::parse(data).unwrap(),
        validation: Validation::Passed,
        confidence: 0.9,
        provider: "p".to_owned(),
        model: "m".to_owned(),
        evidence: None,
    };
    outcome(End::Answer(given))
}

/// Of a field the state, and the places in `/body`.
type Located<'a> = (&'a str, EvidenceState, &'a [(u32, u32)]);

/// The same answer with evidence.
pub(super) fn with_evidence(mut outcome: Outcome, states: &[Located<'_>]) -> Outcome {
    let fields = states.iter().map(|(field, state, spans)| FieldEvidence {
        field: (*field).to_owned(),
        state: *state,
        source: (!spans.is_empty()).then(|| "/body".into()),
        spans: spans.iter().map(|(start, end)| Span { start: *start, end: *end }).collect(),
        accuracy: None,
    });
    if let End::Answer(given) = &mut outcome.end {
        given.evidence = Some(Evidence { fields: fields.collect(), quotes: Vec::new() });
    }
    outcome
}

/// No answer, for this reason.
pub(super) fn failed(code: Code) -> Outcome {
    outcome(End::NoAnswer { code, detail: "because".to_owned() })
}

/// A run of these outcomes.
pub(super) fn run(labels: &[Label], outcomes: Vec<Outcome>) -> Run {
    Run::new("v".to_owned(), &fields(), labels, outcomes)
}

fn outcome(end: End) -> Outcome {
    let usage = Usage { input_tokens: 100, output_tokens: 20, ..Usage::default() };
    Outcome { end, calls: 1, usage, cost_usd: 0.01, took: Duration::from_millis(100) }
}
