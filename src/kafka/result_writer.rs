//! Results in the form, with the key and for the topic that a connector's sink wants.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::record_reader::ReadRecord;
use super::settings::{ResultWriting, TopicChoice};
use crate::domain::failure::{Code, Failure};
use crate::domain::json;
use crate::domain::record::Outgoing;
use crate::prompt::template::expression::ResultText;

/// A result as it is published.
#[derive(Debug)]
pub struct WrittenResult {
    /// The record.
    pub outgoing: Outgoing,
    /// The topic that was chosen for it; `None` where the connector has only one.
    pub topic: Option<Arc<str>>,
}

impl ResultWriting {
    /// What is published of a result to this record. `result` is in CloudEvents' binary mode, with the record's key.
    ///
    /// # Errors
    /// `template_failed` for a key or topic that reads what is not there, `topic_not_allowed`.
    pub fn write(&self, read: &ReadRecord, mut result: Outgoing) -> Result<WrittenResult, Failure> {
        let mut texts = self.key.as_deref().into_iter().chain(self.topic.as_deref().map(|choice| &choice.text));
        let needs_data = texts.any(ResultText::reads_result);
        let data = result.value.as_ref().filter(|_| needs_data).and_then(value);
        let scope = read.scope();
        if let Some(key) = &self.key {
            let text = key.render(&scope, data.as_ref())?;
            // Kafka spreads records without a key; with an empty one they would all go to one partition.
            result.key = (!text.is_empty()).then(|| Bytes::from(text));
        }
        let topic = match &self.topic {
            Some(choice) => Some(choice.find(&choice.text.render(&scope, data.as_ref())?)?),
            None => None,
        };
        Ok(WrittenResult { outgoing: self.format.write(result), topic })
    }
}

impl TopicChoice {
    /// The topic of this name, if results may go there.
    fn find(&self, name: &str) -> Result<Arc<str>, Failure> {
        self.topics.iter().find(|topic| ***topic == *name).map(Arc::clone).ok_or_else(|| {
            let detail = format!(
                "sink.kafka.topic comes to a topic that is not among sink.kafka.topics ({}); add it there, or mend the \
                 template",
                self.topics.join(", ")
            );
            Failure::new(Code::TopicNotAllowed, detail)
        })
    }
}

fn value(data: &Bytes) -> Option<Value> {
    json::parse(std::str::from_utf8(data).ok()?).ok()
}
