//! Security events in a topic of their own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseRecord, Producer as _};
use tokio::time::sleep;

use super::client::callbacks::Producer;
use super::client::cluster::Ticket;
use super::client::{configuration, error_advice};
use super::settings::{KafkaSettings, SecretChanges};
use crate::ports::audit::AuditSink;

/// How often is asked what became of messages that were sent.
const POLL_EVERY: Duration = Duration::from_millis(5);

/// The topic that events are produced to. They are not worth a thread: whoever waits for them polls.
pub struct AuditTopic {
    topic: Arc<str>,
    settings: KafkaSettings,
    client: Mutex<Client>,
    /// Messages so far; each has its number as a ticket.
    sent: AtomicUsize,
}

/// A producer, and whether a secret was replaced since it was built.
struct Client {
    producer: Arc<Producer>,
    secret_changes: SecretChanges,
}

impl Client {
    fn new(settings: &KafkaSettings) -> KafkaResult<Self> {
        let secret_changes = settings.secret_changes();
        Ok(Self { producer: Arc::new(configuration::audit_producer(settings)?), secret_changes })
    }
}

impl AuditTopic {
    /// This topic. The cluster is asked when the first event comes.
    ///
    /// # Errors
    /// When the client does not take its options.
    pub fn new(settings: &KafkaSettings, topic: Arc<str>) -> KafkaResult<Self> {
        let client = Mutex::new(Client::new(settings)?);
        Ok(Self { topic, settings: settings.clone(), client, sent: AtomicUsize::new(0) })
    }

    /// The producer; another one once a secret has been replaced.
    fn producer(&self) -> KafkaResult<Arc<Producer>> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if client.secret_changes.are_there() {
            *client = Client::new(&self.settings)?;
        }
        Ok(Arc::clone(&client.producer))
    }

    async fn produce(&self, lines: Vec<&str>) -> Result<(), String> {
        let producer = self.producer().map_err(|error| format!("audit.kafka: {error}; look at kafka.client"))?;
        let failed = |why: &str| self.failed(&producer, why);
        let first = self.sent.fetch_add(lines.len(), Ordering::Relaxed);
        let tickets = first..first + lines.len();
        for (ticket, line) in tickets.clone().zip(&lines) {
            let record = BaseRecord::<(), str, usize>::with_opaque_to(&self.topic, ticket).payload(line);
            producer.send(record).map_err(|(error, _record)| failed(&error.to_string()))?;
        }
        let mut open = lines.len();
        while open > 0 {
            producer.poll(Duration::ZERO);
            for (Ticket(ticket), outcome) in producer.context().take() {
                // Others are of a batch that was given up.
                if tickets.contains(&ticket) {
                    outcome.map_err(|code| failed(&code.to_string()))?;
                    open -= 1;
                }
            }
            if open > 0 {
                sleep(POLL_EVERY).await;
            }
        }
        Ok(())
    }

    fn failed(&self, producer: &Producer, why: &str) -> String {
        let why = match producer.context().take_broker_error() {
            Some(why) => error_advice::with_brokers(&why, &self.settings.brokers),
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
    use super::*;
    use crate::kafka::embedded::EmbeddedCluster;
    use crate::kafka::topic_io::TopicReader;

    fn topic(brokers: String, name: &str) -> AuditTopic {
        AuditTopic::new(&KafkaSettings { brokers: vec![brokers], ..KafkaSettings::default() }, name.into()).unwrap()
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
