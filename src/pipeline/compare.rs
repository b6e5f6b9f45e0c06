//! Compare: does a second provider say the same?
//!
//! It is asked once, when the answer is there and its record has no outcome yet. Whatever comes of it, the record keeps
//! its answer: a second provider that is away, slow or talks nonsense leaves only the agreement unknown.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::domain::answer::Answer;
use crate::domain::failure::Code;
use crate::pipeline::agreement::{Compared, SecondProvider};
use crate::pipeline::approve::remembered::is_still_valid;
use crate::pipeline::approve::{Approved, Disapproved, Expected, Remedy, approve};
use crate::pipeline::ask::ceiling::need;
use crate::pipeline::ask::paid_call::{Paid, PaidCall};
use crate::pipeline::request::Question;
use crate::pipeline::route::breaker::Applicant;
use crate::pipeline::route::provider::{Provider, total};
use crate::pipeline::score::refusal;
use crate::pipeline::spec::Spec;
use crate::ports::model::{Call, Reply};
use crate::tasks::Tasks;
use crate::telemetry::traces::names::stage;

/// How long leave to ask is waited for while the ceilings of the second provider stand in the way: records behind this
/// one may wait for it.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Why a second provider is asked. An event of the sample counts as such whatever its result says, so that what is
/// counted for the sample holds for all results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Sample,
    Ungrounded,
}

/// Why it is not known whether it agrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// The answer is its own already.
    SameProvider,
    /// The record's ceiling or the budget leaves no room for the call.
    Ceiling,
    /// It cannot be asked now.
    Unavailable,
    /// It gave no reply.
    Failed,
    /// It declined to answer.
    Refused,
    /// What it said is no answer.
    Invalid,
    /// There is too much to compare.
    TooLarge,
}

impl Reason {
    /// The word that metrics have for it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Ungrounded => "ungrounded",
        }
    }
}

impl Unknown {
    /// The word that metrics have for it.
    fn as_str(self) -> &'static str {
        match self {
            Self::SameProvider => "same_provider",
            Self::Ceiling => "ceiling",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::TooLarge => "too_large",
        }
    }
}

/// The answer that was paid for by a process that ended while the second provider was asked.
pub(super) async fn recall_paid_answer(question: &Question) -> Option<Answer> {
    let answer = question.paid_answer.as_ref()?.recall().await?;
    Some(answer).filter(|answer| is_still_valid(answer, question.spec.settings()))
}

/// The same answer with what a second provider says of it, where one is to be asked. A question with a deadline is not
/// asked a second time: its answer is wanted now.
pub(super) async fn compare(tasks: &Tasks, question: &mut Question, answer: Answer) -> Answer {
    let spec = Arc::clone(&question.spec);
    let Some(second) = spec.second_provider().filter(|_| question.deadline.is_none()) else { return answer };
    let Some(reason) = reason(question, &answer).map(Reason::as_str) else { return answer };
    let provider = second.provider().name();
    let other = if answer.provider == *provider {
        Err(Unknown::SameProvider)
    } else {
        if let Some(place) = &question.paid_answer {
            place.keep(&answer).await;
        }
        ask(question, second, &answer).await
    };
    let compared = match other {
        Ok(other) => compare_data(tasks, &spec, &answer, other).await,
        Err(unknown) => Err(unknown),
    };
    let metrics = &question.caller.metrics().agreement;
    metrics.compared(provider, reason, compared.as_ref().map_or_else(|unknown| unknown.as_str(), |_| "compared"));
    let Ok(Compared { agreement, fields }) = compared else { return answer };
    for (field, is_same) in &fields {
        metrics.field(field, reason, *is_same);
    }
    Answer { agreement: Some(agreement), ..answer }
}

/// Why a second provider is asked about an answer, if it is. Where there will be no result, there is nobody to tell.
fn reason(question: &Question, answer: &Answer) -> Option<Reason> {
    if !question.may_be_compared() {
        return None;
    }
    let grounding = question.ground(answer);
    if refusal(answer, grounding.as_deref(), &question.spec.settings().checks).is_some() {
        return None;
    }
    if question.is_sampled {
        return Some(Reason::Sample);
    }
    let is_ungrounded = grounding?.evidence.fields.iter().any(|field| field.state.is_ungrounded());
    is_ungrounded.then_some(Reason::Ungrounded)
}

/// The data of the second provider's answer.
async fn ask(question: &mut Question, second: &SecondProvider, answer: &Answer) -> Result<Value, Unknown> {
    let span = question.trace.span(stage::COMPARE);
    let Question { spec, caller, prompt, content, progress, .. } = question;
    let (provider, call_spec, content) = (second.provider(), spec.call(), content.as_deref().unwrap_or(prompt));
    progress.find_language(content);
    let note = progress.language_note();
    let need = need(call_spec, provider, note, prompt.len(), None);
    let most_usd = provider.model().cost_usd(need);
    // What another process paid for is not among what was charged here.
    let tokens = progress.charged_tokens().max(total(answer.usage)) + total(need);
    if !spec.settings().ceiling.allows(tokens, answer.cost_usd + most_usd) {
        return Err(Unknown::Ceiling);
    }
    let admitted = timeout(LONGEST_WAIT, second.router().readmit(0, need, Applicant::Anyone)).await;
    let admission = admitted.ok().and_then(Result::ok).ok_or(Unknown::Unavailable)?;
    let reservation = match caller.budget() {
        Some(budget) => Some(budget.reserve_spare(most_usd).ok_or(Unknown::Ceiling)?),
        None => None,
    };
    let call = Call { spec: call_spec, note, prompt, content, correction: None, max_tokens: None };
    progress.commitment.begin();
    let (trace, step) = (&span.trace(), stage::COMPARE);
    let outcome = PaidCall { caller, provider, admission, need, reservation, trace, step }.make(&call).await;
    let Paid { reply, cost_usd, .. } = outcome.map_err(|error| no_reply(error.failure.code))?;
    caller.metrics().agreement.paid(provider.name(), reply.usage, cost_usd);
    judge(spec, provider, &reply)
}

/// What two answers have in common.
async fn compare_data(tasks: &Tasks, spec: &Arc<Spec>, answer: &Answer, other: Value) -> Result<Compared, Unknown> {
    let (spec, data) = (Arc::clone(spec), answer.data.clone());
    let comparison = tasks.computation(move || {
        let data: Value = serde_json::from_slice(&data).unwrap_or_default();
        spec.second_provider()?.compare(&data, &other)
    });
    // A defect here costs what would have been known, and not the answer.
    comparison.await.unwrap_or_default().ok_or(Unknown::TooLarge)
}

fn no_reply(code: Code) -> Unknown {
    if code == Code::ProviderRefused { Unknown::Refused } else { Unknown::Failed }
}

fn judge(spec: &Spec, provider: &Provider, reply: &Reply) -> Result<Value, Unknown> {
    let settings = spec.settings();
    let expected = Expected {
        schema: &settings.schema,
        bypass_validation: settings.checks.bypass_validation,
        has_quotes: spec.call().data_schema.is_some(),
    };
    match approve(expected, reply) {
        Ok(Approved { data, .. }) => {
            provider.judged(true);
            Ok(data)
        }
        Err(disapproved) => {
            let Disapproved { failure, remedy, .. } = *disapproved;
            if matches!(remedy, Remedy::AskAnother | Remedy::Correct(_)) {
                provider.judged(false);
            }
            Err(if failure.code == Code::ProviderRefused { Unknown::Refused } else { Unknown::Invalid })
        }
    }
}

#[cfg(test)]
mod tests;
