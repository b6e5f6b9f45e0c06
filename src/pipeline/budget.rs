//! A caller's budget: reserved before a call, settled after it, so that calls at the same time cannot overspend it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::failure::{Code, Failure, Kind};
use crate::ports::clock::Clock;
use crate::telemetry::metrics::{CallerMetrics, Metrics};

/// How long to wait while what is left is only reserved: the calls under way may cost less than was reserved for them.
const WAIT_FOR_OTHERS: Duration = Duration::from_millis(500);

/// What a caller may spend in this process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetSettings {
    /// US dollars in each window.
    pub usd: f64,
    /// Length of a window. Windows begin at multiples of it since 1970-01-01 UTC, so `24h` is a UTC day.
    pub window: Duration,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    window: u128,
    spent: f64,
    reserved: f64,
}

/// What a caller has spent in the present window, in US dollars.
pub struct Budget {
    settings: BudgetSettings,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Why there is nothing left, and until when.
    spent_until: Mutex<Option<(Failure, Instant)>>,
}

/// Money set aside for one call. Dropped without [`Reservation::settle`] it is given back.
pub struct Reservation<'a> {
    budget: &'a Budget,
    window: u128,
    usd: f64,
}

impl Budget {
    /// A budget of which nothing is spent.
    pub fn new(settings: BudgetSettings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock, state: Mutex::default(), spent_until: Mutex::default() }
    }

    /// Spent in the present window, in US dollars.
    pub fn spent(&self) -> f64 {
        self.state(self.clock.now()).spent
    }

    /// US dollars in each window.
    pub fn limit(&self) -> f64 {
        self.settings.usd
    }

    /// Shows it in these metrics, as it is whenever they are scraped.
    pub fn show(self: &Arc<Self>, metrics: &Metrics, of: CallerMetrics) {
        let budget = Arc::clone(self);
        metrics.at_scrape(move || of.budget(budget.spent(), budget.limit()));
    }

    /// Why there is nothing left at present, and until when: since a call could not be paid.
    pub fn spent_until(&self) -> Option<(Failure, Instant)> {
        let mut spent = self.spent_until.lock().unwrap_or_else(PoisonError::into_inner);
        spent.take_if(|(_, until)| *until <= Instant::now());
        spent.clone()
    }

    /// Sets `usd` aside for a call that costs at most that.
    ///
    /// # Errors
    /// `budget_exhausted`, with the time until the window ends, or a moment if only reservations stand in the way;
    /// `record_ceiling` when no window has that much, so that waiting would never end.
    pub fn reserve(&self, usd: f64) -> Result<Reservation<'_>, Failure> {
        let reserved = self.try_reserve(usd);
        if let Err(failure) = &reserved
            && failure.kind() == Kind::Unavailable
        {
            let until = Instant::now() + failure.retry_after.unwrap_or_default();
            *self.spent_until.lock().unwrap_or_else(PoisonError::into_inner) = Some((failure.clone(), until));
        }
        reserved
    }

    /// Sets `usd` aside for a call that need not be made, if that is left: nobody waits for it.
    pub fn reserve_spare(&self, usd: f64) -> Option<Reservation<'_>> {
        self.try_reserve(usd).ok()
    }

    fn try_reserve(&self, usd: f64) -> Result<Reservation<'_>, Failure> {
        let now = self.clock.now();
        let mut state = self.state(now);
        if state.spent + state.reserved + usd <= self.settings.usd {
            state.reserved += usd;
            return Ok(Reservation { budget: self, window: state.window, usd });
        }
        if usd > self.settings.usd {
            return Err(self.too_small(usd));
        }
        let only_reserved = state.spent + usd <= self.settings.usd;
        let pause = if only_reserved { WAIT_FOR_OTHERS } else { self.left_of_window(now) };
        Err(self.exhausted(usd).retry_after(Some(pause)))
    }

    fn exhausted(&self, need: f64) -> Failure {
        let BudgetSettings { usd, window } = self.settings;
        let detail = format!(
            "a call that may cost {need:.4} USD would exceed the budget of {usd} USD in {window:?}; raise options.budget or wait"
        );
        Failure::new(Code::BudgetExhausted, detail)
    }

    fn too_small(&self, need: f64) -> Failure {
        let BudgetSettings { usd, window } = self.settings;
        let detail = format!(
            "this call may cost {need:.4} USD, more than the whole budget of {usd} USD in {window:?}; raise options.budget or \
             lower max_tokens"
        );
        Failure::new(Code::RecordCeiling, detail)
    }

    fn left_of_window(&self, now: Duration) -> Duration {
        let window = self.settings.window.as_millis().max(1);
        Duration::from_millis(u64::try_from(window - now.as_millis() % window).unwrap_or(u64::MAX))
    }

    fn state(&self, now: Duration) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let window = now.as_millis() / self.settings.window.as_millis().max(1);
        if state.window != window {
            *state = State { window, ..State::default() };
        }
        state
    }
}

impl Reservation<'_> {
    /// Replaces what was set aside by what the call did cost.
    pub fn settle(mut self, usd: f64) {
        self.end(usd);
    }

    fn end(&mut self, spent: f64) {
        let mut state = self.budget.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A window that began meanwhile knows nothing of this reservation.
        if state.window == self.window {
            state.reserved = (state.reserved - self.usd).max(0.0);
            state.spent += spent;
        }
        self.usd = 0.0;
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.usd > 0.0 {
            self.end(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::clock::ManualClock;
    use crate::telemetry::metrics::TextFormat;

    const HOUR: Duration = Duration::from_secs(3600);

    fn budget(usd: f64) -> (Budget, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        clock.advance(HOUR);
        (Budget::new(BudgetSettings { usd, window: HOUR }, Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    #[test]
    fn calls_at_the_same_time_cannot_overspend_it() {
        let (budget, _) = budget(1.0);
        let reserved: Vec<_> = (0..10).map(|_| budget.reserve(0.3)).collect();
        assert_eq!(reserved.iter().filter(|reservation| reservation.is_ok()).count(), 3);
        let refused = reserved.into_iter().find_map(Result::err).unwrap();
        assert_eq!(refused.code, Code::BudgetExhausted);
        assert_eq!(refused.retry_after, Some(WAIT_FOR_OTHERS), "the money is only reserved");
    }

    #[test]
    fn a_call_that_need_not_be_made_is_not_waited_for() {
        let (budget, _) = budget(1.0);
        assert!(budget.reserve_spare(0.4).is_some());
        budget.reserve(0.8).ok().unwrap().settle(0.8);
        assert!(budget.reserve_spare(0.4).is_none());
        assert_eq!(budget.spent_until(), None);
        assert!(budget.reserve(0.1).is_ok());
    }

    #[test]
    fn what_a_call_costs_replaces_what_was_set_aside() {
        let (budget, _) = budget(1.0);
        budget.reserve(0.9).ok().unwrap().settle(0.2);
        assert!((budget.spent() - 0.2).abs() < 1e-9);
        assert!(budget.reserve(0.8).is_ok());
        drop(budget.reserve(0.8).ok().unwrap());
        assert!(budget.reserve(0.8).is_ok(), "a call that was never made costs nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_spent_budget_waits_for_the_next_window() {
        let (budget, clock) = budget(1.0);
        clock.advance(HOUR / 4);
        budget.reserve(0.5).ok().unwrap().settle(1.2);
        assert_eq!(budget.spent_until(), None, "nobody was refused yet");
        let refused = budget.reserve(0.1).err().unwrap();
        assert_eq!(refused.retry_after, Some(HOUR * 3 / 4));
        let (failure, until) = budget.spent_until().unwrap();
        assert_eq!((failure, until - Instant::now()), (refused, HOUR * 3 / 4));
        clock.advance(HOUR * 3 / 4);
        tokio::time::advance(HOUR * 3 / 4).await;
        assert_eq!(budget.spent_until(), None);
        assert!(budget.reserve(0.1).is_ok());
    }

    #[test]
    fn metrics_show_it_before_the_first_call_and_after_the_end_of_a_window() {
        let (budget, clock) = budget(2.0);
        let (budget, metrics) = (Arc::new(budget), Metrics::default());
        budget.show(&metrics, metrics.caller("tickets"));
        let shown = || {
            let text = metrics.encode(TextFormat::OpenMetrics).unwrap();
            let value = |name: &str| {
                let start = format!("{name}{{connector=\"tickets\"}} ");
                text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or("nothing").to_owned()
            };
            (value("sp_budget_spent_usd"), value("sp_budget_limit_usd"))
        };
        let values = |spent: &str| (spent.to_owned(), "2.0".to_owned());
        assert_eq!(shown(), values("0.0"));
        budget.reserve(1.5).ok().unwrap().settle(1.5);
        assert_eq!(shown(), values("1.5"));
        clock.advance(HOUR);
        assert_eq!(shown(), values("0.0"));
    }

    #[test]
    fn a_call_that_no_window_can_pay_is_not_waited_for() {
        let (budget, _) = budget(1.0);
        let refused = budget.reserve(1.1).err().unwrap();
        assert_eq!((refused.code, refused.retry_after), (Code::RecordCeiling, None));
        assert_eq!(budget.spent_until(), None);
    }

    #[test]
    fn a_call_from_the_last_window_is_not_charged_to_this_one() {
        let (budget, clock) = budget(1.0);
        let late = budget.reserve(0.9).ok().unwrap();
        clock.advance(HOUR);
        assert!(budget.reserve(0.9).is_ok());
        late.settle(0.9);
        assert!(budget.spent().abs() < 1e-9);
    }
}
