//! The life of a request.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::domain::answer::{Answer, Answered, CacheHit, Flag};
use crate::domain::answer_key::AnswerKey;
use crate::domain::failure::{Code, Failure};
use crate::pipeline::accept::{Accepted, accept};
use crate::pipeline::approve::remembered::is_still_valid;
use crate::pipeline::ask::{self, Asked};
use crate::pipeline::compare::{compare, recall_paid_answer};
use crate::pipeline::gate::Gate;
use crate::pipeline::recall::{Recall, SharedLookUp, SingleFlight};
use crate::pipeline::request::{Question, Request};
use crate::pipeline::score::judge;
use crate::pipeline::spec::CacheMode;
use crate::ports::request_observer::RequestObserver;
use crate::tasks::{Commitment, Tasks};
use crate::telemetry::traces::names::{database, stage};
use crate::telemetry::traces::span::SpanKind;

/// Takes requests through the stages. One for the process, whoever asks.
pub struct Engine {
    recall: Recall,
    tasks: Tasks,
}

/// What the stages that need no waiting came to.
pub enum Begun {
    /// The request is finished: remembered, or failed.
    Done(Result<Answered, Failure>),
    /// A provider must be asked.
    Ask(Question),
}

impl Begun {
    /// The same, observed until nobody works on it any more. What is known of the input is said at once.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn RequestObserver>) -> Self {
        match &mut self {
            Self::Done(Err(failure)) if failure.code == Code::SuspiciousInput => {
                observer.suspicious(&failure.detail, true);
            }
            Self::Done(Err(_)) => {}
            Self::Done(Ok(Answered { flags, .. })) => say_suspicious(flags, &*observer),
            Self::Ask(question) => {
                say_suspicious(&question.flags, &*observer);
                question.progress.observer = Some(observer);
            }
        }
        self
    }
}

fn say_suspicious(flags: &[Flag], observer: &dyn RequestObserver) {
    let patterns: Vec<_> = flags.iter().filter_map(|flag| flag.pattern()).collect();
    if !patterns.is_empty() {
        observer.suspicious(&patterns.join(", "), false);
    }
}

impl Engine {
    /// An engine that remembers in `recall`.
    pub fn new(recall: Recall, tasks: Tasks) -> Self {
        Self { recall, tasks }
    }

    /// Resolve ▶ accept ▶ recall. Nothing here waits, so a door may call it on the thread that received the request; a
    /// remembered answer costs no task, and no allocation beyond the prompt if it is given for the same text again.
    pub fn begin(&self, request: &Request<'_>) -> Begun {
        let Request { input, spec, caller, trace } = request;
        let settings = spec.settings();
        let resolved = trace.stage(stage::RESOLVE, || settings.template.render(input));
        let on_pattern = |pattern| caller.metrics().suspicious(pattern);
        let accept = |rendered| trace.stage(stage::ACCEPT, || accept(rendered, &settings.checks, on_pattern));
        let accepted = resolved.and_then(accept);
        let Accepted { prompt, content, flags } = match accepted {
            Ok(accepted) => accepted,
            Err(failure) => return Begun::Done(Err(failure)),
        };
        let cache = settings.cache;
        let (fingerprint, remembered) = trace.stage(stage::RECALL, || {
            let fingerprint = cache.is_on().then(|| self.recall.fingerprint(spec, caller.tenant(), &prompt));
            let question = fingerprint.filter(|_| cache.reads());
            (fingerprint, question.and_then(|question| self.recall.get(&question)))
        });
        match remembered {
            Some(answer) => {
                let ground = || spec.grounder().map(|grounder| grounder.ground_remembered(&answer, input));
                let grounding = trace.stage(stage::GROUND, ground);
                let judge = || judge(answer, CacheHit::Memory, grounding, flags, &settings.checks);
                Begun::Done(trace.stage(stage::SCORE, judge))
            }
            None => Begun::Ask(Question {
                texts: spec.grounder().map(|grounder| grounder.texts(input)),
                spec: Arc::clone(spec),
                caller: Arc::clone(caller),
                deadline: None,
                prompt,
                content,
                flags,
                fingerprint,
                is_looked_up: false,
                is_sampled: spec.second_provider().is_some_and(|second| second.samples(input.event)),
                paid_answer: None,
                trace: trace.clone(),
                progress: Box::default(),
            }),
        }
    }

    /// Looks for the answer among those that processes share, before it is the request's turn to be asked. Those that
    /// do so at the same time wait at the same time, and their look-ups travel together.
    pub async fn look_ahead(&self, begun: Begun) -> Begun {
        let Begun::Ask(mut question) = begun else { return begun };
        let key = if question.may_be_shared() { question.answer_key() } else { None };
        let Some(key) = key else { return Begun::Ask(question) };
        match self.shared(&question, &key).await {
            SharedLookUp::Found(answer) => {
                let (grounding, checks) = (question.ground(&answer), &question.spec.settings().checks);
                return Begun::Done(judge(answer, CacheHit::Redis, grounding, question.flags, checks));
            }
            SharedLookUp::None => question.is_looked_up = true,
            // It is looked for once more when it is the request's turn.
            SharedLookUp::TimedOut => {}
        }
        Begun::Ask(question)
    }

    /// Ask ▶ approve ▶ ground ▶ compare ▶ score, once for all requests that ask the same question at the same time, as
    /// far as providers can be asked now.
    ///
    /// # Errors
    /// The [`Failure`] of the stage that could not go on. One of kind `Unavailable` says nothing about the question: it
    /// goes on later from where it stands.
    pub(super) async fn attempt(&self, question: &mut Question) -> Result<Answered, Failure> {
        let (answer, hit) = self.answer(question).await?;
        let grounding = question.trace.stage(stage::GROUND, || question.ground(&answer));
        let (flags, checks) = (question.flags.clone(), &question.spec.settings().checks);
        question.trace.stage(stage::SCORE, || judge(answer, hit, grounding, flags, checks))
    }

    /// Takes a request to its end, until a deadline. A call that is open then is finished all the same, and its answer
    /// remembered: providers bill it in any case.
    ///
    /// # Errors
    /// As [`Engine::finish`], and `deadline_exceeded`.
    pub async fn finish_until(self: &Arc<Self>, deadline: Instant, begun: Begun) -> Result<Answered, Failure> {
        let mut question = match begun {
            Begun::Done(outcome) => return outcome,
            Begun::Ask(question) => question,
        };
        question.deadline = Some(deadline);
        let (spec, caller) = (Arc::clone(&question.spec), Arc::clone(&question.caller));
        let (send, outcome) = oneshot::channel();
        let (engine, commitment) = (Arc::clone(self), question.commitment().clone());
        let work = async move {
            // Nobody may be waiting for it any more.
            drop(send.send(engine.finish(&mut question).await));
        };
        // Its log lines are the request's.
        let work = work.in_current_span();
        let _wanted = self.tasks.record(work, commitment.clone());
        match timeout_at(deadline, outcome).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panicked)) => Err(Failure::defect()),
            Err(_elapsed) => Err(too_late(Gate::new(&spec, &caller), &commitment)),
        }
    }

    async fn answer(&self, question: &mut Question) -> Result<(Arc<Answer>, CacheHit), Failure> {
        let (CacheMode::On, Some(fingerprint)) = (question.spec.settings().cache.mode, question.fingerprint) else {
            return self.answer_alone(question).await;
        };
        loop {
            match self.recall.join(fingerprint, &question.trace) {
                SingleFlight::Landed(answer) => return Ok((answer, CacheHit::Memory)),
                SingleFlight::Lead(lead) => {
                    let outcome = self.answer_alone(question).await;
                    lead.land(outcome.clone().map(|(answer, _)| answer));
                    return outcome;
                }
                SingleFlight::Follow(landing) => {
                    let mut span = question.trace.span(stage::ASK_SHARED);
                    span.link(landing.leader());
                    // Nothing landed that is of use to others, so somebody else must lead.
                    if let Some(outcome) = landing.wait().await {
                        let answer = outcome.inspect_err(|failure| span.fail(failure.code.as_str()))?;
                        return Ok((answer, CacheHit::Memory));
                    }
                }
            }
        }
    }

    /// The answer that processes share, or a provider's, which is remembered as the policy says.
    async fn answer_alone(&self, question: &mut Question) -> Result<(Arc<Answer>, CacheHit), Failure> {
        let (cache, may_be_shared) = (question.spec.settings().cache, question.may_be_shared());
        let key = if may_be_shared || cache.writes() { question.answer_key() } else { None };
        if let Some(key) = key.as_ref().filter(|_| may_be_shared)
            && let SharedLookUp::Found(answer) = self.shared(question, key).await
        {
            return Ok((answer, CacheHit::Redis));
        }
        let answer = match recall_paid_answer(question).await {
            Some(answer) => answer,
            None => {
                let mut span = question.trace.span(stage::ASK);
                let Question { spec, caller, deadline, prompt, content, progress, .. } = &mut *question;
                let (content, trace) = (content.as_deref().unwrap_or(prompt), &span.trace());
                let asked = Asked { spec, caller, deadline: *deadline, prompt, content, trace };
                ask::ask(asked, progress).await.inspect_err(|failure| span.fail(failure.code.as_str()))?
            }
        };
        let answer = Arc::new(compare(&self.tasks, question, answer).await);
        if let Some(key) = key.filter(|_| cache.writes()) {
            // Before it is kept, since the cache counts what an answer takes when it gets it.
            drop(question.ground(&answer));
            self.recall.put(&key, &answer, cache.ttl);
        }
        Ok((answer, CacheHit::None))
    }

    /// The answer that processes share, if it may be used.
    async fn shared(&self, question: &Question, key: &AnswerKey) -> SharedLookUp {
        let settings = question.spec.settings();
        let is_valid = |answer: &Answer| {
            let is_valid = is_still_valid(answer, settings);
            if is_valid {
                drop(question.ground(answer));
            }
            is_valid
        };
        let _span = self.recall.has_shared().then(|| {
            let mut span = question.trace.span_of(SpanKind::Client, || stage::RECALL_SHARED.into());
            span.note(database::SYSTEM, "redis");
            span
        });
        self.recall.get_shared(key, is_valid).await
    }
}

/// The failure of a request whose deadline has passed.
fn too_late(gate: Gate<'_>, commitment: &Commitment) -> Failure {
    if let Some(closed) = gate.closed().filter(|_| !commitment.holds()) {
        return closed.into_failure();
    }
    Failure::deadline_exceeded()
}

#[cfg(test)]
mod tests;
