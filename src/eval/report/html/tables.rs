//! The tables of the page.

use std::fmt::{self, Write as _};

use super::{escaped, share_cell};
use crate::eval::confusion::Confusion;
use crate::eval::report::words::{counted, percent, usd};
use crate::eval::report::{Report, Variant};

/// The variants side by side.
pub(super) fn overview(out: &mut String, report: &Report<'_>) -> fmt::Result {
    let heads = [
        "variant",
        "fields right",
        "labels right",
        "answered",
        "omitted",
        "invented",
        "ungrounded",
        "at their place",
        "USD an answer",
        "p50",
        "p95",
    ];
    writeln!(out, "<table>\n<tr><th>{}</th></tr>", heads.join("</th><th>"))?;
    for Variant { run, summary, .. } in &report.variants {
        let settings: Vec<String> = run.settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let times = summary.latency.map_or(["–".to_owned(), "–".to_owned()], |latency| {
            [latency.p50_ms, latency.p95_ms].map(|millis| format!("{millis:.0} ms"))
        });
        let cost = summary.cost.usd_per_answer.map_or("–".to_owned(), usd);
        let counts = [summary.answered, summary.omitted, summary.invented, summary.ungrounded, summary.at_their_place];
        let counts: Vec<String> = counts.iter().map(counted).collect();
        let shares = [&summary.fields_right, &summary.labels_right].map(share_cell).concat();
        let (name, settings) = (escaped(&run.name), escaped(&settings.join(", ")));
        writeln!(out, "<tr><th>{name}<br><small>{settings}</small></th>{shares}<td>{}</td>", counts.join("</td><td>"))?;
        writeln!(out, "<td>{cost}</td><td>{}</td></tr>", times.join("</td><td>"))?;
    }
    writeln!(
        out,
        "</table>\n<p>In brackets: the 95&nbsp;% interval. A label without an answer is wrong in every field."
    )?;
    for Variant { run, summary, .. } in &report.variants {
        let name = escaped(&run.name);
        if summary.unasked > 0 {
            writeln!(out, "{name}: for {} labels nobody could be asked; they do not count.", summary.unasked)?;
        }
        if run.is_replayed {
            writeln!(out, "{name}: answers came from recordings, so times are not told.")?;
        }
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
