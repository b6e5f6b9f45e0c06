//! Bad input costs a dead letter with a code of its own, and nothing else.

use std::collections::HashMap;
use std::time::Duration;

use super::broker::{self, TestRecord};
use super::service::{Setup, Topics};
use super::wait_until;

/// Each bad record with the code that it must get.
fn corpus() -> Vec<(&'static str, TestRecord)> {
    let structured = |json: &str| TestRecord::new(json).header("content-type", "application/cloudevents+json");
    let mut many_headers = TestRecord::event("many", "hello");
    for n in 0..10_000 {
        many_headers = many_headers.header(&format!("h{n}"), "x");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut null_id = TestRecord::event("x", "hello");
    null_id.headers.retain(|(name, _)| name != "ce_id");
    null_id.headers.push(("ce_id".to_owned(), None));
    let set = |name: &str, value: &[u8]| {
        let mut record = TestRecord::event("x", "hello");
        for header in record.headers.iter_mut().filter(|(header, _)| header == name) {
            header.1 = Some(value.to_vec());
        }
        record
    };
    let data = |value: &[u8]| TestRecord { value: Some(value.to_vec()), ..TestRecord::event("x", "") };
    vec![
        ("not_a_cloudevent", TestRecord::new("just some text")),
        ("not_a_cloudevent", TestRecord::new("{\"a\":1}")),
        ("tombstone", TestRecord::default().key("gone")),
        ("missing_attribute", set("ce_id", b"")),
        ("missing_attribute", set("ce_source", b"")),
        ("missing_attribute", set("ce_type", b"")),
        ("missing_attribute", null_id),
        ("missing_attribute", structured("{\"specversion\":\"1.0\",\"source\":\"/s\",\"type\":\"t\",\"data\":{}}")),
        ("unsupported_specversion", set("ce_specversion", b"0.3")),
        ("invalid_attribute", TestRecord::event("x", "hello").header("ce_id", "another")),
        ("invalid_utf8", set("ce_source", b"/\xff\xfe")),
        ("invalid_utf8", data(b"{\"body\":\"\xff\"}")),
        ("invalid_json", structured("{\"specversion\":\"1.0\",")),
        ("invalid_json", data(b"{\"body\": ")),
        ("json_too_deep", data(deep.as_bytes())),
        (
            "json_too_deep",
            structured(&format!(
                "{{\"specversion\":\"1.0\",\"id\":\"d\",\"source\":\"/s\",\"type\":\"t\",\"data\":{deep}}}"
            )),
        ),
        ("template_failed", data(b"{\"text\":\"no body\"}")),
        ("template_failed", data(b"42")),
        ("prompt_too_long", TestRecord::event("long", &"word ".repeat(4_000))),
        ("event_too_large", TestRecord::event("large", &"x".repeat(900_000))),
        ("too_many_headers", many_headers),
    ]
}

#[test]
fn each_bad_record_gets_its_code_and_keeps_its_bytes_and_the_next_goes_on() {
    let topics = Topics::create(1);
    let bad = corpus();
    let mut inputs = Vec::new();
    for (n, (_, record)) in bad.iter().enumerate() {
        let mut record = record.clone();
        record.timestamp = Some(1_700_000_000_000 + i64::try_from(n).expect("few"));
        // A user's own headers, null, repeated and not UTF-8, come back with the rest.
        record.headers.push(("x-null".to_owned(), None));
        record.headers.push(("x-twice".to_owned(), Some(b"1".to_vec())));
        record.headers.push(("x-twice".to_owned(), Some(b"2".to_vec())));
        record.headers.push(("x-bytes".to_owned(), Some(vec![0xff, 0x00, 0xfe])));
        inputs.push(record);
        inputs.push(TestRecord::event(&format!("good-{n}"), "I want a refund for order 48213").key("k"));
    }
    broker::produce(&topics.source, 1, &inputs);
    let service = Setup::offline().connector(&topics, "").start();
    wait_until("all outcomes", Duration::from_secs(60), || {
        let done = broker::count(&topics.sink) + broker::count(&topics.dead_letters);
        if done >= inputs.len() { Ok(()) } else { Err(format!("{done} of {}", inputs.len())) }
    });

    let letters: HashMap<String, TestRecord> = broker::read(&topics.dead_letters)
        .into_iter()
        .map(|(_, letter)| {
            let part = |name: &str| letter.text(&format!("__connect.errors.{name}")).expect("the origin");
            (format!("{}/{}/{}", part("topic"), part("partition"), part("offset")), letter)
        })
        .collect();
    assert_eq!(letters.len(), bad.len());
    for (n, (code, _)) in bad.iter().enumerate() {
        let original = &inputs[2 * n];
        let letter = letters.get(&format!("{}/0/{}", topics.source, 2 * n)).expect("a letter for each bad record");
        assert_eq!(
            letter.text("sp-error-code").as_deref(),
            Some(*code),
            "record {n}: {:?}",
            letter.text("sp-error-detail")
        );
        assert_eq!(letter.key, original.key, "record {n}");
        assert_eq!(letter.value, original.value, "record {n}");
        assert_eq!(letter.timestamp, original.timestamp, "record {n}");
        assert_eq!(letter.headers[..original.headers.len()], original.headers, "record {n}");
        for name in ["sp-error-detail", "sp-stage", "sp-attempts", "sp-first-failed-at", "sp-trace-id"] {
            assert!(letter.text(name).is_some(), "record {n} has no {name}");
        }
    }
    assert_eq!(broker::count(&topics.sink), bad.len(), "each good neighbour has a result");
    assert!(!service.log_text().contains("refund"), "prompt text in the log");
}

#[test]
fn a_size_limit_of_a_topic_is_not_held_against_records_that_came_in_one_batch() {
    let topics = Topics::named();
    broker::create_topic(&topics.source, 1, &[]);
    broker::create_topic(&topics.sink, 1, &[]);
    let limit = [("max.message.bytes", "3000"), ("compression.type", "uncompressed")];
    broker::create_topic(&topics.dead_letters, 1, &limit);
    let noise = |k: u64| -> Vec<u8> {
        (0_u64..800).map(|n| ((n + 7919 * k).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
    };
    let bad: Vec<TestRecord> = (0..30).map(|k| TestRecord::new(noise(k))).collect();
    broker::produce(&topics.source, 1, &bad);
    let service = Setup::offline().connector(&topics, "").start();
    wait_until("all letters", Duration::from_secs(60), || match broker::count(&topics.dead_letters) {
        30 => Ok(()),
        count => Err(format!("{count} of 30: {} {}", service.get("/v1/health").1, service.log_text())),
    });
    let whole = broker::read(&topics.dead_letters).iter().filter(|(_, letter)| letter.value.is_some()).count();
    assert_eq!(whole, 30, "each of them fits by itself");
}

#[test]
fn a_record_that_fills_its_topics_limit_leaves_a_pointer() {
    let topics = Topics::named();
    broker::create_topic(&topics.source, 1, &[]);
    broker::create_topic(&topics.sink, 1, &[]);
    broker::create_topic(
        &topics.dead_letters,
        1,
        &[("max.message.bytes", "2000"), ("compression.type", "uncompressed")],
    );
    // Incompressible, so that no codec makes room for it.
    let noise: Vec<u8> = (0_u64..4_000).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    broker::produce(&topics.source, 1, &[TestRecord::new(noise), TestRecord::event("next", "refund please")]);
    let service = Setup::offline().connector(&topics, "").start();
    wait_until("both outcomes", Duration::from_secs(60), || {
        let done = broker::count(&topics.sink) + broker::count(&topics.dead_letters);
        if done == 2 {
            Ok(())
        } else {
            Err(format!("{done} of 2: {} {}", service.get("/v1/health").1, service.log_text()))
        }
    });
    let (_, letter) = broker::read(&topics.dead_letters).remove(0);
    assert_eq!(letter.value, None);
    assert_eq!(letter.text("sp-value-omitted").as_deref(), Some("true"));
    assert_eq!(letter.text("__connect.errors.offset").as_deref(), Some("0"));
}

/// And none of them is taken for bad input: four connectors in one process, each with topics of its codec.
#[test]
fn records_of_every_codec_are_read_and_written() {
    let codecs = ["gzip", "snappy", "lz4", "zstd"];
    let mut setup = Setup::offline();
    let connectors = codecs.map(|codec| {
        let topics = Topics::named();
        for topic in [&topics.source, &topics.sink, &topics.dead_letters] {
            broker::create_topic(topic, 1, &[("compression.type", codec)]);
        }
        let events: Vec<_> =
            (0..50).map(|n| TestRecord::event(&format!("e{n}"), "refund please, refund please")).collect();
        broker::produce(&topics.source, 1, &events);
        topics
    });
    for topics in &connectors {
        setup = setup.connector(topics, "");
    }
    let _service = setup.start();
    for (topics, codec) in connectors.iter().zip(codecs) {
        wait_until(codec, Duration::from_secs(60), || match broker::count(&topics.sink) {
            50 => Ok(()),
            count => Err(format!("{count} of 50")),
        });
    }
}
