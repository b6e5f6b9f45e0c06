//! Asking what a connector asks of single events, with no Kafka and no server beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;

use super::cache::Cache;
use super::connector_spec::NamedSpec;
use super::errors::AppError;
use super::lifecycle::Running;
use super::providers::Providers;
use super::shared::Shared;
use super::storage;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::domain::answer::Answered;
use crate::domain::attempt::Spending;
use crate::domain::failure::{Code, Failure};
use crate::domain::json;
use crate::domain::record::{Header, Position, Record};
use crate::domain::tenant::Tenant;
use crate::eval::outcome::{End, Given, Outcome};
use crate::kafka::handler::decode;
use crate::kafka::member::Member;
use crate::kafka::settings::RecordFormat;
use crate::open_files::OpenFiles;
use crate::pipeline::caller::Caller;
use crate::pipeline::engine::Engine;
use crate::pipeline::request::Request;
use crate::pipeline::route::router::Router;
use crate::pipeline::spec::{CachePolicy, Spec};
use crate::prompt::template::{Scope, Template};
use crate::schema::Schema;
use crate::tasks::Tasks;

/// The name of the caller in metrics, which nobody reads here.
const CALLER: &str = "eval";
/// The topic that records seem to come from.
const TOPIC: &str = "eval";

/// Asks what one connector asks.
pub struct Evaluator {
    engine: Arc<Engine>,
    spec: Arc<Spec>,
    caller: Arc<Caller>,
    format: RecordFormat,
    cache: Cache,
    tasks: Tasks,
}

impl Evaluator {
    /// One for this connector. Answers are neither remembered nor taken from memory, and its budget does not count.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub async fn start(mut runtime: RuntimeConfig, mut connector: ConnectorConfig) -> Result<Self, AppError> {
        runtime.cache.redis_url = None;
        connector.spec.cache = CachePolicy::OFF;
        connector.budget = None;
        let shared = Shared::new(runtime);
        let cache = Cache::open(&shared);
        let connectors = [connector];
        let providers = Providers::build(&shared, &connectors, OpenFiles::raise(0, 0))?;
        let [connector] = connectors;
        let engine = Arc::new(Engine::new(cache.recall(), shared.tasks.clone()));
        let definitions = storage::definitions_alone(&shared).await?;
        let asked = providers.asked_by(&connector, &shared.runtime)?;
        let strategy = connector.strategy.unwrap_or(shared.runtime.routing.strategy);
        let named = NamedSpec::of(&connector, move || Router::new(asked.clone(), strategy, providers.signal.clone()));
        let parts = named.first(&connector, &definitions).await?;
        let caller = Arc::new(Caller::new(Tenant::default(), None, shared.metrics.caller(CALLER)));
        let (spec, format) = (named.spec(&parts), connector.topics.format);
        Ok(Self { engine, spec, caller, format, cache, tasks: shared.tasks })
    }

    /// The schema that answers are held against.
    pub fn schema(&self) -> &Schema {
        &self.spec.settings().schema
    }

    /// The template that prompts are made with.
    pub fn template(&self) -> &Template {
        &self.spec.settings().template
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
        let record = record(event, number, self.format);
        let event = decode(&record, self.format, self.spec.settings().checks.max_prompt_chars)?;
        let input = Scope { event: &event, key: None, headers: &record.headers };
        let begun = self.engine.begin(&Request { input, spec: &self.spec, caller: &self.caller });
        self.engine.finish_until(tokio::time::Instant::now() + limit, begun).await
    }

    /// Ends what runs beside it.
    pub async fn finish(self) {
        Running::new(Vec::<Member>::new(), self.cache.services, self.tasks).drain(Duration::ZERO).await;
    }
}

/// The event as a record of a topic: a CloudEvent in structured mode, or the bare value.
fn record(event: &Value, number: usize, format: RecordFormat) -> Record {
    let (value, headers) = match (format, event) {
        (RecordFormat::CloudEvents, _) => {
            (event.to_string(), vec![Header::text("content-type", "application/cloudevents+json")])
        }
        (RecordFormat::Text, Value::String(text)) => (text.clone(), Vec::new()),
        (RecordFormat::Json | RecordFormat::Text, _) => (event.to_string(), Vec::new()),
    };
    let position = Position { topic: TOPIC.into(), partition: 0, offset: i64::try_from(number).unwrap_or(i64::MAX) };
    Record { position, timestamp_ms: None, key: None, value: Some(Bytes::from(value)), headers }
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
