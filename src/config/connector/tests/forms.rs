//! How records are read and results are written, beyond the format of events.

use super::*;
use crate::kafka::settings::{KeyFormat, ResultFormat, SourceReading, Tombstones};

fn with(source: &str, sink: &str) -> String {
    format!(
        "name: a\nsource: {{ kafka: {{ topics: [s] }}{source} }}\nprompt: {{ inline: Sort }}\n\
         sink: {{ kafka: {{ {sink} }} }}\ndead_letter: {{ kafka: {{ topic: letters }} }}\n"
    )
}

#[test]
fn records_are_read_as_the_source_says() {
    let text = with(", filter: \"data.op != 'd'\"", "topic: out")
        .replace("topics: [s]", "topics: [s], key_format: json, tombstones: skip");
    let SourceReading { key_format, tombstones, filter } = one(&text).topics.reading;
    assert_eq!((key_format, tombstones), (KeyFormat::Json, Tombstones::Skip));
    assert_eq!(filter.unwrap().source(), "data.op != 'd'");
    assert_eq!(one(&with("", "topic: out")).topics.reading, SourceReading::default());
}

#[test]
fn results_are_written_as_the_sink_says() {
    let sink = "topic: 'out.{{ result.region }}', topics: [out.eu, out.us], key: '{{ data.id }}', \
                format: cloudevents-structured";
    let topics = one(&with("", sink)).topics;
    assert_eq!(topics.results.format, ResultFormat::CloudEventsStructured);
    assert_eq!(topics.results.key.as_ref().unwrap().source(), "{{ data.id }}");
    assert_eq!(topics.outputs().map(|topic| &**topic).collect::<Vec<_>>(), ["out.eu", "out.us", "letters"]);
    assert_eq!(one(&with("", "topic: out, format: json")).topics.results.format, ResultFormat::Json);
}

#[test]
fn each_setting_has_a_hash_of_its_own_and_the_defaults_have_the_former_one() {
    let plain = one(&with("", "topic: out")).config_hash;
    let spelled = with("", "topic: out, format: cloudevents")
        .replace("topics: [s]", "topics: [s], key_format: text, tombstones: dead-letter");
    assert_eq!(one(&spelled).config_hash, plain);
    let keys = with("", "topic: out").replace("topics: [s]", "topics: [s], key_format: json");
    let tombstones = with("", "topic: out").replace("topics: [s]", "topics: [s], tombstones: skip");
    let mut hashes = vec![plain, one(&keys).config_hash, one(&tombstones).config_hash];
    for (source, sink) in [
        (", filter: 'data.a'", "topic: out"),
        ("", "topic: out, key: '{{ data.a }}'"),
        ("", "topic: out, format: json"),
        ("", "topic: 'out{{ data.a }}', topics: [out]"),
    ] {
        hashes.push(one(&with(source, sink)).config_hash);
    }
    let all = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), all);
}

#[test]
fn mistakes_are_told_where_they_stand() {
    for (source, sink, expected) in [
        (", filter: 'data.op =='", "topic: out", "source.filter: the condition is not valid: syntax error"),
        (", filter: 'dat.op'", "topic: out", "there is no variable dat (did you mean data?)"),
        ("", "topic: 'o.{{ data.a }}'", "sink.kafka.topics: is missing"),
        ("", "topic: 'o.{{ data.a }', topics: [o.a]", "sink.kafka.topic: the template is not valid"),
        ("", "topic: 'o.{{ data.a }}', topics: ['no good']", "sink.kafka.topics[0]: `no good` is not a valid topic"),
        ("", "topic: o, topics: [o]", "sink.kafka.topics: the topic is always the same"),
        ("", "topic: o, key: '{{ results.a }}'", "sink.kafka.key: the template is not valid: there is no variable"),
        ("", "topic: o, format: cloudevents-structure", "did you mean `cloudevents-structured`?"),
        ("", "topic: '{{ data.a }}', topics: [o, letters]", "letters is the sink and the dead letter topic"),
        ("", "topic: '{{ data.a }}', topics: [o, s]", "events would go round in circles: s → [a] → s"),
    ] {
        let found = findings(&with(source, sink));
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
}
