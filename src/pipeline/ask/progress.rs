//! How far a question has come. It outlives a ladder that has to wait for a provider: what was paid for is not paid
//! again, and what counts against a record is counted over all of its waits.

use std::sync::Arc;

use serde_json::Value;

use super::Giver;
use crate::domain::attempt::{self, Attempt, LadderStep, Spending};
use crate::domain::failure::{Code, Failure, Kind, Stage};
use crate::pipeline::approve::Rejected;
use crate::pipeline::route::provider::Provider;
use crate::ports::request_observer::RequestObserver;
use crate::prompt::{language, meta};
use crate::tasks::Commitment;

/// An answer that parsed, but is not valid.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) data: Value,
    pub(super) giver: Giver,
}

/// The call that the last answer asks for, of the provider that gave it.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) index: usize,
    /// [`LadderStep::Correct`] or [`LadderStep::Lengthen`].
    pub(super) step: LadderStep,
    pub(super) rejected: Option<Rejected>,
}

/// What the calls for a question said, and what they cost.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Progress {
    pub(super) attempt_log: Vec<Attempt>,
    pub(super) spending: Spending,
    /// Tokens of all calls, with an estimate for what providers did not tell: what counts against the record's ceiling.
    pub(super) charged_tokens: u64,
    /// Invalid answers so far.
    pub(super) corrections: u32,
    /// The raised ceiling of tokens.
    pub(super) lengthened: Option<u32>,
    pub(super) candidate: Option<Candidate>,
    pub(super) owed: Option<Owed>,
    /// What the model is told of the language of the content; found out before the first call.
    language_note: Option<String>,
    /// The most telling of what was said of the question itself.
    pub(super) failure: Option<Failure>,
    /// Who learns of each step.
    pub(in crate::pipeline) observer: Option<Arc<dyn RequestObserver>>,
    /// Begins with the first call: providers bill also what nobody waits for.
    pub(in crate::pipeline) commitment: Commitment,
}

impl Progress {
    /// Finds out what the model is told of the language of the content, unless that is known.
    pub(in crate::pipeline) fn find_language(&mut self, content: &str) {
        self.language_note.get_or_insert_with(|| meta::language_note(language::detect(content)));
    }

    /// What the model is told of the language of the content.
    pub(in crate::pipeline) fn language_note(&self) -> &str {
        self.language_note.as_deref().unwrap_or_default()
    }

    /// Tokens of all calls so far, with an estimate for what providers did not tell.
    pub(in crate::pipeline) fn charged_tokens(&self) -> u64 {
        self.charged_tokens
    }

    /// What was tried so far.
    pub(in crate::pipeline) fn attempt_log(&self) -> &[Attempt] {
        &self.attempt_log
    }

    /// Provider calls so far.
    pub(in crate::pipeline) fn calls(&self) -> u32 {
        attempt::calls(&self.attempt_log)
    }

    /// Whether another call of this provider can still lead to an answer, now or when it is back.
    pub(in crate::pipeline) fn may_help(&self, index: usize, provider: &Provider) -> bool {
        self.is_new_to(provider) || self.is_owed_by(index, provider)
    }

    /// Whether the provider has not given its last word on the question: an answer, a refusal to read it, or as many
    /// failures of the dubious kind as it has attempts.
    pub(super) fn is_new_to(&self, provider: &Provider) -> bool {
        let has_spoken = |code: Code| !is_dubious(code) && code.kind() != Kind::Unavailable;
        !self.errors_of(provider).any(has_spoken) && self.has_attempts_left(provider)
    }

    /// Whether the last answer is this provider's and asks for another call of it.
    pub(super) fn is_owed_by(&self, index: usize, provider: &Provider) -> bool {
        self.owed.as_ref().is_some_and(|owed| owed.index == index) && self.has_attempts_left(provider)
    }

    /// A failure that is the record's or the provider's, nobody can tell, is the record's in the end: after the first
    /// attempt and all retries, whatever pauses lay between them.
    pub(super) fn has_attempts_left(&self, provider: &Provider) -> bool {
        let failures = self.errors_of(provider).filter(|code| is_dubious(*code)).count();
        u32::try_from(failures).is_ok_and(|failures| failures <= provider.max_retries())
    }

    fn errors_of(&self, provider: &Provider) -> impl Iterator<Item = Code> {
        self.attempt_log
            .iter()
            .filter(|attempt| attempt.provider == *provider.name())
            .filter_map(|attempt| attempt.error)
    }

    /// Takes note of a call.
    pub(super) fn note(&mut self, attempt: Attempt) {
        if let Some(observer) = &self.observer {
            observer.attempted(&attempt);
        }
        self.spending.add(&attempt);
        attempt::push(&mut self.attempt_log, attempt);
    }

    /// Keeps the most telling failure: what is wrong with an answer before what a provider said of the question, and
    /// that before what may be either's fault.
    pub(super) fn remember(&mut self, failure: Failure) {
        let rank = |failure: &Failure| match failure.code {
            code if is_dubious(code) => 0,
            code if code.stage() == Stage::Approve => 2,
            _ => 1,
        };
        if self.failure.as_ref().is_none_or(|former| rank(&failure) >= rank(former)) {
            self.failure = Some(failure);
        }
    }

    /// What asking this provider the question as it is would be.
    pub(super) fn step_to(&self, provider: &Provider) -> LadderStep {
        if self.attempt_log.is_empty() {
            return LadderStep::Ask;
        }
        let has_been_asked = self.attempt_log.iter().any(|attempt| attempt.provider == *provider.name());
        if has_been_asked { LadderStep::Retry } else { LadderStep::Fallback }
    }
}

/// Whether a failure can be the record's fault as well as the provider's.
pub(super) fn is_dubious(code: Code) -> bool {
    matches!(code, Code::ProviderTimeout | Code::ProviderMalformed)
}
