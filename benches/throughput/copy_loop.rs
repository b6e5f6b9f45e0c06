//! The copy loop: 1 KB in, a result out, and nothing in between.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::stub::ANSWER;

const TIMEOUT: Duration = Duration::from_secs(30);

/// Copies so many records, commits, and waits to be ended.
pub fn run(brokers: &str, group: &str, source: &str, sink: &str, records: usize) {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("fetch.queue.backoff.ms", "10")
        .create()
        .expect("a consumer");
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("batch.size", "262144")
        .set("compression.codec", "lz4")
        .create()
        .expect("a producer");
    consumer.subscribe(&[source]).expect("a subscription");
    for message in consumer.iter().take(records) {
        let message = message.expect("a record");
        let id = message.headers().and_then(|headers| headers.iter().find(|header| header.key == "ce_id"));
        let headers = OwnedHeaders::new().insert(Header { key: "ce_causationid", value: id.expect("its id").value });
        let key = message.key().expect("a key");
        let mut record = BaseRecord::to(sink).key(key).payload(ANSWER).headers(headers);
        while let Err((_, refused)) = producer.send(record) {
            producer.poll(Duration::from_millis(1));
            record = refused;
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(TIMEOUT).expect("all delivered");
    consumer.commit_consumer_state(CommitMode::Sync).expect("a commit");
    loop {
        // Whoever measures ends this process when it has seen the commit.
        drop(consumer.poll(TIMEOUT));
    }
}
