//! The labelled events of `examples/eval` are what their page says, and agree with their schemas and texts.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "in a test they are assertions")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use structured_prompt::evidence::{Locator, Source};
use structured_prompt::schema::Schema;
use unicode_normalization::UnicodeNormalization;

const SETS: [&str; 3] = ["tickets", "invoices", "forms"];

/// One line of a labelled file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    language: String,
    traps: BTreeSet<String>,
    event: Value,
    expected: Map<String, Value>,
    /// The piece of the text that says a field, by JSON Pointer into `expected`; none where it takes several pieces.
    evidence: BTreeMap<String, Option<String>>,
}

impl Row {
    /// What the prompt shows of the event: the texts that a quote can come from.
    fn texts(&self) -> Vec<&str> {
        ["/subject", "/body"].into_iter().filter_map(|pointer| self.text(pointer)).collect()
    }

    /// One of these texts, by its JSON Pointer into the event's data.
    fn text(&self, pointer: &str) -> Option<&str> {
        self.event["data"].pointer(pointer)?.as_str()
    }

    /// Whether a piece of a text, in code points, lies within a quote.
    fn is_in_quote(&self, pointer: &str, piece: Range<usize>, quote: &str) -> bool {
        let text = self.text(pointer).expect("a text of the event");
        let points = |bytes: &str| bytes.chars().count();
        text.match_indices(quote)
            .map(|(at, _)| points(text.split_at(at).0))
            .any(|start| start <= piece.start && piece.end <= start + points(quote))
    }

    /// Each field that one piece of the text says, and this piece.
    fn quotes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.evidence.iter().filter_map(|(field, quote)| Some((field.as_str(), quote.as_deref()?)))
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/eval")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(folder().join(file)).expect("a file of the example")
}

fn rows(set: &str) -> Vec<Row> {
    let row = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {set}: {line}"));
    read(&format!("{set}.jsonl")).lines().map(row).collect()
}

fn all_rows() -> Vec<Row> {
    SETS.into_iter().flat_map(rows).collect()
}

fn schema(set: &str) -> Schema {
    let json = serde_json::from_str(&read(&format!("{set}.schema.json"))).expect("JSON");
    Schema::compile(set, "1.0.0", json).expect("a schema")
}

fn properties(schema: &Schema) -> &Map<String, Value> {
    schema.json()["properties"].as_object().expect("properties")
}

/// The rows of a table of the page whose header begins so, each as its cells.
fn table(header: &str) -> Vec<Vec<String>> {
    let page = read("README.md");
    let lines = page.lines().skip_while(|line| !line.starts_with(header)).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// Whether a value has a place in the text: the schema does not leave it to judgement.
fn is_located(property: &Value) -> bool {
    let is_judged = property.get("enum").is_some()
        || property["type"].to_string().contains("boolean")
        || property.get("x-evidence").is_some_and(|evidence| evidence == "judged");
    !is_judged
}

/// Letters and digits alone, without case, digits of every script as 0 to 9.
fn folded(text: &str) -> String {
    let lower = text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric());
    lower.map(|c| decimal_digit(c).unwrap_or(c)).collect()
}

/// Arabic-Indic digits and those of Persian as ASCII.
fn decimal_digit(c: char) -> Option<char> {
    let zero = ['\u{660}', '\u{6f0}'].into_iter().find(|zero| (*zero..).take(10).any(|digit| digit == c))?;
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

#[test]
fn there_are_enough_events_to_tell_variants_apart() {
    let rows = all_rows();
    assert!(rows.len() >= 160, "{}", rows.len());
}

#[test]
fn the_page_counts_the_events_by_set_and_language() {
    let header: Vec<String> = ["en", "de", "fr", "es", "ar", "ja"].map(str::to_owned).to_vec();
    let counts = SETS.map(|set| {
        let rows = rows(set);
        let by_language = header.iter().map(|language| rows.iter().filter(|row| row.language == **language).count());
        let counts: Vec<usize> = by_language.chain([rows.len()]).collect();
        assert!(counts.iter().take(5).all(|count| *count >= 10), "{set}: {counts:?}");
        std::iter::once(format!("`{set}.jsonl`")).chain(counts.iter().map(ToString::to_string)).collect::<Vec<_>>()
    });
    assert_eq!(table("| file | en | de | fr | es | ar | ja | all |"), counts);
}

#[test]
fn every_kind_of_trap_is_explained_and_occurs_at_least_five_times() {
    let rows = all_rows();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().flat_map(|row| &row.traps).for_each(|trap| *counts.entry(trap).or_default() += 1);
    let explained: BTreeSet<String> = table("| trap |").into_iter().map(|row| row[0].replace('`', "")).collect();
    assert_eq!(explained, counts.keys().map(|trap| (*trap).to_owned()).collect());
    assert!(counts.values().all(|count| *count >= 5), "{counts:?}");
}

#[test]
fn every_expected_object_has_every_field_and_is_valid() {
    for set in SETS {
        let schema = schema(set);
        for row in rows(set) {
            assert!(row.expected.keys().eq(properties(&schema).keys()), "{}: {:?}", row.id, row.expected);
            let valid = schema.validate(&Value::Object(row.expected.clone()));
            assert_eq!(valid, Ok(()), "{}", row.id);
        }
    }
}

#[test]
fn every_field_says_how_it_is_compared() {
    let known = table("| `x-eval` |");
    let known: Vec<Value> = known.iter().map(|row| parse_form(&row[0])).collect();
    for set in SETS {
        for (name, property) in properties(&schema(set)) {
            assert!(known.contains(&without_numbers(&property["x-eval"])), "{set}: {name}: {}", property["x-eval"]);
        }
    }
}

/// A form of `x-eval` as the page writes it: a word, or a mapping in YAML's flow style.
fn parse_form(cell: &str) -> Value {
    let form = cell.trim_matches('`').trim_start_matches("x-eval: ");
    match form.trim_matches(['{', '}', ' ']).split_once(": {") {
        Some((metric, setting)) => {
            let (name, _) = setting.split_once(':').expect("a setting");
            json!({ metric: { name.trim(): null } })
        }
        None => form.into(),
    }
}

/// A form of `x-eval` whatever its tolerance.
fn without_numbers(form: &Value) -> Value {
    match form {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), without_numbers(value))).collect::<Map<_, _>>().into()
        }
        Value::Number(_) => Value::Null,
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => form.clone(),
    }
}

#[test]
fn every_value_that_a_text_says_is_quoted_from_it() {
    for set in SETS {
        let schema = schema(set);
        for row in rows(set) {
            let mut located = BTreeMap::new();
            for (name, value) in &row.expected {
                match value {
                    _ if !is_located(&properties(&schema)[name]) => {}
                    Value::Null => {}
                    Value::Array(items) => {
                        located.extend(items.iter().enumerate().map(|(at, item)| (format!("/{name}/{at}"), item)));
                    }
                    Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                        located.insert(format!("/{name}"), value);
                    }
                }
            }
            assert!(located.keys().eq(row.evidence.keys()), "{}: {:?}", row.id, row.evidence);
            for (field, quote) in row.quotes() {
                let is_quoted = row.texts().iter().any(|text| text.contains(quote));
                assert!(!quote.is_empty() && is_quoted, "{}: {field}: {quote:?} is not in the text", row.id);
            }
        }
    }
}

#[test]
fn the_quote_of_a_text_has_the_letters_and_digits_of_its_value() {
    for set in SETS {
        let schema = schema(set);
        for row in rows(set) {
            for (field, quote) in row.quotes() {
                let name = field.split('/').nth(1).expect("a field");
                let is_date = properties(&schema)[name]["format"] == "date";
                let expected = Value::Object(row.expected.clone());
                if let (Some(Value::String(value)), false) = (expected.pointer(field), is_date) {
                    assert_eq!(folded(value), folded(quote), "{}: {field}", row.id);
                }
            }
        }
    }
}

/// Right answers that are located at another place than the quoted one: a date that a log repeats, and a number in words
/// whose digits begin a membership number.
const LOCATED_ELSEWHERE: [(&str, &str); 2] = [("ticket-de-14", "/incident_date"), ("ticket-es-04", "/amount")];

#[test]
fn right_answers_are_located_where_the_quotes_say() {
    let (mut quoted, mut located) = (0, 0);
    for set in SETS {
        let locator = Locator::new(schema(set).json());
        for row in rows(set) {
            let source =
                |pointer: &'static str| Some(Source { pointer: pointer.into(), text: row.text(pointer)?.into() });
            let sources: Vec<_> = ["/subject", "/body"].into_iter().filter_map(source).collect();
            let evidence = locator.locate(&sources, &Value::Object(row.expected.clone()), &[]);
            quoted += row.quotes().count();
            for (field, quote) in row.quotes() {
                let found = evidence.fields.iter().find(|found| found.field == field).expect("an entry for each value");
                let Some(source) = &found.source else { continue };
                let is_quoted = found.spans.iter().any(|span| {
                    let piece = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
                    row.is_in_quote(source, piece, quote)
                });
                let is_known = LOCATED_ELSEWHERE.contains(&(row.id.as_str(), field));
                assert!(is_quoted || is_known, "{}: {field} is not located in {quote:?}: {found:?}", row.id);
                located += 1;
            }
        }
    }
    assert!(located * 10 >= quoted * 9, "{located} of {quoted} quoted values are located");
}

#[test]
fn no_id_and_no_text_stands_twice() {
    let rows = all_rows();
    let (mut ids, mut events, mut texts) = (HashSet::new(), HashSet::new(), HashSet::new());
    for row in &rows {
        assert!(ids.insert(&row.id), "{}", row.id);
        assert!(events.insert(row.event["id"].to_string()), "{}", row.event["id"]);
        assert!(texts.insert(row.texts().last().expect("a text").split_whitespace().collect::<String>()), "{}", row.id);
    }
}

/// Names that are reserved for documentation (RFC 2606, RFC 6761) belong to nobody.
#[test]
fn every_address_is_one_that_nobody_has() {
    for row in all_rows() {
        let text = row.texts().join("\n");
        for (_, after) in text.match_indices('@').map(|(at, _)| text.split_at(at + 1)) {
            let domain: &str = after.split(|c: char| !(c.is_ascii_alphanumeric() || "-.".contains(c))).next().unwrap();
            let domain = domain.trim_end_matches('.').to_ascii_lowercase();
            let is_reserved = domain.ends_with(".example")
                || ["example.com", "example.net", "example.org"].iter().any(|name| domain.ends_with(name));
            assert!(is_reserved || domain.is_empty(), "{}: {domain}", row.id);
        }
    }
}

#[test]
fn every_event_comes_to_a_result_of_its_connector() {
    let directory = tempfile::tempdir().expect("a directory");
    let runs = SETS.map(|set| {
        let input = directory.path().join(format!("{set}.jsonl"));
        let events: String = rows(set).iter().map(|row| format!("{}\n", row.event)).collect();
        std::fs::write(&input, events).expect("a file");
        let run = Command::new(env!("CARGO_BIN_EXE_structured-prompt"))
            .env_clear()
            .current_dir(directory.path())
            .args(["demo", "--json", "--connector"])
            .arg(folder().join(format!("{set}.yaml")))
            .arg("--input")
            .arg(&input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        (set, run.expect("the program"))
    });
    for (set, run) in runs {
        let output = run.wait_with_output().expect("its output");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{set}: {out}\n{err}");
        let summary: Value = serde_json::from_str(&out).expect("a summary");
        assert_eq!(summary["results"], json!(rows(set).len()), "{set}: {out}\n{err}");
    }
}
