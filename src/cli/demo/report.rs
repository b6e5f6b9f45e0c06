//! What the demonstration shows.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::Finished;
use crate::codec::cloudevents;
use crate::domain::event::Data;
use crate::domain::record::{Outgoing, Position, Record};

/// Results and dead letters shown in full.
const SHOWN: usize = 5;
const WIDTH: usize = 100;

/// The closing counts, taken from what a plain reader found on the topics.
pub(super) struct Summary {
    received: usize,
    results: usize,
    dead_letters_by_code: BTreeMap<String, usize>,
    cache_hits: usize,
    /// Records without an outcome of their own, because their event had one.
    repeats: usize,
    /// From the first receipt to the last acknowledgement.
    seconds: f64,
    /// Per record, from receipt to acknowledgement, ascending.
    latencies: Vec<Duration>,
}

impl Summary {
    pub(super) fn of(
        received: usize,
        results: &[Record],
        dead_letters: &[Record],
        finished: &[Finished],
        repeats: usize,
    ) -> Self {
        let mut dead_letters_by_code = BTreeMap::new();
        for letter in dead_letters {
            let code = header(letter, "sp-error-code").unwrap_or_else(|| "(none)".to_owned());
            *dead_letters_by_code.entry(code).or_default() += 1;
        }
        let is_hit = |record: &&Record| header(record, "ce_cachehit").is_some_and(|hit| hit != "none");
        let began_at = finished.iter().filter_map(|record| record.at.checked_sub(record.took)).min();
        let ended_at = finished.iter().map(|record| record.at).max();
        let mut latencies: Vec<Duration> = finished.iter().map(|record| record.took).collect();
        latencies.sort();
        Self {
            received,
            results: results.len(),
            dead_letters_by_code,
            repeats,
            cache_hits: results.iter().filter(is_hit).count(),
            seconds: began_at.zip(ended_at).map_or(0.0, |(began, ended)| (ended - began).as_secs_f64()),
            latencies,
        }
    }

    /// Every record sent came out on exactly one side, or repeats one that did.
    pub(super) fn is_complete(&self) -> bool {
        self.received == self.results + self.dead_letters() + self.repeats
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "received": self.received,
            "results": self.results,
            "dead_letters": self.dead_letters(),
            "dead_letters_by_code": self.dead_letters_by_code,
            "repeats": self.repeats,
            "cache_hits": self.cache_hits,
            "seconds": (self.seconds * 1000.0).round() / 1000.0,
        })
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nSummary")?;
        writeln!(out, "  received      {:>7}", self.received)?;
        writeln!(out, "  results       {:>7}   of them {} from the cache", self.results, self.cache_hits)?;
        writeln!(out, "  dead letters  {:>7}", self.dead_letters())?;
        for (code, count) in &self.dead_letters_by_code {
            writeln!(out, "    {code:<24} {count:>5}")?;
        }
        if self.repeats > 0 {
            writeln!(out, "  repetitions   {:>7}   of events that had an outcome", self.repeats)?;
        }
        let (p50, p95) = (self.quantile(50), self.quantile(95));
        writeln!(
            out,
            "  per record    p50 {p50:.1} ms, p95 {p95:.1} ms from receipt to acknowledgement; all arrive at once"
        )?;
        writeln!(out, "  throughput    {:>7.0} records/s", self.throughput())?;
        let verdict = if self.is_complete() {
            "Every record received is a result or a dead letter."
        } else {
            "INCOMPLETE: received is not results + dead letters + repetitions."
        };
        writeln!(out, "{verdict}")
    }

    fn dead_letters(&self) -> usize {
        self.dead_letters_by_code.values().sum()
    }

    /// Milliseconds below which this percentage of the records stayed.
    fn quantile(&self, percent: usize) -> f64 {
        let rank = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        self.latencies.get(rank).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of a demonstration")]
    fn throughput(&self) -> f64 {
        if self.seconds > 0.0 { self.latencies.len() as f64 / self.seconds } else { 0.0 }
    }
}

/// A few results with the text they came from, and a few dead letters with their reasons.
pub(super) fn samples(
    out: &mut dyn Write,
    records: &[Outgoing],
    results: &[Record],
    dead_letters: &[Record],
) -> io::Result<()> {
    let mut texts: HashMap<String, String> = HashMap::new();
    for (identity, text) in records.iter().filter_map(source_text) {
        texts.entry(identity).or_insert(text);
    }
    if !results.is_empty() {
        writeln!(out, "Some results")?;
    }
    let step = (results.len() / SHOWN).max(1);
    for result in results.iter().step_by(step).take(SHOWN) {
        let id = header(result, "ce_causationid").unwrap_or_default();
        let source = header(result, "ce_causationsource").unwrap_or_default();
        let text = texts.get(&format!("{source}\n{id}")).map_or("", String::as_str);
        let quoted = if text.is_empty() { String::new() } else { format!("“{}”", shorten(text, WIDTH)) };
        writeln!(out, "\n  {id}  {quoted}")?;
        writeln!(out, "    → {}", fields(result))?;
        let fact = |name| header(result, name).unwrap_or_default();
        let (provider, confidence, hit) = (fact("ce_provider"), fact("ce_confidence"), fact("ce_cachehit"));
        writeln!(out, "      provider {provider}, confidence {confidence}, cache {hit}")?;
    }
    if !dead_letters.is_empty() {
        writeln!(out, "\nSome dead letters\n")?;
    }
    for letter in dead_letters.iter().take(SHOWN) {
        let fact = |name| header(letter, name).unwrap_or_default();
        let detail = fact("sp-error-detail");
        writeln!(out, "  {:<22} {}", fact("sp-error-code"), shorten(&detail, WIDTH))?;
    }
    Ok(())
}

/// A sent event's identity and its longest text, which is what a person would recognise it by.
fn source_text(sent: &Outgoing) -> Option<(String, String)> {
    let position = Position { topic: "".into(), partition: 0, offset: 0 };
    let Outgoing { key, value, headers, timestamp_ms } = sent.clone();
    let event = cloudevents::decode(&Record { position, timestamp_ms, key, value, headers }).ok()?;
    let text = match event.data {
        Data::Json(Value::Object(data)) => data.values().filter_map(Value::as_str).max_by_key(|s| s.len())?.to_owned(),
        Data::Json(value) => value.to_string(),
        Data::Text(text) => text,
        Data::Absent | Data::Binary(_) => return None,
    };
    Some((format!("{}\n{}", event.source, event.id), text))
}

/// The object's filled fields on one line, in the schema's order.
fn fields(result: &Record) -> String {
    let data: Option<Map<String, Value>> = result.value.as_ref().and_then(|value| serde_json::from_slice(value).ok());
    let mut line = String::new();
    for (name, value) in data.unwrap_or_default() {
        let shown = match &value {
            Value::Null => continue,
            Value::String(text) => shorten(text, WIDTH / 2),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                shorten(&value.to_string(), WIDTH / 2)
            }
        };
        let separator = if line.is_empty() { "" } else { " · " };
        line.extend([separator, &name, " ", &shown]);
    }
    line
}

fn shorten(text: &str, width: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= width {
        return line;
    }
    let cut: String = line.chars().take(width.saturating_sub(1)).collect();
    cut + "…"
}

/// The last header of this name, as Kafka's own `lastHeader` has it.
fn header(record: &Record, name: &str) -> Option<String> {
    let header = record.headers.iter().rev().find(|header| header.name == name)?;
    header.value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned())
}

/// A result in the CloudEvents JSON format.
pub(super) fn result_line(record: &Record) -> String {
    let mut event = Map::new();
    for header in &record.headers {
        let value = header.value.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        if let Some(attribute) = header.name.strip_prefix("ce_") {
            event.insert(attribute.to_owned(), json!(value));
        } else if header.name == "content-type" {
            event.insert("datacontenttype".to_owned(), json!(value));
        }
    }
    let data = record.value.as_ref().and_then(|value| serde_json::from_slice(value).ok());
    event.insert("data".to_owned(), data.unwrap_or(Value::Null));
    Value::Object(event).to_string()
}

/// A dead letter with its original value and all of its headers.
pub(super) fn dead_letter_line(record: &Record) -> String {
    let headers: Vec<Value> = record
        .headers
        .iter()
        .map(|header| json!([header.name, header.value.as_deref().map(String::from_utf8_lossy)]))
        .collect();
    let mut letter = json!({
        "code": header(record, "sp-error-code"),
        "detail": header(record, "sp-error-detail"),
        "key": record.key.as_deref().map(String::from_utf8_lossy),
        "headers": headers,
    });
    let (name, value) = match record.value.as_deref().map(|value| (value, std::str::from_utf8(value))) {
        None => ("value", Value::Null),
        Some((_, Ok(text))) => ("value", json!(text)),
        Some((bytes, Err(_))) => ("value_base64", json!(BASE64.encode(bytes))),
    };
    if let Some(letter) = letter.as_object_mut() {
        letter.insert(name.to_owned(), value);
    }
    letter.to_string()
}
