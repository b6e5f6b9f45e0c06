//! Letters, for a terminal or a program.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::letters::for_each;
use super::{CommandError, OutputFormat, ReadArgs};
use crate::cli::terminal_text::in_line;
use crate::cli::{Exit, say};
use crate::codec::dead_letter::DeadLetter;
use crate::domain::record::Header;
use crate::domain::time;

/// A line for each letter.
pub(super) fn list(args: &ReadArgs, out: &mut dyn Write) -> Result<Exit, CommandError> {
    let mut count = 0_u64;
    for_each(args, |letter| {
        count += 1;
        match args.letters.output {
            OutputFormat::Json => writeln!(out, "{}", Value::Object(facts(letter))),
            OutputFormat::Table => {
                if count == 1 {
                    let heading = ["PLACE", "FAILED", "CODE", "REPLAYS", "RECORD", "KEY"];
                    writeln!(out, "{}", columns(&heading.map(str::to_owned)))?;
                }
                writeln!(out, "{}", line(letter))
            }
        }
    })?;
    tell_none(count);
    Ok(Exit::Done)
}

/// All of each letter.
pub(super) fn show(args: &ReadArgs, out: &mut dyn Write) -> Result<Exit, CommandError> {
    let mut count = 0_u64;
    for_each(args, |letter| {
        count += 1;
        match args.letters.output {
            OutputFormat::Json => writeln!(out, "{}", whole(letter)),
            OutputFormat::Table => {
                if count > 1 {
                    writeln!(out)?;
                }
                in_full(letter, out)
            }
        }
    })?;
    tell_none(count);
    Ok(Exit::Done)
}

fn tell_none(count: u64) {
    if count == 0 {
        say("there is no such letter");
    }
}

fn line(letter: &DeadLetter) -> String {
    columns(&[
        letter.position.to_string(),
        failed_at(letter).unwrap_or_default(),
        letter.code.clone(),
        letter.replays().to_string(),
        letter.source.position.to_string(),
        text(letter.source.key.as_ref()),
    ])
}

fn columns(texts: &[String; 6]) -> String {
    let [place, failed, code, replays, record, key] = texts.each_ref().map(|text| in_line(text));
    format!("{place:<28} {failed:<24} {code:<24} {replays:<7} {record:<28} {key}").trim_end().to_owned()
}

fn in_full(letter: &DeadLetter, out: &mut dyn Write) -> io::Result<()> {
    let source = &letter.source;
    let facts = [
        ("letter", letter.position.to_string()),
        ("failed", failed_at(letter).unwrap_or_default()),
        ("code", format!("{}, stage {}", letter.code, letter.stage)),
        ("detail", letter.detail.clone()),
        ("connector", letter.connector.clone()),
        ("replays", letter.replays().to_string()),
        ("calls", letter.attempt_log.clone().unwrap_or_default()),
        ("trace", letter.trace_id.clone()),
        ("record", source.position.to_string()),
        ("key", text(source.key.as_ref())),
    ];
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        writeln!(out, "{name:<10} {}", in_line(fact))?;
    }
    for Header { name, value } in &source.headers {
        writeln!(out, "{:<10} {}", "header", in_line(&format!("{name}: {}", text(value.as_ref()))))?;
    }
    let value = if letter.is_pointer { "(omitted: it was too large)".to_owned() } else { text(source.value.as_ref()) };
    writeln!(out, "{:<10} {}", "value", in_line(&value))
}

/// What is said of a letter beside the bytes of its record.
fn facts(letter: &DeadLetter) -> Map<String, Value> {
    let facts = json!({
        "place": letter.position.to_string(),
        "failed_at": failed_at(letter),
        "code": letter.code,
        "stage": letter.stage,
        "detail": letter.detail,
        "connector": letter.connector,
        "providers": letter.providers(),
        "replays": letter.replays(),
        "trace_id": letter.trace_id,
        "record": letter.source.position.to_string(),
        "key": bytes(letter.source.key.as_ref()),
    });
    if let Value::Object(facts) = facts { facts } else { Map::new() }
}

fn whole(letter: &DeadLetter) -> Value {
    let mut facts = facts(letter);
    let attempt_log = letter.attempt_log.as_ref().and_then(|log| serde_json::from_str(log).ok());
    let headers = letter.source.headers.iter().map(|Header { name, value }| json!([name, bytes(value.as_ref())]));
    facts.insert("attempt_log".to_owned(), attempt_log.unwrap_or(Value::Null));
    facts.insert("value_omitted".to_owned(), letter.is_pointer.into());
    facts.insert("headers".to_owned(), headers.collect());
    facts.insert("value".to_owned(), bytes(letter.source.value.as_ref()));
    Value::Object(facts)
}

fn failed_at(letter: &DeadLetter) -> Option<String> {
    time::rfc3339(letter.failed_at?)
}

/// Bytes as text if they are text, else as `{"base64": …}`; null if there are none.
fn bytes(bytes: Option<&Bytes>) -> Value {
    let Some(bytes) = bytes else { return Value::Null };
    std::str::from_utf8(bytes).map_or_else(|_| json!({ "base64": STANDARD.encode(bytes) }), Value::from)
}

/// The same for a person.
fn text(value: Option<&Bytes>) -> String {
    let Some(bytes) = value else { return "(null)".to_owned() };
    let text = std::str::from_utf8(bytes).map(str::to_owned);
    text.unwrap_or_else(|_| format!("({} bytes that are no text)", bytes.len()))
}
