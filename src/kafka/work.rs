//! One record through the pipeline: decode ▶ pipeline ▶ encode.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::memory::Memory;
use super::notable::Notable;
use super::settings::RecordFormat;
use crate::codec::{cloudevents, dead_letter, plain, result};
use crate::domain::answer::{Answered, CacheHit};
use crate::domain::event::Event;
use crate::domain::failure::{Code, Failure, Kind};
use crate::domain::record::{Outgoing, Record};
use crate::pipeline::route::router::Router;
use crate::pipeline::run::{self, Pipeline, Question};
use crate::ports::clock::Clock;
use crate::ports::journal::Claim;
use crate::prompt::template::Scope;
use crate::tasks::Commitment;

/// Largest value that is looked into, in bytes, where prompts are short. Eight times what every CloudEvents consumer should accept
/// (CloudEvents 1.0.2, "Size Limits"), and far more than a prompt of 10,000 characters needs.
pub const MAX_VALUE_BYTES: usize = 512 << 10;

/// A character has at most four bytes in UTF-8; as much again for escapes, and for what the prompt leaves out.
const VALUE_BYTES_PER_CHAR: usize = 8;

/// Largest value that is looked into by a connector with prompts of so many characters.
pub const fn max_value_bytes(max_prompt_chars: usize) -> usize {
    let needed = max_prompt_chars * VALUE_BYTES_PER_CHAR;
    if needed > MAX_VALUE_BYTES { needed } else { MAX_VALUE_BYTES }
}

/// Times that a provider may fail on a record, each time having answered others since the time before, until the failure is
/// the record's.
const MAX_FAILURES_OF_ITS_OWN: u32 = 5;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// It has a result.
    Result {
        /// Where the answer came from.
        cache_hit: CacheHit,
        /// Its confidence.
        confidence: f64,
        /// What the call would have cost at the reference's prices, in US dollars; hits count as if they had asked.
        reference_usd: f64,
    },
    /// It is a dead letter.
    DeadLetter {
        /// Why.
        code: Code,
    },
}

/// Told of every record that is finished. Called on the connector's thread: must be quick.
pub trait Observer: Send + Sync {
    /// The broker has acknowledged a record's outcome, `took` after its receipt.
    fn closed(&self, outcome: &Outcome, took: Duration);
    /// A record has no outcome of its own, because its event had one.
    fn repeated(&self);
}

/// A record's outcome, ready to be published.
#[derive(Debug)]
pub struct Settled {
    /// What to publish. Where follows from the outcome.
    pub outgoing: Outgoing,
    /// What it is.
    pub outcome: Outcome,
    /// True for a dead letter that only points to its original.
    pub is_pointer: bool,
    /// Why it is a dead letter, in a sentence.
    pub detail: Option<String>,
}

/// A record that needs a provider.
#[derive(Debug)]
pub struct Job {
    record: Arc<Record>,
    event: Event,
    question: Question,
}

/// A record as far as it came without waiting.
pub struct Begun {
    /// How far.
    pub step: Step,
    /// What is to be decided first: whether its event has an outcome already.
    pub claim: Option<Claim>,
}

/// How far a record came without waiting.
pub enum Step {
    /// To its end.
    Settled(Settled),
    /// To a question.
    Ask(Box<Job>),
}

/// The Kafka door of one connector's pipeline.
pub struct Door {
    pipeline: Pipeline,
    format: RecordFormat,
    clock: Arc<dyn Clock>,
    memory: Option<Memory>,
    notable: Notable,
}

impl Door {
    /// A door to `pipeline`. Without a memory, a process that is killed forgets answers that were paid for.
    pub fn new(pipeline: Pipeline, format: RecordFormat, clock: Arc<dyn Clock>, memory: Option<Memory>) -> Self {
        Self { pipeline, format, clock, memory, notable: Notable::default() }
    }

    /// Who answers behind this door, and the gate before them.
    pub fn router(&self) -> &Router {
        self.pipeline.router()
    }

    /// What records are remembered by, where they are.
    pub fn memory(&self) -> Option<&Memory> {
        self.memory.as_ref()
    }

    /// Everything that needs no waiting. Never panics: a stage that does costs its record and no other.
    pub fn begin(&self, record: &Arc<Record>) -> Begun {
        let mut claim = None;
        let step = match catch_unwind(AssertUnwindSafe(|| self.try_begin(record, &mut claim))) {
            Ok(Ok(step)) => step,
            Ok(Err(failure)) => Step::Settled(self.dead_letter(record, &failure)),
            Err(panic) => Step::Settled(self.dead_letter(record, &defect(panic.as_ref()))),
        };
        Begun { step, claim }
    }

    /// Notes the claim on the way, because a record that fails after its event was read has one, too.
    fn try_begin(&self, record: &Arc<Record>, claim: &mut Option<Claim>) -> Result<Step, Failure> {
        let event = self.decode(record)?;
        *claim = self.memory.as_ref().and_then(|memory| memory.claim(record, &event));
        let begun = self.pipeline.begin(&Scope { event: &event, key: record.key.as_deref(), headers: &record.headers });
        match begun {
            run::Begun::Done(outcome) => Ok(Step::Settled(self.result(record, &event, &outcome?))),
            run::Begun::Ask(question) => Ok(Step::Ask(Box::new(Job { record: Arc::clone(record), event, question }))),
        }
    }

    fn decode(&self, record: &Record) -> Result<Event, Failure> {
        let limit = max_value_bytes(self.pipeline.settings().max_prompt_chars);
        if let Some(bytes) = record.value.as_ref().map(bytes::Bytes::len).filter(|bytes| *bytes > limit) {
            let detail = format!("the value has {bytes} bytes, the limit is {limit}");
            return Err(Failure::new(Code::EventTooLarge, detail));
        }
        match self.format {
            RecordFormat::CloudEvents => cloudevents::decode(record),
            RecordFormat::Json => plain::decode_json(record),
            RecordFormat::Text => plain::decode_text(record),
        }
    }

    /// What the task that finishes this job is committed to: a call that was begun, if whoever asks next would pay again.
    pub fn commitment(&self, job: &Job) -> Commitment {
        let is_paid = self.memory.as_ref().is_some_and(Memory::is_paid);
        if is_paid { job.question.commitment().clone() } else { Commitment::default() }
    }

    /// The rest. Waits for the provider as long as the provider is what is missing: no record is blamed for that. An outcome
    /// that cost a call is remembered before it is returned, and one that is remembered costs no call.
    pub async fn finish(&self, job: Job) -> Settled {
        let Job { record, event, mut question } = job;
        let (record, event) = (&record, &event);
        let memory = self.memory.as_ref();
        let keys = memory.and_then(|memory| Some((memory, memory.keys(record, event, question.fingerprint())?)));
        let _turn = match keys {
            Some((memory, keys)) => Some(memory.turn(keys).await),
            None => None,
        };
        if let Some((memory, keys)) = keys {
            if let Some(settled) = memory.recall(keys).await {
                return settled;
            }
            // An instance that lost the record may get its answer while this one waits for a provider.
            if !self.router().is_open() {
                self.pipeline.ready(&question).await;
                if let Some(settled) = memory.recall(keys).await {
                    return settled;
                }
            }
        }
        let (settled, has_cost) = match AssertUnwindSafe(self.answer(&mut question)).catch_unwind().await {
            Ok(Ok(answered)) => (self.result(record, event, &answered), answered.cache_hit == CacheHit::None),
            Ok(Err(failure)) => (self.dead_letter(record, &failure), failure.attempts() > 0),
            Err(panic) => (self.dead_letter(record, &defect(panic.as_ref())), false),
        };
        if let Some((memory, keys)) = keys.filter(|_| has_cost) {
            memory.record(keys, &settled).await;
        }
        settled
    }

    /// Waits and goes on until there is an outcome. The question keeps what its calls said and cost.
    async fn answer(&self, question: &mut Question) -> Result<Answered, Failure> {
        let router = self.router();
        let mut failures_of_its_own = 0;
        let mut successes_before = router.successes();
        loop {
            self.pipeline.ready(question).await;
            let calls_before = question.calls();
            let failure = match self.pipeline.finish(question).await {
                Err(failure) if failure.kind() == Kind::Unavailable => failure,
                outcome => return outcome,
            };
            // No call is open any more. Whoever else has the record by then makes the next one.
            question.commitment().end();
            // Nobody may be waiting for it any more, and then it does not begin another.
            tokio::task::yield_now().await;
            // Providers that fail on one record only must not be paused for it for ever.
            let successes = router.successes();
            let is_dubious = matches!(failure.code, Code::ProviderUnavailable | Code::ProviderOverloaded);
            if is_dubious && question.calls() > calls_before && successes > successes_before {
                failures_of_its_own += 1;
            }
            successes_before = successes;
            if failures_of_its_own >= MAX_FAILURES_OF_ITS_OWN {
                return Err(Failure { code: Code::ProviderFailed, ..failure });
            }
        }
    }

    fn result(&self, record: &Record, event: &Event, answered: &Answered) -> Settled {
        let settings = self.pipeline.settings();
        self.notable.observe(&settings.connector, record, answered);
        let origin = result::Origin {
            connector: &settings.connector,
            schema_uri: settings.schema.uri(),
            schema_version: settings.schema.version(),
            prompt_version: settings.template.version(),
            config_hash: &settings.config_hash,
        };
        let outgoing = result::encode(record, event, answered, &origin, self.clock.now());
        let answer = &answered.answer;
        let outcome = Outcome::Result {
            cache_hit: answered.cache_hit,
            confidence: answer.confidence.score,
            reference_usd: self.router().reference_cost_usd(answer.last_call()),
        };
        Settled { outgoing, outcome, is_pointer: false, detail: None }
    }

    /// The record as a dead letter.
    pub fn dead_letter(&self, record: &Record, failure: &Failure) -> Settled {
        let outgoing = dead_letter::encode(record, failure, &self.dead_letter_origin(), self.clock.now());
        let outcome = Outcome::DeadLetter { code: failure.code };
        Settled { outgoing, outcome, is_pointer: false, detail: Some(failure.detail.clone()) }
    }

    /// A dead letter that points to the record instead of carrying it.
    pub fn dead_letter_pointer(&self, record: &Record, code: Code) -> Settled {
        let failure = Failure::new(code, "the record is too large for the dead-letter topic; this letter points to it");
        let outgoing = dead_letter::pointer(record, &failure, &self.dead_letter_origin(), self.clock.now());
        Settled { outgoing, outcome: Outcome::DeadLetter { code }, is_pointer: true, detail: Some(failure.detail) }
    }

    fn dead_letter_origin(&self) -> dead_letter::DeadLetterOrigin<'_> {
        dead_letter::DeadLetterOrigin { connector: &self.pipeline.settings().connector }
    }
}

/// A panic's message is a source position or our own words; it may quote data, so only its presence is told.
fn defect(panic: &(dyn Any + Send)) -> Failure {
    tracing::error!(is_text = panic.is::<String>() || panic.is::<&str>(), "a pipeline stage panicked");
    Failure::new(
        Code::InternalError,
        "a stage of the pipeline panicked on this record; please report it with the version and this record's shape",
    )
}

#[cfg(test)]
mod tests;
