//! The rungs, and what each leads to.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Giver, answer};
use crate::domain::answer::{Answer, Usage, Validation};
use crate::domain::attempt::{Attempt, Step};
use crate::domain::failure::{Code, Failure, Kind};
use crate::pipeline::approve::{Approved, Disapproved, approve};
use crate::pipeline::route::provider::{Admission, Provider, total};
use crate::pipeline::route::router::Router;
use crate::pipeline::run::Question;
use crate::pipeline::settings::PipelineSettings;
use crate::ports::model::{Call, CallError, Correction, Finish, Reply};
use crate::prompt::parse::Form;
use crate::prompt::{language, meta};

/// Times that an invalid answer leads to another call: first to the same provider with the errors, then to another one.
const MAX_CORRECTIONS: u32 = 2;

/// By how much the ceiling of tokens is raised, once, after a truncated answer.
const LENGTHEN: u32 = 4;

/// Before the n-th retry we wait at most 0.5 s × 2ⁿ, and never more than 8 s: the official SDKs' numbers.
const BASE_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// Characters that make a token at the least, for estimates on the safe side; English has about four.
const CHARS_PER_TOKEN: usize = 3;

/// An invalid answer and what is wrong with it.
#[derive(Debug)]
struct Rejected {
    answer: String,
    errors: String,
}

/// An answer that parsed, but is not valid.
struct Candidate {
    data: Value,
    giver: Giver,
}

/// The next call to make.
struct Turn<'a> {
    index: usize,
    admission: Admission<'a>,
    step: Step,
    rejected: Option<Rejected>,
    retries: u32,
}

/// Where a call led to.
enum Rung<'a> {
    /// To a valid answer.
    Top(Giver, Approved),
    /// To another call, if there is one worth making.
    Next(Option<Turn<'a>>),
}

/// One record's way up.
pub(super) struct Ladder<'a> {
    router: &'a Router,
    settings: &'a PipelineSettings,
    prompt: &'a str,
    content: &'a str,
    system: String,
    tried: Vec<usize>,
    trail: Vec<Attempt>,
    usage: Usage,
    cost_usd: f64,
    corrections: u32,
    /// The raised ceiling of tokens.
    lengthened: Option<u32>,
    candidate: Option<Candidate>,
    failure: Option<Failure>,
}

impl<'a> Ladder<'a> {
    pub(super) fn new(router: &'a Router, settings: &'a PipelineSettings, question: &'a Question) -> Self {
        let content = question.content.as_deref().unwrap_or(&question.prompt);
        Self {
            router,
            settings,
            prompt: &question.prompt,
            content,
            system: meta::system_prompt(&settings.schema, language::detect(content)),
            tried: Vec::new(),
            trail: Vec::new(),
            usage: Usage::default(),
            cost_usd: 0.0,
            corrections: 0,
            lengthened: None,
            candidate: None,
            failure: None,
        }
    }

    pub(super) async fn climb(mut self) -> Result<Answer, Failure> {
        let mut next = self.another(Step::Ask).await;
        while let Some(turn) = next {
            match self.take(turn).await {
                Ok(Rung::Top(giver, approved)) => {
                    return answer(self.settings, self, giver, &approved, Validation::Passed);
                }
                Ok(Rung::Next(turn)) => next = turn,
                Err(failure) => return Err(failure.after(self.trail)),
            }
        }
        self.relax()
    }

    /// Invalid answers so far.
    pub(super) fn corrections(&self) -> u32 {
        self.corrections
    }

    /// What it took.
    pub(super) fn into_spent(self) -> (Vec<Attempt>, Usage, f64) {
        (self.trail, self.usage, self.cost_usd)
    }

    /// Makes one call.
    ///
    /// # Errors
    /// A failure that ends everything.
    async fn take(&mut self, turn: Turn<'a>) -> Result<Rung<'a>, Failure> {
        let Turn { index, admission, step, rejected, retries } = turn;
        let provider = self.router.member(index);
        let need = self.need(provider);
        let most_usd = provider.model().cost_usd(need);
        if let Err(failure) = self.check_ceiling(need, most_usd) {
            self.failure = Some(failure);
            return Ok(Rung::Next(None));
        }
        let reservation = self.router.reserve(most_usd)?;
        self.router.stepped(step.as_str());
        let is_probe = admission.is_probe();
        let call = Call {
            system: &self.system,
            prompt: self.prompt,
            content: self.content,
            schema_name: self.settings.schema.name(),
            schema: self.settings.schema.json(),
            correction: rejected.as_ref().map(|r| Correction { answer: &r.answer, errors: &r.errors }),
            temperature: self.settings.temperature,
            max_tokens: self.lengthened.or(self.settings.max_tokens),
        };
        match admission.ask(&call).await {
            Ok(reply) => {
                let cost_usd = provider.model().cost_usd(reply.usage);
                if let Some(reservation) = reservation {
                    reservation.settle(cost_usd);
                }
                self.router.paid(cost_usd);
                self.judge(index, step, reply, cost_usd).await
            }
            Err(error) => {
                drop(reservation);
                self.note(step, provider, "", Usage::default(), 0.0, Some(error.failure.code));
                let may_retry = !is_probe && retries < provider.max_retries();
                self.after_error(index, error, rejected, may_retry.then_some(retries)).await
            }
        }
    }

    async fn after_error(
        &mut self,
        index: usize,
        error: CallError,
        rejected: Option<Rejected>,
        retries: Option<u32>,
    ) -> Result<Rung<'a>, Failure> {
        let CallError { failure, is_transient } = error;
        if failure.code == Code::ProviderRefused {
            return Err(failure);
        }
        let has_no_time = failure.retry_after.is_none();
        self.remember(failure);
        // A provider that named a time is not asked before; its breaker sees to that for everyone.
        if let Some(retries) = retries.filter(|_| is_transient && has_no_time) {
            tokio::time::sleep(backoff(retries)).await;
            if let Some(admission) = self.router.readmit(index, self.need(self.router.member(index))).await {
                let turn = Turn { index, admission, step: Step::Retry, rejected, retries: retries + 1 };
                return Ok(Rung::Next(Some(turn)));
            }
        }
        Ok(Rung::Next(self.another(Step::Fallback).await))
    }

    async fn judge(&mut self, index: usize, step: Step, reply: Reply, cost_usd: f64) -> Result<Rung<'a>, Failure> {
        let provider = self.router.member(index);
        let model: Arc<str> = Arc::from(reply.model.as_str());
        let giver = Giver { provider: Arc::clone(provider.name()), model, confidence: reply.confidence };
        let disapproved = match approve(&self.settings.schema, &reply) {
            Ok(approved) => {
                provider.judged(true);
                self.note(step, provider, &reply.model, reply.usage, cost_usd, None);
                return Ok(Rung::Top(giver, approved));
            }
            Err(disapproved) => disapproved,
        };
        self.note(step, provider, &reply.model, reply.usage, cost_usd, Some(disapproved.failure.code));
        match reply.finish {
            Finish::Refused => Err(disapproved.failure),
            Finish::Truncated => self.after_truncation(index, disapproved.failure).await,
            Finish::Complete => {
                provider.judged(false);
                self.after_invalid(index, reply.text, disapproved, giver).await
            }
        }
    }

    async fn after_truncation(&mut self, index: usize, failure: Failure) -> Result<Rung<'a>, Failure> {
        let provider = self.router.member(index);
        if self.lengthened.is_some() {
            return Err(failure);
        }
        let ceiling = self.settings.max_tokens.unwrap_or_else(|| provider.model().max_tokens());
        self.lengthened = Some(ceiling.saturating_mul(LENGTHEN));
        self.remember(failure);
        let admission = self.router.readmit(index, self.need(provider)).await;
        let turn = admission.map(|admission| self.turn(index, admission, Step::Lengthen, None));
        Ok(Rung::Next(if turn.is_some() { turn } else { self.another(Step::Fallback).await }))
    }

    async fn after_invalid(
        &mut self,
        index: usize,
        text: String,
        disapproved: Box<Disapproved>,
        giver: Giver,
    ) -> Result<Rung<'a>, Failure> {
        let Disapproved { failure, errors, data } = *disapproved;
        self.remember(failure);
        if let Some(data) = data {
            self.candidate = Some(Candidate { data, giver });
        }
        self.corrections += 1;
        let Some(errors) = errors.filter(|_| self.corrections <= MAX_CORRECTIONS) else { return Ok(Rung::Next(None)) };
        if self.corrections > 1
            && let Some(turn) = self.another(Step::Fallback).await
        {
            return Ok(Rung::Next(Some(turn)));
        }
        let rejected = Some(Rejected { answer: text, errors });
        let admission = self.router.readmit(index, self.need(self.router.member(index))).await;
        let turn = admission.map(|admission| self.turn(index, admission, Step::Correct, rejected));
        Ok(Rung::Next(if turn.is_some() { turn } else { self.another(Step::Fallback).await }))
    }

    /// A turn of the best provider that has not been tried.
    async fn another(&mut self, step: Step) -> Option<Turn<'a>> {
        // Prices and limits differ, but the question does not: any provider will do for the estimate.
        let need = self.need(self.router.member(0));
        match self.router.admit(&self.tried, need).await {
            Ok((index, admission)) => {
                self.tried.push(index);
                Some(self.turn(index, admission, step, None))
            }
            Err(failure) => {
                failure.into_iter().for_each(|failure| self.remember(failure));
                None
            }
        }
    }

    fn turn(&self, index: usize, admission: Admission<'a>, step: Step, rejected: Option<Rejected>) -> Turn<'a> {
        Turn { index, admission, step, rejected, retries: 0 }
    }

    /// The last rung: what was nearly valid, if the user allows it.
    fn relax(mut self) -> Result<Answer, Failure> {
        let failure = self.failure.take().unwrap_or_else(|| self.router.unavailable());
        let candidate = self.candidate.take().filter(|_| self.settings.allow_relaxed);
        let relaxed = candidate.and_then(|Candidate { data, giver }| Some((self.settings.schema.relax(data)?, giver)));
        let Some((data, giver)) = relaxed else { return Err(failure.after(self.trail)) };
        self.router.stepped(Step::Relax.as_str());
        let (provider, model) = (Arc::clone(&giver.provider), Arc::clone(&giver.model));
        let usage = Usage::default();
        self.trail.push(Attempt { step: Step::Relax, provider, model, usage, cost_usd: 0.0, error: None });
        answer(self.settings, self, giver, &Approved { data, form: Form::Repaired }, Validation::Relaxed)
    }

    /// The most that the next call can take.
    fn need(&self, provider: &Provider) -> Usage {
        let chars = self.system.len() + self.prompt.len();
        let output = self.lengthened.or(self.settings.max_tokens).unwrap_or_else(|| provider.model().max_tokens());
        Usage {
            input_tokens: u64::try_from(chars / CHARS_PER_TOKEN).unwrap_or(u64::MAX),
            output_tokens: output.into(),
            ..Usage::default()
        }
    }

    /// # Errors
    /// `record_ceiling`, with the last reason for another call.
    fn check_ceiling(&self, need: Usage, most_usd: f64) -> Result<(), Failure> {
        let ceiling = self.settings.record_ceiling;
        let tokens = total(self.usage) + total(need);
        let usd = self.cost_usd + most_usd;
        if tokens <= ceiling.tokens && ceiling.usd.is_none_or(|limit| usd <= limit) {
            return Ok(());
        }
        let calls = self.trail.len();
        let mut detail = format!(
            "after {calls} calls another could bring this record to {tokens} tokens and {usd:.4} USD, its ceiling is {} tokens",
            ceiling.tokens
        );
        if let Some(limit) = ceiling.usd {
            detail.push_str(&format!(" and {limit} USD"));
        }
        if let Some(failure) = &self.failure {
            detail.push_str(&format!("; the last call ended with {}", failure.code));
        }
        Err(Failure::new(Code::RecordCeiling, detail))
    }

    fn note(&mut self, step: Step, provider: &Provider, model: &str, usage: Usage, cost_usd: f64, error: Option<Code>) {
        self.usage += usage;
        self.cost_usd += cost_usd;
        let provider = Arc::clone(provider.name());
        self.trail.push(Attempt { step, provider, model: Arc::from(model), usage, cost_usd, error });
    }

    /// Keeps the most telling failure: what a provider said of this question before what kept it from answering anybody,
    /// and that before what may be either's fault.
    fn remember(&mut self, failure: Failure) {
        let rank = |failure: &Failure| {
            let is_eithers_fault = matches!(failure.code, Code::ProviderTimeout | Code::ProviderMalformed);
            if is_eithers_fault { 0 } else { 2 - u8::from(failure.code.kind() == Kind::Unavailable) }
        };
        if self.failure.as_ref().is_none_or(|former| rank(&failure) >= rank(former)) {
            self.failure = Some(failure);
        }
    }
}

/// The pause before the retry with this index (from 0): full jitter under an exponential ceiling. Jitter keeps all callers
/// from coming back at the same moment.
fn backoff(index: u32) -> Duration {
    BASE_BACKOFF.saturating_mul(2_u32.saturating_pow(index)).min(MAX_BACKOFF).mul_f64(fastrand::f64())
}
