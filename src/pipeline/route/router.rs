//! Who is asked next.

use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Instant, timeout_at};

use super::breaker::{Applicant, Open, Verdict};
use super::provider::{Admission, Denied, Provider, Signal};
use super::settings::Strategy;
use super::waiting::asked_again;
use crate::domain::answer::Usage;
use crate::domain::failure::{Code, Failure};
use crate::telemetry::log_throttle::LogThrottle;

/// Chooses among providers for one specification.
pub struct Router {
    members: Vec<Arc<Provider>>,
    strategy: Strategy,
    signal: Signal,
    /// Providers that others are asked instead of.
    said: Mutex<LogThrottle<Arc<str>>>,
}

/// Whether somebody may be asked.
enum Readiness {
    Now,
    /// At this time, or after a change.
    Later(Instant),
    /// After a change only: a probe is under way.
    AfterProbe,
}

impl Router {
    /// A router over `members`, in the order in which they stand in for each other. `signal` is that of all providers.
    pub fn new(members: Vec<Arc<Provider>>, strategy: Strategy, signal: Signal) -> Self {
        Self { members, strategy, signal, said: Mutex::default() }
    }

    /// Who may answer, in the order in which they stand in for each other.
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.members
    }

    /// How the first provider is chosen.
    pub(in crate::pipeline) fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// The provider that may be asked first while all breakers are open, with the reason of its own.
    pub(in crate::pipeline) fn closed(&self) -> Option<(&Arc<str>, Open)> {
        let mut soonest: Option<(&Arc<str>, Open)> = None;
        for member in &self.members {
            let open = member.open()?;
            if soonest.as_ref().is_none_or(|(_, first)| open.until < first.until) {
                soonest = Some((member.name(), open));
            }
        }
        soonest
    }

    /// True while a call is under way at any of its providers.
    pub(in crate::pipeline) fn is_asked(&self) -> bool {
        self.members.iter().any(|member| member.in_flight() > 0)
    }

    /// Calls answered so far: what a request compares to see whether only it fails.
    pub(in crate::pipeline) fn successes(&self) -> u64 {
        self.members.iter().map(|member| member.successes()).sum()
    }

    /// Waits until one of the providers that `may_help` may be asked, if only for a probe.
    pub(in crate::pipeline) async fn ready(&self, may_help: impl Fn(usize) -> bool) {
        let mut changed = self.signal.subscribe();
        loop {
            changed.mark_unchanged();
            // The sender lives in `self.signal`, so a change can always still come.
            match self.readiness(&may_help) {
                Readiness::Now => return,
                Readiness::Later(until) => drop(timeout_at(until, changed.changed()).await),
                Readiness::AfterProbe => drop(changed.changed().await),
            }
        }
    }

    fn readiness(&self, may_help: impl Fn(usize) -> bool) -> Readiness {
        let mut soonest: Option<Instant> = None;
        for index in self.members().filter(|index| may_help(*index)) {
            match self.members[index].breaker().look(Applicant::Anyone) {
                Verdict::Go | Verdict::Probe => return Readiness::Now,
                Verdict::Probing(_) => {}
                Verdict::Wait(open) => soonest = Some(soonest.map_or(open.until, |until| until.min(open.until))),
            }
        }
        soonest.map_or(Readiness::AfterProbe, Readiness::Later)
    }

    /// The indices of all providers.
    pub(in crate::pipeline) fn members(&self) -> std::ops::Range<usize> {
        0..self.members.len()
    }

    /// The provider with this index.
    pub(in crate::pipeline) fn member(&self, index: usize) -> &Provider {
        &self.members[index]
    }

    /// Leave to ask the best provider that is not among `tried`, by the strategy; waits while ceilings are all that
    /// stands in the way.
    ///
    /// # Errors
    /// The failure of the one that may be asked first, when breakers stand before all that are left: never the record's
    /// own, whatever opened them. `None` when none is left.
    pub(in crate::pipeline) async fn admit(
        &self,
        tried: &[usize],
        need: Usage,
    ) -> Result<(usize, Admission<'_>), Option<Failure>> {
        let order = || self.order(tried, need);
        let (index, admission) = self.first_of(order, need, Applicant::Anyone).await?;
        if tried.is_empty() {
            self.log_passed_over(index);
        }
        Ok((index, admission))
    }

    /// Leave to ask the same provider again; waits while its ceilings are all that stands in the way.
    ///
    /// # Errors
    /// Why its breaker has opened meanwhile.
    pub(in crate::pipeline) async fn readmit(
        &self,
        index: usize,
        need: Usage,
        applicant: Applicant,
    ) -> Result<Admission<'_>, Failure> {
        match self.first_of(|| vec![index], need, applicant).await {
            Ok((_, admission)) => Ok(admission),
            Err(failure) => Err(failure.unwrap_or_else(Self::nobody)),
        }
    }

    /// Says that a provider before this one in `routing.fallback` was not asked because its breaker is open.
    fn log_passed_over(&self, index: usize) {
        let before = self.members.iter().take(index);
        for (first, open) in before.filter_map(|member| Some((member.name(), member.open()?))) {
            let unsaid = self.said.lock().unwrap_or_else(PoisonError::into_inner).due(Arc::clone(first));
            if let Some(unsaid) = unsaid {
                let (name, reason) = (&**self.members[index].name(), open.failure.code);
                let again = asked_again(open.until);
                tracing::warn!(provider = name, instead_of = &**first, %reason, again, unsaid, "another provider is asked");
            }
        }
    }

    async fn first_of(
        &self,
        order: impl Fn() -> Vec<usize>,
        need: Usage,
        applicant: Applicant,
    ) -> Result<(usize, Admission<'_>), Option<Failure>> {
        let mut changed = self.signal.subscribe();
        loop {
            changed.mark_unchanged();
            let (mut busy, mut busy_until, mut soonest) = (Vec::new(), None::<Instant>, None::<(Instant, Failure)>);
            for index in order() {
                match self.members[index].admit(need, applicant) {
                    Ok(admission) => return Ok((index, admission)),
                    Err(Denied::Busy(until)) => {
                        busy.push(self.members[index].wait());
                        busy_until = busy_until.into_iter().chain(until).min();
                    }
                    Err(Denied::Open(open)) => {
                        if soonest.as_ref().is_none_or(|(until, _)| open.until < *until) {
                            soonest = Some((open.until, open.failure));
                        }
                    }
                }
            }
            match (!busy.is_empty(), busy_until) {
                (false, _) => return Err(soonest.map(|(_, failure)| failure.as_unavailable())),
                (true, Some(until)) => drop(timeout_at(until, changed.changed()).await),
                (true, None) => drop(changed.changed().await),
            }
        }
    }

    /// Providers that are not among `tried`, best first. Those that others are preferred to come last.
    fn order(&self, tried: &[usize], need: Usage) -> Vec<usize> {
        let left = (0..self.members.len()).filter(|index| !tried.contains(index));
        let mut ranked: Vec<_> = left
            .map(|index| {
                let member = &self.members[index];
                (member.disabled().is_some(), self.score(member, need), index)
            })
            .collect();
        ranked.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        ranked.into_iter().map(|(_, _, index)| index).collect()
    }

    /// Less is better. What is not known yet is worth a try.
    fn score(&self, member: &Provider, need: Usage) -> f64 {
        match self.strategy {
            Strategy::Priority => 0.0,
            Strategy::LeastBusy => member.load(),
            Strategy::Latency => member.summary().mean.map_or(0.0, |mean| mean.as_secs_f64()),
            Strategy::Cost => {
                let summary = member.summary();
                let share = (1.0 - summary.error_ratio) * summary.valid_ratio;
                member.model().cost_usd(need) / share.max(0.01)
            }
        }
    }

    /// The failure to report when there is nobody to ask.
    pub(in crate::pipeline) fn nobody() -> Failure {
        Failure::new(Code::ProviderUnavailable, "no provider may be asked at present")
    }
}

#[cfg(test)]
mod tests;
