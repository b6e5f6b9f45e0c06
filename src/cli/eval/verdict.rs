//! What an evaluation comes to, in a few lines and an exit code.

use std::io::{self, Write};

use crate::cli::{Exit, say};
use crate::eval::comparison::Comparison;
use crate::eval::report::{Report, Variant, shown_share};

/// Prints each variant in a line, and how they compare.
pub(super) fn print(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    for Variant { run, summary, .. } in &report.variants {
        let [fields, labels] = [&summary.fields_right, &summary.labels_right].map(shown_share);
        writeln!(out, "{}: fields right {fields}, labels right {labels}", run.name)?;
        let [omitted, invented, ungrounded] =
            [&summary.omitted, &summary.invented, &summary.ungrounded].map(shown_share);
        writeln!(out, "  omitted {omitted}, invented {invented}, ungrounded {ungrounded}")?;
        if !summary.by_state.is_empty() {
            let states = summary.by_state.iter().map(|one| format!("{} {}", one.state, shown_share(&one.right)));
            writeln!(out, "  right by evidence: {}", states.collect::<Vec<_>>().join(", "))?;
        }
        if !summary.dead_letters.is_empty() {
            let codes = summary.dead_letters.iter().map(|(code, count)| format!("{code} {count}"));
            writeln!(out, "  without an answer: {}", codes.collect::<Vec<_>>().join(", "))?;
        }
        if let Some(usd) = summary.cost.usd_per_answer.filter(|usd| *usd > 0.0) {
            writeln!(out, "  an answer costs {usd:.6} USD, all of them {:.4} USD", summary.cost.usd)?;
        }
        if let Some(latency) = &summary.latency {
            writeln!(out, "  half of the labels took {:.0} ms, 95 % at most {:.0} ms", latency.p50_ms, latency.p95_ms)?;
        }
    }
    report.comparisons.iter().try_for_each(|one| compare(out, one, ""))?;
    report.with_baseline.iter().try_for_each(|one| compare(out, one, " of the baseline"))
}

fn compare(out: &mut dyn Write, comparison: &Comparison, of: &str) -> io::Result<()> {
    writeln!(out, "{} against {}{of}: {}", comparison.variant, comparison.base, comparison.overall)?;
    for (field, difference) in comparison.findings() {
        writeln!(out, "  {field}: {difference}")?;
    }
    if let Some(told) = comparison.told_left_out() {
        writeln!(out, "  {told}")?;
    }
    Ok(())
}

/// Whether that is good enough; why not goes to standard error.
pub(super) fn exit(report: &Report<'_>, fail_under: Option<f64>) -> Exit {
    let mut reasons = Vec::new();
    for Variant { run, summary, .. } in &report.variants {
        if summary.unasked > 0 {
            let why = run.outcomes().iter().find(|outcome| outcome.is_unasked()).map(|outcome| outcome.reason());
            let (name, number, why) = (&run.name, summary.unasked, why.unwrap_or_default());
            reasons.push(format!("{name}: nobody could be asked about {number} labels ({why}); run it again"));
        }
        let rate = summary.fields_right.rate.unwrap_or(0.0);
        if let Some(limit) = fail_under.filter(|limit| rate < *limit) {
            let [rate, limit] = [rate, limit].map(|share| share * 100.0);
            reasons.push(format!("{}: {rate:.1} % of fields are right, less than {limit:.1} %", run.name));
        }
    }
    for comparison in report.with_baseline.iter().filter(|comparison| comparison.is_regression()) {
        reasons.push(format!("{} is worse than the baseline, by more than chance would make it", comparison.variant));
    }
    for comparison in report.with_baseline.iter().filter(|comparison| comparison.overall.labels == 0) {
        reasons
            .push(format!("{} has no label in common with the baseline; compare the same labels", comparison.variant));
    }
    reasons.iter().for_each(say);
    if reasons.is_empty() { Exit::Done } else { Exit::Failed }
}
