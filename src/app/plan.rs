//! What records of a connector would come to, before they are consumed: what fails by itself, what is remembered, and
//! what providers would be asked.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::errors::AppError;
use super::event_record;
use super::one_connector::OneConnector;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::domain::attempt::{Attempt, Spending};
use crate::domain::failure::{Code, Failure, Kind};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::record::{Position, Record};
use crate::kafka::record_reader::{ReadRecord, RecordReader};
use crate::kafka::settings::RecordFormat;
use crate::llm::offline::extract;
use crate::pipeline::engine::Begun;
use crate::pipeline::estimate::Estimate;
use crate::pipeline::request::{Question, Request};
use crate::pipeline::spec::{CacheMode, CachePolicy};
use crate::telemetry::traces::trace::Trace;

/// The name of the caller in metrics, which nobody reads here.
const CALLER: &str = "plan";
/// The topic that records of a file seem to come from.
const TOPIC: &str = "plan";

/// Looks at records of one connector.
pub struct Planner {
    one: OneConnector,
    format: RecordFormat,
    reader: RecordReader,
    /// Questions so far; equal ones are asked once.
    asked: Mutex<HashSet<Fingerprint>>,
    is_remembering: bool,
}

/// What would become of a record.
#[derive(Debug)]
pub enum Forecast {
    /// Nothing: the connector passes over it.
    Skipped,
    /// A dead letter, without a call.
    DeadLetter(Code),
    /// Its answer is remembered, or would be by its turn.
    Remembered,
    /// A provider is asked.
    Asked(Box<PlannedQuestion>),
}

/// A question that is not asked yet.
#[derive(Debug)]
pub struct PlannedQuestion {
    question: Question,
    /// What one call would take of each provider that may be asked.
    pub estimates: Vec<Estimate>,
}

/// What became of a question that was asked.
#[derive(Debug)]
pub struct Asked {
    /// Why there is no answer, if there is none.
    pub failure: Option<Failure>,
    /// The calls.
    pub attempts: Vec<Attempt>,
    /// How long it took.
    pub took: Duration,
}

impl Asked {
    /// Whether somebody could be asked: an outage says nothing about the record.
    pub fn is_told(&self) -> bool {
        let is_outage =
            |failure: &Failure| failure.kind() == Kind::Unavailable || failure.code == Code::DeadlineExceeded;
        !self.failure.as_ref().is_some_and(is_outage)
    }

    /// What the calls cost, in US dollars.
    pub fn cost_usd(&self) -> f64 {
        Spending::of(&self.attempts).cost_usd
    }
}

impl Planner {
    /// One for this connector. Answers that processes share are looked up, and none is remembered; its budget does not
    /// count, and no second provider is asked.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work, or a shared cache that does not answer.
    pub async fn start(runtime: RuntimeConfig, mut connector: ConnectorConfig) -> Result<Self, AppError> {
        let cache = &mut connector.spec.cache;
        let is_remembering = cache.is_on();
        if is_remembering {
            *cache = CachePolicy { mode: CacheMode::ReadOnly, ..*cache };
        }
        (connector.agreement, connector.budget) = (None, None);
        let (format, max_chars) = (connector.topics.format, connector.spec.checks.max_prompt_chars);
        let reader = RecordReader::new(format, connector.topics.reading.clone(), max_chars);
        let one = OneConnector::start(runtime, connector, CALLER).await?;
        one.connected().await?;
        Ok(Self { one, format, reader, asked: Mutex::default(), is_remembering })
    }

    /// A line of a file as the record of this number.
    pub fn record(&self, line: &str, number: usize) -> Record {
        let position =
            Position { topic: TOPIC.into(), partition: 0, offset: i64::try_from(number).unwrap_or(i64::MAX) };
        event_record::record_of_text(line.to_owned(), self.format, position)
    }

    /// What would become of a record, after those that were looked at before.
    pub async fn look(&self, record: Record) -> Forecast {
        let OneConnector { engine, spec, caller, .. } = &self.one;
        let read = match self.read(record) {
            Ok(Some(read)) => read,
            Ok(None) => return Forecast::Skipped,
            Err(failure) => return Forecast::DeadLetter(failure.code),
        };
        let begun = engine.begin(&Request { input: read.scope(), spec, caller, trace: Trace::default() });
        let mut question = match engine.look_ahead(begun).await {
            Begun::Done(Ok(_answered)) => return Forecast::Remembered,
            Begun::Done(Err(failure)) => return Forecast::DeadLetter(failure.code),
            Begun::Ask(question) => question,
        };
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !asked.insert(question.outcome_fingerprint()) && self.is_remembering {
            return Forecast::Remembered;
        }
        // Nobody knows how long an answer is before it is there. The rules fill the same schema from the same text.
        let likely: Value = extract(question.content(), spec.settings().schema.json()).data;
        let estimates = question.estimates(likely.to_string().len());
        Forecast::Asked(Box::new(PlannedQuestion { question, estimates }))
    }

    /// The record with what is in it, unless the connector passes over it.
    fn read(&self, record: Record) -> Result<Option<ReadRecord>, Failure> {
        let Some(read) = self.reader.read(&Arc::new(record))? else { return Ok(None) };
        Ok(self.reader.is_wanted(&read)?.then_some(read))
    }

    /// Asks a question, and waits for its answer no longer than `limit`.
    pub async fn ask(&self, planned: PlannedQuestion, limit: Duration) -> Asked {
        let started = Instant::now();
        let begun = Begun::Ask(planned.question);
        let outcome = self.one.engine.finish_until(tokio::time::Instant::now() + limit, begun).await;
        let took = started.elapsed();
        match outcome {
            Ok(answered) => Asked { failure: None, attempts: answered.answer.attempt_log.clone(), took },
            Err(failure) => Asked { attempts: failure.attempt_log.to_vec(), failure: Some(failure), took },
        }
    }

    /// Ends what runs beside it.
    pub async fn finish(self) {
        self.one.finish().await;
    }
}
