//! Topics and records on a real cluster.
#![allow(dead_code, reason = "each test includes it and uses its part")]

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const TIMEOUT: Duration = Duration::from_secs(30);

/// A record as a test writes and reads it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TestRecord {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    pub timestamp: Option<i64>,
}

impl TestRecord {
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self { value: Some(value.into()), ..Self::default() }
    }

    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), Some(value.as_ref().to_vec())));
        self
    }

    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.as_bytes().to_vec());
        self
    }

    /// A CloudEvent in binary mode whose data is `{"body": body}`.
    pub fn event(id: &str, body: &str) -> Self {
        Self::new(serde_json::json!({ "body": body }).to_string())
            .header("ce_specversion", "1.0")
            .header("ce_id", id)
            .header("ce_source", "/test")
            .header("ce_type", "com.example.ticket.v1")
            .header("content-type", "application/json")
    }

    /// The same in structured mode.
    pub fn structured_event(id: &str, body: &str) -> Self {
        let event = serde_json::json!({
            "specversion": "1.0", "id": id, "source": "/test", "type": "com.example.ticket.v1",
            "datacontenttype": "application/json", "data": { "body": body },
        });
        Self::new(event.to_string()).header("content-type", "application/cloudevents+json; charset=UTF-8")
    }

    /// The last header of this name as text, as Kafka's `lastHeader` has it.
    pub fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().rev().find(|(header, _)| header == name)?;
        value.as_ref().map(|value| String::from_utf8(value.clone()).expect("a UTF-8 header"))
    }
}

static CHOSEN: OnceLock<String> = OnceLock::new();

/// Uses these brokers instead of those that the environment names.
pub fn choose(brokers: &str) {
    CHOSEN.set(brokers.to_owned()).expect("chosen once");
}

/// Where the broker listens.
pub fn brokers() -> String {
    let named = || std::env::var("STRUCTURED_PROMPT_TEST_BROKERS").ok();
    let brokers = CHOSEN.get().cloned().or_else(named);
    brokers.expect("these tests need a Kafka: run `make test`, or `scripts/with-services.sh cargo test`")
}

/// A name that no other test, and no earlier run on the same broker, uses.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    // Numbers of processes come back.
    static STARTED_AT: LazyLock<u128> = LazyLock::new(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_millis() % 1_000_000_000
    });
    format!("{name}-{}-{}-{}", std::process::id(), *STARTED_AT, COUNT.fetch_add(1, Ordering::Relaxed))
}

pub fn admin() -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", brokers()).create().expect("an admin client")
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

pub fn create_topic(name: &str, partitions: i32, options: &[(&str, &str)]) {
    // As many replicas as the cluster is set up for.
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
    for (key, value) in options {
        topic = topic.set(key, value);
    }
    let results = block_on(admin().create_topics([&topic], &AdminOptions::new().operation_timeout(Some(TIMEOUT))));
    for result in results.expect("an answer of the broker") {
        result.expect("a new topic");
    }
}

pub fn delete_topic(name: &str) {
    let results = block_on(admin().delete_topics(&[name], &AdminOptions::new().operation_timeout(Some(TIMEOUT))));
    for result in results.expect("an answer") {
        result.expect("deleted");
    }
}

/// Deletes the records of the topic's first partition before this offset, as retention does.
pub fn delete_before(name: &str, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(name, 0, Offset::Offset(offset)).expect("an offset");
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    block_on(admin().delete_records(&list, &options)).expect("deleted");
}

pub fn alter_topic(name: &str, key: &str, value: &str) {
    let change = AlterConfig::new(ResourceSpecifier::Topic(name)).set(key, value);
    let results = block_on(admin().alter_configs([&change], &AdminOptions::new().operation_timeout(Some(TIMEOUT))));
    for result in results.expect("an answer of the broker") {
        result.expect("the new setting");
    }
}

/// Produces records, keyless ones round the partitions, and waits until the broker has them.
pub fn produce(topic: &str, partitions: i32, records: &[TestRecord]) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers())
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("message.max.bytes", "20000000")
        .create()
        .expect("a producer");
    for (index, record) in records.iter().enumerate() {
        let mut headers = OwnedHeaders::new();
        for (name, value) in &record.headers {
            headers = headers.insert(Header { key: name, value: value.as_ref() });
        }
        let mut next = BaseRecord::<[u8], [u8]>::to(topic).headers(headers);
        if let Some(key) = &record.key {
            next = next.key(key);
        } else {
            next = next.partition(i32::try_from(index).expect("few records") % partitions);
        }
        if let Some(value) = &record.value {
            next = next.payload(value);
        }
        if let Some(timestamp) = record.timestamp {
            next = next.timestamp(timestamp);
        }
        producer.send(next).map_err(|(error, _)| error).expect("room in the producer's queue");
        producer.poll(Duration::ZERO);
    }
    producer.flush(TIMEOUT).expect("the broker takes all records");
}

/// Becomes the producer that has this `transactional.id`, which fences the one that had it.
pub fn take_over_transactions(id: &str) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers())
        .set("transactional.id", id)
        .create()
        .expect("a producer");
    producer.init_transactions(TIMEOUT).expect("the coordinator knows it");
}

/// Every committed record of a topic with its `topic/partition/offset`, by partition and offset.
pub fn read(topic: &str) -> Vec<(String, TestRecord)> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers())
        .set("group.id", "test-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .expect("a consumer");
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).expect("the topic's metadata");
    let mut assignment = TopicPartitionList::new();
    let mut unread = HashSet::new();
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        let (low, high) = watermarks(&consumer, topic, partition.id());
        if high > low {
            unread.insert(partition.id());
        }
        assignment.add_partition_offset(topic, partition.id(), Offset::Beginning).expect("an offset");
    }
    consumer.assign(&assignment).expect("an assignment");
    let mut records = Vec::new();
    while !unread.is_empty() {
        let message = match consumer.poll(TIMEOUT).expect("a record or the end of a partition") {
            // The last offsets of a partition may be markers of transactions, which are no records.
            Err(KafkaError::PartitionEOF(partition)) => {
                unread.remove(&partition);
                continue;
            }
            message => message.expect("no error"),
        };
        let headers = message.headers().map_or_else(Vec::new, |headers| {
            headers.iter().map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec))).collect()
        });
        let record = TestRecord {
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers,
            timestamp: message.timestamp().to_millis(),
        };
        records.push(((message.partition(), message.offset()), record));
    }
    records.sort_by_key(|(position, _)| *position);
    let named =
        records.into_iter().map(|((partition, offset), record)| (format!("{topic}/{partition}/{offset}"), record));
    named.collect()
}

/// The first offset of a partition and the end of it. Waits for a leader, which brokers that come back need a moment to
/// choose.
fn watermarks(consumer: &BaseConsumer, topic: &str, partition: i32) -> (i64, i64) {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match consumer.fetch_watermarks(topic, partition, TIMEOUT) {
            Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(100)),
            watermarks => return watermarks.expect("watermarks"),
        }
    }
}

/// Number of records in a topic.
pub fn count(topic: &str) -> usize {
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers()).create().expect("a consumer");
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).expect("the topic's metadata");
    let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
    let lengths = partitions.map(|partition| {
        let (low, high) = watermarks(&consumer, topic, partition.id());
        usize::try_from(high - low).expect("a length")
    });
    lengths.sum()
}

pub fn of_group(group: &str) -> BaseConsumer {
    ClientConfig::new()
        .set("bootstrap.servers", brokers())
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .create()
        .expect("a consumer")
}

/// How many members the group has.
pub fn members(group: &str) -> usize {
    let list = of_group(group).fetch_group_list(Some(group), TIMEOUT).expect("the group");
    list.groups().iter().map(|group| group.members().len()).sum()
}

/// What the group has committed for the topic's first partition: offset and metadata.
pub fn committed(group: &str, topic: &str) -> Option<(i64, String)> {
    committed_of(group, topic, 0)
}

/// The same for any of its partitions.
pub fn committed_of(group: &str, topic: &str, partition: i32) -> Option<(i64, String)> {
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let consumer = of_group(group);
    let deadline = Instant::now() + TIMEOUT;
    let list = loop {
        match consumer.committed_offsets(list.clone(), TIMEOUT) {
            // A broker that has just started, or made the group's topic, coordinates nothing for a moment.
            Err(error) if is_loading(&error) && Instant::now() < deadline => sleep(Duration::from_millis(100)),
            fetched => break fetched.expect("committed offsets"),
        }
    };
    let element = list.find_partition(topic, partition).expect("the partition");
    element.offset().to_raw().filter(|offset| *offset >= 0).map(|offset| (offset, element.metadata().to_owned()))
}

fn is_loading(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as E;
    let code = error.rdkafka_error_code();
    matches!(code, Some(E::NotCoordinator | E::CoordinatorNotAvailable | E::CoordinatorLoadInProgress))
}

/// Forgets all that the group has committed, as brokers do after a time.
pub fn forget_group(group: &str) {
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    for result in block_on(admin().delete_groups(&[group], &options)).expect("an answer") {
        result.expect("a group without members");
    }
}

/// Commits for the topic's first partition, as a stranger would.
pub fn commit(group: &str, topic: &str, offset: i64, metadata: &str) {
    let mut list = TopicPartitionList::new();
    let mut element = list.add_partition(topic, 0);
    element.set_offset(Offset::Offset(offset)).expect("an offset");
    element.set_metadata(metadata);
    of_group(group).commit(&list, CommitMode::Sync).expect("the broker takes it");
}
