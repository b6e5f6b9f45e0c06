//! The figures of S4: ratios and differences of the same round first.

use std::fmt;

use super::capacity::Capacity;
use super::open_loop::Outcome;
use super::overhead::{Overhead, Round};
use crate::summary::Spread;

/// Everything that was measured.
pub struct Gateways {
    pub overheads: Vec<Overhead>,
    pub capacity: Capacity,
    /// Peers that could not be had.
    pub missing: Vec<&'static str>,
}

/// One round in a line.
pub fn line(round: &Round) -> String {
    let Round { outcome, direct, cpu_us } = round;
    format!(
        "adds p50 {:.2} p99 {:.2} ms, {cpu_us:.0} µs CPU   ({}; provider itself p50 {:.2} p99 {:.2})",
        round.added_ms(0.5),
        round.added_ms(0.99),
        latencies(outcome),
        direct.quantile_ms(0.5),
        direct.quantile_ms(0.99),
    )
}

/// The latencies of a run, or why it does not count.
pub fn latencies(outcome: &Outcome) -> String {
    if let Some(error) = &outcome.first_error {
        return format!("failed: {}", error.chars().take(200).collect::<String>());
    }
    let carried = if outcome.is_carried { "" } else { ", not carried" };
    let (p50, p99) = (outcome.quantile_ms(0.5), outcome.quantile_ms(0.99));
    format!("p50 {p50:.2} p99 {p99:.2} ms, {:.0} answers/s{carried}", outcome.answered_per_s)
}

impl Overhead {
    fn spread(&self, value: impl Fn(&Round) -> f64) -> Spread {
        Spread::of(self.rounds.iter().map(value))
    }

    /// Whether every run of it counts.
    fn is_carried(&self) -> bool {
        self.rounds.iter().all(|round| round.outcome.is_carried)
    }

    /// Its columns in a table: what it adds, what it takes.
    fn columns(&self) -> [String; 4] {
        let shown = |spread: Spread| format!("{:.2} ({:.2}–{:.2})", spread.median, spread.min, spread.max);
        let cpu = format!("{:.0} µs", self.spread(|round| round.cpu_us).median);
        if !self.is_carried() {
            let answered = self.spread(|round| round.outcome.answered_per_s).median;
            return ["not carried".to_owned(), format!("{answered:.0} answers/s"), "–".to_owned(), cpu];
        }
        let factor = |round: &Round| round.outcome.quantile_ms(0.5) / round.direct.quantile_ms(0.5);
        let added = [0.5, 0.99].map(|share| shown(self.spread(|round| round.added_ms(share))));
        let [p50, p99] = added;
        [p50, p99, shown(self.spread(factor)), cpu]
    }
}

impl Gateways {
    /// The section of docs/benchmarks-http.md.
    pub fn section(&self) -> String {
        let mut text = "| requests/s | gateway | adds at p50, ms | adds at p99, ms | p50 : that of the provider itself | CPU/request |\n\
                        |---|---|---|---|---|---|\n"
            .to_owned();
        for overhead in &self.overheads {
            text += &format!("| {} | {} | {} |\n", overhead.rate, overhead.gateway, overhead.columns().join(" | "));
        }
        text + "\n" + &self.rest()
    }

    /// What this program does alone, and who was not measured.
    fn rest(&self) -> String {
        let Capacity { hits, batch, one_by_one, .. } = &self.capacity;
        let highest =
            self.capacity.highest().map_or("none of the rates that were tried".to_owned(), |(rate, outcome)| {
                format!("{rate} requests/s ({})", latencies(outcome))
            });
        let ratio = one_by_one.as_secs_f64() / batch.as_secs_f64();
        let missing = match self.missing.as_slice() {
            [] => String::new(),
            missing => format!("Could not be installed, and was not measured: {}.\n", missing.join(", ")),
        };
        format!(
            "- Highest rate carried, each request a call: {highest}.\n\
             - Remembered answers at 5000 requests/s: {}.\n\
             - A batch of 100 is {ratio:.1} times as fast as the same prompts one by one, with a provider that takes 200 ms.\n\
             {missing}",
            latencies(hits)
        )
    }
}

impl fmt::Display for Gateways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "What a gateway adds to a call: median (min–max) of the differences in a round, ms")?;
        writeln!(f, "  {:>7}  {:<42}{:>20}{:>20}{:>20}{:>10}", "", "", "p50", "p99", "p50 ratio", "CPU")?;
        for overhead in &self.overheads {
            let [p50, p99, factor, cpu] = overhead.columns();
            let rate = format!("{}/s", overhead.rate);
            writeln!(f, "  {rate:>7}  {:<42}{p50:>20}{p99:>20}{factor:>20}{cpu:>10}", overhead.gateway)?;
        }
        write!(f, "{}", self.rest())
    }
}
