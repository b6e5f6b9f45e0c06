//! Topics that a connector cannot use: all of them in one sentence, with the commands that create them.

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::MetadataTopic;

use crate::kafka::status::MissingTopics;

/// Partitions of a topic where no source says how many are wanted: some parallelism for a first cluster.
const PARTITIONS: usize = 6;

/// What the cluster says of one topic.
#[derive(Debug)]
pub(super) struct Topic<'a> {
    name: &'a str,
    is_source: bool,
    found: Found,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Partitions(usize),
    Nothing,
    Denied,
}

impl<'a> Topic<'a> {
    pub(super) fn of(name: &'a str, is_source: bool, found: Option<&MetadataTopic>) -> Self {
        let code = found.and_then(MetadataTopic::error).map(RDKafkaErrorCode::from);
        let found = match (code, found.map_or(0, |found| found.partitions().len())) {
            (Some(RDKafkaErrorCode::TopicAuthorizationFailed), _) => Found::Denied,
            (_, 0) => Found::Nothing,
            (_, partitions) => Found::Partitions(partitions),
        };
        Self { name, is_source, found }
    }
}

/// What is wrong with these topics, if anything is.
pub(super) fn of(topics: &[Topic<'_>], brokers: &[String]) -> Option<MissingTopics> {
    let denied = topics.iter().filter(|topic| topic.found == Found::Denied).map(|topic| {
        let operation = if topic.is_source { "READ" } else { "WRITE" };
        format!("topic {} may not be seen (TopicAuthorizationFailed); permit DESCRIBE and {operation}", topic.name)
    });
    let mut sentences: Vec<String> = denied.collect();
    let mut names: Vec<&str> =
        topics.iter().filter(|topic| topic.found == Found::Nothing).map(|topic| topic.name).collect();
    names.dedup();
    if !names.is_empty() {
        sentences.push(create(&names, partitions(topics), brokers));
    }
    let has_output = topics.iter().any(|topic| !topic.is_source && !matches!(topic.found, Found::Partitions(_)));
    (!sentences.is_empty()).then(|| MissingTopics { why: sentences.join("; "), has_output })
}

/// As many as the largest source has: results of one key then stay as parallel as their events.
fn partitions(topics: &[Topic<'_>]) -> usize {
    let of_source = topics.iter().filter(|topic| topic.is_source).filter_map(|topic| match topic.found {
        Found::Partitions(partitions) => Some(partitions),
        Found::Nothing | Found::Denied => None,
    });
    of_source.max().unwrap_or(PARTITIONS)
}

fn create(names: &[&str], partitions: usize, brokers: &[String]) -> String {
    let brokers = brokers.join(",");
    let (plural, verb, them) = if names.len() == 1 { ("", "does", "it") } else { ("s", "do", "them") };
    let commands: Vec<String> = names
        .iter()
        .map(|name| {
            format!("kafka-topics.sh --bootstrap-server {brokers} --create --topic {name} --partitions {partitions}")
        })
        .collect();
    format!("topic{plural} {} {verb} not exist; create {them}: {}", names.join(", "), commands.join(" && "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, is_source: bool, found: Found) -> Topic<'_> {
        Topic { name, is_source, found }
    }

    fn brokers() -> Vec<String> {
        vec!["a:9092".to_owned(), "b:9092".to_owned()]
    }

    #[test]
    fn all_missing_topics_are_named_at_once_with_their_commands() {
        let topics = ["in", "out", "dlq"].map(|name| topic(name, name == "in", Found::Nothing));
        let MissingTopics { why, has_output } = of(&topics, &brokers()).expect("all are missing");
        assert!(has_output && why.starts_with("topics in, out, dlq do not exist; create them: "), "{why}");
        for name in ["in", "out", "dlq"] {
            let command =
                format!("kafka-topics.sh --bootstrap-server a:9092,b:9092 --create --topic {name} --partitions 6");
            assert!(why.contains(&command), "{why}");
        }
    }

    #[test]
    fn outputs_get_as_many_partitions_as_the_source_has() {
        let topics = [
            topic("in", true, Found::Partitions(12)),
            topic("out", false, Found::Nothing),
            topic("dlq", false, Found::Partitions(1)),
        ];
        let why = of(&topics, &brokers()).expect("one is missing").why;
        assert!(why.starts_with("topic out does not exist; create it: ") && why.ends_with("--partitions 12"), "{why}");
    }

    #[test]
    fn a_missing_source_leaves_the_outputs_usable_and_what_is_denied_is_not_called_missing() {
        let topics = [topic("in", true, Found::Nothing), topic("out", false, Found::Partitions(3))];
        assert!(of(&topics, &brokers()).is_some_and(|missing| !missing.has_output));
        let topics = [topic("in", true, Found::Denied), topic("out", false, Found::Denied)];
        let MissingTopics { why, has_output } = of(&topics, &brokers()).expect("both are denied");
        assert!(has_output && why.contains("topic in may not be seen") && why.contains("topic out may"), "{why}");
        assert!(!why.contains("create"), "{why}");
        assert_eq!(of(&[topic("in", true, Found::Partitions(1))], &brokers()), None);
    }
}
