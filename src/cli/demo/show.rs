//! What the demonstration prints: plain text, in an order that convinces in a minute.

use std::io::{self, Write};

use serde_json::Value;

use super::columns::{WIDTH, beside, shorten, wrap};
use super::events::{header, number};
use super::ledger::as_record;
use super::places;
use super::story::{Correction, Kill};
use crate::codec::{cloudevents, plain};
use crate::config::connector::ConnectorConfig;
use crate::domain::event::Data;
use crate::domain::record::{Outgoing, Record};
use crate::kafka::settings::RecordFormat;

/// Characters of the input's column.
const LEFT: usize = 44;
/// Characters of a header's name.
const NAME: usize = 20;
/// Results of a user's own records that are shown, shortened.
const SHOWN: usize = 3;

/// The headers that say where a result comes from, and what each is for.
const PROVENANCE: &[(&str, &str)] = &[
    ("ce_id", "the same if it is ever repeated"),
    ("ce_causationid", "the event that asked"),
    ("ce_provider", ""),
    ("ce_model", ""),
    ("ce_validation", "valid against the schema"),
    ("ce_confidence", ""),
    ("ce_confidencefactors", ""),
    ("ce_grounded", "share of its values that stand in the record in"),
    ("ce_attempts", ""),
    ("ce_costusd", ""),
    ("ce_cachehit", ""),
    ("ce_flags", ""),
    ("ce_promptversion", ""),
    ("ce_schemaversion", ""),
    ("ce_confighash", "what exactly it was asked with"),
    ("ce_traceparent", ""),
];

pub(super) fn title(out: &mut dyn Write, number: Option<u8>, text: &str) -> io::Result<()> {
    let number = number.map(|number| format!("{number}  ")).unwrap_or_default();
    writeln!(out, "\n{number}{text}\n")
}

/// The connector in four lines, by the names of its sections.
pub(super) fn connector(out: &mut dyn Write, connector: &ConnectorConfig, providers: &[String]) -> io::Result<()> {
    let topics = &connector.topics;
    let format = match topics.format {
        RecordFormat::CloudEvents => "CloudEvents",
        RecordFormat::Json => "JSON",
        RecordFormat::Text => "text",
    };
    // What only a store has is not found: the demo has none of its own.
    let (Some(prompt), Some(schema)) = (connector.template.known(), connector.schema.known()) else { return Ok(()) };
    let fields = schema.json().get("properties").and_then(Value::as_object);
    let fields: Vec<&str> = fields.iter().flat_map(|fields| fields.keys()).map(String::as_str).collect();
    let lines = [
        format!("source  {} ({format}), consumer group {}", topics.source_topics.join(", "), topics.group),
        format!("prompt  {} {}, answered by {}", prompt.name(), prompt.version(), providers.join(", ")),
        format!("schema  {} {}: {}", schema.name(), schema.version(), fields.join(", ")),
        format!("sink    {}, dead letters to {}", topics.sink_topic, topics.dead_letter_topic),
    ];
    lines.iter().try_for_each(|line| writeln!(out, "   {}", shorten_end(line, WIDTH - 3)))
}

/// An input beside its result, and the result's headers below.
pub(super) fn record(
    out: &mut dyn Write,
    records: &[Outgoing],
    result: &Record,
    format: RecordFormat,
) -> io::Result<()> {
    let input = number(result).and_then(|number| records.get(number)).map(|sent| text(sent, format));
    let mut left = vec!["the record in".to_owned(), String::new()];
    left.extend(wrap(&input.unwrap_or_default(), LEFT));
    let mut right = vec!["the record out".to_owned(), String::new()];
    right.extend(wrap(&pretty(result.value.as_deref().unwrap_or_default()), WIDTH - LEFT - 5));
    for line in beside(&left, &right, LEFT) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)?;
    for (name, meaning) in PROVENANCE {
        let Some(value) = header(result, name) else { continue };
        let meaning = if meaning.is_empty() { String::new() } else { format!("   {meaning}") };
        writeln!(out, "   {}", shorten_end(&format!("{name:NAME$} {value}{meaning}"), WIDTH - 3))?;
    }
    let sent = number(result).and_then(|number| records.get(number));
    sent.and_then(|sent| data(sent, format)).map_or(Ok(()), |data| places::write(out, &data, result))
}

/// A few results on one line each, with the text that they came from.
pub(super) fn results(
    out: &mut dyn Write,
    records: &[Outgoing],
    results: &[Record],
    format: RecordFormat,
) -> io::Result<()> {
    for result in results.iter().take(SHOWN) {
        let id = header(result, "ce_causationid").unwrap_or_default();
        let input = number(result).and_then(|number| records.get(number)).map(|sent| text(sent, format));
        writeln!(out, "   {}", shorten(&format!("{id}  “{}”", input.unwrap_or_default()), WIDTH - 4))?;
        for line in wrap(&format!("→ {}", fields(result)), WIDTH - 7) {
            writeln!(out, "     {line}")?;
        }
        let fact = |name| header(result, name).unwrap_or_default();
        let (provider, confidence, hit) = (fact("ce_provider"), fact("ce_confidence"), fact("ce_cachehit"));
        writeln!(out, "       provider {provider}, confidence {confidence}, cache {hit}")?;
    }
    Ok(())
}

/// An invalid answer, what the model was told, and the log of the attempts.
pub(super) fn correction(out: &mut dyn Write, correction: &Correction) -> io::Result<()> {
    let Correction { ticket, invalid, told, result } = correction;
    writeln!(out, "   Scripted, so that it happens: a stand-in for a model speaks OpenAI's format and errs once.\n")?;
    let answer = String::from_utf8_lossy(result.value.as_deref().unwrap_or_default()).into_owned();
    // The errors are those lines that name a place in the answer.
    let errors: Vec<&str> = told.lines().filter(|line| line.trim_start().starts_with(['/', '-'])).collect();
    let errors = if errors.is_empty() { told.clone() } else { errors.join("\n") };
    for (name, text) in
        [("ticket", ticket.as_str()), ("1st answer", invalid), ("told then", &errors), ("2nd answer", &answer)]
    {
        for (index, line) in wrap(text, WIDTH - 15).iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            writeln!(out, "   {name:11} {line}")?;
        }
    }
    writeln!(out, "\n   ce_attemptlog of the result:")?;
    let log: Vec<Value> =
        header(result, "ce_attemptlog").and_then(|log| serde_json::from_str(&log).ok()).unwrap_or_default();
    for attempt in &log {
        let word = |name: &str| attempt[name].as_str().unwrap_or_default().to_owned();
        let outcome = attempt["error"].as_str().unwrap_or("valid, published");
        let (input, output) = (&attempt["input_tokens"], &attempt["output_tokens"]);
        let (step, model, id) = (word("step"), word("model"), word("response_id"));
        writeln!(out, "   {step:8} {model:11} {outcome:17} {input} + {output} tokens, {id}")?;
    }
    let confidence = header(result, "ce_confidence").unwrap_or_default();
    let factors = header(result, "ce_confidencefactors").unwrap_or_default();
    writeln!(out, "   confidence {confidence}: {factors}")
}

/// A dead letter: why, and the original as it was.
pub(super) fn dead_letter(out: &mut dyn Write, letter: &Record) -> io::Result<()> {
    let fact = |name: &str| header(letter, name).unwrap_or_default();
    let place = ["topic", "partition", "offset"].map(|part| fact(&format!("__connect.errors.{part}"))).join("/");
    writeln!(out, "   {:NAME$} {}", "sp-error-code", fact("sp-error-code"))?;
    for (index, line) in wrap(&fact("sp-error-detail"), WIDTH - NAME - 5).iter().enumerate() {
        writeln!(out, "   {:NAME$} {line}", if index == 0 { "sp-error-detail" } else { "" })?;
    }
    let value = letter.value.as_deref().unwrap_or_default();
    let original = shorten(&String::from_utf8_lossy(value), 2 * (WIDTH - NAME - 5));
    writeln!(out, "   {:NAME$} {place}", "where it stands")?;
    let name = format!("original, {} bytes", value.len());
    for (index, line) in wrap(&original, WIDTH - NAME - 5).iter().enumerate() {
        writeln!(out, "   {:NAME$} {line}", if index == 0 { &*name } else { "" })?;
    }
    Ok(())
}

/// What is done, while it is done.
pub(super) fn before_the_kill(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "   A second process (`run`, with the scripted stand-in and a SQLite store) works on tickets. In the\n   \
         middle it gets SIGKILL: no commit, no farewell. Then it is started again, joins when the session\n   \
         of the dead one has timed out, and goes on.\n"
    )
}

/// What was lost and repeated when the process was killed.
pub(super) fn kill(out: &mut dyn Write, kill: &Kill) -> io::Result<()> {
    let Kill { tickets, before, open, answered_again, open_again, repeated, repeated_with_same_id, lost } = kill;
    let rows = [
        (before, format!("of {tickets} results were out and {open} calls open when it was killed")),
        (lost, format!("of {tickets} tickets lost")),
        (answered_again, "answered calls made again: their answers were remembered".to_owned()),
        (open_again, format!("of the {open} open calls made again: nobody had their answers")),
        (
            repeated,
            format!(
                "outcomes published twice, {repeated_with_same_id} of them with the same ce_id: a reader drops them"
            ),
        ),
    ];
    rows.iter().try_for_each(|(count, text)| writeln!(out, "   {count:>4}  {text}"))
}

/// The input's data.
fn data(sent: &Outgoing, format: RecordFormat) -> Option<Data> {
    let record = as_record(sent);
    let event = match format {
        RecordFormat::CloudEvents => cloudevents::decode(&record),
        RecordFormat::Json => plain::decode_json(&record),
        RecordFormat::Text => plain::decode_text(&record),
    };
    event.ok().map(|event| event.data)
}

/// The input as a person would recognise it.
fn text(sent: &Outgoing, format: RecordFormat) -> String {
    match data(sent, format) {
        Some(Data::Json(Value::Object(data))) => {
            let longest = data.values().filter_map(Value::as_str).max_by_key(|text| text.len()).map(str::to_owned);
            longest.unwrap_or_else(|| Value::Object(data).to_string())
        }
        Some(Data::Json(value)) => value.to_string(),
        Some(Data::Text(text)) => text,
        Some(Data::Absent | Data::Binary(_)) | None => String::new(),
    }
}

fn pretty(value: &[u8]) -> String {
    let value: Option<Value> = serde_json::from_slice(value).ok();
    value.and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_default()
}

/// The object's filled fields on one line, in the schema's order.
fn fields(result: &Record) -> String {
    let data: Option<Value> = result.value.as_ref().and_then(|value| serde_json::from_slice(value).ok());
    let data = data.as_ref().and_then(Value::as_object);
    let filled = data.into_iter().flatten().filter(|(_, value)| !value.is_null());
    let shown = filled.map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name} {}", shorten(&value, WIDTH / 2))
    });
    shown.collect::<Vec<_>>().join(" · ")
}

/// Not longer than this, spaces as they are.
fn shorten_end(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut + "…"
}
