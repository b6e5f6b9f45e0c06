//! One record through the pipeline: decode ▶ pipeline ▶ encode.

mod asked;
mod begun;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tracing::Span;
use tracing::field::display;

use self::asked::Asked;
use self::begun::KnownRecord;
pub use self::begun::{BegunRecord, Job, RecordStep};
use super::field_counts;
use super::record_reader::{ReadRecord, RecordReader};
use super::record_trace::{ReceivedRecord, RecordTraces};
use super::result_log::ResultLog;
use super::result_writer::WrittenResult;
use super::settings::{RecordFormat, ResultWriting, SourceReading};
use super::suspicious_records::SuspiciousRecords;
use crate::codec::result_event::ResultEvent;
use crate::codec::trace::{self, TraceContext};
use crate::codec::{dead_letter, kafka_binary, review_record};
use crate::delivery::outcome::{NoOutcome, RecordOutcome, Settled};
use crate::delivery::remembered::RememberedOutcomes;
use crate::delivery::settle::{defect, settle};
use crate::domain::answer::Answered;
use crate::domain::failure::{Code, Failure};
use crate::domain::record::Record;
use crate::pipeline::caller::Caller;
use crate::pipeline::engine::{Begun, Engine};
use crate::pipeline::gate::Gate;
use crate::pipeline::request::Request;
use crate::pipeline::route::settings::Prices;
use crate::pipeline::score::review_reasons;
use crate::pipeline::spec::Spec;
use crate::ports::audit::AuditLog;
use crate::ports::clock::Clock;
use crate::tasks::Commitment;
use crate::telemetry::metrics::FieldMetrics;
use crate::telemetry::traces::names::stage;
use crate::telemetry::traces::trace::Trace;
use crate::telemetry::traces::tracer::Tracer;

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
    traces: RecordTraces,
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
        let traces = RecordTraces::new(None, Arc::clone(&settings.connector));
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
            traces,
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

    /// The same, whose records' traces are recorded.
    #[must_use]
    pub fn with_tracer(self, tracer: Option<Arc<Tracer>>) -> Self {
        Self { traces: RecordTraces::new(tracer, Arc::clone(&self.settings.connector)), ..self }
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
        let mut known = KnownRecord { began_at: self.traces.now(), ..KnownRecord::default() };
        let step = match catch_unwind(AssertUnwindSafe(|| self.try_begin(record, &mut known))) {
            Ok(Ok(step)) => step,
            Ok(Err(failure)) => self.failed(record, &failure, &known),
            Err(panic) => self.failed(record, &defect(panic.as_ref()), &known),
        };
        BegunRecord { step, claim: known.claim }
    }

    /// A record that is not even read, for this reason.
    pub fn refuse(&self, record: &Record, failure: &Failure) -> BegunRecord {
        let known = KnownRecord { began_at: self.traces.now(), ..KnownRecord::default() };
        let step = self.failed(record, failure, &known);
        BegunRecord { step, claim: None }
    }

    fn failed(&self, record: &Record, failure: &Failure, known: &KnownRecord) -> RecordStep {
        let mut trace = known.trace.clone();
        if !trace.is_on() {
            let received = ReceivedRecord { record, event: None, began_at: known.began_at };
            let context = known.context.clone().unwrap_or_else(|| trace::context(record, None));
            trace = self.traces.of_unsampled(received, &context);
        }
        RecordStep::Settled(Settled { trace, ..self.dead_letter(record, failure) })
    }

    /// Notes what is known on the way, because a record that fails after its event was read has a claim, too.
    fn try_begin(&self, record: &Arc<Record>, known: &mut KnownRecord) -> Result<RecordStep, Failure> {
        let Some(event) = self.reader.event(record)? else { return Ok(RecordStep::Skip(NoOutcome::Tombstone)) };
        known.claim = self.remembered.as_ref().and_then(|remembered| remembered.claim(record, &event));
        let read = self.reader.with_key(record, event)?;
        let context_of = |read: &ReadRecord| trace::context(record, Some(&read.event));
        if !self.reader.is_wanted(&read).inspect_err(|_| known.context = Some(context_of(&read)))? {
            known.claim = None;
            return Ok(RecordStep::Skip(NoOutcome::Filtered));
        }
        let mut context = context_of(&read);
        let received = ReceivedRecord { record, event: Some(&read.event), began_at: known.began_at };
        known.trace = self.traces.of_decoded(received, &mut context);
        let (asked, trace) = (self.asked(), known.trace.clone());
        match self.engine.begin(&Request { input: read.scope(), spec: &asked.spec, caller: &self.caller, trace }) {
            Begun::Done(Ok(answered)) => {
                let mut settled = self.result(&read, &context, &answered, &asked, &known.trace);
                if matches!(settled.outcome, RecordOutcome::DeadLetter { .. }) && !settled.trace.is_on() {
                    settled.trace = self.traces.of_unsampled(received, &context);
                }
                Ok(RecordStep::Settled(settled))
            }
            Begun::Done(Err(failure)) => {
                known.context = Some(context);
                Err(failure)
            }
            Begun::Ask(mut question) => {
                if !known.trace.is_on() {
                    question.record_in(self.traces.of_unsampled(received, &context));
                }
                let waiting = question.trace().span(stage::WAIT);
                Ok(RecordStep::Ask(Box::new(Job { read, context, question, asked, waiting })))
            }
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
        let trace_id = job.question.trace().id().map(display);
        // At the highest level, so that lines have it whatever the log's level is.
        tracing::error_span!("record", connector = &*self.settings.connector, position = %job.read.record.position, trace_id)
    }

    /// The rest. Waits for the provider as long as the provider is what is missing: no record is blamed for that.
    pub async fn finish(&self, job: Job) -> Settled {
        let Job { read, context, mut question, asked, waiting } = job;
        drop(waiting);
        let trace = question.trace().clone();
        let outcomes = self.remembered.as_ref();
        let remembered = outcomes.and_then(|outcomes| {
            Some((outcomes, outcomes.keys(&read.record, &read.event, &question.outcome_fingerprint())?))
        });
        let settled = settle(&self.engine, remembered, &mut question, |outcome| match outcome {
            Ok(answered) => self.result(&read, &context, &answered, &asked, &trace),
            Err(failure) => self.dead_letter(&read.record, &failure),
        });
        Settled { trace: trace.clone(), ..settled.await }
    }

    fn result(
        &self,
        read: &ReadRecord,
        context: &TraceContext,
        answered: &Answered,
        asked: &Asked,
        trace: &Trace,
    ) -> Settled {
        let _span = trace.span(stage::ENCODE);
        let ReadRecord { record, event, .. } = read;
        let result = ResultEvent::new(context, event, answered, &asked.origin, self.clock.now());
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
                let letter = self.dead_letter(record, &failure.after(answered.answer.attempt_log.clone()));
                return Settled { trace: trace.clone(), ..letter };
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
        Settled { outgoing, topic, outcome, is_pointer: false, detail: None, trace: trace.clone() }
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
        let (detail, trace) = (Some(failure.detail.clone()), Trace::default());
        Settled { outgoing, topic: None, outcome, is_pointer: false, detail, trace }
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
            trace: Trace::default(),
        }
    }

    fn dead_letter_origin(&self) -> dead_letter::DeadLetterOrigin<'_> {
        dead_letter::DeadLetterOrigin { connector: &self.settings.connector }
    }
}

#[cfg(test)]
mod tests;
