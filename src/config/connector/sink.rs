//! The sections `sink`, `dead_letter` and `review`.

use std::sync::Arc;

use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Value};
use crate::config::section::Section;
use crate::config::values::{Problem, choice, text, topic};
use crate::kafka::settings::{ResultFormat, ResultWriting, TopicChoice};
use crate::prompt::template::expression::ResultText;

/// A topic and where it is written; none if that is missing.
pub(super) type Target = Option<(Arc<str>, Location)>;

/// Where results go, and how they are written.
pub(super) struct Sink {
    /// The topics that results may go to; none if that is missing.
    pub(super) topics: Vec<(Arc<str>, Location)>,
    pub(super) results: ResultWriting,
}

/// Where results go.
pub(super) fn read(diagnostics: &Diagnostics, mut section: Section<'_>) -> Sink {
    const FORMATS: &[(&str, ResultFormat)] = &[
        ("cloudevents", ResultFormat::CloudEvents),
        ("cloudevents-structured", ResultFormat::CloudEventsStructured),
        ("json", ResultFormat::Json),
    ];
    let mut kafka = section.section("kafka");
    let is_chosen = kafka.node("topic").is_some_and(|node| text(node).is_ok_and(|topic| topic.contains('{')));
    let (topics, topic) = if is_chosen {
        let topics = allowed_topics(&mut kafka);
        let text = kafka.get("topic", |node| result_text("sink.kafka.topic", node));
        let names = topics.iter().map(|(topic, _)| Arc::clone(topic)).collect();
        (topics, text.map(|text| Arc::new(TopicChoice { text, topics: names })))
    } else {
        if kafka.node("topics").is_some_and(|node| node.value != Value::Null) {
            let help = "write a template in topic, for example orders.{{ result.region }}, or leave topics out";
            let problem = Problem::new("the topic is always the same, so there is nothing to choose from", help);
            diagnostics.note(&kafka.location_of("topics"), problem);
        }
        (required_topic(&mut kafka).into_iter().collect(), None)
    };
    let key = kafka.get("key", |node| result_text("sink.kafka.key", node)).map(Arc::new);
    let format = kafka.get("format", choice(FORMATS, &["avro"])).unwrap_or_default();
    kafka.finish();
    section.finish();
    Sink { topics, results: ResultWriting { format, key, topic } }
}

/// The topics that a template may come to. Without them, whoever sends an event could name any topic.
fn allowed_topics(kafka: &mut Section<'_>) -> Vec<(Arc<str>, Location)> {
    let topics = kafka.list("topics", topic).unwrap_or_default();
    if kafka.node("topics").is_none_or(|node| node.value == Value::Null) {
        kafka.missing("topics");
    }
    topics
}

fn result_text(key: &'static str, node: &Node) -> Result<ResultText, Problem> {
    let source = text(node)?;
    ResultText::new(key, &source).map_err(|error| {
        let help = "it sees data, event, key, headers, and result, the answer's data; docs/formats.md has examples";
        Problem::new(format!("the template is not valid: {}", error.message), help)
    })
}

/// Where dead letters go.
pub(super) fn read_dead_letter(mut section: Section<'_>) -> Target {
    let mut kafka = section.section("kafka");
    let target = required_topic(&mut kafka);
    kafka.finish();
    section.finish();
    target
}

/// Where results go that a person should see first, if that is written.
pub(super) fn read_review(root: &mut Section<'_>) -> Target {
    let is_written = root.node("review").is_some_and(|node| node.value != Value::Null);
    let mut section = root.section("review");
    let mut kafka = section.section("kafka");
    let target = if is_written { required_topic(&mut kafka) } else { optional_topic(&mut kafka) };
    kafka.finish();
    section.finish();
    target
}

fn optional_topic(kafka: &mut Section<'_>) -> Target {
    kafka.get("topic", topic).map(|topic| (topic, kafka.location_of("topic")))
}

fn required_topic(kafka: &mut Section<'_>) -> Target {
    kafka.require("topic", topic).map(|topic| (topic, kafka.location_of("topic")))
}
