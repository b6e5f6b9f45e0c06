//! Labels: events with the fields of a right answer, one JSON object a line.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::domain::json;
use crate::domain::nearest::nearest;
use crate::schema::Schema;

/// The members that a line may have.
const MEMBERS: [&str; 6] = ["id", "language", "traps", "event", "expected", "evidence"];
/// Hexadecimal digits that tell one label from another.
const DIGEST_BYTES: usize = 8;

/// An event with what is expected of its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// Its name in reports; unique.
    pub id: String,
    /// The line that it stands in.
    pub place: Place,
    /// The language of its text.
    pub language: Option<String>,
    /// What makes it hard, in words of the labeller's own.
    pub traps: Vec<String>,
    /// What the connector receives: a CloudEvent in the JSON format, or what the connector's format says.
    pub event: Value,
    /// The fields of a right answer. One that is null or left out is not in the text.
    pub expected: Map<String, Value>,
    /// For fields, by their JSON Pointer, the part of the text that says so, word for word.
    pub evidence: BTreeMap<String, String>,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct LabelProblem {
    /// The line.
    pub place: Place,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Label {
    /// Tells whether another run was asked the same and expected the same.
    pub fn digest(&self) -> String {
        let expected = Value::Object(self.expected.clone());
        let text = [json::canonical(&self.event), json::canonical(&expected)].join("\n");
        Sha256::digest(text).iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The labels of a file, and what is wrong with its other lines. Blank lines are passed over.
pub fn read(file: &str, text: &str) -> (Vec<Label>, Vec<LabelProblem>) {
    let (mut labels, mut problems) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = Place { file: file.to_owned(), line: index + 1 };
        match label(&place, line) {
            Ok(label) => labels.push(label),
            Err(message) => problems.push(LabelProblem { place, message }),
        }
    }
    (labels, problems)
}

/// What is wrong with labels together, and with what they expect by the schema that answers are held against.
pub fn check(labels: &[Label], schema: &Schema) -> Vec<LabelProblem> {
    let mut problems = Vec::new();
    let mut first: HashMap<&str, &Place> = HashMap::new();
    for label in labels {
        let mut add = |message: String| problems.push(LabelProblem { place: label.place.clone(), message });
        if let Some(earlier) = first.get(label.id.as_str()) {
            add(format!("the id {} is that of {earlier}, too; give each label an id of its own", label.id));
        } else {
            first.insert(&label.id, &label.place);
        }
        let expected = Value::Object(label.expected.clone());
        if let Err(violations) = schema.validate(&expected) {
            let told =
                violations.iter().take(3).map(|violation| format!("{}: {}", violation.pointer, violation.message));
            let told = told.collect::<Vec<_>>().join("; ");
            add(format!("no answer can be as expected, by the schema {}: {told}", schema.name()));
        }
    }
    problems
}

fn label(place: &Place, line: &str) -> Result<Label, String> {
    let value = json::parse(line).map_err(|fault| format!("{fault}; write one JSON object a line"))?;
    let Value::Object(mut members) = value else { return Err("expected a JSON object".to_owned()) };
    if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let help = nearest(unknown, MEMBERS).map_or_else(|| MEMBERS.join(", "), |near| format!("did you mean {near}?"));
        return Err(format!("a label has no member {unknown:?}; {help}"));
    }
    let event = members.remove("event").ok_or("event is missing; write what the connector receives")?;
    let expected = match members.remove("expected") {
        Some(Value::Object(expected)) => expected,
        Some(_) => return Err("expected: it must be an object with the fields of a right answer".to_owned()),
        None => return Err("expected is missing; write the fields of a right answer".to_owned()),
    };
    let of_event = || event.get("id").and_then(Value::as_str).map(str::to_owned);
    let id = text(&mut members, "id")?.or_else(of_event).unwrap_or_else(|| place.to_string());
    Ok(Label {
        id,
        place: place.clone(),
        language: text(&mut members, "language")?,
        traps: traps(members.remove("traps"))?,
        evidence: evidence(members.remove("evidence"))?,
        event,
        expected,
    })
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name}: it must be a text")),
    }
}

fn traps(value: Option<Value>) -> Result<Vec<String>, String> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let traps = value.as_array().map(|traps| traps.iter().map(|trap| trap.as_str().map(str::to_owned)).collect());
    traps.flatten().ok_or_else(|| "traps: it must be a list of texts".to_owned())
}

fn evidence(value: Option<Value>) -> Result<BTreeMap<String, String>, String> {
    let wrong = || {
        "evidence: it must be an object of quotes by JSON Pointer, for example { \"/total\": \"12,50 €\" }".to_owned()
    };
    let members = match value {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(wrong()),
    };
    let quotes = members.into_iter().filter(|(_, quote)| !quote.is_null()).map(|(pointer, quote)| {
        let quote = quote.as_str().filter(|_| pointer.starts_with('/')).map(str::to_owned);
        quote.map(|quote| (pointer, quote)).ok_or_else(wrong)
    });
    quotes.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(text: &str) -> Vec<String> {
        read("labels.jsonl", text).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_is_an_event_with_what_is_expected() {
        let text = concat!(
            r#"{"id":"t-1","language":"de","traps":["two-amounts"],"event":{"id":"e"},"expected":{"total":12.50},"#,
            r#""evidence":{"/total":"12,50 €","/name":null}}"#,
            "\n\n",
            r#"{"event":{"id":"e-2"},"expected":{}}"#,
            "\n",
            r#"{"event":"plain text","expected":{}}"#,
        );
        let (labels, problems) = read("l.jsonl", text);
        assert_eq!(problems, []);
        assert_eq!(labels[0].traps, ["two-amounts"]);
        assert_eq!(labels[0].evidence, BTreeMap::from([("/total".to_owned(), "12,50 €".to_owned())]));
        assert_eq!((labels[1].id.as_str(), labels[1].place.line), ("e-2", 3));
        assert_eq!(labels[2].id, "l.jsonl:4");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let text = [
            "not json",
            "[]",
            r#"{"event":{},"expcted":{}}"#,
            r#"{"expected":{}}"#,
            r#"{"event":{}}"#,
            r#"{"event":{},"expected":[]}"#,
            r#"{"event":{},"expected":{},"traps":"x"}"#,
            r#"{"event":{},"expected":{},"evidence":{"total":"x"}}"#,
            r#"{"event":{},"expected":{},"id":7}"#,
            r#"{"event":{},"event":{},"expected":{}}"#,
        ];
        let found = problems(&text.join("\n"));
        assert_eq!(found.len(), text.len());
        for (index, part) in [
            "not valid JSON",
            "expected a JSON object",
            "did you mean expected?",
            "event is missing",
            "expected is missing",
            "must be an object",
            "list of texts",
            "JSON Pointer",
            "id: it must be a text",
            "/event twice",
        ]
        .iter()
        .enumerate()
        {
            let start = format!("labels.jsonl:{}: ", index + 1);
            assert!(found[index].starts_with(&start) && found[index].contains(part), "{part}: {}", found[index]);
        }
    }

    #[test]
    fn what_no_answer_can_be_is_no_label() {
        let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] });
        let schema = Schema::compile("numbers", "1.0.0", schema).unwrap();
        let text = r#"{"id":"a","event":{},"expected":{"n":1}}
{"id":"a","event":{},"expected":{"n":2}}
{"id":"b","event":{},"expected":{"n":"two"}}
{"id":"c","event":{},"expected":{}}"#;
        let (labels, _) = read("l", text);
        let found: Vec<String> = check(&labels, &schema).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("l:2: the id a is that of l:1, too"), "{found:?}");
        assert!(found[1].starts_with("l:3: ") && found[1].contains("/n: "), "{found:?}");
        assert!(found[2].starts_with("l:4: ") && found[2].contains("by the schema numbers"), "{found:?}");
    }

    #[test]
    fn the_same_question_with_the_same_answer_has_the_same_digest() {
        let digest = |line: &str| read("l", line).0[0].digest();
        let first = digest(r#"{"id":"a","event":{"a":1,"b":2},"expected":{"n":1}}"#);
        assert_eq!(first, digest(r#"{"id":"b","event":{"b":2,"a":1},"expected":{"n":1},"traps":["x"]}"#));
        assert_ne!(first, digest(r#"{"id":"a","event":{"a":1,"b":2},"expected":{"n":2}}"#));
        assert_ne!(first, digest(r#"{"id":"a","event":{"a":1,"b":3},"expected":{"n":1}}"#));
        assert_eq!(first.len(), 16);
    }
}
