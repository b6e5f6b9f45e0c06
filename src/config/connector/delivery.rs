//! The section `delivery`.

use std::time::Duration;

use crate::config::connector::RuntimeDefaults;
use crate::config::document::Node;
use crate::config::section::Section;
use crate::config::units::duration;
use crate::config::values::{Problem, choice, integer, text};
use crate::kafka::settings::{Guarantee, Ordering, RecordFormat};

/// Enough to keep a provider busy that answers in a second at 250 records per second.
const DEFAULT_IN_FLIGHT: u32 = 256;

/// Each record in flight is kept in memory; beyond this, more instances are the better answer.
const MAX_IN_FLIGHT: u32 = 100_000;

/// How outcomes are delivered.
pub(super) struct Delivery {
    pub(super) guarantee: Guarantee,
    pub(super) deduplicate: Option<Duration>,
    pub(super) ordering: Ordering,
    pub(super) max_in_flight: u32,
}

/// Reads the section of a connector whose events have this format.
pub(super) fn read(mut section: Section<'_>, format: RecordFormat, defaults: &RuntimeDefaults) -> Delivery {
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
