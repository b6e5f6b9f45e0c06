//! What was found in the records, and what follows for all that wait.

use std::collections::BTreeMap;
use std::time::Duration;

use super::asked::{AskedAll, as_f64};
use crate::app::plan::{Forecast, PlannedQuestion};
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::domain::failure::Code;
use crate::pipeline::route::settings::Ceilings;

const MINUTE: f64 = 60.0;

/// What a connector would make of its records.
#[derive(Debug)]
pub(super) struct Plan {
    /// Records that were looked at.
    pub(super) sampled: usize,
    /// How many wait; `None` of a file.
    pub(super) waiting: Option<u64>,
    /// Records that the connector passes over.
    pub(super) skipped: usize,
    /// Records that fail without a call, by code.
    pub(super) dead_letters: BTreeMap<&'static str, usize>,
    remembered: usize,
    /// One call for each question of the sample, if this provider had all of them.
    providers: BTreeMap<String, Sum>,
    ceilings: BTreeMap<String, Ceilings>,
    max_in_flight: usize,
    pub(super) asked: Option<AskedAll>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    calls: usize,
    input_tokens: u64,
    output_tokens: u64,
    cost_usd: f64,
}

/// What all records would take of one provider, if it had all questions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    pub(super) input_tokens: f64,
    pub(super) output_tokens: f64,
    pub(super) cost_usd: f64,
    /// The least time, by ceilings and by the latency that was measured; `None` where nothing limits it.
    pub(super) seconds: Option<f64>,
}

impl Plan {
    pub(super) fn new(runtime: &RuntimeConfig, connector: &ConnectorConfig, waiting: Option<u64>) -> Self {
        let ceilings = runtime.providers.iter().map(|provider| (provider.name.clone(), provider.ceilings));
        Self {
            sampled: 0,
            waiting,
            skipped: 0,
            dead_letters: BTreeMap::new(),
            remembered: 0,
            providers: BTreeMap::new(),
            ceilings: ceilings.collect(),
            max_in_flight: connector.topics.max_in_flight,
            asked: None,
        }
    }

    /// Notes what would become of a record; a question is given back.
    pub(super) fn note(&mut self, forecast: Forecast) -> Option<PlannedQuestion> {
        self.sampled += 1;
        match forecast {
            Forecast::Skipped => self.skipped += 1,
            Forecast::DeadLetter(code) => *self.dead_letters.entry(Code::as_str(code)).or_default() += 1,
            Forecast::Remembered => self.remembered += 1,
            Forecast::Asked(question) => {
                for estimate in &question.estimates {
                    let sum = self.providers.entry(estimate.provider.to_string()).or_default();
                    sum.calls += 1;
                    sum.input_tokens += estimate.usage.input_tokens;
                    sum.output_tokens += estimate.usage.output_tokens;
                    sum.cost_usd += estimate.cost_usd;
                }
                return Some(*question);
            }
        }
        None
    }

    /// The share of records that are looked up and found; `None` where none is looked up.
    pub(super) fn cache_hit_rate(&self) -> Option<f64> {
        let failed: usize = self.dead_letters.values().sum();
        let looked_up = self.sampled - failed - self.skipped;
        (looked_up > 0).then(|| as_f64(self.remembered) / as_f64(looked_up))
    }

    /// What all records that wait, or those of the file, would take of each provider.
    pub(super) fn per_provider(&self) -> impl Iterator<Item = (&str, Outlook)> {
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let all = self.waiting.map_or(as_f64(self.sampled), |waiting| waiting as f64);
        let factor = if self.sampled == 0 { 0.0 } else { all / as_f64(self.sampled) };
        self.providers.iter().map(move |(name, sum)| (name.as_str(), self.outlook(name, *sum, factor)))
    }

    fn outlook(&self, name: &str, sum: Sum, factor: f64) -> Outlook {
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let [input_tokens, output_tokens] = [sum.input_tokens, sum.output_tokens].map(|tokens| tokens as f64 * factor);
        let calls = as_f64(sum.calls) * factor;
        let ceilings = self.ceilings.get(name).copied().unwrap_or_default();
        let latency = self.asked.as_ref().and_then(AskedAll::latency);
        let at_once = ceilings.concurrency.map_or(f64::INFINITY, f64::from).min(as_f64(self.max_in_flight));
        let limits = [
            ceilings.requests_per_minute.map(|most| calls / f64::from(most) * MINUTE),
            ceilings.tokens_per_minute.map(|most| (input_tokens + output_tokens) / f64::from(most) * MINUTE),
            latency.map(|latency: Duration| calls * latency.as_secs_f64() / at_once),
        ];
        let seconds = limits.into_iter().flatten().max_by(f64::total_cmp);
        Outlook { input_tokens, output_tokens, cost_usd: sum.cost_usd * factor, seconds }
    }
}
