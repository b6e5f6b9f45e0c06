//! Topics of a run: created, filled with events, and how far a group has come in one.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

pub const PARTITIONS: i32 = 6;
const TIMEOUT: Duration = Duration::from_secs(60);
/// The texts of all events are made of it.
pub const SENTENCE: &str = "The parcel was handed over to the carrier and then nothing more was heard of it. ";

/// The cluster that everything runs on.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub brokers: String,
}

impl Cluster {
    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.brokers).create().expect("an admin client")
    }

    /// Creates a topic. The broker stamps its records, so they tell when each of them was published.
    pub fn create(&self, name: &str) {
        let topic =
            NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1)).set("message.timestamp.type", "LogAppendTime");
        let admin = self.admin();
        let created = block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("an answer");
        created.into_iter().for_each(|result| drop(result.expect("a new topic")));
    }

    /// Deletes topics, so that a long run does not fill the disk.
    pub fn delete(&self, names: &[&str]) {
        let admin = self.admin();
        drop(block_on(admin.delete_topics(names, &AdminOptions::new())).expect("an answer"));
    }

    /// Fills a topic with CloudEvents of about 1 KB, `texts` of them distinct. Their ids are the numbers from 0.
    pub fn fill(&self, topic: &str, records: usize, texts: usize) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .create()
            .expect("a producer");
        let padding = SENTENCE.repeat(10);
        for n in 0..records {
            let (key, id) = (format!("customer-{}", n % 1000), n.to_string());
            let value = serde_json::json!({ "body": format!("Ticket {}: {padding}", n % texts) }).to_string();
            let headers = [
                ("ce_specversion", "1.0"),
                ("ce_id", &id),
                ("ce_source", "/bench"),
                ("ce_type", "com.example.ticket.v1"),
                ("content-type", "application/json"),
            ];
            let headers = headers
                .iter()
                .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }));
            let mut record = BaseRecord::to(topic).key(&key).payload(&value).headers(headers);
            while let Err((_, refused)) = producer.send(record) {
                producer.poll(Duration::from_millis(10));
                record = refused;
            }
        }
        producer.flush(TIMEOUT).expect("the broker takes the events");
    }

    /// Reads what groups have committed.
    pub fn progress(&self, group: &str, topic: &str) -> Progress {
        let consumer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", group)
            .create()
            .expect("a consumer");
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(topic, 0, PARTITIONS - 1);
        Progress { consumer, partitions }
    }
}

/// How far a group has come in a topic.
pub struct Progress {
    consumer: BaseConsumer,
    partitions: TopicPartitionList,
}

impl Progress {
    /// Records that the group has committed.
    pub fn committed(&self) -> usize {
        let offsets = self.consumer.committed_offsets(self.partitions.clone(), TIMEOUT);
        let offset = |offset: Offset| match offset {
            Offset::Offset(offset) => usize::try_from(offset).unwrap_or(0),
            Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => 0,
        };
        offsets.map_or(0, |offsets| offsets.elements().iter().map(|element| offset(element.offset())).sum())
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}
