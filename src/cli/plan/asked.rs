//! Asking about some of the records.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use crate::app::plan::{Asked, PlannedQuestion, Planner};
use crate::cli::say;
use crate::eval::interval::Share;

/// How many standard errors a 95 % interval reaches to each side.
const Z: f64 = 1.96;
/// Questions that are asked at the same time.
const AT_ONCE: usize = 8;
/// How long one may take: long enough for a provider's pause.
const LIMIT: Duration = Duration::from_secs(300);

/// What asking showed.
#[derive(Debug)]
pub(super) struct AskedAll {
    /// Those of which somebody could be asked, and how many of them came to a valid answer, with the 95 % interval.
    pub(super) valid: Share,
    /// What all calls cost, in US dollars.
    pub(super) cost_usd: f64,
    /// Calls by the step that they were, and what took none.
    pub(super) steps: BTreeMap<&'static str, usize>,
    /// Records without a valid answer, by code.
    pub(super) dead_letters: BTreeMap<&'static str, usize>,
    took: Duration,
    /// Of each record what it cost, and whether its answer was valid.
    costs: Vec<(f64, bool)>,
}

impl AskedAll {
    /// What a valid answer costs, in US dollars; `None` if there is none.
    pub(super) fn cost_per_valid(&self) -> Option<f64> {
        (self.valid.count > 0).then(|| self.cost_usd / as_f64(self.valid.count))
    }

    /// The 95 % interval of what a valid answer costs, in US dollars; `None` of fewer than two records, or without a valid
    /// answer.
    pub(super) fn cost_interval(&self) -> Option<[f64; 2]> {
        let (ratio, number) = (self.cost_per_valid()?, as_f64(self.costs.len()));
        if self.costs.len() < 2 {
            return None;
        }
        // The variance of a ratio of sums, linearised (Cochran, Sampling Techniques, section 6.3).
        let deviation = |(usd, is_valid): &(f64, bool)| usd - if *is_valid { ratio } else { 0.0 };
        let squares: f64 = self.costs.iter().map(|one| deviation(one).powi(2)).sum();
        let error = (squares * number / (number - 1.0)).sqrt() / as_f64(self.valid.count);
        Some([(ratio - Z * error).max(0.0), ratio + Z * error])
    }

    /// How long a record took on average.
    pub(super) fn latency(&self) -> Option<Duration> {
        let asked = u32::try_from(self.valid.of).unwrap_or(u32::MAX);
        self.took.checked_div(asked)
    }
}

/// Asks `number` of the questions, evenly spread.
pub(super) async fn ask(planner: &Planner, questions: Vec<PlannedQuestion>, number: usize) -> AskedAll {
    let all = questions.len();
    let chosen = questions.into_iter().enumerate().filter(|(index, _)| is_chosen(*index, all, number));
    let chosen: Vec<_> = chosen.map(|(_, question)| question).collect();
    say(format_args!("asking about {} records", chosen.len()));
    let asked = stream::iter(chosen).map(|question| planner.ask(question, LIMIT));
    let asked: Vec<Asked> = asked.buffer_unordered(AT_ONCE).collect().await;
    let unasked = asked.iter().filter(|one| !one.is_told()).count();
    if unasked > 0 {
        let failure = asked.iter().find(|one| !one.is_told()).and_then(|one| one.failure.as_ref());
        let why = failure.map(ToString::to_string).unwrap_or_default();
        say(format_args!("nobody could be asked about {unasked} of them: {why}"));
    }
    sum(&asked)
}

/// Whether the question with this index is one of `number` that are spread over all of them.
fn is_chosen(index: usize, all: usize, number: usize) -> bool {
    number >= all || (index + 1) * number / all > index * number / all
}

fn sum(asked: &[Asked]) -> AskedAll {
    let (mut steps, mut dead_letters) = (BTreeMap::new(), BTreeMap::new());
    let (mut told, mut valid, mut took) = (0, 0, Duration::ZERO);
    for one in asked.iter().filter(|one| one.is_told()) {
        told += 1;
        took += one.took;
        one.attempts.iter().for_each(|attempt| *steps.entry(attempt.step.as_str()).or_default() += 1);
        match &one.failure {
            None => valid += 1,
            Some(failure) => *dead_letters.entry(failure.code.as_str()).or_default() += 1,
        }
    }
    let told_of = asked.iter().filter(|one| one.is_told());
    let costs: Vec<(f64, bool)> = told_of.map(|one| (one.cost_usd(), one.failure.is_none())).collect();
    let cost_usd = costs.iter().map(|(usd, _)| usd).sum();
    AskedAll { valid: Share::of(valid, told), cost_usd, steps, dead_letters, took, costs }
}

#[allow(clippy::cast_precision_loss, reason = "counts of records are far below 2^52")]
pub(super) fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_valid_answer_has_an_interval() {
        let of = |costs: &[(f64, bool)]| {
            let valid = costs.iter().filter(|(_, is_valid)| *is_valid).count();
            let cost_usd = costs.iter().map(|(usd, _)| usd).sum();
            let (valid, costs) = (Share::of(valid, costs.len()), costs.to_vec());
            AskedAll { valid, cost_usd, steps: BTreeMap::new(), dead_letters: BTreeMap::new(), took: LIMIT, costs }
        };
        let equal = of(&[(0.5, true); 10]);
        assert_eq!((equal.cost_per_valid(), equal.cost_interval()), (Some(0.5), Some([0.5, 0.5])));
        // Nine of ten are valid: a failure costs as much, so that a valid answer costs 1 / 0.9 of one call.
        let [low, high] =
            of(&[&[(0.9, true); 90][..], &[(0.9, false); 10]].concat()).cost_interval().expect("an interval");
        assert!(low > 0.92 && low < 0.95 && high > 1.05 && high < 1.08, "{low} {high}");
        assert_eq!(of(&[(1.0, true)]).cost_interval(), None);
        assert_eq!(of(&[(1.0, false), (1.0, false)]).cost_interval(), None);
    }

    #[test]
    fn as_many_are_chosen_as_were_asked_for_spread_over_all() {
        for (all, number) in [(10, 3), (7, 7), (3, 9), (100, 1), (0, 4)] {
            let chosen: Vec<usize> = (0..all).filter(|index| is_chosen(*index, all, number)).collect();
            assert_eq!(chosen.len(), number.min(all), "{chosen:?}");
        }
        let halves: Vec<usize> = (0..10).filter(|index| is_chosen(*index, 10, 2)).collect();
        assert_eq!(halves, [4, 9]);
    }
}
