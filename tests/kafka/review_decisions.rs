//! `structured-prompt review`: what people decide about results that wait is published once, whoever decides at the
//! same time and whatever dies.

use std::collections::HashMap;
use std::process::Command;
use std::thread::{scope, sleep};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use super::broker;
use super::review::event;
use super::review_desk::{Desk, LIMIT, text};

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
        let mut child = desk.decision("accept", place, "ada", &[]).spawn().expect("the binary");
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

    let accepted = desk.decide("accept", place, "ada", &[]);
    assert_eq!(text(&accepted.stdout), format!("accepted {place}\n"), "{}", text(&accepted.stderr));
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
        desk.decide("correct", first, "ada", &["--data", data, "--labels", labels])
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
    // Topics delete what is a day older by default.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    let now = i64::try_from(now.as_millis()).expect("a small number");
    let sent_at = now - 6 * 24 * 3_600_000;
    record.timestamp = Some(sent_at);
    let desk = Desk::of(std::slice::from_ref(&record));
    let places = desk.places();
    let [place] = &places[..] else { panic!("one result") };
    assert_eq!(desk.decide("reject", "0/999", "ada", &[]).status.code(), Some(1), "nothing is there");
    let reject = || desk.decide("reject", place, "ada", &["--reason", "no order"]);
    let rejected = reject();
    assert!(rejected.status.success(), "{}", text(&rejected.stderr));
    let again = reject();
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("does not wait"), "{}", text(&again.stderr));

    let letters = broker::read(&desk.topics.dead_letters);
    assert_eq!((letters.len(), broker::read(&desk.topics.sink).len()), (1, 0));
    let letter = &letters[0].1;
    assert_eq!((&letter.key, &letter.value), (&record.key, &record.value));
    assert!(letter.timestamp >= Some(now), "as old as the record: {:?}", letter.timestamp);
    assert_eq!(letter.text("sp-source-timestamp"), Some(sent_at.to_string()));
    assert!(letter.headers.starts_with(&record.headers), "{:?}", letter.headers);
    assert_eq!(letter.text("sp-error-code").as_deref(), Some("rejected_by_reviewer"));
    assert_eq!(letter.text("sp-error-detail").as_deref(), Some("ada rejected the result: no order"));
    assert_eq!(letter.text("__connect.errors.topic").as_deref(), Some(desk.topics.source.as_str()));
}
