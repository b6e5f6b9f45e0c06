//! What a provider's reply leads to, and what is left when no further call can help.

use std::sync::Arc;

use super::ladder::{Ladder, MAX_CORRECTIONS, Rung};
use super::progress::{Candidate, Owed};
use super::{Giver, answer};
use crate::domain::answer::{Answer, Usage, Validation};
use crate::domain::attempt::{Attempt, LadderStep, PassedOver};
use crate::domain::failure::{Code, Failure, Kind};
use crate::pipeline::approve::{Approved, Disapproved, Expected, Remedy, approve};
use crate::pipeline::route::provider::Provider;
use crate::ports::model::Reply;
use crate::prompt::parse::Form;
use crate::telemetry::traces::names::stage;

/// A reply that was paid for, and what else there was in it than the answer.
struct Paid<'r> {
    reply: &'r Reply,
    model: Arc<str>,
    cost_usd: f64,
    passed_over: PassedOver,
}

impl<'a> Ladder<'a> {
    /// # Errors
    /// A failure that ends everything.
    pub(super) async fn judge(
        &mut self,
        index: usize,
        step: LadderStep,
        reply: Reply,
        cost_usd: f64,
    ) -> Result<Rung<'a>, Failure> {
        let provider = self.router.member(index);
        let model = model_of(provider, &reply);
        let paid = |passed_over| Paid { reply: &reply, model: Arc::clone(&model), cost_usd, passed_over };
        let giver =
            Giver { provider: Arc::clone(provider.name()), model: Arc::clone(&model), confidence: reply.confidence };
        let disapproved = match self.trace.stage(stage::APPROVE, || approve(self.expected(), &reply)) {
            Ok(approved) => {
                provider.judged(true);
                self.note(step, provider, Some(paid(approved.passed_over)), None);
                return Ok(Rung::Top(giver, approved));
            }
            Err(disapproved) => disapproved,
        };
        let Disapproved { failure, remedy, data, passed_over } = *disapproved;
        self.note(step, provider, Some(paid(passed_over)), Some(failure.code));
        if let Some(data) = data {
            self.progress.candidate = Some(Candidate { data, giver });
        }
        if matches!(remedy, Remedy::AskAnother | Remedy::Correct(_)) {
            provider.judged(false);
        }
        match remedy {
            Remedy::None => Err(failure),
            Remedy::Lengthen | Remedy::AskAnother if self.progress.lengthened.is_some() => Ok(Rung::End(failure)),
            Remedy::Lengthen => {
                self.progress.lengthened = Some(self.longer(provider));
                self.progress.remember(failure);
                self.owe(Owed { index, step: LadderStep::Lengthen, rejected: None });
                Ok(self.next().await)
            }
            Remedy::AskAnother => {
                self.progress.owed = None;
                Ok(self.after_invalid(failure).await)
            }
            Remedy::Correct(rejected) => {
                self.owe(Owed { index, step: LadderStep::Correct, rejected: Some(rejected) });
                Ok(self.after_invalid(failure).await)
            }
        }
    }

    fn expected(&self) -> Expected<'a> {
        Expected {
            schema: &self.settings.schema,
            bypass_validation: self.settings.checks.bypass_validation,
            has_quotes: self.call_spec.data_schema.is_some(),
        }
    }

    async fn after_invalid(&mut self, failure: Failure) -> Rung<'a> {
        self.progress.corrections += 1;
        if self.progress.corrections > MAX_CORRECTIONS {
            return Rung::End(failure);
        }
        self.progress.remember(failure);
        self.next().await
    }

    /// The last rung: what was nearly valid, if the user allows it. Not while a better answer may still come.
    pub(super) fn relax(self, failure: Failure) -> Result<Answer, Failure> {
        let may_relax = self.settings.checks.allow_relaxed && failure.kind() != Kind::Unavailable;
        let candidate = if may_relax { self.progress.candidate.take() } else { None };
        let relaxed = candidate.and_then(|Candidate { data, giver }| Some((self.settings.schema.relax(data)?, giver)));
        let Some((data, giver)) = relaxed else { return Err(failure.after(self.progress.attempt_log.as_slice())) };
        self.caller.metrics().step(LadderStep::Relax.as_str());
        let (provider, model) = (Arc::clone(&giver.provider), Arc::clone(&giver.model));
        self.progress.note(Attempt {
            step: LadderStep::Relax,
            provider,
            model,
            response_id: None,
            usage: Usage::default(),
            cost_usd: 0.0,
            error: None,
            passed_over: PassedOver::default(),
            times: 1,
        });
        // Quotes and log probabilities were those of what the model said.
        let (quotes, logprobs, passed_over) = (Vec::new(), Vec::new(), PassedOver::default());
        let approved = Approved { data, quotes, logprobs, form: Form::Repaired, passed_over };
        answer(self.progress, giver, approved, Validation::Relaxed)
    }

    /// Takes note of a call that came to no reply.
    pub(super) fn note_error(&mut self, step: LadderStep, provider: &Provider, error: Code) {
        self.note(step, provider, None, Some(error));
    }

    fn note(&mut self, step: LadderStep, provider: &Provider, paid: Option<Paid<'_>>, error: Option<Code>) {
        let reply = paid.as_ref().map(|paid| paid.reply);
        let asked = || Arc::from(provider.model().family());
        let model = paid.as_ref().map_or_else(asked, |paid| Arc::clone(&paid.model));
        self.progress.note(Attempt {
            step,
            provider: Arc::clone(provider.name()),
            model,
            response_id: reply.and_then(|reply| reply.response_id.as_deref()).map(Arc::from),
            usage: reply.map_or_else(Usage::default, |reply| reply.usage),
            cost_usd: paid.as_ref().map_or(0.0, |paid| paid.cost_usd),
            error,
            passed_over: paid.map(|paid| paid.passed_over).unwrap_or_default(),
            times: 1,
        });
    }
}

/// The model that gave a reply: the one that the provider names, or else the one that was asked.
fn model_of(provider: &Provider, reply: &Reply) -> Arc<str> {
    let named = Some(reply.model.as_str()).filter(|model| !model.is_empty());
    Arc::from(named.unwrap_or(provider.model().family()))
}
