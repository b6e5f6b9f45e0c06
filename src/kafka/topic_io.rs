//! Fills a topic and reads one, for commands that stand outside the pipeline: feeding it and looking at what came
//! out. Both wait on the calling thread.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::callbacks::Deliveries;
use super::client::cluster::Ticket;
use super::client::messages;
use crate::domain::record::{Outgoing, Record};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Produces records and waits until the broker has all of them.
///
/// # Errors
/// When the cluster does not take them within 30 s.
pub fn produce_all(brokers: &str, topic: &str, records: &[Outgoing]) -> KafkaResult<()> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("message.max.bytes", "67108864");
    let producer: BaseProducer<Deliveries> = config.create_with_context(Deliveries::default())?;
    for (index, record) in records.iter().enumerate() {
        let mut next = messages::base_record(topic, record, Ticket(index));
        while let Err((error, refused)) = producer.send(next) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error);
            }
            producer.poll(Duration::from_millis(10));
            next = refused;
        }
    }
    producer.flush(TIMEOUT)?;
    let failed = producer.context().take().into_iter().find_map(|(_, outcome)| outcome.err());
    failed.map_or(Ok(()), |code| Err(KafkaError::MessageProduction(code)))
}

/// Reads a topic from its beginning, as far as it has come by the time of each call.
pub struct TopicReader {
    topic: String,
    consumer: BaseConsumer,
    read: i64,
}

impl TopicReader {
    /// A reader of all partitions that the topic has now.
    ///
    /// # Errors
    /// When the cluster does not answer within 30 s.
    pub fn new(brokers: &str, topic: &str) -> KafkaResult<Self> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("group.id", "reader")
            .set("enable.auto.commit", "false")
            // The question for a partition's end stands in line behind a fetch that waits, half a second by default.
            .set("fetch.wait.max.ms", "10");
        let consumer: BaseConsumer = config.create()?;
        let mut assignment = TopicPartitionList::new();
        let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT)?;
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            assignment.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        Ok(Self { topic: topic.to_owned(), consumer, read: 0 })
    }

    /// What has come since the last call, up to the ends that the partitions have now.
    ///
    /// # Errors
    /// When the cluster does not deliver it within 30 s.
    pub fn catch_up(&mut self) -> KafkaResult<Vec<Record>> {
        let mut end = 0;
        for element in self.consumer.assignment()?.elements() {
            end += self.consumer.fetch_watermarks(&self.topic, element.partition(), TIMEOUT)?.1;
        }
        let deadline = Instant::now() + TIMEOUT;
        let mut records = Vec::new();
        while self.read < end {
            if Instant::now() >= deadline {
                return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
            }
            if let Some(message) = self.consumer.poll(Duration::from_millis(100)) {
                let (record, _unreadable_header) = messages::record(&message?, &[]);
                records.push(record);
                self.read += 1;
            }
        }
        Ok(records)
    }
}
