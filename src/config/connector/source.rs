//! The section `source`.

use std::sync::Arc;

use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Value};
use crate::config::section::Section;
use crate::config::values::{Problem, choice, integer, text, topic};
use crate::kafka::settings::{KeyFormat, RecordFormat, SourceReading, Tombstones};
use crate::prompt::template::expression::Condition;

/// Kafka's own limit for a group's name is that of a short string in its protocol.
const MAX_GROUP_BYTES: usize = 255;

/// Each can keep a core busy, and takes memory, threads and connections of its own.
const MAX_CONSUMERS: u32 = 64;

/// What is read, and by whom.
pub(super) struct Source {
    pub(super) topics: Vec<(Arc<str>, Location)>,
    pub(super) group: Option<String>,
    pub(super) consumers: u32,
    pub(super) format: RecordFormat,
    pub(super) reading: SourceReading,
}

/// Reads the section.
pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>) -> Source {
    const FORMATS: &[(&str, RecordFormat)] =
        &[("cloudevents", RecordFormat::CloudEvents), ("json", RecordFormat::Json), ("text", RecordFormat::Text)];
    const KEY_FORMATS: &[(&str, KeyFormat)] = &[("text", KeyFormat::Text), ("json", KeyFormat::Json)];
    const TOMBSTONES: &[(&str, Tombstones)] = &[("dead-letter", Tombstones::DeadLetter), ("skip", Tombstones::Skip)];
    let mut kafka = section.section("kafka");
    let topics = topics(diagnostics, &mut kafka);
    let group = kafka.get("group", |node| {
        let group = text(node)?;
        let legal = group.len() <= MAX_GROUP_BYTES && !group.chars().any(char::is_control);
        if legal {
            Ok(group)
        } else {
            Err(Problem::new("this is not a valid consumer group", "use at most 255 characters"))
        }
    });
    let consumers = kafka.get("consumers", integer(1..=MAX_CONSUMERS)).unwrap_or(1);
    let format = kafka.get("format", choice(FORMATS, &["avro"])).unwrap_or(RecordFormat::CloudEvents);
    let key_format = kafka.get("key_format", choice(KEY_FORMATS, &["avro"])).unwrap_or_default();
    let tombstones = kafka.get("tombstones", choice(TOMBSTONES, &[])).unwrap_or_default();
    kafka.finish();
    let filter = section.get("filter", filter).map(Arc::new);
    section.finish();
    let reading = SourceReading { key_format, tombstones, filter };
    Source { topics, group, consumers, format, reading }
}

fn filter(node: &Node) -> Result<Condition, Problem> {
    let source = text(node)?;
    Condition::new("source.filter", &source).map_err(|error| {
        let help = "write a condition without braces, for example data.op in ['c', 'u']; docs/formats.md has more";
        Problem::new(format!("the condition is not valid: {}", error.message), help)
    })
}

fn topics(diagnostics: &Diagnostics, kafka: &mut Section<'_>) -> Vec<(Arc<str>, Location)> {
    let Some(topics) = kafka.list("topics", topic) else {
        if kafka.node("topics").is_none_or(|node| node.value == Value::Null) {
            kafka.missing("topics");
        }
        return Vec::new();
    };
    for (index, (topic, location)) in topics.iter().enumerate() {
        if topics.iter().take(index).any(|(earlier, _)| earlier == topic) {
            diagnostics.note(location, Problem::new(format!("{topic} is listed twice"), "keep one of the two"));
        }
    }
    topics
}
