//! The report as one page that needs nothing else: styles, plots and the few lines of script are in it.

mod examples;
mod plots;
mod tables;

use std::fmt::{self, Write as _};

use self::plots::Plot;
use super::words::{percent, shown};
use super::{Report, Variant};
use crate::domain::evidence::EvidenceState;
use crate::eval::comparison::Comparison;
use crate::eval::interval::Share;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The report as a page.
///
/// # Errors
/// Never in practice: the text is written to memory.
pub fn write(report: &Report<'_>) -> Result<String, fmt::Error> {
    let mut out = String::new();
    let title = escaped(&format!("{} on {} labels", report.connector, report.labels.len()));
    // A page from a file must load nothing and send nothing, whatever a label or an answer says.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
    writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>")?;
    tables::overview(&mut out, report)?;
    comparisons(&mut out, "Compared with the first variant", &report.comparisons)?;
    comparisons(&mut out, "Compared with the baseline", &report.with_baseline)?;
    plots(&mut out, report)?;
    for variant in &report.variants {
        tables::variant(&mut out, variant)?;
    }
    for (index, variant) in report.variants.iter().enumerate() {
        examples::write(&mut out, index, variant, report)?;
    }
    writeln!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>")?;
    Ok(out)
}

fn comparisons(out: &mut String, title: &str, comparisons: &[Comparison]) -> fmt::Result {
    if comparisons.is_empty() {
        return Ok(());
    }
    writeln!(out, "<h2>{title}</h2>\n<ul>")?;
    for comparison in comparisons {
        let [variant, base] = [&comparison.variant, &comparison.base].map(|name| escaped(name));
        writeln!(out, "<li><b>{variant}</b> against <b>{base}</b>: {}.", comparison.overall)?;
        for (field, difference) in comparison.findings() {
            writeln!(out, "<br><code>{}</code>: {difference}.", escaped(field))?;
        }
        if let Some(told) = comparison.told_left_out() {
            writeln!(out, "<br>{told}.")?;
        }
        writeln!(out, "</li>")?;
    }
    writeln!(out, "</ul>")
}

fn plots(out: &mut String, report: &Report<'_>) -> fmt::Result {
    let names: Vec<&str> = report.variants.iter().map(|variant| variant.run.name.as_str()).collect();
    let of_each = |share: &dyn Fn(&Variant<'_>) -> Option<Share>| -> Vec<Option<Share>> {
        report.variants.iter().map(share).collect()
    };
    let fields = report.fields.iter().enumerate().map(|(index, field)| {
        (field.pointer.clone(), of_each(&|variant| Some(variant.summary.fields.get(index)?.right)))
    });
    let title = "Labels on which each field is right";
    Plot { title, names: &names, rows: fields.collect() }.write(out)?;
    let states = EvidenceState::ALL.into_iter().map(|state| {
        let share = of_each(&|variant| {
            let mut states = variant.summary.by_state.iter();
            Some(states.find(|one| one.state == state.as_str())?.right)
        });
        (state.as_str().to_owned(), share)
    });
    let states = states.filter(|(_, shares)| shares.iter().any(Option::is_some));
    let title = "Values that are right, by the state of their evidence";
    Plot { title, names: &names, rows: states.collect() }.write(out)?;
    for variant in &report.variants {
        let bins = &variant.summary.confidence.bins;
        let rows = bins.iter().map(|bin| {
            let label = format!("{:.1} to {:.1} ({} answers)", bin.from, bin.to, bin.answers);
            (label, vec![Some(bin.fields_right)])
        });
        let title = format!("{}: fields that are right, by confidence", variant.run.name);
        Plot { title: &title, names: &[], rows: rows.collect() }.write(out)?;
        if let Some(ranking) = variant.summary.confidence.ranking {
            let share = percent(ranking);
            let told = format!("has a higher confidence than one with a mistake in {share} of pairs");
            writeln!(out, "<p>An answer with nothing wrong {told}.</p>")?;
        }
    }
    Ok(())
}

/// Text that stands in the page as it is, within and outside of attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // What HTML has no way to write.
            c if c.is_control() && !matches!(c, '\n' | '\t' | '\r') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A share as a cell of a table.
fn share_cell(share: &Share) -> String {
    format!("<td>{}</td>", shown(share))
}
