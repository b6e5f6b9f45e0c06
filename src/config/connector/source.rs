//! The section `source`.

use std::sync::Arc;

use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::Value;
use crate::config::section::Section;
use crate::config::values::{Problem, choice, integer, text, topic};
use crate::kafka::settings::RecordFormat;

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
}

/// Reads the section.
pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>) -> Source {
    const FORMATS: &[(&str, RecordFormat)] =
        &[("cloudevents", RecordFormat::CloudEvents), ("json", RecordFormat::Json), ("text", RecordFormat::Text)];
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
    kafka.finish();
    section.finish();
    Source { topics, group, consumers, format }
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
