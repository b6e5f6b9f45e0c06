//! One record through the pipeline: decode ▶ pipeline ▶ encode.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tracing::Span;

use super::field_counts;
use super::result_log::ResultLog;
use super::settings::RecordFormat;
use super::suspicious_records::SuspiciousRecords;
use crate::codec::result_event::{Origin, ResultEvent, Versions};
use crate::codec::{cloudevents, dead_letter, kafka_binary, plain, review_record, trace};
use crate::delivery::outcome::{RecordOutcome, Settled};
use crate::delivery::remembered::RememberedOutcomes;
use crate::delivery::settle::{defect, settle};
use crate::domain::answer::Answered;
use crate::domain::event::Event;
use crate::domain::failure::{Code, Failure};
use crate::domain::record::Record;
use crate::pipeline::caller::Caller;
use crate::pipeline::engine::{Begun, Engine};
use crate::pipeline::gate::Gate;
use crate::pipeline::request::{Question, Request};
use crate::pipeline::route::settings::Prices;
use crate::pipeline::score::review_reasons;
use crate::pipeline::spec::{Spec, SpecSettings};
use crate::ports::audit::AuditLog;
use crate::ports::clock::Clock;
use crate::ports::journal::Claim;
use crate::prompt::template::Scope;
use crate::schema::fields::SchemaFields;
use crate::tasks::Commitment;
use crate::telemetry::metrics::FieldMetrics;

/// Largest value that is looked into, in bytes, where prompts are short. Eight times what every CloudEvents consumer
/// should accept (CloudEvents 1.0.2, "Size Limits"), and far more than a prompt of 10,000 characters needs.
pub const MAX_VALUE_BYTES: usize = 512 << 10;

/// A character has at most four bytes in UTF-8; as much again for escapes, and for what the prompt leaves out.
const VALUE_BYTES_PER_CHAR: usize = 8;

/// Largest value that is looked into by a connector with prompts of so many characters.
pub const fn max_value_bytes(max_prompt_chars: usize) -> usize {
    let needed = max_prompt_chars * VALUE_BYTES_PER_CHAR;
    if needed > MAX_VALUE_BYTES { needed } else { MAX_VALUE_BYTES }
}

/// Reads the record of a connector with prompts of so many characters.
///
/// # Errors
/// `event_too_large`, or why it is not what the format says.
pub fn decode(record: &Record, format: RecordFormat, max_prompt_chars: usize) -> Result<Event, Failure> {
    let limit = max_value_bytes(max_prompt_chars);
    if let Some(bytes) = record.value.as_ref().map(bytes::Bytes::len).filter(|bytes| *bytes > limit) {
        let detail = format!("the value has {bytes} bytes, the limit is {limit}");
        return Err(Failure::new(Code::EventTooLarge, detail));
    }
    match format {
        RecordFormat::CloudEvents => cloudevents::decode(record),
        RecordFormat::Json => plain::decode_json(record),
        RecordFormat::Text => plain::decode_text(record),
    }
}

/// A record that needs a provider.
#[derive(Debug)]
pub struct Job {
    record: Arc<Record>,
    event: Event,
    question: Question,
    asked: Arc<Asked>,
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

/// Takes the records of one connector through the engine, all on behalf of one caller.
pub struct RecordHandler {
    settings: HandlerSettings,
    engine: Arc<Engine>,
    /// What was asked at first. The providers and the limits of each later one are the same.
    first: Arc<Spec>,
    /// What is asked of new records.
    asked: RwLock<Arc<Asked>>,
    caller: Arc<Caller>,
    clock: Arc<dyn Clock>,
    remembered: Option<RememberedOutcomes>,
    result_log: ResultLog,
    suspicious: Option<SuspiciousRecords>,
    field_metrics: Option<FieldMetrics>,
}

/// What is asked of a record, and what its result says of that.
struct Asked {
    spec: Arc<Spec>,
    origin: Origin,
    /// What its schema names.
    fields: SchemaFields,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Asked {
    fn new(settings: &HandlerSettings, spec: Arc<Spec>) -> Self {
        let SpecSettings { schema, template, .. } = spec.settings();
        let versions = Versions {
            schema_uri: schema.uri(),
            schema: schema.version(),
            prompt: template.version(),
            config_hash: &settings.config_hash,
        };
        let fields = SchemaFields::of(schema.json());
        Self { origin: Origin::new(&settings.connector, versions), fields, spec }
    }
}

/// What a connector's results say of where they come from, and how its records are read.
#[derive(Debug, Clone)]
pub struct HandlerSettings {
    /// The connector's name; part of every result's identity.
    pub connector: Arc<str>,
    /// First 12 hexadecimal digits of the SHA-256 of the connector file as resolved (`confighash`).
    pub config_hash: Arc<str>,
    /// How records are read.
    pub format: RecordFormat,
    /// Whether there is a topic for results that a person should see first.
    pub has_review: bool,
    /// The prices that costs are compared with; `None` where there is nothing to compare.
    pub reference: Option<Prices>,
}

impl RecordHandler {
    /// A handler that asks what `spec` says on behalf of `caller`. Without remembered outcomes, a process that is
    /// killed forgets answers that were paid for.
    pub fn new(
        settings: HandlerSettings,
        engine: Arc<Engine>,
        spec: Arc<Spec>,
        caller: Arc<Caller>,
        clock: Arc<dyn Clock>,
        remembered: Option<RememberedOutcomes>,
    ) -> Self {
        let (first, asked) = (Arc::clone(&spec), RwLock::new(Arc::new(Asked::new(&settings, spec))));
        let (result_log, suspicious, field_metrics) = (ResultLog::default(), None, None);
        Self { settings, engine, first, asked, caller, clock, remembered, result_log, suspicious, field_metrics }
    }

    /// The same, with suspicious records as events in this log.
    #[must_use]
    pub fn with_audit(mut self, log: Arc<dyn AuditLog>) -> Self {
        let (clock, connector) = (Arc::clone(&self.clock), Arc::clone(&self.settings.connector));
        self.suspicious = Some(SuspiciousRecords { log, clock, connector, tenant: self.caller.tenant().clone() });
        self
    }

    /// The same, in which the values of answers are counted here.
    #[must_use]
    pub fn with_field_metrics(self, metrics: FieldMetrics) -> Self {
        Self { field_metrics: Some(metrics), ..self }
    }

    /// Asks this of new records: the same of the same providers, with another version of the template or the schema.
    /// Records under way keep theirs.
    pub fn ask(&self, spec: Arc<Spec>) {
        let asked = Arc::new(Asked::new(&self.settings, spec));
        *self.asked.write().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    fn asked(&self) -> Arc<Asked> {
        Arc::clone(&self.asked.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether anybody may be asked.
    pub fn gate(&self) -> Gate<'_> {
        Gate::new(&self.first, &self.caller)
    }

    /// What time it is, since the Unix epoch.
    pub(super) fn now(&self) -> Duration {
        self.clock.now()
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
        let input = Scope { event: &event, key: record.key.as_deref(), headers: &record.headers };
        let asked = self.asked();
        match self.engine.begin(&Request { input, spec: &asked.spec, caller: &self.caller }) {
            Begun::Done(outcome) => Ok(RecordStep::Settled(self.result(record, &event, &outcome?, &asked))),
            Begun::Ask(question) => {
                Ok(RecordStep::Ask(Box::new(Job { record: Arc::clone(record), event, question, asked })))
            }
        }
    }

    fn decode(&self, record: &Record) -> Result<Event, Failure> {
        decode(record, self.settings.format, self.first.settings().checks.max_prompt_chars)
    }

    /// What the task that finishes this job is committed to: a call that was begun, if whoever asks next would pay
    /// again.
    pub fn commitment(&self, job: &Job) -> Commitment {
        let is_paid = self.remembered.as_ref().is_some_and(RememberedOutcomes::is_paid);
        if is_paid { job.question.commitment().clone() } else { Commitment::default() }
    }

    /// What log lines about the work on a job say of its record.
    pub(super) fn span(&self, job: &Job) -> Span {
        let trace_id = trace::context(&job.record, Some(&job.event)).trace_id;
        // At the highest level, so that lines have it whatever the log's level is.
        tracing::error_span!("record", connector = &*self.settings.connector, position = %job.record.position, trace_id)
    }

    /// The rest. Waits for the provider as long as the provider is what is missing: no record is blamed for that.
    pub async fn finish(&self, job: Job) -> Settled {
        let Job { record, event, mut question, asked } = job;
        let outcomes = self.remembered.as_ref();
        let remembered = outcomes
            .and_then(|outcomes| Some((outcomes, outcomes.keys(&record, &event, &question.outcome_fingerprint())?)));
        settle(&self.engine, remembered, &mut question, |outcome| match outcome {
            Ok(answered) => self.result(&record, &event, &answered, &asked),
            Err(failure) => self.dead_letter(&record, &failure),
        })
        .await
    }

    fn result(&self, record: &Record, event: &Event, answered: &Answered, asked: &Asked) -> Settled {
        self.result_log.observe(&self.settings.connector, record, answered);
        if let Some(suspicious) = &self.suspicious {
            suspicious.published(record, &answered.flags);
        }
        if let Some(metrics) = &self.field_metrics {
            field_counts::count(answered, &asked.fields, metrics);
        }
        let result = ResultEvent::new(record, event, answered, &asked.origin, self.clock.now());
        let reasons = review_reasons(answered, &asked.spec.settings().checks);
        let is_for_review = self.settings.has_review && !reasons.is_empty();
        let mut outgoing = kafka_binary::encode(record, result);
        if is_for_review {
            outgoing = review_record::encode(record, outgoing, &reasons);
        }
        let answer = &answered.answer;
        let outcome = RecordOutcome::Result {
            is_for_review,
            cache_hit: answered.cache_hit,
            confidence: answered.confidence.score,
            reference_usd: self.settings.reference.map_or(0.0, |prices| prices.cost_usd(answer.last_call())),
        };
        Settled { outgoing, outcome, is_pointer: false, detail: None }
    }

    /// The record as a dead letter.
    pub fn dead_letter(&self, record: &Record, failure: &Failure) -> Settled {
        if let Some(suspicious) = &self.suspicious {
            suspicious.refused(record, failure);
        }
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
        dead_letter::DeadLetterOrigin { connector: &self.settings.connector }
    }
}

#[cfg(test)]
mod tests;
