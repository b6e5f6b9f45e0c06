//! The breaker: a provider that fails is left alone for a while, and one probe finds out when it works again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::failure::{Code, Failure};
use crate::ports::model::CallError;

/// Failures in a row that open the breaker.
pub(super) const FAILURES_TO_OPEN: u32 = 3;

/// First pause after failures that may pass by themselves; it doubles with each failed probe.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest such pause: a provider that works again is noticed within ten seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The same for what only a person can mend: a key that is not accepted, money that is spent.
const FIRST_PAUSE_FOR_PEOPLE: Duration = Duration::from_secs(15);
const LONGEST_PAUSE_FOR_PEOPLE: Duration = Duration::from_secs(15 * 60);

/// Up to here a rest is like a ceiling: who comes waits a moment. Limits that are counted by the second would otherwise
/// open and close the gate all the time.
const SHORT_REST: Duration = Duration::from_secs(2);

/// Why a breaker is open, and until when.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// The failure that opened it last.
    pub failure: Failure,
    /// When a probe may go.
    pub until: Instant,
}

#[derive(Debug, Default)]
struct State {
    failures_in_a_row: u32,
    /// Times that it opened since the last success.
    times_opened: u32,
    open: Option<Open>,
    is_probing: bool,
    /// A pause without a failure before it: the provider has nothing left to give. Nothing needs to be probed after it.
    rest: Option<Open>,
}

impl State {
    fn rest(&self) -> Option<&Open> {
        self.rest.as_ref().filter(|rest| rest.until > Instant::now())
    }

    /// A rest that is long enough to tell everybody.
    fn long_rest(&self) -> Option<&Open> {
        self.rest().filter(|rest| rest.until - Instant::now() > SHORT_REST)
    }
}

/// Who asks for leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pipeline) enum Applicant {
    /// A record that waits as long as it has to.
    Anyone,
    /// A record whose own last call timed out. It ends after its own attempts, however many others time out beside it:
    /// an open breaker would keep it in flight until a probe came to each such record in turn.
    TimedOut,
}

/// Whether a call may go.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// It may.
    Go,
    /// It may, and its outcome decides for all who wait.
    Probe,
    /// It may not before the probe that is under way has ended.
    Probing(Open),
    /// It may not.
    Wait(Open),
}

/// What changed for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// It opened.
    Opened,
    /// It closed.
    Closed,
}

/// Closed while all is well; open after [`FAILURES_TO_OPEN`] failures in a row, or at once when the provider names a
/// time or refuses everybody; half-open while a probe is under way.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

impl Breaker {
    /// Why it is open, or `None` when it is closed.
    pub(super) fn open(&self) -> Option<Open> {
        let state = self.state();
        state.open.as_ref().or_else(|| state.long_rest()).cloned()
    }

    /// The provider answered, and has nothing left to give for this time. `true` if that is news.
    pub(super) fn rests(&self, failure: Failure, pause: Duration) -> bool {
        let mut state = self.state();
        let until = Instant::now() + pause;
        let is_later = state.rest().is_none_or(|rest| rest.until < until);
        if is_later {
            state.rest = Some(Open { failure, until });
        }
        is_later
    }

    /// Until when it rests.
    pub(super) fn resting_until(&self) -> Option<Instant> {
        self.state().rest().map(|rest| rest.until)
    }

    /// What [`Breaker::admit`] would say, changing nothing.
    pub(super) fn look(&self, applicant: Applicant) -> Verdict {
        verdict(&self.state(), applicant)
    }

    /// Asks for leave to call. A [`Verdict::Probe`] has to be ended by one of the methods below.
    pub(super) fn admit(&self, applicant: Applicant) -> Verdict {
        let mut state = self.state();
        let verdict = verdict(&state, applicant);
        if verdict == Verdict::Probe {
            state.is_probing = true;
        }
        verdict
    }

    /// The provider answered. While the breaker is open only a probe closes it: an answer to a call from before a pause
    /// was asked for is no leave to end it.
    pub(super) fn succeeded(&self, is_probe: bool) -> Change {
        let mut state = self.state();
        if is_probe {
            state.is_probing = false;
        } else if state.open.is_some() {
            return Change::None;
        }
        state.failures_in_a_row = 0;
        state.times_opened = 0;
        if state.open.take().is_some() { Change::Closed } else { Change::None }
    }

    /// The provider failed.
    pub(super) fn failed(&self, error: &CallError, is_probe: bool) -> Change {
        let mut state = self.state();
        if is_probe {
            state.is_probing = false;
        }
        state.failures_in_a_row += 1;
        let was_open = state.open.is_some();
        if !was_open && !opens_at_once(error) && state.failures_in_a_row < FAILURES_TO_OPEN {
            return Change::None;
        }
        if !was_open || is_probe {
            state.times_opened += 1;
        }
        let pause = error.failure.retry_after.unwrap_or_else(|| own_pause(error.failure.code, state.times_opened));
        let until = Instant::now() + pause;
        // A failure of a call from before it opened, or of one beside it, may name a later time, never an earlier one;
        // and whoever named the later time is why it is open.
        if is_probe || state.open.as_ref().is_none_or(|open| open.until <= until) {
            state.open = Some(Open { failure: error.failure.clone(), until });
        }
        if was_open { Change::None } else { Change::Opened }
    }

    /// A key was replaced. True if the former one was why nobody may call: then a probe may go at once.
    pub(super) fn has_new_key(&self) -> bool {
        let mut state = self.state();
        let is_about_key =
            |open: &&mut Open| matches!(open.failure.code, Code::ProviderUnauthorized | Code::ProviderQuotaExhausted);
        let Some(open) = state.open.as_mut().filter(is_about_key) else { return false };
        open.until = Instant::now();
        state.times_opened = 0;
        true
    }

    /// A probe was given up (its record was cancelled): it says nothing.
    pub(super) fn abandoned(&self) {
        self.state().is_probing = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn verdict(state: &State, applicant: Applicant) -> Verdict {
    match (&state.open, state.long_rest()) {
        (None, None) => Verdict::Go,
        (Some(open), None) if applicant == Applicant::TimedOut && open.failure.code == Code::ProviderTimeout => {
            Verdict::Go
        }
        (Some(open), _) if state.is_probing => Verdict::Probing(open.clone()),
        (_, Some(rest)) => Verdict::Wait(rest.clone()),
        (Some(open), None) if open.until <= Instant::now() => Verdict::Probe,
        (Some(open), None) => Verdict::Wait(open.clone()),
    }
}

/// The provider said when to come back, or said no to everybody: a second try would only annoy it.
fn opens_at_once(error: &CallError) -> bool {
    !error.is_transient || error.failure.retry_after.is_some() || error.failure.code == Code::ProviderRateLimited
}

fn own_pause(code: Code, times_opened: u32) -> Duration {
    let needs_a_person = matches!(code, Code::ProviderUnauthorized | Code::ProviderQuotaExhausted);
    let (first, longest) =
        if needs_a_person { (FIRST_PAUSE_FOR_PEOPLE, LONGEST_PAUSE_FOR_PEOPLE) } else { (FIRST_PAUSE, LONGEST_PAUSE) };
    first.saturating_mul(1 << (times_opened.max(1) - 1).min(10)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down() -> CallError {
        CallError::transient(Failure::new(Code::ProviderUnavailable, "gone"))
    }

    fn limited(seconds: u64) -> CallError {
        let failure = Failure::new(Code::ProviderRateLimited, "later").retry_after(Some(Duration::from_secs(seconds)));
        CallError::transient(failure)
    }

    /// Waits for the probe, and tells how long that took.
    async fn probe(breaker: &Breaker) -> Duration {
        let began_at = Instant::now();
        while breaker.admit(Applicant::Anyone) != Verdict::Probe {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began_at.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn three_failures_in_a_row_open_it_and_an_answer_between_them_does_not() {
        let breaker = Breaker::default();
        for _ in 0..10 {
            assert_eq!(breaker.failed(&down(), false), Change::None);
            assert_eq!(breaker.failed(&down(), false), Change::None);
            breaker.succeeded(false);
        }
        breaker.failed(&down(), false);
        breaker.failed(&down(), false);
        assert_eq!(breaker.admit(Applicant::Anyone), Verdict::Go);
        assert_eq!(breaker.failed(&down(), false), Change::Opened);
        assert!(matches!(breaker.admit(Applicant::Anyone), Verdict::Wait(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_goes_before_the_time_that_the_provider_named() {
        let breaker = Breaker::default();
        assert_eq!(breaker.failed(&limited(34), false), Change::Opened);
        assert!(probe(&breaker).await >= Duration::from_secs(34));
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_goes_at_a_time_and_its_success_closes_it() {
        let breaker = Breaker::default();
        breaker.failed(&limited(1), false);
        probe(&breaker).await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert!(matches!(breaker.admit(Applicant::Anyone), Verdict::Probing(_)), "a second probe went");
        assert_eq!(breaker.succeeded(true), Change::Closed);
        assert_eq!(breaker.admit(Applicant::Anyone), Verdict::Go);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_to_eight_seconds_while_probes_fail_and_begin_anew_after_a_success() {
        let breaker = Breaker::default();
        for _ in 0..2 {
            for _ in 0..FAILURES_TO_OPEN {
                breaker.failed(&down(), false);
            }
            let mut pauses = Vec::new();
            for _ in 0..5 {
                pauses.push(probe(&breaker).await.as_secs());
                breaker.failed(&down(), true);
            }
            assert_eq!(pauses, [1, 2, 4, 8, 8]);
            probe(&breaker).await;
            breaker.succeeded(true);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_only_a_person_can_mend_is_tried_rarely() {
        let breaker = Breaker::default();
        let spent = CallError::lasting(Failure::new(Code::ProviderQuotaExhausted, "no money"));
        breaker.failed(&spent, false);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            pauses.push(probe(&breaker).await.as_secs());
            breaker.failed(&spent, true);
        }
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 900, 900]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_given_up_lets_the_next_one_go() {
        let breaker = Breaker::default();
        breaker.failed(&limited(1), false);
        probe(&breaker).await;
        breaker.abandoned();
        assert_eq!(breaker.admit(Applicant::Anyone), Verdict::Probe);
        assert!(breaker.open().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_rest_ends_by_itself_and_a_short_one_closes_nothing() {
        let breaker = Breaker::default();
        let nothing_left = || Failure::new(Code::ProviderRateLimited, "0 left");
        assert!(breaker.rests(nothing_left(), Duration::from_secs(5)));
        assert!(!breaker.rests(nothing_left(), Duration::from_secs(4)), "the longer one holds");
        breaker.succeeded(false);
        assert!(matches!(breaker.admit(Applicant::Anyone), Verdict::Wait(_)) && breaker.open().is_some());
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!((breaker.admit(Applicant::Anyone), breaker.open()), (Verdict::Go, None));
        assert_eq!(breaker.resting_until(), Some(Instant::now() + SHORT_REST));
        tokio::time::advance(SHORT_REST).await;
        assert_eq!(breaker.resting_until(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn late_outcomes_from_before_it_opened_neither_close_it_nor_shorten_the_pause() {
        let breaker = Breaker::default();
        breaker.failed(&limited(20), false);
        assert_eq!(breaker.succeeded(false), Change::None);
        assert_eq!(breaker.failed(&limited(5), false), Change::None);
        assert!(probe(&breaker).await >= Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn who_timed_out_goes_where_timeouts_closed_the_way_and_nowhere_else() {
        let timeout = || CallError::transient(Failure::new(Code::ProviderTimeout, "nothing came"));
        let breaker = Breaker::default();
        for _ in 0..FAILURES_TO_OPEN {
            breaker.failed(&timeout(), false);
        }
        assert!(matches!(breaker.admit(Applicant::Anyone), Verdict::Wait(_)));
        assert_eq!(breaker.admit(Applicant::TimedOut), Verdict::Go);
        probe(&breaker).await;
        assert_eq!(breaker.admit(Applicant::TimedOut), Verdict::Go, "beside a probe");
        for other in [down(), limited(60)] {
            breaker.failed(&other, false);
            assert!(!matches!(breaker.admit(Applicant::TimedOut), Verdict::Go), "{other:?}");
        }
        breaker.failed(&timeout(), false);
        assert!(!matches!(breaker.admit(Applicant::TimedOut), Verdict::Go), "within the pause that was asked for");
    }
}
