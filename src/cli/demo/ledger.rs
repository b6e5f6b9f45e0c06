//! The closing account: each record that was sent, against what a plain reader found on the topics. Nothing in it is
//! the connector's own count.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::events::{header, number};
use super::feed::Fed;
use crate::codec::cloudevents;
use crate::domain::record::{Outgoing, Position, Record};
use crate::kafka::settings::{RecordFormat, TopicSettings};

/// What became of the records.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    received: usize,
    results: usize,
    dead_letters_by_code: BTreeMap<String, usize>,
    /// Records without an outcome of their own, because their event had one.
    repeats: usize,
    /// Outcomes of records that had one before.
    repeated_outcomes: usize,
    lost: usize,
    cache_hits: usize,
    flags: BTreeMap<String, usize>,
    duration: Duration,
}

impl Ledger {
    pub(super) fn of(records: &[Outgoing], topics: &TopicSettings, fed: &Fed, duration: Duration) -> Self {
        let mut ledger = Self { received: records.len(), results: fed.results.len(), duration, ..Self::default() };
        for letter in &fed.dead_letters {
            let code = header(letter, "sp-error-code").unwrap_or_else(|| "(none)".to_owned());
            *ledger.dead_letters_by_code.entry(code).or_default() += 1;
        }
        for result in &fed.results {
            ledger.cache_hits += usize::from(header(result, "ce_cachehit").is_some_and(|hit| hit != "none"));
            let flags = header(result, "ce_flags").unwrap_or_default();
            for flag in flags.split(',').filter(|flag| !flag.is_empty()) {
                *ledger.flags.entry(flag.to_owned()).or_default() += 1;
            }
        }
        ledger.settle(records, topics, fed);
        ledger
    }

    /// Finds each record's outcomes.
    fn settle(&mut self, records: &[Outgoing], topics: &TopicSettings, fed: &Fed) {
        let mut outcomes = vec![0_usize; records.len()];
        let mut without_number = 0;
        for outcome in fed.results.iter().chain(&fed.dead_letters) {
            match number(outcome).and_then(|number| outcomes.get_mut(number)) {
                Some(count) => *count += 1,
                None => without_number += 1,
            }
        }
        self.repeated_outcomes = outcomes.iter().map(|count| count.saturating_sub(1)).sum();
        let (open, settled): (Vec<_>, Vec<_>) = records.iter().zip(&outcomes).partition(|(_, count)| **count == 0);
        let mut open = open.len();
        if topics.deduplicate.is_some() && topics.format == RecordFormat::CloudEvents {
            let answered: HashSet<_> = settled.iter().filter_map(|(record, _)| identity(record)).collect();
            let of_open = records.iter().zip(&outcomes).filter(|(_, count)| **count == 0);
            let is_repeat = |record: &Outgoing| identity(record).is_some_and(|event| answered.contains(&event));
            self.repeats = of_open.filter(|(record, _)| is_repeat(record)).count();
            open -= self.repeats;
        }
        self.lost = open.saturating_sub(without_number);
    }

    /// Every record sent has its outcome.
    pub(super) fn is_complete(&self) -> bool {
        self.lost == 0
    }

    pub(super) fn json(&self) -> Map<String, Value> {
        let value = json!({
            "received": self.received,
            "results": self.results,
            "dead_letters": self.dead_letters(),
            "dead_letters_by_code": self.dead_letters_by_code,
            "repeats": self.repeats,
            "repeated_outcomes": self.repeated_outcomes,
            "lost": self.lost,
            "cache_hits": self.cache_hits,
            "low_confidence": self.flag("low-confidence"),
            "flags": self.flags,
            "seconds": (self.duration.as_secs_f64() * 1000.0).round() / 1000.0,
        });
        match value {
            Value::Object(fields) => fields,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
        }
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (cached, low) = (self.cache_hits, self.flag("low-confidence"));
        writeln!(out, "   in            {:>6}   records sent", self.received)?;
        writeln!(out, "   results       {:>6}   {cached} from the cache, {low} flagged low-confidence", self.results)?;
        let letters = format!("   dead letters  {:>6}   {}", self.dead_letters(), self.codes());
        writeln!(out, "{}", letters.trim_end())?;
        if self.repeats > 0 {
            writeln!(
                out,
                "   repetitions   {:>6}   of events that had an outcome (delivery.deduplicate)",
                self.repeats
            )?;
        }
        if self.repeated_outcomes > 0 {
            writeln!(
                out,
                "   repeated      {:>6}   outcomes, with the ce_id that they had before",
                self.repeated_outcomes
            )?;
        }
        writeln!(out, "   lost          {:>6}\n", self.lost)?;
        writeln!(out, "   {}", self.verdict())
    }

    fn verdict(&self) -> String {
        let mut sum = format!("{} results + {} dead letters", self.results, self.dead_letters());
        if self.repeats > 0 {
            sum += &format!(" + {} repetitions", self.repeats);
        }
        if self.repeated_outcomes > 0 {
            sum += &format!(" - {} repeated outcomes", self.repeated_outcomes);
        }
        if self.is_complete() {
            format!("{} in = {sum}: every record has its outcome.", self.received)
        } else {
            format!("INCOMPLETE: {} in = {sum} + {} without an outcome.", self.received, self.lost)
        }
    }

    fn codes(&self) -> String {
        let codes: Vec<String> =
            self.dead_letters_by_code.iter().map(|(code, count)| format!("{code} {count}")).collect();
        let mut text = codes.join(", ");
        // A list that does not fit stands in the lines below.
        if text.chars().count() > 70 {
            text =
                codes.chunks(3).map(|codes| codes.join(", ")).collect::<Vec<_>>().join(",\n                         ");
        }
        text
    }

    fn flag(&self, name: &str) -> usize {
        self.flags.get(name).copied().unwrap_or_default()
    }

    fn dead_letters(&self) -> usize {
        self.dead_letters_by_code.values().sum()
    }
}

/// What makes an event the same as another one.
fn identity(sent: &Outgoing) -> Option<(String, String)> {
    let event = cloudevents::decode(&as_record(sent)).ok()?;
    Some((event.source, event.id))
}

/// A record that was sent, as a reader of its topic has it.
pub(super) fn as_record(sent: &Outgoing) -> Record {
    let position = Position { topic: "".into(), partition: 0, offset: 0 };
    let Outgoing { key, value, headers, timestamp_ms } = sent.clone();
    Record { position, timestamp_ms, key, value, headers }
}
