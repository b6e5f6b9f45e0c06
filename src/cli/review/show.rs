//! What waits, for a terminal or a program.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cli::terminal_text::{in_line, printable};
use crate::codec::field_evidence::{self, ReadEvidence};
use crate::codec::review_record::WaitingResult;
use crate::eval::source;
use crate::kafka::review_queue::ReviewPlace;

/// What a place in a text is shown between: in a terminal, and elsewhere.
const IN_TERMINAL: (&str, &str) = ("\u{1b}[7m", "\u{1b}[0m");
const IN_TEXT: (&str, &str) = ("⟦", "⟧");

/// A line for each result that waits.
pub(super) fn list(results: &[WaitingResult], is_json: bool, out: &mut dyn Write) -> io::Result<()> {
    if !is_json && !results.is_empty() {
        writeln!(out, "{}", columns(["PLACE", "EVENT", "REASON", "CONFIDENCE", "UNGROUNDED"]))?;
    }
    for waiting in results {
        let place = ReviewPlace::of(&waiting.position).to_string();
        let line = if is_json {
            as_json(&place, waiting).to_string()
        } else {
            let [event, confidence] = ["ce_causationid", "ce_confidence"].map(|name| header(waiting, name));
            columns([&place, event, &waiting.reason, confidence, &ungrounded(&evidence(waiting)).join(" ")])
        };
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn columns(texts: [&str; 5]) -> String {
    let [place, event, reason, confidence, ungrounded] = texts.map(in_line);
    format!("{place:<10} {event:<36} {reason:<25} {confidence:<10} {ungrounded}").trim_end().to_owned()
}

fn as_json(place: &str, waiting: &WaitingResult) -> Value {
    let data: Value = serde_json::from_slice(waiting.data()).unwrap_or_default();
    json!({
        "place": place,
        "id": waiting.header("ce_id"),
        "event": waiting.header("ce_causationid"),
        "source": waiting.source.position.to_string(),
        "reason": waiting.reason.split(',').collect::<Vec<_>>(),
        "confidence": waiting.header("ce_confidence").and_then(|text| text.parse::<f64>().ok()),
        "ungrounded": ungrounded(&evidence(waiting)),
        "data": data,
    })
}

/// One result: its values with their evidence, and the texts of the record with the places marked.
pub(super) fn one(
    waiting: &WaitingResult,
    event: Option<&Value>,
    is_terminal: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let data: Value = serde_json::from_slice(waiting.data()).unwrap_or_default();
    let [id, confidence] = ["ce_causationid", "ce_confidence"].map(|name| in_line(header(waiting, name)));
    writeln!(out, "event {id}, record {}", waiting.source.position)?;
    writeln!(out, "waits because of {}, confidence {confidence}\n", in_line(&waiting.reason))?;
    let evidence = evidence(waiting);
    for (pointer, field) in &evidence.fields {
        let value = data.pointer(pointer).map(ToString::to_string).unwrap_or_default();
        writeln!(out, "{:<20} {:<12} {}", in_line(pointer), field.state.as_str(), in_line(&value))?;
    }
    if evidence.fields.is_empty() || evidence.left_out > 0 {
        writeln!(out, "all of it: {}", in_line(&data.to_string()))?;
    }
    match event {
        Some(event) => texts(event, &evidence, if is_terminal { IN_TERMINAL } else { IN_TEXT }, out),
        None => writeln!(out, "\nthe record cannot be read any more"),
    }
}

/// The texts of the event's data, and of its attributes as far as a value stands there.
fn texts(event: &Value, evidence: &ReadEvidence, marks: (&str, &str), out: &mut dyn Write) -> io::Result<()> {
    let named = evidence.fields.values().filter_map(|field| field.source.clone());
    let attributes = named.filter_map(|name| Some((name.clone(), source::text(event, &name)?)));
    let texts: BTreeMap<String, String> = source::texts(event).into_iter().chain(attributes).collect();
    for (name, text) in texts {
        let length = text.chars().count();
        let here = evidence.fields.values().filter(|field| field.source.as_ref() == Some(&name));
        let spans = here.flat_map(|field| &field.spans);
        let chars: BTreeSet<usize> =
            spans.flat_map(|span| span.start as usize..length.min(span.end as usize)).collect();
        writeln!(out, "\n{}\n{}", in_line(&name), marked(&text, &chars, marks))?;
    }
    Ok(())
}

fn header<'a>(waiting: &'a WaitingResult, name: &str) -> &'a str {
    waiting.header(name).unwrap_or_default()
}

/// Where its values stand; nothing where that was not looked for, or another program has changed it.
fn evidence(waiting: &WaitingResult) -> ReadEvidence {
    waiting.header("ce_fieldevidence").and_then(field_evidence::decode).unwrap_or_default()
}

/// The values that were not found in the record's text.
fn ungrounded(evidence: &ReadEvidence) -> Vec<&str> {
    let fields = evidence.fields.iter().filter(|(_, field)| field.state.is_ungrounded());
    fields.map(|(pointer, _)| pointer.as_str()).collect()
}

/// The text with the characters of these numbers between marks.
fn marked(text: &str, chars: &BTreeSet<usize>, (begin, end): (&str, &str)) -> String {
    let (mut shown, mut is_marked) = (String::with_capacity(text.len()), false);
    for (index, character) in text.chars().enumerate() {
        if chars.contains(&index) != is_marked {
            is_marked = !is_marked;
            shown.push_str(if is_marked { begin } else { end });
        }
        shown.push(if character == '\n' { character } else { printable(character) });
    }
    if is_marked {
        shown.push_str(end);
    }
    shown
}

#[cfg(test)]
mod tests;
