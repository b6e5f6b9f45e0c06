//! The sections `sink` and `dead_letter`.

use std::sync::Arc;

use crate::config::diagnostics::Location;
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

fn required_topic(kafka: &mut Section<'_>) -> Target {
    kafka.require("topic", topic).map(|topic| (topic, kafka.location_of("topic")))
}
