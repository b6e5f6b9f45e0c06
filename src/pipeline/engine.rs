//! The life of a request.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tracing::Instrument as _;

use crate::domain::answer::{Answer, Answered, CacheHit};
use crate::domain::failure::Failure;
use crate::pipeline::accept::{Accepted, accept};
use crate::pipeline::approve::remembered::is_still_valid;
use crate::pipeline::ask::{self, Asked};
use crate::pipeline::gate::Gate;
use crate::pipeline::recall::{Recall, SingleFlight};
use crate::pipeline::request::{Question, Request};
use crate::pipeline::score::judge;
use crate::pipeline::spec::CacheMode;
use crate::tasks::{Commitment, Tasks};

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

impl Engine {
    /// An engine that remembers in `recall`.
    pub fn new(recall: Recall, tasks: Tasks) -> Self {
        Self { recall, tasks }
    }

    /// Resolve ▶ accept ▶ recall. Nothing here waits, so a door may call it on the thread that received the request; a
    /// remembered answer costs no task and no allocation beyond the prompt.
    pub fn begin(&self, request: &Request<'_>) -> Begun {
        let Request { input, spec, caller, deadline } = request;
        let settings = spec.settings();
        let resolved = settings.template.render(input);
        let on_pattern = |pattern| caller.metrics().suspicious(pattern);
        let accepted = resolved.and_then(|rendered| accept(rendered, &settings.checks, on_pattern));
        let Accepted { prompt, content, flags } = match accepted {
            Ok(accepted) => accepted,
            Err(failure) => return Begun::Done(Err(failure)),
        };
        let cache = settings.cache;
        let fingerprint = cache.is_on().then(|| self.recall.fingerprint(spec, caller.tenant(), &prompt));
        let remembered = fingerprint.filter(|_| cache.reads()).and_then(|question| self.recall.get(&question));
        match remembered {
            Some(answer) => Begun::Done(judge(answer, CacheHit::Memory, flags, &settings.checks)),
            None => Begun::Ask(Question {
                spec: Arc::clone(spec),
                caller: Arc::clone(caller),
                deadline: *deadline,
                prompt,
                content,
                flags,
                fingerprint,
                progress: Box::default(),
            }),
        }
    }

    /// Ask ▶ approve ▶ score, once for all requests that ask the same question at the same time, as far as providers
    /// can be asked now.
    ///
    /// # Errors
    /// The [`Failure`] of the stage that could not go on. One of kind `Unavailable` says nothing about the question: it
    /// goes on later from where it stands.
    pub(super) async fn attempt(&self, question: &mut Question) -> Result<Answered, Failure> {
        let (answer, hit) = self.answer(question).await?;
        judge(answer, hit, question.flags.clone(), &question.spec.settings().checks)
    }

    /// Takes a request from beginning to end, within its deadline. A call that is open then is finished all the same,
    /// and its answer remembered: providers bill it in any case.
    ///
    /// # Errors
    /// As [`Engine::finish`], and `deadline_exceeded`.
    pub async fn run(self: &Arc<Self>, request: &Request<'_>) -> Result<Answered, Failure> {
        let Request { spec, caller, .. } = request;
        let mut question = match self.begin(request) {
            Begun::Done(outcome) => return outcome,
            Begun::Ask(question) => question,
        };
        let Some(deadline) = question.deadline else { return self.finish(&mut question).await };
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
            Err(_elapsed) => Err(too_late(Gate::new(spec, caller), &commitment)),
        }
    }

    async fn answer(&self, question: &mut Question) -> Result<(Arc<Answer>, CacheHit), Failure> {
        let (CacheMode::On, Some(fingerprint)) = (question.spec.settings().cache.mode, question.fingerprint) else {
            return self.answer_alone(question).await;
        };
        loop {
            match self.recall.join(fingerprint) {
                SingleFlight::Landed(answer) => return Ok((answer, CacheHit::Memory)),
                SingleFlight::Lead(lead) => {
                    let outcome = self.answer_alone(question).await;
                    lead.land(outcome.clone().map(|(answer, _)| answer));
                    return outcome;
                }
                SingleFlight::Follow(landing) => {
                    // Nothing landed that is of use to others, so somebody else must lead.
                    if let Some(outcome) = landing.wait().await {
                        return Ok((outcome?, CacheHit::Memory));
                    }
                }
            }
        }
    }

    /// The answer that processes share, or a provider's, which is remembered as the policy says.
    async fn answer_alone(&self, question: &mut Question) -> Result<(Arc<Answer>, CacheHit), Failure> {
        let (settings, key) = (question.spec.settings(), question.answer_key());
        let cache = settings.cache;
        if let Some(key) = key.as_ref().filter(|_| cache.reads())
            && let Some(answer) = self.recall.get_shared(key, |answer| is_still_valid(answer, settings)).await
        {
            return Ok((answer, CacheHit::Redis));
        }
        let Question { spec, caller, deadline, prompt, content, progress, .. } = question;
        let content = content.as_deref().unwrap_or(prompt);
        let answer = Arc::new(ask::ask(Asked { spec, caller, deadline: *deadline, prompt, content }, progress).await?);
        if let Some(key) = key.filter(|_| cache.writes()) {
            self.recall.put(&key, &answer, cache.ttl);
        }
        Ok((answer, CacheHit::None))
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
