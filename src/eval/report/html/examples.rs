//! The labels of the page: each text with the places of the values that were taken from it.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde_json::Value;

use super::escaped;
use crate::domain::evidence::FieldEvidence;
use crate::eval::fields::Field;
use crate::eval::outcome::{End, Row};
use crate::eval::report::{Report, Variant};
use crate::eval::source;

/// Most labels that are shown of a variant, those with mistakes first: a page must stay one that a browser opens.
const MAX_LABELS: usize = 300;
/// Longest text that is shown, in characters.
const MAX_TEXT_CHARS: usize = 20_000;

/// The labels of a variant.
pub(super) fn write(out: &mut String, index: usize, variant: &Variant<'_>, report: &Report<'_>) -> fmt::Result {
    let mut rows: Vec<Row<'_>> = variant.run.rows(report.labels).collect();
    let is_right = |row: &Row<'_>| row.judged.is_some_and(|judged| judged.right() == judged.fields.len());
    rows.sort_by_key(is_right);
    let name = escaped(&variant.run.name);
    let open = if index == 0 { " open" } else { "" };
    writeln!(out, "<details{open}>\n<summary>Labels of {name}, those with mistakes first</summary>")?;
    for row in rows.iter().take(MAX_LABELS) {
        label(out, *row, report.fields)?;
    }
    if rows.len() > MAX_LABELS {
        writeln!(out, "<p>{} more are not shown.</p>", rows.len() - MAX_LABELS)?;
    }
    writeln!(out, "</details>")
}

fn label(out: &mut String, row: Row<'_>, fields: &[Field]) -> fmt::Result {
    let evidence = row.outcome.given().and_then(|given| given.evidence.as_ref());
    let places: &[FieldEvidence] = evidence.map_or(&[], |evidence| &evidence.fields);
    let notes = row.label.language.iter().chain(&row.label.traps).map(|note| escaped(note)).collect::<Vec<_>>();
    writeln!(out, "<article>\n<h3>{} <small>{}</small></h3>", escaped(&row.label.id), notes.join(" · "))?;
    writeln!(out, "<div class=\"columns\">\n<div>")?;
    texts(out, row, places)?;
    writeln!(out, "</div>\n<div>")?;
    match &row.outcome.end {
        End::Answer(given) => answer(out, row, fields, &given.data, places)?,
        End::NoAnswer { code, detail } => {
            writeln!(out, "<p><b>{}</b> {}</p>", code.as_str(), escaped(detail))?;
        }
    }
    writeln!(out, "</div>\n</div>\n</article>")
}

/// The texts of the event. Those in which nothing was located are shown, too.
fn texts(out: &mut String, row: Row<'_>, places: &[FieldEvidence]) -> fmt::Result {
    let mut texts = source::texts(&row.label.event);
    let located = places.iter().filter_map(|field| field.source.as_deref());
    for name in located.collect::<BTreeSet<_>>() {
        if !texts.iter().any(|(own, _)| own == name) {
            texts.extend(source::text(&row.label.event, name).map(|text| (name.to_owned(), text)));
        }
    }
    for (name, text) in texts {
        writeln!(out, "<h4>{}</h4>\n<pre dir=\"auto\">{}</pre>", escaped(&name), marked(&text, &name, places))?;
    }
    Ok(())
}

/// The text with the places of values marked. Where places overlap, each piece bears the numbers of all of its values.
fn marked(text: &str, name: &str, places: &[FieldEvidence]) -> String {
    let chars: Vec<char> = text.chars().take(MAX_TEXT_CHARS).collect();
    let spans: Vec<(usize, usize, usize)> = places
        .iter()
        .enumerate()
        .filter(|(_, field)| field.source.as_deref() == Some(name))
        .flat_map(|(value, field)| field.spans.iter().map(move |span| (value, span.start as usize, span.end as usize)))
        .collect();
    let ends = spans.iter().flat_map(|(_, start, end)| [*start, *end]);
    let cuts: BTreeSet<usize> = ends.chain([0, chars.len()]).filter(|cut| *cut <= chars.len()).collect();
    let cuts: Vec<usize> = cuts.into_iter().collect();
    let mut out = String::new();
    for pair in cuts.windows(2) {
        let [start, end] = *pair else { continue };
        let piece: String = chars.get(start..end).unwrap_or_default().iter().collect();
        let values: Vec<String> =
            spans.iter().filter(|span| span.1 <= start && end <= span.2).map(|span| span.0.to_string()).collect();
        if values.is_empty() {
            out.push_str(&escaped(&piece));
        } else {
            out.push_str(&format!("<mark data-v=\"{}\">{}</mark>", values.join(" "), escaped(&piece)));
        }
    }
    if text.chars().nth(MAX_TEXT_CHARS).is_some() {
        out.push('…');
    }
    out
}

/// Each field with what was expected and given.
fn answer(out: &mut String, row: Row<'_>, fields: &[Field], data: &Value, places: &[FieldEvidence]) -> fmt::Result {
    let expected = Value::Object(row.label.expected.clone());
    writeln!(out, "<table>\n<tr><th>field</th><th>expected</th><th>given</th><th>evidence</th></tr>")?;
    let verdicts = row.judged.into_iter().flat_map(|judged| &judged.fields);
    for (field, one) in fields.iter().zip(verdicts) {
        let below = format!("{}/", field.pointer);
        let own = places.iter().enumerate();
        let own = own.filter(|(_, place)| *place.field == *field.pointer || place.field.starts_with(&below));
        let (values, states): (Vec<String>, BTreeSet<&str>) =
            own.map(|(value, place)| (value.to_string(), place.state.as_str())).unzip();
        let class = if one.verdict.is_right() { "right" } else { "wrong" };
        let [expected, given] = [&expected, data].map(|value| shown(value.pointer(&field.pointer)));
        let states = states.into_iter().collect::<Vec<_>>().join(", ");
        writeln!(
            out,
            "<tr class=\"{class}\" data-v=\"{}\"><th><code>{}</code></th>",
            values.join(" "),
            escaped(&field.pointer)
        )?;
        writeln!(
            out,
            "<td dir=\"auto\">{expected}</td><td dir=\"auto\">{given}<br><small>{}</small></td><td>{states}</td></tr>",
            one.verdict.as_str()
        )?;
    }
    writeln!(out, "</table>")
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => escaped(text),
        Some(Value::Array(items)) if items.is_empty() => "–".to_owned(),
        Some(other) => escaped(&other.to_string()),
    }
}
