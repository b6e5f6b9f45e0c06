//! One record through the pipeline: decode ▶ pipeline ▶ encode.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tracing::Span;

use super::field_counts;
use super::record_reader::{ReadRecord, RecordReader};
use super::result_log::ResultLog;
use super::result_writer::WrittenResult;
use super::settings::{RecordFormat, ResultWriting, SourceReading};
use super::suspicious_records::SuspiciousRecords;
use crate::codec::result_event::{Origin, ResultEvent, Versions};
use crate::codec::{dead_letter, kafka_binary, review_record, trace};
use crate::delivery::outcome::{NoOutcome, RecordOutcome, Settled};
use crate::delivery::remembered::RememberedOutcomes;
use crate::delivery::settle::{defect, settle};
use crate::domain::answer::Answered;
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
use crate::schema::fields::SchemaFields;
use crate::tasks::Commitment;
use crate::telemetry::metrics::FieldMetrics;

/// A record that needs a provider.
#[derive(Debug)]
pub struct Job {
    read: ReadRecord,
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
    /// Nowhere: it has no outcome.
    Skip(NoOutcome),
}

/// Takes the records of one connector through the engine, all on behalf of one caller.
pub struct RecordHandler {
    settings: HandlerSettings,
    reader: RecordReader,
    writing: ResultWriting,
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
        let max_prompt_chars = spec.settings().checks.max_prompt_chars;
        let reader = RecordReader::new(settings.format, SourceReading::default(), max_prompt_chars);
        let writing = ResultWriting::default();
        let (first, asked) = (Arc::clone(&spec), RwLock::new(Arc::new(Asked::new(&settings, spec))));
        let (result_log, suspicious, field_metrics) = (ResultLog::default(), None, None);
        Self {
            settings,
            reader,
            writing,
            engine,
            first,
            asked,
            caller,
            clock,
            remembered,
            result_log,
            suspicious,
            field_metrics,
        }
    }

    /// The same, whose records are read and whose results are written like this.
    #[must_use]
    pub fn with_forms(mut self, reading: SourceReading, writing: ResultWriting) -> Self {
        let max_prompt_chars = self.first.settings().checks.max_prompt_chars;
        self.reader = RecordReader::new(self.settings.format, reading, max_prompt_chars);
        self.writing = writing;
        self
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
        let Some(event) = self.reader.event(record)? else { return Ok(RecordStep::Skip(NoOutcome::Tombstone)) };
        *claim = self.remembered.as_ref().and_then(|remembered| remembered.claim(record, &event));
        let read = self.reader.with_key(record, event)?;
        if !self.reader.is_wanted(&read)? {
            *claim = None;
            return Ok(RecordStep::Skip(NoOutcome::Filtered));
        }
        let asked = self.asked();
        match self.engine.begin(&Request { input: read.scope(), spec: &asked.spec, caller: &self.caller }) {
            Begun::Done(outcome) => Ok(RecordStep::Settled(self.result(&read, &outcome?, &asked))),
            Begun::Ask(question) => Ok(RecordStep::Ask(Box::new(Job { read, question, asked }))),
        }
    }

    /// What the task that finishes this job is committed to: a call that was begun, if whoever asks next would pay
    /// again.
    pub fn commitment(&self, job: &Job) -> Commitment {
        let is_paid = self.remembered.as_ref().is_some_and(RememberedOutcomes::is_paid);
        if is_paid { job.question.commitment().clone() } else { Commitment::default() }
    }

    /// What log lines about the work on a job say of its record.
    pub(super) fn span(&self, job: &Job) -> Span {
        let trace_id = trace::context(&job.read.record, Some(&job.read.event)).trace_id;
        // At the highest level, so that lines have it whatever the log's level is.
        tracing::error_span!("record", connector = &*self.settings.connector, position = %job.read.record.position, trace_id)
    }

    /// The rest. Waits for the provider as long as the provider is what is missing: no record is blamed for that.
    pub async fn finish(&self, job: Job) -> Settled {
        let Job { read, mut question, asked } = job;
        let outcomes = self.remembered.as_ref();
        let remembered = outcomes.and_then(|outcomes| {
            Some((outcomes, outcomes.keys(&read.record, &read.event, &question.outcome_fingerprint())?))
        });
        settle(&self.engine, remembered, &mut question, |outcome| match outcome {
            Ok(answered) => self.result(&read, &answered, &asked),
            Err(failure) => self.dead_letter(&read.record, &failure),
        })
        .await
    }

    fn result(&self, read: &ReadRecord, answered: &Answered, asked: &Asked) -> Settled {
        let ReadRecord { record, event, .. } = read;
        let result = ResultEvent::new(record, event, answered, &asked.origin, self.clock.now());
        let result = kafka_binary::encode(record, result);
        let reasons = review_reasons(answered, &asked.spec.settings().checks);
        let is_for_review = self.settings.has_review && !reasons.is_empty();
        let written = if is_for_review {
            Ok(WrittenResult { outgoing: review_record::encode(record, result, &reasons), topic: None })
        } else {
            self.writing.write(read, result)
        };
        let WrittenResult { outgoing, topic } = match written {
            Ok(written) => written,
            Err(failure) => {
                return self.dead_letter(record, &failure.after(answered.answer.attempt_log.clone()));
            }
        };
        self.count(record, answered, asked);
        let answer = &answered.answer;
        let outcome = RecordOutcome::Result {
            is_for_review,
            cache_hit: answered.cache_hit,
            confidence: answered.confidence.score,
            reference_usd: self.settings.reference.map_or(0.0, |prices| prices.cost_usd(answer.last_call())),
        };
        Settled { outgoing, topic, outcome, is_pointer: false, detail: None }
    }

    /// Tells the log, the audit log and the metrics of a result.
    fn count(&self, record: &Record, answered: &Answered, asked: &Asked) {
        self.result_log.observe(&self.settings.connector, record, answered);
        if let Some(suspicious) = &self.suspicious {
            suspicious.published(record, &answered.flags);
        }
        if let Some(metrics) = &self.field_metrics {
            field_counts::count(answered, &asked.fields, metrics);
        }
    }

    /// The record as a dead letter.
    pub fn dead_letter(&self, record: &Record, failure: &Failure) -> Settled {
        if let Some(suspicious) = &self.suspicious {
            suspicious.refused(record, failure);
        }
        let outgoing = dead_letter::encode(record, failure, &self.dead_letter_origin(), self.clock.now());
        let outcome = RecordOutcome::DeadLetter { code: failure.code };
        Settled { outgoing, topic: None, outcome, is_pointer: false, detail: Some(failure.detail.clone()) }
    }

    /// A dead letter that points to the record instead of carrying it.
    pub fn dead_letter_pointer(&self, record: &Record, code: Code) -> Settled {
        let failure = Failure::new(code, "the record is too large for the dead-letter topic; this letter points to it");
        let outgoing = dead_letter::pointer(record, &failure, &self.dead_letter_origin(), self.clock.now());
        Settled {
            outgoing,
            topic: None,
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
