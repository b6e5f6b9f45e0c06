//! Records of a connector without Kafka, for its tests: through the handler to what would be published.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::timeout;

use super::errors::AppError;
use super::event_record::record;
use super::one_connector::OneConnector;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::delivery::outcome::{NoOutcome, Settled};
use crate::domain::record::{Header, Position};
use crate::kafka::handler::{HandlerSettings, RecordHandler, RecordStep};
use crate::kafka::settings::{RecordFormat, ResultFormat, ResultWriting, TopicSettings};
use crate::pipeline::route::settings::Ceilings;
use crate::ports::clock::ManualClock;

/// The name of the caller in metrics, which nobody reads here.
const CALLER: &str = "test";
/// How long a record may take. Only recorded answers by which a provider is away keep one waiting.
const LIMIT: Duration = Duration::from_secs(30);

/// A connector that receives records by hand.
pub struct TestedConnector {
    one: OneConnector,
    handler: RecordHandler,
    topics: TopicSettings,
}

/// A record for it.
#[derive(Debug, Clone, Copy)]
pub struct TestRecord<'a> {
    /// A CloudEvent in the JSON format, or what the connector's format says.
    pub event: &'a Value,
    /// The key.
    pub key: Option<&'a str>,
    /// The headers.
    pub headers: &'a [(String, String)],
}

/// What would be published, and where.
#[derive(Debug)]
pub struct Published {
    /// The topic.
    pub topic: Arc<str>,
    /// The record, and what it is.
    pub settled: Settled,
}

impl TestedConnector {
    /// This connector, asking the providers of the configuration without their ceilings. Nothing is remembered, its
    /// budget does not count, and its clock stands at the Unix epoch.
    ///
    /// # Errors
    /// [`AppError`]: a configuration that cannot work.
    pub async fn start(mut runtime: RuntimeConfig, connector: ConnectorConfig) -> Result<Self, AppError> {
        for provider in &mut runtime.providers {
            provider.ceilings = Ceilings::default();
        }
        let topics = connector.topics.clone();
        let settings = HandlerSettings {
            connector: Arc::clone(&connector.name),
            config_hash: Arc::clone(&connector.config_hash),
            format: topics.format,
            has_review: topics.review_topic.is_some(),
            reference: None,
        };
        let one = OneConnector::forgetful(runtime, connector, CALLER).await?;
        let OneConnector { engine, spec, caller, .. } = &one;
        let (engine, spec, caller) = (Arc::clone(engine), Arc::clone(spec), Arc::clone(caller));
        let handler = RecordHandler::new(settings, engine, spec, caller, Arc::new(ManualClock::default()), None);
        // A test expects data and attributes, in whatever form they are published.
        let writing = ResultWriting { format: ResultFormat::CloudEvents, ..topics.results.clone() };
        let handler = handler.with_forms(topics.reading.clone(), writing);
        Ok(Self { one, handler, topics })
    }

    /// Takes a record to its end.
    ///
    /// # Errors
    /// A sentence: it was not at its end within 30 s.
    pub async fn receive(&self, test: TestRecord<'_>) -> Result<Published, String> {
        let topic = self.topics.source_topics.first().cloned().unwrap_or_default();
        let event = with_version(test.event, self.topics.format);
        let mut record = record(&event, self.topics.format, Position { topic, partition: 0, offset: 0 });
        record.key = test.key.map(|key| Bytes::from(key.to_owned()));
        record.headers.extend(test.headers.iter().map(|(name, value)| Header::text(name.clone(), value.as_str())));
        let settled = match self.handler.begin(&Arc::new(record)).step {
            RecordStep::Settled(settled) => settled,
            RecordStep::Skip(why) => return Err(passed_over(why).to_owned()),
            RecordStep::Ask(job) => {
                timeout(LIMIT, self.handler.finish(*job)).await.map_err(|_elapsed| self.still_waiting())?
            }
        };
        Ok(Published { topic: Arc::clone(self.topics.output(&settled)), settled })
    }

    fn still_waiting(&self) -> String {
        let closed = self.handler.gate().closed();
        let why = closed.map_or_else(String::new, |closed| format!(": {}: {}", closed.dependency, closed.failure));
        format!("the record waited longer than {} s for a provider{why}", LIMIT.as_secs())
    }

    /// Ends what runs beside it.
    pub async fn finish(self) {
        self.one.finish().await;
    }
}

/// Why a record has no outcome.
fn passed_over(why: NoOutcome) -> &'static str {
    match why {
        NoOutcome::Filtered => "the connector passes over the record: its filter leaves it out",
        NoOutcome::Tombstone => "the connector passes over the record: it has no value",
        NoOutcome::Repeated => "the connector passes over the record: its event had an outcome",
    }
}

/// A CloudEvent may leave its version out: there is only one.
fn with_version(event: &Value, format: RecordFormat) -> Value {
    let mut event = event.clone();
    if let (RecordFormat::CloudEvents, Value::Object(attributes)) = (format, &mut event) {
        attributes.entry("specversion").or_insert_with(|| "1.0".into());
    }
    event
}
