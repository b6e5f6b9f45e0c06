//! How many letters there are of each kind.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::letters::for_each;
use super::{CommandError, OutputFormat, ReadArgs};
use crate::cli::Exit;
use crate::cli::terminal_text::in_line;
use crate::codec::dead_letter::DeadLetter;
use crate::domain::time;
use crate::kafka::dead_letters::summary::Counts;

/// What is counted of letters.
#[derive(Default)]
struct Tally {
    letters: u64,
    first_failed_at: Option<Duration>,
    last_failed_at: Option<Duration>,
    code: Counts,
    stage: Counts,
    connector: Counts,
    topic: Counts,
    provider: Counts,
    replays: Counts,
}

impl Tally {
    fn add(&mut self, letter: &DeadLetter) {
        self.letters += 1;
        if let Some(at) = letter.failed_at {
            self.first_failed_at = Some(self.first_failed_at.map_or(at, |first| first.min(at)));
            self.last_failed_at = self.last_failed_at.max(Some(at));
        }
        self.code.add(&letter.code);
        self.stage.add(&letter.stage);
        self.connector.add(&letter.connector);
        self.topic.add(&letter.source.position.topic);
        self.replays.add(&letter.replays().to_string());
        letter.providers().iter().for_each(|provider| self.provider.add(provider));
    }

    fn counts(&self) -> [(&'static str, &Counts); 6] {
        let Self { code, stage, connector, topic, provider, replays, .. } = self;
        [
            ("code", code),
            ("stage", stage),
            ("connector", connector),
            ("topic", topic),
            ("provider", provider),
            ("replays", replays),
        ]
    }

    fn as_json(&self, others: u64) -> Value {
        let time = |at: Option<Duration>| at.and_then(time::rfc3339);
        let mut members = Map::new();
        members.insert("letters".to_owned(), self.letters.into());
        members.insert("others".to_owned(), others.into());
        members.insert("first_failed_at".to_owned(), json!(time(self.first_failed_at)));
        members.insert("last_failed_at".to_owned(), json!(time(self.last_failed_at)));
        for (name, counts) in self.counts() {
            members.insert(format!("by_{name}"), object(counts));
        }
        Value::Object(members)
    }

    fn as_table(&self, others: u64, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{:<32} {:>10}", "letters", self.letters)?;
        if others > 0 {
            writeln!(out, "{:<32} {others:>10}", "records of other programs")?;
        }
        if let (Some(first), Some(last)) = (self.first_failed_at, self.last_failed_at) {
            let [first, last] = [first, last].map(|at| time::rfc3339(at).unwrap_or_default());
            writeln!(out, "failed between {first} and {last}")?;
        }
        for (name, counts) in self.counts() {
            table(name, counts, out)?;
        }
        Ok(())
    }
}

/// Counts as an object.
pub(super) fn object(counts: &Counts) -> Value {
    Value::Object(counts.iter().map(|(text, count)| (text.to_owned(), count.into())).collect())
}

/// Counts under a heading; nothing if there are none.
pub(super) fn table(name: &str, counts: &Counts, out: &mut dyn Write) -> io::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", name.to_uppercase())?;
    counts.iter().try_for_each(|(text, count)| writeln!(out, "{:<32} {count:>10}", in_line(text)))
}

/// Counts the letters that are meant.
pub(super) fn stats(args: &ReadArgs, out: &mut dyn Write) -> Result<Exit, CommandError> {
    let mut tally = Tally::default();
    let others = for_each(args, |letter| {
        tally.add(letter);
        Ok(())
    })?;
    match args.letters.output {
        OutputFormat::Json => writeln!(out, "{}", tally.as_json(others))?,
        OutputFormat::Table => tally.as_table(others, out)?,
    }
    Ok(Exit::Done)
}
