//! One record through the pipeline: decode ▶ pipeline ▶ encode.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures_util::FutureExt;

use super::result_log::ResultLog;
use super::settings::RecordFormat;
use crate::codec::{cloudevents, dead_letter, plain, result};
use crate::delivery::outcome::{RecordOutcome, Settled};
use crate::delivery::remembered::RememberedOutcomes;
use crate::domain::answer::{Answered, CacheHit};
use crate::domain::event::Event;
use crate::domain::failure::{Code, Failure, Kind};
use crate::domain::record::Record;
use crate::pipeline::route::router::Router;
use crate::pipeline::run::{self, Pipeline, Question};
use crate::ports::clock::Clock;
use crate::ports::journal::Claim;
use crate::prompt::template::Scope;
use crate::tasks::Commitment;

/// Largest value that is looked into, in bytes, where prompts are short. Eight times what every CloudEvents consumer should accept
/// (CloudEvents 1.0.2, "Size TopicLimits"), and far more than a prompt of 10,000 characters needs.
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

/// A record that needs a provider.
#[derive(Debug)]
pub struct Job {
    record: Arc<Record>,
    event: Event,
    question: Question,
}

/// A record as far as it came without waiting.
pub struct BegunRecord {
    /// How far.
    pub step: RecordStep,
    /// What is to be decided first: whether its event has an outcome already.
    pub claim: Option<Claim>,
}

/// How far a record came without waiting.
pub enum RecordStep {
    /// To its end.
    Settled(Settled),
    /// To a question.
    Ask(Box<Job>),
}

/// Takes the records of one connector through its pipeline.
pub struct RecordHandler {
    pipeline: Pipeline,
    format: RecordFormat,
    clock: Arc<dyn Clock>,
    remembered: Option<RememberedOutcomes>,
    result_log: ResultLog,
}

impl RecordHandler {
    /// A handler that drives `pipeline`. Without remembered outcomes, a process that is killed forgets answers that were paid for.
    pub fn new(
        pipeline: Pipeline,
        format: RecordFormat,
        clock: Arc<dyn Clock>,
        remembered: Option<RememberedOutcomes>,
    ) -> Self {
        Self { pipeline, format, clock, remembered, result_log: ResultLog::default() }
    }

    /// Who answers behind this handler, and the gate before them.
    pub fn router(&self) -> &Router {
        self.pipeline.router()
    }

    /// What records are remembered by, where they are.
    pub fn remembered(&self) -> Option<&RememberedOutcomes> {
        self.remembered.as_ref()
    }

    /// Everything that needs no waiting. Never panics: a stage that does costs its record and no other.
    pub fn begin(&self, record: &Arc<Record>) -> BegunRecord {
        let mut claim = None;
        let step = match catch_unwind(AssertUnwindSafe(|| self.try_begin(record, &mut claim))) {
            Ok(Ok(step)) => step,
            Ok(Err(failure)) => RecordStep::Settled(self.dead_letter(record, &failure)),
            Err(panic) => RecordStep::Settled(self.dead_letter(record, &defect(panic.as_ref()))),
        };
        BegunRecord { step, claim }
    }

    /// Notes the claim on the way, because a record that fails after its event was read has one, too.
    fn try_begin(&self, record: &Arc<Record>, claim: &mut Option<Claim>) -> Result<RecordStep, Failure> {
        let event = self.decode(record)?;
        *claim = self.remembered.as_ref().and_then(|remembered| remembered.claim(record, &event));
        let begun = self.pipeline.begin(&Scope { event: &event, key: record.key.as_deref(), headers: &record.headers });
        match begun {
            run::Begun::Done(outcome) => Ok(RecordStep::Settled(self.result(record, &event, &outcome?))),
            run::Begun::Ask(question) => {
                Ok(RecordStep::Ask(Box::new(Job { record: Arc::clone(record), event, question })))
            }
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
        let is_paid = self.remembered.as_ref().is_some_and(RememberedOutcomes::is_paid);
        if is_paid { job.question.commitment().clone() } else { Commitment::default() }
    }

    /// The rest. Waits for the provider as long as the provider is what is missing: no record is blamed for that. An outcome
    /// that cost a call is remembered before it is returned, and one that is remembered costs no call.
    pub async fn finish(&self, job: Job) -> Settled {
        let Job { record, event, mut question } = job;
        let (record, event) = (&record, &event);
        let remembered = self.remembered.as_ref();
        let keys = remembered
            .and_then(|remembered| Some((remembered, remembered.keys(record, event, question.fingerprint())?)));
        let _lock = match keys {
            Some((remembered, keys)) => Some(remembered.lock(keys).await),
            None => None,
        };
        if let Some((remembered, keys)) = keys {
            if let Some(settled) = remembered.recall(keys).await {
                return settled;
            }
            // An instance that lost the record may get its answer while this one waits for a provider.
            if !self.router().is_open() {
                self.pipeline.ready(&question).await;
                if let Some(settled) = remembered.recall(keys).await {
                    return settled;
                }
            }
        }
        let (settled, has_cost) = match AssertUnwindSafe(self.answer(&mut question)).catch_unwind().await {
            Ok(Ok(answered)) => (self.result(record, event, &answered), answered.cache_hit == CacheHit::None),
            Ok(Err(failure)) => (self.dead_letter(record, &failure), failure.attempts() > 0),
            Err(panic) => (self.dead_letter(record, &defect(panic.as_ref())), false),
        };
        if let Some((remembered, keys)) = keys.filter(|_| has_cost) {
            remembered.record(keys, &settled).await;
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
        self.result_log.observe(&settings.connector, record, answered);
        let origin = result::Origin {
            connector: &settings.connector,
            schema_uri: settings.schema.uri(),
            schema_version: settings.schema.version(),
            prompt_version: settings.template.version(),
            config_hash: &settings.config_hash,
        };
        let outgoing = result::encode(record, event, answered, &origin, self.clock.now());
        let answer = &answered.answer;
        let outcome = RecordOutcome::Result {
            cache_hit: answered.cache_hit,
            confidence: answer.confidence.score,
            reference_usd: self.router().reference_cost_usd(answer.last_call()),
        };
        Settled { outgoing, outcome, is_pointer: false, detail: None }
    }

    /// The record as a dead letter.
    pub fn dead_letter(&self, record: &Record, failure: &Failure) -> Settled {
        let outgoing = dead_letter::encode(record, failure, &self.dead_letter_origin(), self.clock.now());
        let outcome = RecordOutcome::DeadLetter { code: failure.code };
        Settled { outgoing, outcome, is_pointer: false, detail: Some(failure.detail.clone()) }
    }

    /// A dead letter that points to the record instead of carrying it.
    pub fn dead_letter_pointer(&self, record: &Record, code: Code) -> Settled {
        let failure = Failure::new(code, "the record is too large for the dead-letter topic; this letter points to it");
        let outgoing = dead_letter::pointer(record, &failure, &self.dead_letter_origin(), self.clock.now());
        Settled {
            outgoing,
            outcome: RecordOutcome::DeadLetter { code },
            is_pointer: true,
            detail: Some(failure.detail),
        }
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
