//! The client library's mock cluster, so that topics can have the names that the fixtures have, and are always new.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::fixtures::{Commit, Published, SourceRecord};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A cluster that lives as long as this value. Each topic has one partition.
pub struct Cluster(MockCluster<'static, DefaultProducerContext>);

impl Cluster {
    pub fn start<'t>(topics: impl IntoIterator<Item = &'t str>) -> Self {
        let cluster = MockCluster::new(1).expect("a cluster");
        topics.into_iter().for_each(|topic| cluster.create_topic(topic, 1, 1).expect("a topic"));
        Self(cluster)
    }

    pub fn brokers(&self) -> String {
        self.0.bootstrap_servers()
    }

    /// Writes records in their order.
    pub fn produce(&self, records: &[SourceRecord]) {
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", self.brokers()).create().expect("a producer");
        for record in records {
            let headers = record.headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
                headers.insert(Header { key, value: Some(value.as_str()) })
            });
            let mut base = BaseRecord::to(&record.topic)
                .partition(0)
                .payload(record.value.as_bytes())
                .headers(headers)
                .timestamp(record.timestamp);
            if let Some(key) = &record.key {
                base = base.key(key.as_bytes());
            }
            producer.send(base).map_err(|(error, _)| error).expect("room for it");
        }
        producer.flush(TIMEOUT).expect("all written");
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", self.brokers())
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .create()
            .expect("a consumer")
    }

    /// Commits for groups that have no members.
    pub fn commit(&self, commits: &[Commit]) {
        for commit in commits {
            let mut offsets = TopicPartitionList::new();
            offsets.add_partition_offset(&commit.topic, 0, Offset::Offset(commit.offset)).expect("an offset");
            offsets.find_partition(&commit.topic, 0).expect("it is there").set_metadata(commit.metadata.as_str());
            self.consumer(&commit.group).commit(&offsets, CommitMode::Sync).expect("a commit");
        }
    }

    /// What a group has committed for a topic.
    pub fn committed(&self, group: &str, topic: &str) -> Option<Commit> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition(topic, 0);
        let offsets = self.consumer(group).committed_offsets(partitions, TIMEOUT).expect("an answer");
        let element = offsets.find_partition(topic, 0).expect("the partition");
        let Offset::Offset(offset) = element.offset() else { return None };
        Some(Commit {
            group: group.to_owned(),
            topic: topic.to_owned(),
            offset,
            metadata: element.metadata().to_owned(),
        })
    }

    /// The offset that the next record of a topic will have.
    pub fn end(&self, topic: &str) -> i64 {
        self.consumer("reader").fetch_watermarks(topic, 0, TIMEOUT).expect("the ends").1
    }

    /// All records of a topic.
    pub fn read(&self, topic: &str) -> Vec<Published> {
        let consumer = self.consumer("reader");
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, 0, Offset::Beginning).expect("an offset");
        consumer.assign(&assignment).expect("an assignment");
        let (mut records, deadline) = (Vec::new(), Instant::now() + TIMEOUT);
        loop {
            assert!(Instant::now() < deadline, "{topic} has no end");
            match consumer.poll(Duration::from_millis(100)) {
                None => {}
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => return records,
                Some(Err(error)) => panic!("{topic}: {error}"),
                Some(Ok(message)) => {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
                    records.push(Published {
                        topic: topic.to_owned(),
                        key: message.key().map(text),
                        value: message.payload().map(text),
                        headers: headers.map(|h| (h.key.to_owned(), text(h.value.unwrap_or_default()))).collect(),
                    });
                }
            }
        }
    }
}
