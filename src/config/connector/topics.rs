//! A connector's way through Kafka, from its sections `source`, `sink`, `dead_letter`, `review` and
//! `delivery`.

use std::sync::Arc;

use super::delivery::{self, Delivery};
use super::sink::{self, Sink, Target};
use super::source::{self, Source};
use crate::config::connector::RuntimeDefaults;
use crate::config::diagnostics::Diagnostics;
use crate::config::section::Section;
use crate::kafka::settings::TopicSettings;

/// The sections as far as they could be read.
pub(super) struct Topics {
    pub(super) source: Source,
    pub(super) sink: Sink,
    pub(super) dead_letter: Target,
    pub(super) review: Target,
    pub(super) group: String,
    delivery: Delivery,
}

impl Topics {
    /// The settings, if nothing is missing.
    pub(super) fn settings(&self) -> Option<TopicSettings> {
        let topic = |target: &Target| target.as_ref().map(|(topic, _)| Arc::clone(topic));
        Some(TopicSettings {
            source_topics: self.source.topics.iter().map(|(topic, _)| Arc::clone(topic)).collect(),
            group: self.group.clone(),
            consumers: self.source.consumers as usize,
            format: self.source.format,
            reading: self.source.reading.clone(),
            sink_topic: self.sink.topics.first().map(|(topic, _)| Arc::clone(topic))?,
            results: self.sink.results.clone(),
            dead_letter_topic: topic(&self.dead_letter)?,
            review_topic: topic(&self.review),
            guarantee: self.delivery.guarantee,
            deduplicate: self.delivery.deduplicate,
            ordering: self.delivery.ordering,
            max_in_flight: self.delivery.max_in_flight as usize,
        })
    }
}

/// Reads the sections. A connector without a group has one of its own `name`.
pub(super) fn read(
    diagnostics: &Diagnostics,
    root: &mut Section<'_>,
    name: &str,
    defaults: &RuntimeDefaults,
) -> Topics {
    let source = source::read(diagnostics, root.section("source"));
    let sink = sink::read(diagnostics, root.section("sink"));
    let dead_letter = sink::read_dead_letter(root.section("dead_letter"));
    let review = sink::read_review(root);
    let delivery = delivery::read(root.section("delivery"), source.format, defaults);
    let group = source.group.clone().unwrap_or_else(|| name.to_owned());
    Topics { source, sink, dead_letter, review, group, delivery }
}
