//! Asking what a connector asks of single events, with no Kafka and no server beside it.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::errors::AppError;
use super::event_record::record;
use super::one_connector::OneConnector;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::domain::answer::Answered;
use crate::domain::attempt::Spending;
use crate::domain::failure::{Code, Failure};
use crate::domain::json;
use crate::domain::record::Position;
use crate::eval::outcome::{End, Given, Outcome};
use crate::kafka::record_reader::decode;
use crate::kafka::settings::RecordFormat;
use crate::pipeline::request::Request;
use crate::prompt::template::{Scope, Template};
use crate::schema::Schema;
use crate::telemetry::traces::trace::Trace;

/// The name of the caller in metrics, which nobody reads here.
const CALLER: &str = "eval";
/// The topic that records seem to come from.
const TOPIC: &str = "eval";

/// Asks what one connector asks.
pub struct Evaluator {
    one: OneConnector,
    format: RecordFormat,
}

impl Evaluator {
    /// One for this connector. Answers are neither remembered nor taken from memory, its budget does not count, and no
    /// second provider is asked.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub async fn start(runtime: RuntimeConfig, mut connector: ConnectorConfig) -> Result<Self, AppError> {
        connector.agreement = None;
        let format = connector.topics.format;
        let one = OneConnector::forgetful(runtime, connector, CALLER).await?;
        Ok(Self { one, format })
    }

    /// The schema that answers are held against.
    pub fn schema(&self) -> &Schema {
        &self.one.spec.settings().schema
    }

    /// The template that prompts are made with.
    pub fn template(&self) -> &Template {
        &self.one.spec.settings().template
    }

    /// Asks about one event, which the connector would receive as the record of this number, and waits for the answer
    /// no longer than `limit`.
    pub async fn ask(&self, event: &Value, number: usize, limit: Duration) -> Outcome {
        let started = Instant::now();
        let outcome = self.answer(event, number, limit).await;
        let took = started.elapsed();
        match outcome {
            Ok(answered) => answer(&answered, took),
            Err(failure) => no_answer(failure, took),
        }
    }

    async fn answer(&self, event: &Value, number: usize, limit: Duration) -> Result<Answered, Failure> {
        let OneConnector { engine, spec, caller, .. } = &self.one;
        let offset = i64::try_from(number).unwrap_or(i64::MAX);
        let record = record(event, self.format, Position { topic: TOPIC.into(), partition: 0, offset });
        let event = decode(&record, self.format, spec.settings().checks.max_prompt_chars)?;
        let input = Scope { event: &event, key: None, headers: &record.headers };
        let begun = engine.begin(&Request { input, spec, caller, trace: Trace::default() });
        engine.finish_until(tokio::time::Instant::now() + limit, begun).await
    }

    /// Ends what runs beside it.
    pub async fn finish(self) {
        self.one.finish().await;
    }
}

fn answer(answered: &Answered, took: Duration) -> Outcome {
    let answer = &answered.answer;
    let data = std::str::from_utf8(answered.data()).ok().and_then(|text| json::parse(text).ok());
    let end = match data {
        Some(data) => End::Answer(Given {
            data,
            validation: answer.validation,
            confidence: answered.confidence.score,
            provider: answer.provider.to_string(),
            model: answer.model.to_string(),
            evidence: answered.grounding.as_ref().map(|grounding| grounding.evidence.clone()),
        }),
        None => End::NoAnswer { code: Code::InternalError, detail: Failure::defect().detail },
    };
    let calls = crate::domain::attempt::calls(&answer.attempt_log);
    Outcome { end, calls, usage: answer.usage, cost_usd: answer.cost_usd, took }
}

fn no_answer(failure: Failure, took: Duration) -> Outcome {
    let Spending { usage, cost_usd } = Spending::of(&failure.attempt_log);
    let calls = failure.attempts();
    Outcome { end: End::NoAnswer { code: failure.code, detail: failure.detail }, calls, usage, cost_usd, took }
}
