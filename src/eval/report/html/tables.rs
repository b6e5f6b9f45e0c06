//! The tables of the page.

use std::fmt::{self, Write as _};

use super::{escaped, share_cell};
use crate::eval::confusion::Confusion;
use crate::eval::report::words::{counted, percent};
use crate::eval::report::{Report, Variant, overview};

/// The variants side by side.
pub(super) fn overview(out: &mut String, report: &Report<'_>) -> fmt::Result {
    writeln!(out, "<table>\n<tr><th>{}</th></tr>", overview::HEADS.join("</th><th>"))?;
    for variant in &report.variants {
        let (name, settings) = (escaped(&variant.run.name), escaped(&overview::settings(variant)));
        let cells = overview::cells(variant).join("</td><td>");
        writeln!(out, "<tr><th>{name}<br><small>{settings}</small></th><td>{cells}</td></tr>")?;
    }
    writeln!(out, "</table>\n<p>{}", overview::EXPLANATION)?;
    for variant in &report.variants {
        let name = escaped(&variant.run.name);
        overview::notes(variant).iter().try_for_each(|note| writeln!(out, "{name}: {note}."))?;
    }
    writeln!(out, "</p>")
}

/// The fields, groups and confusions of one variant.
pub(super) fn variant(out: &mut String, variant: &Variant<'_>) -> fmt::Result {
    let summary = &variant.summary;
    writeln!(out, "<h2>{}</h2>", escaped(&variant.run.name))?;
    if !summary.dead_letters.is_empty() {
        let codes: Vec<String> = summary.dead_letters.iter().map(|(code, count)| format!("{code} {count}")).collect();
        writeln!(out, "<p>Without an answer: {}.</p>", codes.join(", "))?;
    }
    let heads = ["field", "metric", "right", "score", "wrong", "omitted", "invented", "ungrounded"];
    writeln!(out, "<table>\n<tr><th>{}</th></tr>", heads.join("</th><th>"))?;
    for field in &summary.fields {
        let counts = [&field.omitted, &field.invented, &field.ungrounded].map(counted);
        let (name, right, score) = (escaped(&field.field), share_cell(&field.right), percent(field.score));
        writeln!(out, "<tr><th><code>{name}</code></th><td>{}</td>{right}<td>{score}</td>", field.metric)?;
        writeln!(out, "<td>{}</td><td>{}</td></tr>", field.wrong, counts.join("</td><td>"))?;
    }
    writeln!(out, "</table>\n<div class=\"side\">")?;
    for (title, groups) in [("language", &summary.by_language), ("what makes it hard", &summary.by_trap)] {
        if groups.is_empty() {
            continue;
        }
        writeln!(out, "<table>\n<tr><th>{title}</th><th>fields right</th></tr>")?;
        for (name, share) in groups {
            writeln!(out, "<tr><th>{}</th>{}</tr>", escaped(name), share_cell(share))?;
        }
        writeln!(out, "</table>")?;
    }
    variant.confusion.iter().try_for_each(|table| confusion(out, table))?;
    writeln!(out, "</div>")
}

/// Expected by row, given by column; what is right stands where both have the same name.
fn confusion(out: &mut String, table: &Confusion) -> fmt::Result {
    let heads: Vec<String> = table.given.iter().map(|name| format!("<th>{}</th>", escaped(name))).collect();
    writeln!(
        out,
        "<table class=\"confusion\">\n<caption><code>{}</code>: expected by row, given by column</caption>",
        escaped(&table.field)
    )?;
    writeln!(out, "<tr><th></th>{}</tr>", heads.concat())?;
    for (expected, counts) in table.expected.iter().zip(&table.counts) {
        write!(out, "<tr><th>{}</th>", escaped(expected))?;
        for (given, count) in table.given.iter().zip(counts) {
            let class = match (given == expected, *count) {
                (_, 0) => "zero",
                (true, _) => "right",
                (false, _) => "wrong",
            };
            write!(out, "<td class=\"{class}\">{count}</td>")?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</table>")
}
