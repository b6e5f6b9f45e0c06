//! A plan, for people and for programs.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::asked::AskedAll;
use super::forecast::{Outlook, Plan};

/// The plan as JSON. Tokens are whole numbers, and everything of a provider is for all records that wait.
pub(super) fn json(plan: &Plan) -> Value {
    let per_provider: Map<String, Value> = plan
        .per_provider()
        .map(|(name, outlook)| {
            let Outlook { input_tokens, output_tokens, cost_usd, seconds } = outlook;
            let [input_tokens, output_tokens] = [input_tokens, output_tokens].map(whole);
            let seconds = seconds.map(|seconds| rounded(seconds, 1));
            let cost_usd = rounded(cost_usd, 6);
            let outlook = json!({
                "input_tokens": input_tokens, "output_tokens": output_tokens, "cost_usd": cost_usd, "seconds": seconds,
            });
            (name.to_owned(), outlook)
        })
        .collect();
    json!({
        "sampled": plan.sampled,
        "records_waiting": plan.waiting,
        "skipped": plan.skipped,
        "dead_letters_by_code": plan.dead_letters,
        "cache_hit_rate": plan.cache_hit_rate().map(|rate| rounded(rate, 4)),
        "per_provider": per_provider,
        "asked": plan.asked.as_ref().map(asked),
    })
}

fn asked(asked: &AskedAll) -> Value {
    json!({
        "asked": asked.valid.of,
        "valid": asked.valid.count,
        "interval": [rounded(asked.valid.low, 4), rounded(asked.valid.high, 4)],
        "cost_usd": rounded(asked.cost_usd, 6),
        "cost_per_valid_usd": asked.cost_per_valid().map(|usd| rounded(usd, 6)),
        "cost_per_valid_interval": asked.cost_interval().map(|ends| ends.map(|usd| rounded(usd, 6))),
        "ladder_steps": asked.steps,
        "dead_letters_by_code": asked.dead_letters,
    })
}

/// The plan in lines.
pub(super) fn table(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    match plan.waiting {
        Some(waiting) => writeln!(out, "{waiting} records wait; looked at {}", plan.sampled)?,
        None => writeln!(out, "looked at the {} records of the file", plan.sampled)?,
    }
    if plan.skipped > 0 {
        writeln!(out, "  passed over: {}", plan.skipped)?;
    }
    for (code, count) in &plan.dead_letters {
        writeln!(out, "  dead letters {code}: {count}")?;
    }
    if let Some(rate) = plan.cache_hit_rate() {
        writeln!(out, "  answers that are remembered: {:.1} %", rate * 100.0)?;
    }
    let of = if plan.waiting.is_some() { "all records that wait" } else { "the file" };
    writeln!(out, "\nestimate for {of}, if one provider had all questions:")?;
    writeln!(
        out,
        "  {:<16} {:>14} {:>14} {:>12} {:>10}",
        "provider", "input tokens", "output tokens", "USD", "at least"
    )?;
    for (name, outlook) in plan.per_provider() {
        let seconds = outlook.seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.0} s"));
        let Outlook { input_tokens, output_tokens, cost_usd, .. } = outlook;
        writeln!(out, "  {name:<16} {input_tokens:>14.0} {output_tokens:>14.0} {cost_usd:>12.4} {seconds:>10}")?;
    }
    if let Some(asked) = &plan.asked {
        table_of_asked(asked, out)?;
    }
    Ok(())
}

fn table_of_asked(asked: &AskedAll, out: &mut dyn Write) -> io::Result<()> {
    let (low, high) = (asked.valid.low * 100.0, asked.valid.high * 100.0);
    writeln!(out, "\nasked about {}: {} valid answers", asked.valid.of, asked.valid.count)?;
    if let Some(rate) = asked.valid.rate {
        writeln!(out, "  {:.1} %, within {low:.1} % and {high:.1} % with a confidence of 95 %", rate * 100.0)?;
    }
    for (step, count) in &asked.steps {
        writeln!(out, "  step {step}: {count}")?;
    }
    for (code, count) in &asked.dead_letters {
        writeln!(out, "  dead letters {code}: {count}")?;
    }
    if let Some(usd) = asked.cost_per_valid() {
        writeln!(out, "  a valid answer costs {usd:.6} USD, all of them {:.4} USD", asked.cost_usd)?;
    }
    Ok(())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, and none is negative")]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

fn rounded(number: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (number * factor).round() / factor
}
