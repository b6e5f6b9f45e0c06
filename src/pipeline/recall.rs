//! Recall: has this been asked before, or is it being asked right now?

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::domain::answer::Answer;
use crate::domain::failure::Failure;
use crate::domain::fingerprint::Fingerprint;
use crate::pipeline::settings::PipelineSettings;
use crate::ports::answers::Answers;

/// Computes fingerprints for one pipeline: everything but the prompt is hashed once.
pub struct Questions(Sha256);

impl Questions {
    /// The questions that a pipeline with these settings asks of models of these families, each of which may answer.
    pub fn of<'a>(settings: &PipelineSettings, families: impl Iterator<Item = &'a str>) -> Self {
        // Exhaustive on purpose: a new setting does not compile until somebody decides whether it changes an answer.
        let PipelineSettings {
            template,
            schema,
            temperature,
            max_tokens,
            connector: _,
            strategy: _,
            record_ceiling: _,
            budget: _,
            allow_relaxed,
            provider: _, // its model family stands for it
            max_prompt_chars: _,
            patterns: _,
            confidence_threshold: _,
            on_low_confidence: _,
            cache_ttl: _,
            config_hash: _,
        } = settings;
        let mut hash = Sha256::new_with_prefix(b"structured-prompt/question/1");
        hash.update(schema.digest());
        hash.update(template.digest());
        hash.update(temperature.map_or([0xff; 8], f64::to_be_bytes));
        hash.update(max_tokens.unwrap_or(0).to_be_bytes());
        hash.update([u8::from(*allow_relaxed)]);
        for family in families {
            hash.update((family.len() as u64).to_be_bytes());
            hash.update(family);
        }
        Self(hash)
    }

    /// The fingerprint of the question that this prompt asks.
    pub fn fingerprint(&self, prompt: &str) -> Fingerprint {
        Fingerprint(self.0.clone().chain_update(prompt).finalize().into())
    }
}

type Outcome = Result<Arc<Answer>, Failure>;
type Landing = watch::Receiver<Option<Outcome>>;

/// Remembered answers, and the flights of those being asked for. Shared by all pipelines of the process.
pub struct Recall {
    answers: Arc<dyn Answers>,
    flights: Mutex<HashMap<Fingerprint, Landing>>,
}

/// The part of one request in the flight for its question.
pub enum Flight<'a> {
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
    landing: watch::Sender<Option<Outcome>>,
}

/// A place in somebody else's flight.
pub struct Follow(Landing);

impl Recall {
    /// Recall over a store of answers.
    pub fn new(answers: Arc<dyn Answers>) -> Self {
        Self { answers, flights: Mutex::default() }
    }

    /// A remembered answer.
    pub fn get(&self, question: &Fingerprint) -> Option<Arc<Answer>> {
        self.answers.get(question)
    }

    /// Leads the flight for this question if there is none, otherwise joins it.
    pub fn join(&self, question: Fingerprint) -> Flight<'_> {
        let mut flights = self.flights();
        // Under the lock, because a flight is removed only after its answer has been put.
        if let Some(answer) = self.answers.get(&question) {
            return Flight::Landed(answer);
        }
        if let Some(landing) = flights.get(&question) {
            return Flight::Follow(Follow(landing.clone()));
        }
        let (landing, receiver) = watch::channel(None);
        flights.insert(question, receiver);
        Flight::Lead(Lead { recall: self, question, landing })
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Fingerprint, Landing>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead<'_> {
    /// Ends the flight. A failure is shared with those who wait: asking again at once would pay for the same refusal
    /// again, or call a provider that has just asked for a pause. Only answers are remembered for later requests.
    pub fn land(self, outcome: Outcome, ttl: Duration) {
        if let Ok(answer) = &outcome {
            self.recall.answers.put(self.question, Arc::clone(answer), ttl);
        }
        self.landing.send_replace(Some(outcome));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.recall.flights().remove(&self.question);
    }
}

impl Follow {
    /// The leader's outcome, or `None` if it never landed.
    pub async fn wait(mut self) -> Option<Outcome> {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_closed) => None,
        }
    }
}
