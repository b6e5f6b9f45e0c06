//! All figures of a run: ratios first, because absolute figures move with the machine.

use std::fmt;

use crate::gateways::report::Gateways;
use crate::idle::Idle;
use crate::rounds::Measured;
use crate::run::Figures;
use crate::scenario::{CACHE_HITS, EXACTLY_ONCE, JOURNAL, ONE_SECOND, Scenario, ZERO_LATENCY};

const OURS: &str = "structured-prompt";

/// Ratios of this program to others, or to itself with other settings.
const RATIOS: &[(&str, Scenario, &str, Scenario, &str)] = &[
    ("S1, cache hits : copy loop", CACHE_HITS, OURS, CACHE_HITS, "copy loop"),
    ("S5 : S1, exactly-once : at-least-once", EXACTLY_ONCE, OURS, CACHE_HITS, OURS),
    ("S2, zero latency : Parallel Consumer", ZERO_LATENCY, OURS, ZERO_LATENCY, "Parallel Consumer"),
    ("S2, zero latency : Python", ZERO_LATENCY, OURS, ZERO_LATENCY, "Python"),
    ("S2j : S2, with journal : without", JOURNAL, OURS, ZERO_LATENCY, OURS),
    ("S3, 10,000 in flight : Parallel Consumer", ONE_SECOND, OURS, ONE_SECOND, "Parallel Consumer"),
];

/// Everything that was measured.
pub struct Summary {
    pub measured: Vec<Measured>,
    pub idle: Option<Vec<Idle>>,
    pub gateways: Option<Gateways>,
}

/// Median, least and greatest of some values.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { median: sorted[sorted.len() / 2], min: sorted[0], max: sorted[sorted.len() - 1] }
    }
}

/// How two kinds of runs compare, pair by pair.
pub struct Ratio {
    pub what: &'static str,
    pub records_per_s: Spread,
    pub cpu: Spread,
}

impl Summary {
    /// Ratios of what was measured.
    pub fn ratios(&self) -> Vec<Ratio> {
        let ratio = |&(what, scenario, contender, other, than): &(_, _, _, _, _)| {
            let (ours, theirs) = (self.figures(&scenario, contender)?, self.figures(&other, than)?);
            let of = |value: fn(&Figures) -> f64| Spread::of(ours.iter().zip(theirs).map(|(a, b)| value(a) / value(b)));
            Some(Ratio { what, records_per_s: of(|figures| figures.records_per_s), cpu: of(|figures| figures.cpu_us) })
        };
        RATIOS.iter().filter_map(ratio).collect()
    }

    fn write_idle(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.idle.iter().flatten().try_for_each(|idle| writeln!(f, "  {:<5}{idle}", crate::idle::NAME))
    }

    fn figures(&self, scenario: &Scenario, contender: &str) -> Option<&[Figures]> {
        let is_it = |measured: &&Measured| measured.scenario.name == scenario.name && measured.contender == contender;
        self.measured.iter().find(is_it).map(|measured| measured.figures.as_slice())
    }
}

impl Measured {
    pub fn spread(&self, value: fn(&Figures) -> f64) -> Spread {
        Spread::of(self.figures.iter().map(value))
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(gateways) = &self.gateways {
            writeln!(f, "{gateways}")?;
        }
        if self.measured.is_empty() {
            return self.write_idle(f);
        }
        writeln!(f, "Ratios of the same round: median (min–max)")?;
        writeln!(f, "  {:<44}{:>22}{:>22}", "", "records/s", "CPU per record")?;
        for Ratio { what, records_per_s, cpu } in self.ratios() {
            let shown = |s: Spread| format!("{:.2} ({:.2}–{:.2})", s.median, s.min, s.max);
            writeln!(f, "  {what:<44}{:>22}{:>22}", shown(records_per_s), shown(cpu))?;
        }
        writeln!(f, "\nMedian (min–max) of each")?;
        for measured in &self.measured {
            let rate = measured.spread(|figures| figures.records_per_s);
            let cpu = measured.spread(|figures| figures.cpu_us);
            let peak = measured.spread(|figures| figures.peak_mib as f64);
            writeln!(
                f,
                "  {:<5}{:<18}{:>7.0} ({:.0}–{:.0}) records/s, {:.1} ({:.1}–{:.1}) µs CPU/record, {:.0} MiB",
                measured.scenario.name,
                measured.contender,
                rate.median,
                rate.min,
                rate.max,
                cpu.median,
                cpu.min,
                cpu.max,
                peak.max
            )?;
        }
        self.write_idle(f)
    }
}
