//! Security events in a topic of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseRecord, Producer as _};
use tokio::time::sleep;

use super::client::callbacks::Producer;
use super::client::cluster::Ticket;
use super::client::{configuration, error_advice};
use super::settings::KafkaSettings;
use crate::ports::audit::AuditSink;

/// How often is asked what became of messages that were sent.
const POLL_EVERY: Duration = Duration::from_millis(5);

/// The topic that events are produced to. They are not worth a thread: whoever waits for them polls.
pub struct AuditTopic {
    topic: Arc<str>,
    brokers: Vec<String>,
    producer: Producer,
    /// Messages so far; each has its number as a ticket.
    sent: AtomicUsize,
}

impl AuditTopic {
    /// This topic. The cluster is asked when the first event comes.
    ///
    /// # Errors
    /// When the client does not take its options.
    pub fn new(settings: &KafkaSettings, topic: Arc<str>) -> KafkaResult<Self> {
        let producer = configuration::audit_producer(settings)?;
        Ok(Self { topic, brokers: settings.brokers.clone(), producer, sent: AtomicUsize::new(0) })
    }

    async fn produce(&self, lines: Vec<&str>) -> Result<(), String> {
        let first = self.sent.fetch_add(lines.len(), Ordering::Relaxed);
        let tickets = first..first + lines.len();
        for (ticket, line) in tickets.clone().zip(&lines) {
            let record = BaseRecord::<(), str, usize>::with_opaque_to(&self.topic, ticket).payload(line);
            self.producer.send(record).map_err(|(error, _record)| self.failed(&error.to_string()))?;
        }
        let mut open = lines.len();
        while open > 0 {
            self.producer.poll(Duration::ZERO);
            for (Ticket(ticket), outcome) in self.producer.context().take() {
                // Others are of a batch that was given up.
                if tickets.contains(&ticket) {
                    outcome.map_err(|code| self.failed(&code.to_string()))?;
                    open -= 1;
                }
            }
            if open > 0 {
                sleep(POLL_EVERY).await;
            }
        }
        Ok(())
    }

    fn failed(&self, why: &str) -> String {
        let why = match self.producer.context().take_broker_error() {
            Some(why) => error_advice::with_brokers(&why, &self.brokers),
            None => format!("{why}; check that the topic exists and may be written to"),
        };
        format!("audit.kafka.topic: {}: {why}", self.topic)
    }
}

impl AuditSink for AuditTopic {
    fn title(&self) -> &'static str {
        "audit topic"
    }

    fn label(&self) -> &'static str {
        "audit_topic"
    }

    fn write<'a>(&'a self, lines: Vec<&'a str>) -> BoxFuture<'a, Result<(), String>> {
        self.produce(lines).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::kafka::embedded::EmbeddedCluster;
    use crate::kafka::topic_io::TopicReader;

    fn topic(brokers: String, name: &str) -> AuditTopic {
        AuditTopic::new(&KafkaSettings { brokers: vec![brokers], client: BTreeMap::new() }, name.into()).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_event_is_a_message_that_the_broker_has() {
        let cluster = EmbeddedCluster::start([("security", 1)]).unwrap();
        let topic = topic(cluster.bootstrap_servers(), "security");
        topic.write(vec!["{\"n\":1}", "{\"n\":2}"]).await.unwrap();
        topic.write(vec!["{\"n\":3}"]).await.unwrap();
        let brokers = cluster.bootstrap_servers();
        let records =
            tokio::task::block_in_place(|| TopicReader::new(&brokers, "security").unwrap().catch_up().unwrap());
        let values: Vec<_> = records.iter().map(|record| record.value.clone().unwrap()).collect();
        assert_eq!(values, ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
    }
}
