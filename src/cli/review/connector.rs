//! The connector whose results are reviewed.

use std::sync::Arc;

use serde_json::Value;

use super::{CommandError, ConnectorArgs, label};
use crate::cli::stored;
use crate::codec::review_record::WaitingResult;
use crate::config::connector::{ConnectorConfig, RuntimeDefaults, load_connectors};
use crate::config::runtime::RuntimeConfig;
use crate::domain::record::Outgoing;
use crate::kafka::record_reader::{self, RecordReader};
use crate::kafka::result_writer::WrittenResult;
use crate::kafka::review_queue::{ReviewError, ReviewQueue};
use crate::kafka::settings::TopicSettings;
use crate::store::settings::StoreUrl;

/// A connector with a topic for reviews, and its cluster.
pub(super) struct ReviewedConnector {
    pub(super) runtime: RuntimeConfig,
    pub(super) config: ConnectorConfig,
    topic: Arc<str>,
}

impl ReviewedConnector {
    /// Reads the files. Whom the connector asks does not matter here.
    pub(super) fn read(args: &ConnectorArgs) -> Result<Self, CommandError> {
        let runtime = stored::configuration(args.config.as_deref()).map_err(CommandError::WrongUse)?;
        let has_store = runtime.store.url != StoreUrl::Off;
        let defaults = RuntimeDefaults { has_store, ..RuntimeDefaults::default() };
        let mut connectors = load_connectors(std::slice::from_ref(&args.file), &defaults)?;
        let wrong_use = |why: String| Err(CommandError::WrongUse(why));
        let (Some(config), true) = (connectors.pop(), connectors.is_empty()) else {
            return wrong_use("name the file of one connector, not a directory of several".to_owned());
        };
        let Some(topic) = config.topics.review_topic.clone() else {
            let name = &config.name;
            return wrong_use(format!(
                "connector {name} has no topic for reviews: write review: {{ kafka: {{ topic: … }} }} in its file"
            ));
        };
        Ok(Self { runtime, config, topic })
    }

    /// What waits.
    pub(super) fn queue(&self) -> Result<ReviewQueue<'_>, ReviewError> {
        let ConnectorConfig { name, topics, .. } = &self.config;
        ReviewQueue::new(&self.runtime.kafka, name, &topics.group, &self.topic)
    }

    /// A decided result as the connector would have written it.
    pub(super) fn write(&self, waiting: &WaitingResult, result: Outgoing) -> Result<WrittenResult, String> {
        let TopicSettings { format, reading, results, .. } = &self.config.topics;
        let reader = RecordReader::new(*format, reading.clone(), self.config.spec.checks.max_prompt_chars);
        let read = reader.read(&Arc::new(waiting.source.clone())).map_err(|failure| failure.detail)?;
        let read = read.ok_or("the record that was answered has no value")?;
        results.write(&read, result).map_err(|failure| failure.detail)
    }

    /// What was asked, as labels have it; none if the record cannot be read any more.
    pub(super) fn event(&self, waiting: &WaitingResult) -> Option<Value> {
        let (format, limit) = (self.config.topics.format, self.config.spec.checks.max_prompt_chars);
        record_reader::decode(&waiting.source, format, limit).ok().map(|event| label::event(&event, format))
    }
}
