//! Decisions that a cluster does not take, or does not confirm. The cluster is the client library's mock, which gives
//! the answers that a real one gives at bad moments only.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::broker::TestRecord;
use super::review_desk::text;

const LIMIT: Duration = Duration::from_secs(30);
/// After this a broker aborts a transaction, which must not be why a decision fails.
const TRANSACTION: Duration = Duration::from_secs(20);

/// A cluster with one result that waits, and the files of its connector.
struct MockDesk {
    cluster: MockCluster<'static, DefaultProducerContext>,
    directory: tempfile::TempDir,
}

impl MockDesk {
    fn new() -> Self {
        let cluster = MockCluster::new(1).expect("a cluster");
        for topic in ["in", "out", "dlq", "review"] {
            cluster.create_topic(topic, 1, 1).expect("a topic");
        }
        let brokers = cluster.bootstrap_servers();
        produce(&brokers, &waiting());
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file");
        write("runtime.yaml", &format!("kafka: {{ brokers: [\"{brokers}\"] }}\nstore: {{ url: \"sqlite://s.db\" }}\n"));
        write(
            "claims.yaml",
            "name: claims\n\
             source: { kafka: { topics: [in], format: cloudevents } }\n\
             prompt: { template: support-intent, parameters: { message: \"{{ data.body }}\" } }\n\
             schema: support-intent\n\
             sink: { kafka: { topic: out, format: cloudevents } }\n\
             dead_letter: { kafka: { topic: dlq } }\n\
             review: { kafka: { topic: review } }\n",
        );
        Self { cluster, directory }
    }

    fn accept(&self) -> Output {
        Command::new(env!("CARGO_BIN_EXE_structured-prompt"))
            .args(["review", "accept", "--config", "runtime.yaml", "claims.yaml", "0/0"])
            .args(["--reviewer", "ada", "--first-decision", "--labels", "labels.jsonl"])
            .current_dir(self.directory.path())
            .output()
            .expect("the binary")
    }

    fn labels(&self) -> usize {
        let path: &Path = &self.directory.path().join("labels.jsonl");
        std::fs::read_to_string(path).expect("the file of labels").lines().count()
    }
}

/// The result of an event for review.
fn waiting() -> TestRecord {
    let asked = TestRecord::event("e-1", "where is my parcel?");
    let result = TestRecord::new("{\"intent\":\"delivery_problem\"}")
        .header("ce_source", "/structured-prompt/claims")
        .header("ce_id", "r-1")
        .header("sp-review-reason", "ungrounded")
        .header("sp-source-topic", "in")
        .header("sp-source-partition", "0")
        .header("sp-source-offset", "7")
        .header("sp-source-value", asked.value.as_deref().expect("a value"));
    asked.headers.iter().fold(result, |result, (name, value)| {
        result.header(&format!("sp-source-header-{name}"), value.as_deref().expect("a value"))
    })
}

fn produce(brokers: &str, record: &TestRecord) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a producer");
    let headers = record
        .headers
        .iter()
        .fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: value.as_ref() }));
    let base = BaseRecord::<[u8], [u8]>::to("review").partition(0).headers(headers);
    let base = base.payload(record.value.as_deref().expect("a value"));
    producer.send(base).map_err(|(error, _)| error).expect("room for it");
    producer.flush(LIMIT).expect("written");
}

#[test]
fn a_label_is_written_where_the_decision_may_stand_and_nowhere_else() {
    use RDKafkaApiKey as Api;
    use RDKafkaRespErr as E;
    for (api, error, said, labels) in [
        (Api::EndTxn, E::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, "has not confirmed the decision", 1),
        (Api::EndTxn, E::RD_KAFKA_RESP_ERR_INVALID_TXN_STATE, "has not confirmed the decision", 1),
        (Api::EndTxn, E::RD_KAFKA_RESP_ERR_POLICY_VIOLATION, "does not take the decision", 0),
        (Api::TxnOffsetCommit, E::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, "does not take the decision", 0),
        (Api::Produce, E::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "topic out does not take it", 0),
        (Api::AddOffsetsToTxn, E::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, "at the same time", 0),
    ] {
        let desk = MockDesk::new();
        desk.cluster.request_errors(api, &[error]);
        let output = desk.accept();
        let why = text(&output.stderr);
        assert!(output.status.code() == Some(1) && why.contains(said), "{api:?} {error:?}: {why}");
        assert_eq!(desk.labels(), labels, "{api:?} {error:?}");
        let again = desk.accept();
        let is_known = again.status.success() || text(&again.stderr).contains("does not wait");
        assert!(is_known, "{api:?} {error:?}: {}", text(&again.stderr));
        assert!(desk.labels() == 1 || labels == 0, "{api:?} {error:?}: {}", desk.labels());
    }
}

#[test]
fn a_decision_that_takes_too_long_is_given_up_before_the_broker_does_so() {
    let desk = MockDesk::new();
    desk.cluster.partition_leader("out", 0, None).expect("no leader");
    let began_at = Instant::now();
    let why = text(&desk.accept().stderr);
    let took = began_at.elapsed();
    assert!(why.contains("topic out does not take it"), "{why}");
    assert!(took < TRANSACTION, "{took:?}");
    assert_eq!(desk.labels(), 0);
}
