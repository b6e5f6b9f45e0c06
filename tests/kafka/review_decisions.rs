//! `structured-prompt review`: what people decide about results that wait is published once, whoever decides at the
//! same time and whatever dies.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use super::broker::{self, TestRecord};
use super::review::{event, options, script, wait_for};
use super::service::{Setup, Topics};
use super::stub_provider::StubProvider;

const LIMIT: Duration = Duration::from_secs(60);

/// A connector with results that wait, and what its reviewers type.
struct Desk {
    /// Its directory has the files.
    _setup: Setup,
    topics: Topics,
    review: String,
    runtime: PathBuf,
    connector: PathBuf,
}

impl Desk {
    /// The results of these records wait, in one partition.
    fn of(records: &[TestRecord]) -> Self {
        let stub = StubProvider::start(script());
        let (topics, review) = (Topics::create(1), broker::unique("review"));
        broker::create_topic(&review, 1, &[]);
        broker::produce(&topics.source, 1, records);
        let setup = Setup::patient(&stub.base_url()).connector(&topics, &options(&review));
        let mut service = setup.start();
        wait_for(records.len(), &[&review], LIMIT);
        let (status, _) = service.terminate();
        assert!(status.success(), "{status}: {}", service.log_text());
        let (runtime, connector) = (setup.write_runtime(), setup.connector_file(&topics));
        Self { _setup: setup, topics, review, runtime, connector }
    }

    /// The results of so many records that are not asked about for anything else.
    fn of_doubtful(count: usize) -> Self {
        Self::of(&(0..count).map(|n| event(4 * n)).collect::<Vec<_>>())
    }

    fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_structured-prompt"));
        command.args(["review", verb, "--config"]).arg(&self.runtime).arg(&self.connector).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn review(&self, verb: &str, more: &[&str]) -> Output {
        self.command(verb, more).output().expect("the binary")
    }

    /// The same, which must succeed.
    fn done(&self, verb: &str, more: &[&str]) -> String {
        let output = self.review(verb, more);
        assert!(output.status.success(), "{verb} {more:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    fn waiting(&self) -> Vec<Value> {
        self.done("list", &["--json"]).lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    fn places(&self) -> Vec<String> {
        self.waiting().iter().map(|waiting| waiting["place"].as_str().expect("a place").to_owned()).collect()
    }

    /// Accepts until that is done, or somebody has done it.
    fn accept_at_last(&self, place: &str, reviewer: &str) -> bool {
        let deadline = Instant::now() + LIMIT;
        loop {
            let output = self.review("accept", &[place, "--reviewer", reviewer]);
            let error = text(&output.stderr);
            if output.status.success() || error.contains("does not wait") {
                return output.status.success();
            }
            assert_eq!(output.status.code(), Some(1), "{error}");
            assert!(error.contains("at the same time") && Instant::now() < deadline, "{error}");
            // Two who repeat without a pause could end each other's decisions for ever.
            sleep(Duration::from_millis(fastrand::u64(0..1500)));
        }
    }

    /// How often the sink has a result of each event.
    fn published(&self) -> HashMap<String, usize> {
        let mut published = HashMap::new();
        for (_, record) in broker::read(&self.topics.sink) {
            assert_eq!(record.text("ce_validation").as_deref(), Some("reviewed"));
            *published.entry(record.text("ce_causationid").expect("a cause")).or_default() += 1;
        }
        published
    }

    fn group(&self) -> String {
        format!("{}-review", self.topics.group)
    }

    fn transactional_id(&self) -> String {
        let group = &self.topics.group;
        format!("structured-prompt-{group}-{}-review-decisions", group.trim_end_matches("-group"))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn of_two_who_decide_at_the_same_time_one_does() {
    const COUNT: usize = 6;
    let desk = Desk::of_doubtful(COUNT);
    let places = desk.places();
    assert_eq!(places.len(), COUNT);
    // From both ends, so that they meet in the middle, whoever is the faster one.
    let (forwards, backwards) = (places.iter().collect::<Vec<_>>(), places.iter().rev().collect::<Vec<_>>());
    let decided =
        |places: &[&String], name: &str| places.iter().filter(|place| desk.accept_at_last(place, name)).count();
    let (of_ada, of_bob) = scope(|scope| {
        let ada = scope.spawn(|| decided(&forwards, "ada"));
        let bob = scope.spawn(|| decided(&backwards, "bob"));
        (ada.join().expect("no panic"), bob.join().expect("no panic"))
    });
    assert!(of_ada + of_bob <= COUNT, "{of_ada} and {of_bob}");
    let published = desk.published();
    assert!(published.len() == COUNT && published.values().all(|times| *times == 1), "{published:?}");
    assert_eq!(desk.places(), Vec::<String>::new());
}

#[test]
fn a_decision_that_was_killed_is_made_once() {
    const COUNT: usize = 8;
    let desk = Desk::of_doubtful(COUNT);
    let places = desk.places();
    let began_at = Instant::now();
    assert!(desk.accept_at_last(&places[0], "ada"));
    let took = began_at.elapsed();
    // At all times of its life.
    for (n, place) in (1_u32..).zip(&places[1..]) {
        let mut child = desk.command("accept", &[place, "--reviewer", "ada"]).spawn().expect("the binary");
        sleep(took * n / u32::try_from(COUNT).expect("few"));
        child.kill().expect("a process, or its end");
        child.wait().expect("its end");
    }
    for place in &places[1..] {
        desk.accept_at_last(place, "bob");
    }
    let published = desk.published();
    assert!(published.len() == COUNT && published.values().all(|times| *times == 1), "{published:?}");
    assert_eq!(desk.places(), Vec::<String>::new());
}

/// What a process leaves behind that is killed between sending the outcome and committing it.
#[test]
fn an_open_transaction_of_a_process_that_is_gone_is_no_decision() {
    let desk = Desk::of_doubtful(1);
    let places = desk.places();
    let [place] = &places[..] else { panic!("one result") };
    let config = |more: &[(&str, &str)]| {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", broker::brokers());
        for (key, value) in more {
            config.set(*key, *value);
        }
        config
    };
    let producer: BaseProducer =
        config(&[("transactional.id", &desk.transactional_id())]).create().expect("a producer");
    producer.init_transactions(LIMIT).expect("transactions");
    producer.begin_transaction().expect("a transaction");
    let lost = BaseRecord::<[u8], [u8]>::to(&desk.topics.sink).payload(b"lost");
    producer.send(lost).map_err(|(error, _)| error).expect("room");
    producer.flush(LIMIT).expect("the broker takes it");
    let consumer: BaseConsumer = config(&[("group.id", &desk.group())]).create().expect("a consumer");
    let mut decided = TopicPartitionList::new();
    decided.add_partition_offset(&desk.review, 0, Offset::Offset(1)).expect("an offset");
    let membership = consumer.group_metadata().expect("a group");
    producer.send_offsets_to_transaction(&decided, &membership, LIMIT).expect("offsets in the transaction");

    assert_eq!(desk.done("accept", &[place, "--reviewer", "ada"]), format!("accepted {place}\n"));
    assert_eq!(desk.published(), HashMap::from([("e-0".to_owned(), 1)]));
    assert_eq!(desk.places(), Vec::<String>::new());
    assert!(producer.commit_transaction(LIMIT).is_err(), "the process that is gone could still commit");
}

#[test]
fn a_correction_that_is_valid_takes_the_answers_place_and_is_a_label() {
    let desk = Desk::of_doubtful(2);
    let places = desk.places();
    let [first, second] = &places[..] else { panic!("two results") };
    let shown = desk.done("show", &[first]);
    assert!(shown.contains("/order_id            none         \"ZX-90817\""), "{shown}");
    let directory = tempfile::tempdir().expect("a directory");
    let (data, labels) = (directory.path().join("data.json"), directory.path().join("labels.jsonl"));
    let [data, labels] = [&data, &labels].map(|path| path.to_str().expect("UTF-8"));
    let mut right = desk.waiting()[0]["data"].clone();
    let correct = |right: &Value| {
        std::fs::write(data, right.to_string()).expect("a file");
        desk.review("correct", &[first, "--reviewer", "ada", "--data", data, "--labels", labels])
    };
    right["urgency"] = json!("soon");
    let refused = correct(&right);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("/urgency"), "{}", text(&refused.stderr));
    assert_eq!((desk.places().len(), broker::read(&desk.topics.sink).len()), (2, 0));

    (right["urgency"], right["order_id"]) = (json!("high"), Value::Null);
    let corrected = correct(&right);
    assert!(corrected.status.success(), "{}", text(&corrected.stderr));
    desk.done("accept", &[second, "--reviewer", "bob", "--labels", labels]);
    let published = broker::read(&desk.topics.sink);
    assert_eq!(published.len(), 2);
    let result = &published[0].1;
    assert_eq!(serde_json::from_slice::<Value>(result.value.as_deref().expect("data")).expect("JSON"), right);
    assert_eq!((result.text("ce_reviewedby").as_deref(), result.text("ce_fieldevidence")), (Some("ada"), None));
    assert_eq!(published[1].1.text("ce_reviewedby").as_deref(), Some("bob"));
    assert!(published[1].1.text("ce_fieldevidence").is_some());

    let output = directory.path().join("report");
    let evaluated = Command::new(env!("CARGO_BIN_EXE_structured-prompt"))
        .args(["eval", labels, "--connector"])
        .arg(&desk.connector)
        .arg("--output")
        .arg(&output)
        .output()
        .expect("the binary");
    assert!(evaluated.status.success(), "{}", text(&evaluated.stderr));
    let report = std::fs::read_to_string(output.join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["variants"][0]["labels"].as_array().map(Vec::len), Some(2), "{report}");
}

#[test]
fn a_rejected_result_leaves_a_letter_with_its_record_byte_for_byte() {
    let mut record = event(0).key("customer-7").header("odd", [0xff, 0x00, 0x01]);
    record.headers.push(("empty".to_owned(), None));
    record.headers.push(("sp-source-value".to_owned(), Some(b"theirs".to_vec())));
    // Not of the moment in which it is produced, and not so old that the topic deletes it.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    record.timestamp = Some(i64::try_from(now.as_millis()).expect("a small number") - 5000);
    let desk = Desk::of(std::slice::from_ref(&record));
    let places = desk.places();
    let [place] = &places[..] else { panic!("one result") };
    assert_eq!(desk.review("reject", &["0/999", "--reviewer", "ada"]).status.code(), Some(1), "nothing is there");
    let reject = || desk.review("reject", &[place, "--reviewer", "ada", "--reason", "no order"]);
    let rejected = reject();
    assert!(rejected.status.success(), "{}", text(&rejected.stderr));
    let again = reject();
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("does not wait"), "{}", text(&again.stderr));

    let letters = broker::read(&desk.topics.dead_letters);
    assert_eq!((letters.len(), broker::read(&desk.topics.sink).len()), (1, 0));
    let letter = &letters[0].1;
    assert_eq!((&letter.key, &letter.value, letter.timestamp), (&record.key, &record.value, record.timestamp));
    assert!(letter.headers.starts_with(&record.headers), "{:?}", letter.headers);
    assert_eq!(letter.text("sp-error-code").as_deref(), Some("rejected_by_reviewer"));
    assert_eq!(letter.text("sp-error-detail").as_deref(), Some("ada rejected the result: no order"));
    assert_eq!(letter.text("__connect.errors.topic").as_deref(), Some(desk.topics.source.as_str()));
}
