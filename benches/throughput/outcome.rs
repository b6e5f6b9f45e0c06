//! What came out: every record must have exactly one valid result, or the run does not count.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;

use crate::topics::{Cluster, PARTITIONS};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Header of a result with the id of the event that it is for.
const CAUSE: &str = "ce_causationid";

/// When the results were published, in milliseconds of the wall clock, sorted.
pub struct Published(Vec<u64>);

impl Published {
    /// The moments at which the first and the last tenth of the results were published.
    pub fn measured_part(&self) -> (u64, u64) {
        let tenth = self.0.len() / 10;
        (self.0[tenth], self.0[self.0.len() - 1 - tenth])
    }

    /// Results between these moments.
    pub fn measured_results(&self) -> usize {
        let (from, to) = self.measured_part();
        self.0.iter().filter(|at| (from + 1..=to).contains(at)).count()
    }
}

/// Reads all results of a run of so many records.
///
/// # Errors
/// Says what is wrong with them.
pub fn check(cluster: &Cluster, sink: &str, dead_letters: &str, records: usize) -> Result<Published, String> {
    let letters = end(cluster, dead_letters);
    if letters > 0 {
        return Err(format!("{letters} dead letters for records that are all right"));
    }
    let mut seen = vec![false; records];
    let mut published = Vec::with_capacity(records);
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let mut problem = None;
    read(cluster, sink, |message| {
        match result_of(message, &validator) {
            Ok(id) if seen.get(id) == Some(&false) => seen[id] = true,
            Ok(id) => {
                problem = problem.take().or(Some(format!("record {id} has more than one result, or does not exist")))
            }
            Err(error) => problem = problem.take().or(Some(error)),
        }
        let at = message.timestamp().to_millis().expect("the broker's timestamp");
        published.push(u64::try_from(at).expect("a time after 1970"));
    });
    let missing = seen.iter().filter(|seen| !**seen).count();
    if missing > 0 {
        return Err(format!("{missing} of {records} records have no result; {}", problem.unwrap_or_default()));
    }
    published.sort_unstable();
    problem.map_or(Ok(Published(published)), Err)
}

/// The schema of the results, the connector's own.
fn schema() -> Value {
    serde_json::from_str(include_str!("../../src/schema/library/support-intent@1.0.0.json")).expect("JSON")
}

/// The number of the record that a valid result is for.
fn result_of(message: &BorrowedMessage<'_>, validator: &jsonschema::Validator) -> Result<usize, String> {
    let headers = message.headers().ok_or("a result without headers")?;
    let cause = headers.iter().find(|header| header.key == CAUSE).and_then(|header| header.value);
    let cause = cause.ok_or_else(|| format!("a result without the header {CAUSE}"))?;
    let id = std::str::from_utf8(cause).ok().and_then(|id| id.parse().ok()).ok_or("a result of an unknown event")?;
    let value = serde_json::from_slice(message.payload().unwrap_or_default()).map_err(|error| error.to_string())?;
    if validator.is_valid(&value) { Ok(id) } else { Err(format!("the result of record {id} is not valid: {value}")) }
}

/// Reads a topic to its end; of transactions only what was committed.
fn read(cluster: &Cluster, topic: &str, mut each: impl FnMut(&BorrowedMessage<'_>)) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &cluster.brokers)
        .set("group.id", "bench-check")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .expect("a consumer");
    let mut assignment = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        assignment.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
    }
    consumer.assign(&assignment).expect("an assignment");
    let mut ended = 0;
    while ended < PARTITIONS {
        match consumer.poll(TIMEOUT).expect("the broker answers") {
            Ok(message) => each(&message),
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => ended += 1,
            Err(error) => panic!("{topic} cannot be read: {error}"),
        }
    }
}

/// Records that a topic has.
fn end(cluster: &Cluster, topic: &str) -> i64 {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", &cluster.brokers).create().expect("a consumer");
    (0..PARTITIONS).map(|partition| consumer.fetch_watermarks(topic, partition, TIMEOUT).expect("the ends").1).sum()
}
