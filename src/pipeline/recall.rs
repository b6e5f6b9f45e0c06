//! Recall: has this been asked before, or is it being asked right now?

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::domain::answer::Answer;
use crate::domain::answer_key::AnswerKey;
use crate::domain::failure::Failure;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::tenant::Tenant;
use crate::pipeline::spec::Spec;
use crate::ports::answers::{Answers, SharedAnswers};
use crate::telemetry::traces::span::SpanLink;
use crate::telemetry::traces::trace::Trace;

type FlightOutcome = Result<Arc<Answer>, Failure>;
type Landing = watch::Receiver<Option<FlightOutcome>>;

/// How long the answers that processes share are waited for, before a provider is asked: a fraction of what that takes.
const SHARED_WAIT: Duration = Duration::from_millis(50);

/// Remembered answers, and the flights of those being asked for. One for the process.
pub struct Recall {
    answers: Arc<dyn Answers>,
    shared: Option<Arc<dyn SharedAnswers>>,
    /// Whether prompts that differ in letter case only are the same question.
    folds_case: bool,
    flights: Mutex<HashMap<Fingerprint, Follow>>,
}

/// What a look-up among the answers that processes share came to.
pub enum SharedLookUp {
    /// There is an answer.
    Found(Arc<Answer>),
    /// There is none, or none that may be used.
    None,
    /// Nobody knows: there was no answer in time.
    TimedOut,
}

/// The part of one request in the flight for its question.
pub enum SingleFlight<'a> {
    /// The answer has landed in the meantime.
    Landed(Arc<Answer>),
    /// This request asks, for all.
    Lead(Lead<'a>),
    /// Another request is asking.
    Follow(Follow),
}

/// The duty to land. Dropped without landing (the leader was cancelled), it sets the followers free to lead.
pub struct Lead<'a> {
    recall: &'a Recall,
    question: Fingerprint,
    landing: watch::Sender<Option<FlightOutcome>>,
}

/// A place in somebody else's flight.
#[derive(Clone)]
pub struct Follow {
    landing: Landing,
    /// What is recorded of whoever asks for all.
    leader: Option<SpanLink>,
}

impl Recall {
    /// Recall over the answers of this process.
    pub fn new(answers: Arc<dyn Answers>) -> Self {
        Self { answers, shared: None, folds_case: false, flights: Mutex::default() }
    }

    /// The same with those that processes share behind them.
    #[must_use]
    pub fn with_shared(self, shared: Arc<dyn SharedAnswers>) -> Self {
        Self { shared: Some(shared), ..self }
    }

    /// The same, in which prompts that differ in letter case only are the same question, if `folds_case`.
    #[must_use]
    pub fn with_folded_case(self, folds_case: bool) -> Self {
        Self { folds_case, ..self }
    }

    /// Whether there are answers that processes share.
    pub fn has_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// What the question that a tenant asks with this prompt is looked up by.
    pub fn fingerprint(&self, spec: &Spec, tenant: &Tenant, prompt: &str) -> Fingerprint {
        spec.fingerprint(tenant, prompt, self.folds_case)
    }

    /// Looks for an answer that processes share and that `is_valid`, for [`SHARED_WAIT`]. It is from then on this
    /// process's as well, unless answers were invalidated meanwhile.
    pub async fn get_shared(&self, key: &AnswerKey, is_valid: impl FnOnce(&Answer) -> bool) -> SharedLookUp {
        let Some(shared) = &self.shared else { return SharedLookUp::None };
        let invalidations = self.answers.invalidations();
        let (answer, ttl) = match timeout(SHARED_WAIT, shared.get(key)).await {
            Ok(Some(found)) => found,
            Ok(None) => return SharedLookUp::None,
            Err(_elapsed) => return SharedLookUp::TimedOut,
        };
        if !is_valid(&answer) {
            tracing::warn!(names = key.names.as_str(), "an answer that processes share is not valid; asking again");
            return SharedLookUp::None;
        }
        self.answers.put_unless_invalidated(key, Arc::clone(&answer), ttl, invalidations);
        SharedLookUp::Found(answer)
    }

    /// Remembers an answer, for all processes where they share answers.
    pub fn put(&self, key: &AnswerKey, answer: &Arc<Answer>, ttl: Duration) {
        self.answers.put(key, Arc::clone(answer), ttl);
        if let Some(shared) = &self.shared {
            shared.put(key, Arc::clone(answer), ttl);
        }
    }

    /// An answer that this process remembers.
    pub fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>> {
        self.answers.get(question)
    }

    /// Leads the flight for this question if there is none, otherwise joins it. What is recorded of whoever asks, is
    /// recorded in `trace`.
    pub fn join(&self, question: Fingerprint, trace: &Trace) -> SingleFlight<'_> {
        let mut flights = self.flights();
        // Under the lock, because a flight is removed only after its answer has been put.
        if let Some(answer) = self.answers.get_again(&question) {
            return SingleFlight::Landed(answer);
        }
        if let Some(flight) = flights.get(&question) {
            return SingleFlight::Follow(flight.clone());
        }
        let (landing, receiver) = watch::channel(None);
        flights.insert(question, Follow { landing: receiver, leader: trace.link() });
        SingleFlight::Lead(Lead { recall: self, question, landing })
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Fingerprint, Follow>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead<'_> {
    /// Ends the flight. A failure that [everybody](Failure::is_shared) would meet is shared with those who wait: asking
    /// again at once would pay for the same refusal again, or call a provider that has just asked for a pause. With any
    /// other one it is as if nobody had led. An answer must have been put before.
    pub fn land(self, outcome: FlightOutcome) {
        if outcome.as_ref().err().is_none_or(Failure::is_shared) {
            self.landing.send_replace(Some(outcome));
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.recall.flights().remove(&self.question);
    }
}

impl Follow {
    /// What is recorded of whoever asks for all.
    pub fn leader(&self) -> Option<SpanLink> {
        self.leader
    }

    /// The leader's outcome, or `None` if it never landed.
    pub async fn wait(mut self) -> Option<FlightOutcome> {
        match self.landing.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_closed) => None,
        }
    }
}
