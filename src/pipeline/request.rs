//! A request, and the question that it comes to when nobody remembers the answer.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use crate::domain::answer::{Answer, Flag};
use crate::domain::answer_key::AnswerKey;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::grounding::Grounding;
use crate::pipeline::ask::Progress;
use crate::pipeline::caller::Caller;
use crate::pipeline::gate::Gate;
use crate::pipeline::ground::RecordTexts;
use crate::pipeline::spec::Spec;
use crate::ports::paid_answer::PaidAnswer;
use crate::prompt::template::Scope;
use crate::tasks::Commitment;
use crate::telemetry::traces::trace::Trace;

/// Something to be answered.
pub struct Request<'a> {
    /// What the template sees.
    pub input: Scope<'a>,
    /// What is asked of it.
    pub spec: &'a Arc<Spec>,
    /// Who asks.
    pub caller: &'a Arc<Caller>,
    /// What is recorded of it.
    pub trace: Trace,
}

/// An accepted request that nobody remembers the answer to.
pub struct Question {
    pub(super) spec: Arc<Spec>,
    pub(super) caller: Arc<Caller>,
    /// Until when the answer is waited for; `None` for ever.
    pub(super) deadline: Option<Instant>,
    pub(super) prompt: String,
    /// The record's own part of the prompt, where that is known.
    pub(super) content: Option<String>,
    /// The record's own texts, where its answer's values are looked for.
    pub(super) texts: Option<RecordTexts>,
    pub(super) flags: Vec<Flag>,
    /// What its answer is looked up by; `None` where nothing is remembered.
    pub(super) fingerprint: Option<Fingerprint>,
    /// Whether it is known that the answers that processes share have none.
    pub(super) is_looked_up: bool,
    /// Whether a second provider is asked about the answer in any case.
    pub(super) is_sampled: bool,
    /// Where its answer is kept while a second provider is asked.
    pub(super) paid_answer: Option<Arc<dyn PaidAnswer>>,
    pub(super) trace: Trace,
    pub(super) progress: Box<Progress>,
}

impl fmt::Debug for Question {
    /// Without the prompt: that is the sender's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fingerprint, progress, .. } = self;
        f.debug_struct("Question").field("fingerprint", fingerprint).field("calls", &progress.calls()).finish()
    }
}

impl Question {
    /// What its outcome is remembered under beyond the process. It stays the same over updates of this program.
    pub fn outcome_fingerprint(&self) -> Fingerprint {
        self.spec.outcome_fingerprint(&self.prompt)
    }

    /// Whether a second provider may be asked about the answer.
    pub fn may_be_compared(&self) -> bool {
        let second = self.spec.second_provider();
        second.is_some_and(|second| self.is_sampled || second.is_asked_when_ungrounded())
    }

    /// Keeps an answer that was paid for here, while a second provider is asked about it.
    pub fn keep_paid_answer_in(&mut self, place: Arc<dyn PaidAnswer>) {
        self.paid_answer = Some(place);
    }

    /// What is recorded of it.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Records what becomes of it from now on.
    pub fn record_in(&mut self, trace: Trace) {
        self.trace = trace;
    }

    /// What its answer is remembered under, if it is.
    pub(super) fn answer_key(&self) -> Option<AnswerKey> {
        let question = self.fingerprint?;
        Some(AnswerKey { question, names: self.spec.answer_names(self.caller.tenant()) })
    }

    /// Whether an answer that processes share may be taken, and may be there.
    pub(super) fn may_be_shared(&self) -> bool {
        self.spec.settings().cache.reads() && !self.is_looked_up
    }

    /// Begins with its first call.
    pub fn commitment(&self) -> &Commitment {
        &self.progress.commitment
    }

    /// Where an answer's values stand in the record's own texts, if that is wanted.
    pub(super) fn ground(&self, answer: &Answer) -> Option<Arc<Grounding>> {
        Some(self.spec.grounder()?.ground(answer, self.texts.as_ref()?))
    }

    /// Whether anybody may be asked.
    pub fn gate(&self) -> Gate<'_> {
        Gate::new(&self.spec, &self.caller)
    }
}
