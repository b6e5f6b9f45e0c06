//! The calls that lead to an answer, and which is the next one.

use std::time::Duration;

use tokio::time::Instant;

use super::paid_call::{Paid, PaidCall};
use super::progress::{Owed, Progress, is_dubious};
use super::{Asked, Giver, answer};
use crate::domain::answer::{Answer, Validation};
use crate::domain::attempt::LadderStep;
use crate::domain::failure::{Code, Failure, Kind};
use crate::pipeline::approve::Approved;
use crate::pipeline::caller::Caller;
use crate::pipeline::gate::Gate;
use crate::pipeline::route::breaker::Applicant;
use crate::pipeline::route::provider::{Admission, total};
use crate::pipeline::route::router::Router;
use crate::pipeline::spec::SpecSettings;
use crate::ports::model::{Call, CallError, CallSpec, Correction};
use crate::telemetry::traces::trace::Trace;

/// Times that an invalid answer leads to another call: first to the same provider with the errors, then to another one.
pub(super) const MAX_CORRECTIONS: u32 = 2;

/// Before the n-th retry we wait at most 0.5 s × 2ⁿ, and never more than 8 s: the official SDKs' numbers.
const BASE_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// The next call to make.
pub(super) struct NextCall<'a> {
    index: usize,
    admission: Admission<'a>,
    step: LadderStep,
    /// Whether it is the call that the last answer asks for.
    is_owed: bool,
}

/// Where a call led to.
pub(super) enum Rung<'a> {
    /// To a valid answer.
    Top(Giver, Approved),
    /// To another call.
    Next(NextCall<'a>),
    /// To the end: no further call can help, or none can be made now.
    End(Failure),
}

/// One climb: from a question, or from where the last climb had to stop, as far as providers can be asked now.
pub(super) struct Ladder<'a> {
    pub(super) router: &'a Router,
    pub(super) settings: &'a SpecSettings,
    pub(super) caller: &'a Caller,
    gate: Gate<'a>,
    deadline: Option<Instant>,
    pub(super) prompt: &'a str,
    content: &'a str,
    pub(super) call_spec: &'a CallSpec,
    pub(super) trace: &'a Trace,
    pub(super) progress: &'a mut Progress,
    /// Providers that were asked in this climb.
    asked: Vec<usize>,
    /// Retries in this climb, one entry each: the provider's index.
    retried: Vec<usize>,
    /// Providers that did not answer in time in this climb, to more than a probe.
    timed_out: Vec<usize>,
    is_owed_tried: bool,
    /// Why the last call that could have been made was not, or came to nothing.
    obstacle: Option<Failure>,
}

impl<'a> Ladder<'a> {
    pub(super) fn new(asked: Asked<'a>, progress: &'a mut Progress) -> Self {
        let Asked { spec, caller, deadline, prompt, content, trace } = asked;
        let settings = spec.settings();
        progress.find_language(content);
        Self {
            router: spec.router(),
            settings,
            caller,
            gate: Gate::new(spec, caller),
            deadline,
            prompt,
            content,
            call_spec: spec.call(),
            trace,
            progress,
            asked: Vec::new(),
            retried: Vec::new(),
            timed_out: Vec::new(),
            is_owed_tried: false,
            obstacle: None,
        }
    }

    pub(super) async fn climb(mut self) -> Result<Answer, Failure> {
        let mut rung = self.next().await;
        loop {
            rung = match rung {
                Rung::Top(giver, approved) => {
                    return answer(self.progress, giver, approved, self.validation());
                }
                Rung::Next(next) => match self.take(next).await {
                    Ok(rung) => rung,
                    Err(failure) => return Err(failure.after(self.progress.attempt_log.as_slice())),
                },
                Rung::End(failure) => return self.relax(failure),
            }
        }
    }

    fn validation(&self) -> Validation {
        if self.settings.checks.bypass_validation { Validation::Bypassed } else { Validation::Passed }
    }

    /// Makes one call.
    ///
    /// # Errors
    /// A failure that ends everything.
    async fn take(&mut self, next: NextCall<'a>) -> Result<Rung<'a>, Failure> {
        // The call before this one may have been finished for nobody, because it was billed. Another one would be, too.
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Failure::deadline_exceeded());
        }
        let NextCall { index, admission, step, is_owed } = next;
        let provider = self.router.member(index);
        let need = self.need(provider);
        let most_usd = provider.model().cost_usd(need);
        if let Err(failure) = self.check_ceiling(need, most_usd) {
            return Ok(Rung::End(failure));
        }
        let reservation = self.caller.budget().map(|budget| budget.reserve(most_usd)).transpose()?;
        self.caller.metrics().step(step.as_str());
        let is_probe = admission.is_probe();
        let rejected = self.progress.owed.as_ref().filter(|_| is_owed).and_then(|owed| owed.rejected.as_ref());
        let call = Call {
            spec: self.call_spec,
            note: self.language_note(),
            prompt: self.prompt,
            content: self.content,
            correction: rejected.map(|r| Correction { answer: &r.answer, errors: &r.errors }),
            max_tokens: self.progress.lengthened,
        };
        self.progress.commitment.begin();
        let (caller, trace, step_name) = (self.caller, self.trace, step.as_str());
        let paid_call = PaidCall { caller, provider, admission, need, reservation, trace, step: step_name };
        match paid_call.make(&call).await {
            Ok(Paid { reply, charged, cost_usd }) => {
                self.progress.charged_tokens += total(charged);
                self.judge(index, step, reply, cost_usd).await
            }
            Err(error) => {
                self.note_error(step, provider, error.failure.code);
                self.after_error(index, error, is_owed, is_probe).await
            }
        }
    }

    async fn after_error(
        &mut self,
        index: usize,
        error: CallError,
        is_owed: bool,
        is_probe: bool,
    ) -> Result<Rung<'a>, Failure> {
        let provider = self.router.member(index);
        let CallError { failure, is_transient } = error;
        if failure.code == Code::ProviderRefused {
            return Err(failure);
        }
        let retries = self.retries(index);
        // A provider that named a time is not asked before; its breaker sees to that for everyone. Who only tries out
        // whether it is back waits on with the others.
        let is_tryout = is_probe && retries == 0;
        let may_retry = is_transient && !is_tryout && failure.retry_after.is_none();
        if may_retry && failure.code == Code::ProviderTimeout && !self.timed_out.contains(&index) {
            self.timed_out.push(index);
        }
        if failure.kind() != Kind::Unavailable {
            self.progress.remember(failure.clone());
            if is_owed && !is_dubious(failure.code) {
                self.progress.owed = None;
            }
        }
        if self.progress.may_help(index, provider) {
            self.obstacle = Some(failure);
        }
        if may_retry && self.has_retries_left(index) {
            tokio::time::sleep(backoff(retries)).await;
            if let Some(next) = self.retry(index, is_owed, Applicant::Anyone).await {
                return Ok(Rung::Next(next));
            }
        }
        Ok(self.next_or_past(index, is_owed).await)
    }

    /// The next call, if need be past a breaker: a record whose own calls timed out makes its retries when nobody else
    /// can be asked now, so that it ends after its own deadlines.
    async fn next_or_past(&mut self, last: usize, is_owed: bool) -> Rung<'a> {
        let rung = self.next().await;
        if !matches!(&rung, Rung::End(end) if end.kind() == Kind::Unavailable) {
            return rung;
        }
        for index in self.timed_out.clone() {
            if self.has_retries_left(index)
                && let Some(next) = self.retry(index, is_owed && index == last, Applicant::TimedOut).await
            {
                return Rung::Next(next);
            }
        }
        rung
    }

    /// What the model is told of the language of the content.
    pub(super) fn language_note(&self) -> &str {
        self.progress.language_note()
    }

    fn has_retries_left(&self, index: usize) -> bool {
        let provider = self.router.member(index);
        let retries = u32::try_from(self.retries(index));
        retries.is_ok_and(|retries| retries < provider.max_retries()) && self.progress.has_attempts_left(provider)
    }

    fn retries(&self, index: usize) -> usize {
        self.retried.iter().filter(|retried| **retried == index).count()
    }

    async fn retry(&mut self, index: usize, is_owed: bool, applicant: Applicant) -> Option<NextCall<'a>> {
        let need = self.need(self.router.member(index));
        let admission = self.router.readmit(index, need, applicant).await.ok()?;
        self.retried.push(index);
        Some(NextCall { index, admission, step: LadderStep::Retry, is_owed })
    }

    pub(super) fn owe(&mut self, owed: Owed) {
        self.progress.owed = Some(owed);
        self.is_owed_tried = false;
    }

    /// The next call. After a first answer it is the one that the answer asks for, after a second one preferably
    /// another provider's; without an answer it is that of the best provider that has not been asked.
    pub(super) async fn next(&mut self) -> Rung<'a> {
        let is_owed_first = self.progress.corrections < MAX_CORRECTIONS;
        let mut next = if is_owed_first { self.owed().await } else { None };
        if next.is_none() {
            next = self.another().await;
        }
        if next.is_none() && !is_owed_first {
            next = self.owed().await;
        }
        next.map_or_else(|| Rung::End(self.verdict()), Rung::Next)
    }

    async fn owed(&mut self) -> Option<NextCall<'a>> {
        let Owed { index, step, .. } = *self.progress.owed.as_ref().filter(|_| !self.is_owed_tried)?;
        let provider = self.router.member(index);
        if !self.progress.has_attempts_left(provider) {
            return None;
        }
        match self.router.readmit(index, self.need(provider), Applicant::Anyone).await {
            Ok(admission) => {
                self.is_owed_tried = true;
                Some(NextCall { index, admission, step, is_owed: true })
            }
            Err(failure) => {
                self.obstacle = Some(failure);
                None
            }
        }
    }

    async fn another(&mut self) -> Option<NextCall<'a>> {
        // Prices and limits differ, but the question does not: any provider will do for the estimate.
        let need = self.need(self.router.member(0));
        let is_tried =
            |index: &usize| self.asked.contains(index) || !self.progress.is_new_to(self.router.member(*index));
        let tried: Vec<usize> = self.router.members().filter(is_tried).collect();
        match self.router.admit(&tried, need).await {
            Ok((index, admission)) => {
                if tried.is_empty() {
                    let strategy = self.router.strategy().as_str();
                    self.caller.metrics().decided(strategy, self.router.member(index).name());
                }
                self.asked.push(index);
                let step = self.progress.step_to(self.router.member(index));
                Some(NextCall { index, admission, step, is_owed: false })
            }
            Err(failure) => {
                self.obstacle = failure.or(self.obstacle.take());
                None
            }
        }
    }

    /// Why there is no next call. While any provider may still help, that is for the providers to mend and no fault of
    /// the record's.
    fn verdict(&mut self) -> Failure {
        let has_hope = self.router.members().any(|index| self.progress.may_help(index, self.router.member(index)));
        match self.progress.failure.clone().filter(|_| !has_hope) {
            Some(failure) => failure,
            None => self.obstacle.take().map_or_else(|| self.gate.unavailable(), Failure::as_unavailable),
        }
    }
}

/// The pause before the retry with this index (from 0): full jitter under an exponential ceiling. Jitter keeps all
/// callers from coming back at the same moment.
fn backoff(index: usize) -> Duration {
    let factor = 2_u32.saturating_pow(u32::try_from(index).unwrap_or(u32::MAX));
    BASE_BACKOFF.saturating_mul(factor).min(MAX_BACKOFF).mul_f64(fastrand::f64())
}
