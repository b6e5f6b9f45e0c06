//! How a provider has been doing over the last five minutes.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What is remembered.
const WINDOW: Duration = Duration::from_secs(300);
/// The window moves in steps of this.
const BUCKET: Duration = Duration::from_secs(10);
/// Share of failed calls above which a provider is disabled.
const TOLERATED: f64 = 0.1;
/// Calls within the window below which a share says nothing.
const ENOUGH_CALLS: u32 = 20;
/// For how long it is disabled.
const COOLDOWN: Duration = Duration::from_secs(15 * 60);
/// Invalid answers in a row after which another provider is preferred.
const INVALID_IN_A_ROW: u32 = 3;
/// For how long another one is then preferred.
const INVALID_COOLDOWN: Duration = Duration::from_secs(30);
/// Upper bounds of the latency classes in milliseconds; the last one is open.
const CLASSES_MS: [u64; 15] = [5, 10, 20, 50, 100, 200, 350, 500, 750, 1000, 2000, 3500, 5000, 10_000, 30_000];

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    calls: u32,
    errors: u32,
    valid: u32,
    invalid: u32,
    answered: u32,
    latency: Duration,
    classes: [u32; CLASSES_MS.len() + 1],
}

/// Why a provider is asked only when nobody else can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disabled {
    /// Too many of its calls failed.
    Errors,
    /// Its last answers broke their schemas.
    InvalidAnswers,
}

impl Disabled {
    /// In words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Errors => "more than 10 % of its calls failed within 5 minutes",
            Self::InvalidAnswers => "its last answers broke their schema",
        }
    }
}

/// What the window shows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Calls that have ended.
    pub calls: u32,
    /// Share of them that failed, 0.0–1.0.
    pub error_ratio: f64,
    /// Share of answers that were valid, 0.0–1.0; 1.0 without any.
    pub valid_ratio: f64,
    /// Mean latency of answers; `None` without any.
    pub mean: Option<Duration>,
    /// Upper bound of the class that holds the 95th percentile of answers' latency.
    pub p95: Option<Duration>,
}

/// A rolling window.
#[derive(Debug, Default)]
pub(super) struct Health {
    buckets: VecDeque<(Instant, Counts)>,
    disabled: Option<(Disabled, Instant)>,
    invalid_in_a_row: u32,
}

impl Health {
    /// A call was answered, whatever the answer is worth.
    pub(super) fn answered(&mut self, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let class = CLASSES_MS.iter().position(|bound| millis <= *bound).unwrap_or(CLASSES_MS.len());
        let counts = self.now();
        counts.calls += 1;
        counts.answered += 1;
        counts.latency += took;
        counts.classes[class] += 1;
    }

    /// A call failed.
    pub(super) fn failed(&mut self) {
        let counts = self.now();
        counts.calls += 1;
        counts.errors += 1;
        let total = self.total();
        let too_many = f64::from(total.errors) > TOLERATED * f64::from(total.calls);
        if total.calls >= ENOUGH_CALLS && too_many && self.disabled() != Some(Disabled::Errors) {
            self.disabled = Some((Disabled::Errors, Instant::now() + COOLDOWN));
        }
    }

    /// An answer was held against its schema.
    pub(super) fn judged(&mut self, is_valid: bool) {
        if is_valid {
            self.now().valid += 1;
            self.invalid_in_a_row = 0;
            return;
        }
        self.now().invalid += 1;
        self.invalid_in_a_row += 1;
        if self.invalid_in_a_row >= INVALID_IN_A_ROW && self.disabled().is_none() {
            self.invalid_in_a_row = 0;
            self.disabled = Some((Disabled::InvalidAnswers, Instant::now() + INVALID_COOLDOWN));
        }
    }

    /// Why others are preferred at present. When the time is over the provider begins with a clean slate.
    pub(super) fn disabled(&mut self) -> Option<Disabled> {
        let (why, until) = self.disabled?;
        if Instant::now() < until {
            return Some(why);
        }
        self.disabled = None;
        if why == Disabled::Errors {
            self.buckets.clear();
        }
        None
    }

    pub(super) fn summary(&mut self) -> Summary {
        let total = self.total();
        let ratio = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
        let judged = total.valid + total.invalid;
        Summary {
            calls: total.calls,
            error_ratio: ratio(total.errors, total.calls),
            valid_ratio: if judged == 0 { 1.0 } else { ratio(total.valid, judged) },
            mean: total.latency.checked_div(total.answered),
            p95: percentile(&total, 0.95),
        }
    }

    fn now(&mut self) -> &mut Counts {
        let now = Instant::now();
        if self.buckets.back().is_none_or(|(began_at, _)| *began_at + BUCKET <= now) {
            self.buckets.push_back((now, Counts::default()));
        }
        self.forget(now);
        let last = self.buckets.len() - 1;
        &mut self.buckets[last].1
    }

    fn forget(&mut self, now: Instant) {
        while self.buckets.front().is_some_and(|(began_at, _)| *began_at + WINDOW <= now) {
            self.buckets.pop_front();
        }
    }

    fn total(&mut self) -> Counts {
        self.forget(Instant::now());
        let mut total = Counts::default();
        for (_, counts) in &self.buckets {
            total.calls += counts.calls;
            total.errors += counts.errors;
            total.valid += counts.valid;
            total.invalid += counts.invalid;
            total.answered += counts.answered;
            total.latency += counts.latency;
            total.classes.iter_mut().zip(counts.classes).for_each(|(sum, count)| *sum += count);
        }
        total
    }
}

fn percentile(counts: &Counts, share: f64) -> Option<Duration> {
    let wanted = f64::from(counts.answered) * share;
    let mut seen = 0;
    for (class, count) in counts.classes.iter().enumerate() {
        seen += count;
        if seen > 0 && f64::from(seen) >= wanted {
            let bound = CLASSES_MS.get(class).or(CLASSES_MS.last()).copied().unwrap_or_default();
            return Some(Duration::from_millis(bound));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn more_than_a_tenth_of_errors_disables_for_a_quarter_of_an_hour() {
        let mut health = Health::default();
        (0..90).for_each(|_| health.answered(Duration::from_millis(80)));
        (0..10).for_each(|_| health.failed());
        assert_eq!(health.disabled(), None, "exactly a tenth is tolerated");
        health.failed();
        assert_eq!(health.disabled(), Some(Disabled::Errors));
        tokio::time::advance(COOLDOWN - Duration::from_secs(1)).await;
        assert_eq!(health.disabled(), Some(Disabled::Errors));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(health.disabled(), None);
        assert_eq!(health.summary().calls, 0, "it begins with a clean slate");
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_calls_say_nothing() {
        let mut health = Health::default();
        (1..ENOUGH_CALLS).for_each(|_| health.failed());
        assert_eq!(health.disabled(), None);
        health.failed();
        assert_eq!(health.disabled(), Some(Disabled::Errors));
    }

    #[tokio::test(start_paused = true)]
    async fn errors_are_forgotten_after_five_minutes() {
        let mut health = Health::default();
        (0..15).for_each(|_| health.failed());
        tokio::time::advance(WINDOW).await;
        (0..100).for_each(|_| health.answered(Duration::from_millis(3)));
        health.failed();
        assert_eq!(health.disabled(), None);
        assert_eq!(health.summary().calls, 101);
    }

    #[tokio::test(start_paused = true)]
    async fn invalid_answers_in_a_row_are_a_reason_of_their_own() {
        let mut health = Health::default();
        for _ in 0..10 {
            health.judged(false);
            health.judged(false);
            health.judged(true);
        }
        assert_eq!(health.disabled(), None);
        (0..3).for_each(|_| health.judged(false));
        assert_eq!(health.disabled(), Some(Disabled::InvalidAnswers));
        tokio::time::advance(INVALID_COOLDOWN).await;
        assert_eq!(health.disabled(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn the_summary_has_ratios_and_latencies() {
        let mut health = Health::default();
        assert_eq!(health.summary(), Summary { valid_ratio: 1.0, ..Summary::default() });
        (0..95).for_each(|_| health.answered(Duration::from_millis(40)));
        (0..5).for_each(|_| health.answered(Duration::from_millis(900)));
        (0..3).for_each(|_| health.judged(true));
        health.judged(false);
        let summary = health.summary();
        assert_eq!(summary.p95, Some(Duration::from_millis(50)));
        assert_eq!(summary.mean, Some(Duration::from_millis(83)));
        assert!((summary.valid_ratio - 0.75).abs() < 1e-9);
    }
}
