//! The sections `source`, `sink`, `dead_letter` and `delivery`.

use std::sync::Arc;
use std::time::Duration;

use crate::config::connector::RuntimeDefaults;
use crate::config::document::{Node, Value};
use crate::config::section::{Diagnostics, Location, Section};
use crate::config::units::duration;
use crate::config::values::{Problem, choice, integer, text, topic};
use crate::kafka::settings::{Guarantee, Ordering, RecordFormat, TopicSettings};

/// Enough to keep a provider busy that answers in a second at 250 records per second.
const DEFAULT_IN_FLIGHT: u32 = 256;

/// Each record in flight is kept in memory; beyond this, more instances are the better answer.
const MAX_IN_FLIGHT: u32 = 100_000;

/// Kafka's own limit for a group's name is that of a short string in its protocol.
const MAX_GROUP_BYTES: usize = 255;

type Topic = (Arc<str>, Location);

/// Topics as far as they could be read.
pub(super) struct Topics {
    pub(super) sources: Vec<Topic>,
    pub(super) sink: Option<Topic>,
    pub(super) dead_letter: Option<Topic>,
    pub(super) group: String,
    format: RecordFormat,
    delivery: Delivery,
}

/// The section `delivery`.
struct Delivery {
    guarantee: Guarantee,
    deduplicate: Option<Duration>,
    ordering: Ordering,
    max_in_flight: u32,
}

impl Topics {
    /// The settings, if nothing is missing.
    pub(super) fn settings(&self) -> Option<TopicSettings> {
        let topic = |topic: &Option<Topic>| topic.as_ref().map(|(topic, _)| Arc::clone(topic));
        Some(TopicSettings {
            source_topics: self.sources.iter().map(|(topic, _)| Arc::clone(topic)).collect(),
            group: self.group.clone(),
            format: self.format,
            sink_topic: topic(&self.sink)?,
            dead_letter_topic: topic(&self.dead_letter)?,
            guarantee: self.delivery.guarantee,
            deduplicate: self.delivery.deduplicate,
            ordering: self.delivery.ordering,
            max_in_flight: self.delivery.max_in_flight as usize,
        })
    }
}

pub(super) fn read(
    diagnostics: &Diagnostics,
    root: &mut Section<'_>,
    name: &str,
    defaults: &RuntimeDefaults,
) -> Topics {
    const FORMATS: &[(&str, RecordFormat)] =
        &[("cloudevents", RecordFormat::CloudEvents), ("json", RecordFormat::Json), ("text", RecordFormat::Text)];
    let mut source = root.section("source");
    let mut kafka = source.section("kafka");
    let sources = sources(diagnostics, &mut kafka);
    let group = kafka.get("group", |node| {
        let group = text(node)?;
        let legal = group.len() <= MAX_GROUP_BYTES && !group.chars().any(char::is_control);
        if legal {
            Ok(group)
        } else {
            Err(Problem::new("this is not a valid consumer group", "use at most 255 characters"))
        }
    });
    let format = kafka.get("format", choice(FORMATS, &["avro"])).unwrap_or(RecordFormat::CloudEvents);
    kafka.finish();
    source.finish();
    let mut sink = root.section("sink");
    let mut kafka = sink.section("kafka");
    let sink_topic = required_topic(&mut kafka);
    kafka.get("format", choice(&[("cloudevents", ())], &["avro"]));
    kafka.finish();
    sink.finish();
    let mut dead_letter = root.section("dead_letter");
    let mut kafka = dead_letter.section("kafka");
    let dead_letter_topic = required_topic(&mut kafka);
    kafka.finish();
    dead_letter.finish();
    let delivery = delivery(root.section("delivery"), format, defaults);
    let group = group.unwrap_or_else(|| name.to_owned());
    Topics { sources, sink: sink_topic, dead_letter: dead_letter_topic, group, format, delivery }
}

fn sources(diagnostics: &Diagnostics, kafka: &mut Section<'_>) -> Vec<Topic> {
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

fn required_topic(kafka: &mut Section<'_>) -> Option<Topic> {
    kafka.require("topic", topic).map(|topic| (topic, kafka.location_of("topic")))
}

/// The time for which an event has one outcome.
fn window(node: &Node, format: RecordFormat, defaults: &RuntimeDefaults) -> Result<Duration, Problem> {
    let window = duration(node).map_err(|problem| problem.help("write for example 24h, or off"))?;
    if window.is_zero() {
        return Err(Problem::new("a window of no time has room for nothing", "write for example 24h, or off"));
    }
    if format != RecordFormat::CloudEvents {
        let help = "write off, or send CloudEvents";
        return Err(Problem::new("only CloudEvents have an id by which a repetition is known", help));
    }
    if !defaults.has_store {
        return Err(Problem::new(
            "without a store nobody remembers which events had an outcome",
            "set store.url, or write off",
        ));
    }
    Ok(window)
}

fn delivery(mut section: Section<'_>, format: RecordFormat, defaults: &RuntimeDefaults) -> Delivery {
    const GUARANTEES: &[(&str, Guarantee)] =
        &[("at-least-once", Guarantee::AtLeastOnce), ("exactly-once", Guarantee::ExactlyOnce)];
    const ORDERINGS: &[(&str, Ordering)] =
        &[("partition", Ordering::Partition), ("key", Ordering::Key), ("none", Ordering::None)];
    let guarantee = section.get("guarantee", choice(GUARANTEES, &[])).unwrap_or(Guarantee::AtLeastOnce);
    let ordering = section.get("ordering", choice(ORDERINGS, &[])).unwrap_or(Ordering::Partition);
    let max_in_flight = section.get("max_in_flight", integer(1..=MAX_IN_FLIGHT)).unwrap_or(DEFAULT_IN_FLIGHT);
    let deduplicate = section.get("deduplicate", |node| match text(node) {
        Ok(word) if word == "off" => Ok(None),
        _ => window(node, format, defaults).map(Some),
    });
    section.finish();
    Delivery { guarantee, deduplicate: deduplicate.flatten(), ordering, max_in_flight }
}
