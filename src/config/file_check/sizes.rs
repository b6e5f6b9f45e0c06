//! What goes with prompts that are longer than usual: clients and topics have limits of their own.

use crate::config::connector::ConnectorConfig;
use crate::config::diagnostics::{Diagnostics, Location};
use crate::config::document::{Node, Origin};
use crate::config::runtime::Checked;
use crate::config::values::Problem;
use crate::kafka::record_reader::{MAX_VALUE_BYTES, max_value_bytes};

/// What a dead letter may have beside its value: headers and the key.
const REST_BYTES: usize = 64 << 10;

/// What a topic takes where nobody has set `max.message.bytes`.
const USUAL_TOPIC_BYTES: usize = 1_048_588;

/// Memory that one setting should not take without a word.
const MUCH_MEMORY: usize = 1 << 30;

/// Options of the client that refuse a record, with the bytes of their unit.
const OPTIONS: [(&str, usize); 4] = [
    ("message.max.bytes", 1),
    ("receive.message.max.bytes", 1),
    ("queue.buffering.max.kbytes", 1024),
    ("queued.max.messages.kbytes", 1024),
];

/// Notes the settings that are too small for the longest events of a connector, and returns what the files cannot tell.
pub(super) fn check(
    diagnostics: &Diagnostics,
    root: &Node,
    connector: &ConnectorConfig,
    checked: &Checked,
) -> Vec<String> {
    let chars = connector.spec.checks.max_prompt_chars;
    let value = max_value_bytes(chars);
    let needed = value + REST_BYTES;
    if value <= MAX_VALUE_BYTES {
        return Vec::new();
    }
    for (option, unit) in OPTIONS {
        let limit = checked.client.get(option).and_then(|value| value.parse::<usize>().ok());
        if let Some(limit) = limit.filter(|limit| limit.saturating_mul(unit) < needed) {
            let message = format!("events may have {value} bytes then, and kafka.client.{option} is {limit}");
            let help =
                format!("set {option} to at least {}, take it out, or lower max_prompt_chars", needed.div_ceil(unit));
            diagnostics.note(&location(root), Problem::new(message, help));
        }
    }
    let mut notes = Vec::new();
    if needed > USUAL_TOPIC_BYTES {
        notes.push(format!(
            "events may have {value} bytes: the topics of events and of dead letters need max.message.bytes of at least {needed}, \
             which is {USUAL_TOPIC_BYTES} where nobody has set it"
        ));
    }
    // The event, its text and its prompt.
    let memory = connector.topics.max_in_flight.saturating_mul(value).saturating_mul(3);
    if memory > MUCH_MEMORY {
        notes.push(format!(
            "delivery.max_in_flight of {} such events can take {} MiB of memory; lower it where many are that long",
            connector.topics.max_in_flight,
            memory >> 20
        ));
    }
    let shown = |note: String| format!("{}: note: options.max_prompt_chars: {note}", connector.path.display());
    notes.into_iter().map(shown).collect()
}

/// Where `options.max_prompt_chars` is written.
fn location(root: &Node) -> Location {
    let origin = root.origin_at("/options/max_prompt_chars");
    let origin = if origin == root.origin { Origin::Whole } else { origin };
    Location { origin, path: "options.max_prompt_chars".to_owned() }
}
