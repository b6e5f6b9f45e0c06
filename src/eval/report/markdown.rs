//! The numbers as Markdown.

use std::fmt::{self, Write as _};

use super::words::{counted, percent, shown};
use super::{Report, Variant, overview};
use crate::eval::comparison::Comparison;
use crate::eval::confusion::Confusion;
use crate::eval::summary::FieldSummary;

/// The report as Markdown.
///
/// # Errors
/// Never in practice: the text is written to memory.
pub fn write(report: &Report<'_>) -> Result<String, fmt::Error> {
    let mut out = String::new();
    writeln!(out, "# {} on {} labels\n", cell(report.connector), report.labels.len())?;
    overview(&mut out, report)?;
    comparisons(&mut out, "## Compared with the first variant", &report.comparisons)?;
    comparisons(&mut out, "## Compared with the baseline", &report.with_baseline)?;
    fields(&mut out, report)?;
    states(&mut out, report)?;
    for variant in &report.variants {
        mistakes(&mut out, variant)?;
        for table in &variant.confusion {
            confusion(&mut out, variant, table)?;
        }
    }
    Ok(out)
}

fn overview(out: &mut String, report: &Report<'_>) -> fmt::Result {
    head(out, &overview::HEADS)?;
    for variant in &report.variants {
        writeln!(out, "| {} | {} |", cell(&variant.run.name), overview::cells(variant).join(" | "))?;
    }
    writeln!(out, "\n{}\n", overview::EXPLANATION)?;
    for variant in &report.variants {
        let models: Vec<&str> = variant.summary.models.iter().map(String::as_str).collect();
        let models = if models.is_empty() { String::new() } else { format!("; answered by {}", models.join(", ")) };
        let (name, settings) = (cell(&variant.run.name), cell(&overview::settings(variant)));
        writeln!(out, "- {name}: {settings}{}", cell(&models))?;
        overview::notes(variant).iter().try_for_each(|note| writeln!(out, "  - {note}"))?;
    }
    writeln!(out)
}

fn comparisons(out: &mut String, title: &str, comparisons: &[Comparison]) -> fmt::Result {
    if comparisons.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title}\n")?;
    for comparison in comparisons {
        let Comparison { base, variant, overall, .. } = comparison;
        let [variant, base] = [variant, base].map(|name| cell(name));
        writeln!(out, "- {variant} against {base}: {overall}.")?;
        for (field, difference) in comparison.findings() {
            writeln!(out, "  - {}: {difference}.", cell(field))?;
        }
        if let Some(told) = comparison.told_left_out() {
            writeln!(out, "  - {told}.")?;
        }
    }
    writeln!(out, "\nThe `p` of a field takes into account how many fields were looked at.\n")
}

fn fields(out: &mut String, report: &Report<'_>) -> fmt::Result {
    writeln!(out, "## Fields\n")?;
    head(out, &["field", "variant", "right", "score", "wrong", "omitted", "invented", "ungrounded"])?;
    for index in 0..report.fields.len() {
        for variant in &report.variants {
            let Some(field) = variant.summary.fields.get(index) else { continue };
            let FieldSummary { field, metric, right, score, wrong, omitted, invented, ungrounded, by_state: _ } = field;
            let [omitted, invented, ungrounded] = [omitted, invented, ungrounded].map(counted);
            let (field, name, right, score) = (cell(field), cell(&variant.run.name), shown(right), percent(*score));
            writeln!(
                out,
                "| {field} ({metric}) | {name} | {right} | {score} | {wrong} | {omitted} | {invented} | {ungrounded} |"
            )?;
        }
    }
    writeln!(out)
}

fn states(out: &mut String, report: &Report<'_>) -> fmt::Result {
    if report.variants.iter().all(|variant| variant.summary.by_state.is_empty()) {
        return Ok(());
    }
    writeln!(
        out,
        "## Values by the state of their evidence\n\n| variant | state | values | right |\n|---|---|---|---|"
    )?;
    for Variant { run, summary, .. } in &report.variants {
        for share in &summary.by_state {
            writeln!(out, "| {} | {} | {} | {} |", cell(&run.name), share.state, share.right.of, shown(&share.right))?;
        }
    }
    writeln!(out)
}

/// What went wrong with a variant, beyond its fields.
fn mistakes(out: &mut String, Variant { run, summary, .. }: &Variant<'_>) -> fmt::Result {
    writeln!(out, "## {}\n", cell(&run.name))?;
    if summary.dead_letters.is_empty() {
        writeln!(out, "Every label that counts has an answer.\n")?;
    } else {
        let codes: Vec<String> = summary.dead_letters.iter().map(|(code, count)| format!("{code} {count}")).collect();
        writeln!(out, "Without an answer: {}.\n", codes.join(", "))?;
    }
    for (title, groups) in [("language", &summary.by_language), ("what makes it hard", &summary.by_trap)] {
        if !groups.is_empty() {
            writeln!(out, "| {title} | fields right |\n|---|---|")?;
            groups.iter().try_for_each(|(name, share)| writeln!(out, "| {} | {} |", cell(name), shown(share)))?;
            writeln!(out)?;
        }
    }
    if let Some(ranking) = summary.confidence.ranking {
        let share = percent(ranking);
        writeln!(
            out,
            "An answer with nothing wrong has a higher confidence than one with a mistake in {share} of pairs.\n"
        )?;
    }
    Ok(())
}

fn confusion(out: &mut String, variant: &Variant<'_>, table: &Confusion) -> fmt::Result {
    let columns: Vec<String> = table.given.iter().map(|name| cell(name)).collect();
    writeln!(out, "### {} of {}: expected by row, given by column\n", cell(&table.field), cell(&variant.run.name))?;
    writeln!(out, "| | {} |\n|---|{}", columns.join(" | "), "---|".repeat(columns.len()))?;
    for (name, counts) in table.expected.iter().zip(&table.counts) {
        let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
        writeln!(out, "| {} | {} |", cell(name), counts.join(" | "))?;
    }
    writeln!(out)
}

/// The first two lines of a table.
fn head(out: &mut String, heads: &[&str]) -> fmt::Result {
    writeln!(out, "| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()))
}

/// A text that is no Markdown of its own.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' => cell.extend(['\\', c]),
            '<' => cell.push_str("&lt;"),
            '&' => cell.push_str("&amp;"),
            c if c.is_control() => cell.push(' '),
            c => cell.push(c),
        }
    }
    cell
}
