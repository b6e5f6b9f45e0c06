//! Records are sent again.

use std::io::{self, Write};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::changed::ChangeArgs;
use super::letters::{LetterArgs, LetterSources};
use super::{CommandError, OutputFormat, name, stats};
use crate::app::asking_again::AskingAgain;
use crate::cli::{Exit, say};
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::kafka::dead_letters::destinations::Destinations;
use crate::kafka::dead_letters::replay::{ReplayProgress, ReplaySettings, dry_run, execute};
use crate::kafka::dead_letters::summary::ReplaySummary;

/// How often is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    letters: LetterArgs,
    /// Only letters of records about which this provider was asked
    #[arg(long, value_name = "PROVIDER")]
    asked: Option<String>,
    #[command(flatten)]
    changes: ChangeArgs,
    /// Send the records; otherwise it is only said what would be sent
    #[arg(long)]
    execute: bool,
    /// Records a second at most
    #[arg(long, value_name = "NUMBER")]
    rate: Option<NonZeroU32>,
    /// Send all to this topic, not to those that they came from
    #[arg(
        long,
        value_name = "TOPIC",
        conflicts_with_all = ["provider", "schema", "prompt_file", "confidence_threshold"]
    )]
    to: Option<String>,
    /// A file that names this replay: with one that is not there it begins anew, and goes on where it ended with the
    /// same file. Without, the same arguments are the same replay
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

impl ReplayArgs {
    /// What makes this replay another than others.
    fn identity(&self, sources: &LetterSources, changed: Option<&ConnectorConfig>) -> Value {
        let filter = &self.letters.filter;
        let mut codes = filter.codes.clone();
        codes.sort_unstable();
        codes.dedup();
        json!({
            "topics": sources.topics(),
            "connector": filter.connector,
            "codes": codes,
            "stage": filter.stage,
            "since": filter.since.as_ref().map(|moment| &moment.text),
            "until": filter.until.as_ref().map(|moment| &moment.text),
            "key": filter.key,
            "headers": filter.headers,
            "asked": self.asked,
            "at": filter.place.as_ref().map(ToString::to_string),
            "to": self.to,
            "config": changed.map(|connector| &connector.config_hash),
        })
    }
}

/// Says what would be sent, or sends it. Letters that were meant and left alone are the exit code 1.
pub(super) fn replay(args: &ReplayArgs, out: &mut dyn Write) -> Result<Exit, CommandError> {
    let sources = LetterSources::read(&args.letters)?;
    let topics = sources.topics();
    if let Some(to) = args.to.as_deref().filter(|to| topics.iter().any(|topic| **topic == **to)) {
        return Err(CommandError::WrongUse(format!("--to: {to} is a dead-letter topic that is read")));
    }
    let changed = args.changes.connector(&sources)?;
    let identity = args.identity(&sources, changed.as_ref());
    let name = match &args.state {
        Some(path) => name::of_file(path, &identity, args.execute)?,
        None => name::of_arguments(&identity),
    };
    let filter = &args.letters.filter;
    let mut selection = filter.selection(args.asked.as_ref());
    if let Some(connector) = &changed {
        // Topics may have letters of other connectors, too.
        selection.connector = Some(connector.name.to_string());
    }
    let settings = ReplaySettings {
        kafka: &sources.runtime.kafka,
        name: &name,
        topics: &topics,
        selection: &selection,
        rate: args.rate,
        limit: filter.limit.map(NonZeroU64::get),
    };
    let mut resend = match &changed {
        Some(connector) => {
            Destinations { to: Some(Arc::clone(&connector.topics.sink_topic)), ..Destinations::default() }
        }
        None => sources.destinations(args.to.as_deref()),
    };
    let summary = match changed {
        _ if !args.execute => dry_run(&settings, &mut resend, &mut teller())?,
        None => execute(&settings, &mut resend, &mut teller())?,
        Some(connector) => ask_again(&settings, sources.runtime.clone(), connector)?,
    };
    match args.letters.output {
        OutputFormat::Json => writeln!(out, "{}", as_json(&summary, &name))?,
        OutputFormat::Table => as_table(&summary, args.execute, &name, out)?,
    }
    let is_done = !args.execute || summary.skipped() == 0;
    Ok(if is_done { Exit::Done } else { Exit::Failed })
}

/// Asks what this connector asks, and publishes what becomes of it.
fn ask_again(
    settings: &ReplaySettings<'_>,
    runtime: RuntimeConfig,
    connector: ConnectorConfig,
) -> Result<ReplaySummary, CommandError> {
    let executor = crate::cli::runtime()?;
    let mut asking = executor.block_on(AskingAgain::start(runtime, connector))?;
    let summary = execute(settings, &mut asking, &mut teller());
    executor.block_on(asking.finish());
    Ok(summary?)
}

/// Tells from time to time how far it is.
fn teller() -> impl FnMut(ReplayProgress) {
    let mut told_at = Instant::now();
    move |ReplayProgress { read, total, sent }| {
        if told_at.elapsed() >= TELL_EVERY {
            told_at = Instant::now();
            say(format_args!("read {read} of {total}, sent {sent}"));
        }
    }
}

fn as_json(summary: &ReplaySummary, name: &str) -> Value {
    let skipped_by_reason = summary.left_alone.iter().map(|(why, count)| (why.as_str().to_owned(), (*count).into()));
    let by_topic = summary.by_topic.iter().map(|(topic, count)| (topic.to_string(), (*count).into()));
    json!({
        "matched": summary.matched,
        "sent": summary.sent,
        "skipped": summary.skipped(),
        "remaining": summary.remaining(),
        "by_code": stats::object(&summary.by_code),
        "by_topic": Value::Object(by_topic.collect()),
        "skipped_by_reason": Value::Object(skipped_by_reason.collect()),
        "group": name,
    })
}

fn as_table(summary: &ReplaySummary, is_sent: bool, name: &str, out: &mut dyn Write) -> io::Result<()> {
    let row = |text: &str, count: u64| format!("{text:<32} {count:>10}");
    writeln!(out, "{}", row("matched", summary.matched))?;
    writeln!(out, "{}", row("sent", summary.sent))?;
    writeln!(out, "{}", row("skipped", summary.skipped()))?;
    writeln!(out, "{}", row("remaining", summary.remaining()))?;
    stats::table("code", &summary.by_code, out)?;
    let headings = [(if is_sent { "SENT TO" } else { "WOULD BE SENT TO" }), "SKIPPED BECAUSE"];
    let by_topic = summary.by_topic.iter().map(|(topic, count)| row(topic, *count)).collect::<Vec<_>>();
    let by_reason = summary.left_alone.iter().map(|(why, count)| row(why.as_str(), *count)).collect::<Vec<_>>();
    for (heading, rows) in headings.into_iter().zip([by_topic, by_reason]) {
        if !rows.is_empty() {
            writeln!(out, "\n{heading}\n{}", rows.join("\n"))?;
        }
    }
    writeln!(out, "\nIts resume point is the consumer group {name}.")?;
    if !is_sent {
        writeln!(out, "This was a dry run; --execute sends.")?;
    }
    Ok(())
}
