//! The sections `sink`, `dead_letter` and `review`.

use std::sync::Arc;

use crate::config::diagnostics::Location;
use crate::config::document::Value;
use crate::config::section::Section;
use crate::config::values::{choice, topic};

/// A topic and where it is written; none if that is missing.
pub(super) type Target = Option<(Arc<str>, Location)>;

/// Where results go.
pub(super) fn read(mut section: Section<'_>) -> Target {
    let mut kafka = section.section("kafka");
    let target = required_topic(&mut kafka);
    kafka.get("format", choice(&[("cloudevents", ())], &["avro"]));
    kafka.finish();
    section.finish();
    target
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
