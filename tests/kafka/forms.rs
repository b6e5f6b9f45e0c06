//! A topic with the changes of a table, as connectors for change data write it: which rows are asked about, and where
//! and how their results are published.

use std::time::Duration;

use serde_json::{Value, json};

use super::broker::{self, TestRecord};
use super::service::{Setup, Topics};
use super::{reader, wait_until};

fn change(id: usize, op: &str, region: &str) -> TestRecord {
    let row = json!({ "body": format!("Order {id} never arrived, I am angry"), "region": region });
    TestRecord::new(json!({ "op": op, "after": row }).to_string()).key(&json!({ "id": id }).to_string())
}

fn tombstone(id: usize) -> TestRecord {
    TestRecord { key: Some(json!({ "id": id }).to_string().into_bytes()), ..TestRecord::default() }
}

#[test]
fn rows_that_matter_are_answered_in_the_topic_of_their_region_under_their_own_key() {
    const ROWS: usize = 40;
    let topics = Topics::create(2);
    let Topics { source, sink, dead_letters, group } = &topics;
    let other = format!("{sink}-us");
    broker::create_topic(&other, 2, &[]);
    let setup = Setup::offline().connector(&topics, "");
    let connector = group.trim_end_matches("-group");
    let text = format!(
        "name: {connector}\n\
         source:\n  kafka: {{ topics: [{source}], group: {group}, format: json, key_format: json, tombstones: skip }}\n  \
         filter: data.op in ['c', 'u']\n\
         prompt: {{ template: support-intent, parameters: {{ message: '{{{{ data.after.body }}}}' }} }}\n\
         schema: support-intent\n\
         delivery: {{ guarantee: exactly-once }}\n\
         sink:\n  kafka:\n    topic: \"{sink}{{{{ '-us' if data.after.region == 'us' else '' }}}}\"\n    \
         topics: [{sink}, {other}]\n    key: '{{{{ key.id }}}}'\n    format: cloudevents-structured\n\
         dead_letter: {{ kafka: {{ topic: {dead_letters} }} }}\n",
    );
    std::fs::write(setup.connector_file(&topics), text).expect("a connector");
    let mut records: Vec<TestRecord> = Vec::new();
    for id in 0..ROWS {
        records.push(change(id, if id % 3 == 0 { "u" } else { "c" }, if id % 2 == 0 { "eu" } else { "us" }));
        records.extend((id % 4 == 0).then(|| change(id, "d", "eu")));
        records.extend((id % 8 == 0).then(|| tombstone(id)));
    }
    // The last one has no outcome: its offset moves without one.
    records.push(change(ROWS, "d", "eu"));
    broker::produce(source, 2, &records);
    let service = setup.start();
    wait_until("all offsets", Duration::from_secs(60), || match reader::read(&topics).lag() {
        0 => Ok(()),
        lag => Err(format!("lag {lag}: {}", service.log_text())),
    });
    assert_eq!(broker::count(dead_letters), 0, "{}", service.log_text());
    for (reason, count) in [("filter", 11.0), ("tombstone", 5.0)] {
        let name = format!("sp_records_filtered_total{{connector=\"{connector}\",reason=\"{reason}\"}}");
        assert_eq!(service.metric(&name), count, "{reason}");
    }
    for (topic, parity) in [(sink, 0), (&other, 1)] {
        let results = broker::read(topic);
        assert_eq!(results.len(), ROWS / 2, "{topic}");
        for (_, result) in results {
            let key: usize = String::from_utf8(result.key.clone().expect("a key")).expect("text").parse().expect("id");
            assert_eq!(key % 2, parity, "row {key} is in {topic}");
            let event: Value = serde_json::from_slice(result.value.as_deref().expect("a value")).expect("JSON");
            assert_eq!((&event["specversion"], &event["provider"]), (&json!("1.0"), &json!("offline")));
            assert!(event["data"]["intent"].is_string(), "{event}");
            let content_type = result.text("content-type");
            assert_eq!(content_type.as_deref(), Some("application/cloudevents+json; charset=UTF-8"));
        }
    }
    let report = reader::read(&topics);
    assert_eq!((report.results, report.unparsable.len()), (ROWS / 2, 0), "{:?}", report.unparsable);
}
