//! `demo`: the whole product without anything around it. A broker inside the process, the real consumer, pipeline and
//! producer, and the offline extractor, or the model that was asked for.
//!
//! [`provider_choice`] says who answers, [`mod@feed`] sends the records and reads the outcomes, [`watch`] shows how far
//! they are and gives up where waiting is no use, [`ledger`] accounts for each record, [`show`] prints. Without input
//! or connector of the user's, [`story`] adds what takes a model that errs ([`scripted`]) and a process that is killed.

mod columns;
mod events;
mod feed;
mod files;
mod ledger;
mod next_step;
mod places;
mod provider_choice;
mod scripted;
mod show;
mod status_line;
mod story;
mod tally;
mod tour;
mod watch;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::{Exit, log_panics, runtime, say};
use crate::app::App;
use crate::app::errors::AppError;
use crate::app::roles::Role;
use crate::config::{Findings, parse_duration};
use crate::delivery::outcome::Observer;
use crate::kafka::embedded::EmbeddedCluster;
use crate::kafka::settings::{Guarantee, TopicSettings};
use crate::store::settings::StoreUrl;
use crate::tasks::Tasks;
use crate::telemetry::logging;
use crate::telemetry::settings::{LogFormat, LogSettings};
use feed::{Fed, feed};
use files::Files;
use ledger::Ledger;
use provider_choice::Choice;
use tally::Tally;
use watch::{GaveUp, Watch};

const EVENTS: &str = include_str!("../../examples/support-triage/events.jsonl");
/// Enough to show that partitions are worked on side by side.
const PARTITIONS: i32 = 6;
const GRACE: Duration = Duration::from_secs(5);

/// Run a connector over example events: no Kafka, no key, no network.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Events to send, one a line: CloudEvents in the JSON format, or what the connector's format says; - reads
    /// standard input [default: 200 and more support tickets, some of them bad].
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Connector to run; the provider that its options name is asked [default: the built-in support triage].
    #[arg(long, value_name = "FILE")]
    connector: Option<PathBuf>,
    /// Provider to ask, whatever the connector says: gpt, claude, gemini, llama, or one of --config. Its key must be
    /// set, and it may cost money [default: offline, which is rules and no model].
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Runtime configuration whose providers are asked, caches and routing included; its brokers, HTTP address and
    /// store are not used.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Give up after this time, for example 30s or 5m [default: when waiting cannot help].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// Print one JSON object with the counts instead of the report.
    #[arg(long)]
    json: bool,
    /// Write the results to this file, one CloudEvent in the JSON format a line.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Write the dead letters to this file, one JSON object a line.
    #[arg(long, value_name = "FILE")]
    dead_letters: Option<PathBuf>,
    /// Write the metrics to this file at the end.
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Leave the broker and HTTP running afterwards, and say how to reach them.
    #[arg(long)]
    keep: bool,
}

impl Args {
    /// Without anything of the user's it is the whole show.
    fn is_tour(&self) -> bool {
        [&self.input, &self.connector, &self.config].iter().all(|path| path.is_none()) && self.provider.is_none()
    }
}

#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("{0}")]
    Configuration(#[from] Findings),
    #[error("--provider: {0}")]
    UnknownProvider(String),
    #[error("--provider: the provider {provider} cannot be used: {variable} is not set; set it to the API key")]
    NoKey { provider: String, variable: String },
    #[error(transparent)]
    App(#[from] AppError),
    #[error("{}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the embedded broker: {0}")]
    Kafka(#[from] KafkaError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl DemoError {
    fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    fn exit_code(&self) -> Exit {
        match self {
            Self::Configuration(_)
            | Self::UnknownProvider(_)
            | Self::NoKey { .. }
            | Self::App(_)
            | Self::File { .. } => Exit::WrongUse,
            Self::Kafka(_) | Self::Io(_) => Exit::Failed,
        }
    }
}

/// Runs the demonstration. Exit code: 0 if every record sent is in the results or the dead letters, 1 if not, 2 for
/// wrong arguments.
pub fn run(args: &Args) -> Exit {
    let log = LogSettings { format: LogFormat::Text, filter: "error".to_owned() };
    if let Err(error) = logging::init(&log, logging::Target::Stderr) {
        say(error);
        return Exit::WrongUse;
    }
    log_panics();
    let outcome = runtime().map_err(DemoError::from).and_then(|runtime| runtime.block_on(demonstrate(args)));
    match outcome {
        Ok(true) => Exit::Done,
        Ok(false) => Exit::Failed,
        Err(error) => {
            say(&error);
            error.exit_code()
        }
    }
}

async fn demonstrate(args: &Args) -> Result<bool, DemoError> {
    let started_at = Instant::now();
    let mut choice = provider_choice::choose(args)?;
    say(&choice.sentence);
    if choice.connector.topics.guarantee == Guarantee::ExactlyOnce {
        say("The broker in this process knows no transactions to rely on: this demonstration is at-least-once.");
        choice.connector.topics.guarantee = Guarantee::AtLeastOnce;
    }
    let input = read_input(args)?;
    // An editor's byte-order mark is no part of the first event.
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&input);
    let records = events::records(input, choice.connector.topics.format);
    let files = Files::create(args)?;
    if records.is_empty() {
        return nothing_to_do(args, &choice, files);
    }
    let mut out = io::stdout();
    if !args.json {
        tour::introduce(&mut out, args, &choice)?;
    }

    let topics = choice.connector.topics.clone();
    let cluster = EmbeddedCluster::start(to_create(&topics, args.is_tour()))?;
    let brokers = cluster.bootstrap_servers();
    let story = args.is_tour().then(|| story::begin(&brokers, &Tasks::new(Handle::current())));
    let Choice { mut runtime, connector, providers, sentence: _ } = choice;
    runtime.kafka.brokers = vec![brokers.clone()];
    // Nobody waits for this member's partitions, and a busy machine must not cost it the group.
    runtime.kafka.client.entry("session.timeout.ms".to_owned()).or_insert_with(|| "45000".to_owned());
    runtime.http.listen.set_port(0);
    // A demonstration leaves nothing behind.
    runtime.store.url = StoreUrl::Memory;
    let tally = Arc::new(Tally::default());
    let app = App::start(&Role::ALL, runtime, vec![connector], Some(Arc::clone(&tally) as Arc<dyn Observer>)).await?;
    let mut watch = Watch::new(&app, &tally, records.len(), started_at, args.timeout);
    let fed = feed(&brokers, &topics, &records, &mut watch).await?;
    files.write(&fed.results, &fed.dead_letters, &app.metrics().unwrap_or_default())?;

    let ledger = Ledger::of(&records, &topics, &fed, tally.duration());
    if let Some(GaveUp(why)) = &fed.gave_up {
        say(why);
    }
    let show = tour::Show { args, records: &records, format: topics.format, fed: &fed, ledger: &ledger };
    let is_told = if args.json {
        let (told, is_told) = tour::in_json(story, started_at, args.timeout).await;
        print_json(&mut out, &ledger, &providers, &fed, told)?;
        is_told
    } else {
        show.print(&mut out, story, started_at).await?
    };
    if args.keep && fed.gave_up.is_none() {
        keep(&brokers, &app, &topics.sink_topic).await?;
    }
    // What was given up is not waited for any more.
    let grace = if fed.gave_up.is_some() { Duration::ZERO } else { GRACE };
    let is_drained = app.drain(grace).await;
    Ok(is_drained && is_told && fed.gave_up.is_none() && ledger.is_complete())
}

fn to_create(topics: &TopicSettings, has_story: bool) -> Vec<(&str, i32)> {
    let topics = topics.source_topics.iter().chain(topics.outputs());
    let own: BTreeSet<&str> = topics.map(|topic| &**topic).collect();
    let of_story = story::TOPICS.into_iter().filter(|_| has_story);
    own.into_iter().map(|topic| (topic, PARTITIONS)).chain(of_story).collect()
}

fn nothing_to_do(args: &Args, choice: &Choice, files: Files<'_>) -> Result<bool, DemoError> {
    let input = args.input.as_deref().unwrap_or(Path::new("-"));
    let name = if input == Path::new("-") { "standard input".to_owned() } else { input.display().to_string() };
    files.write(&[], &[], "")?;
    let mut out = io::stdout();
    if args.json {
        print_json(&mut out, &Ledger::default(), &choice.providers, &Fed::default(), Map::new())?;
        say(format_args!("nothing to do: {name} has no records"));
    } else {
        writeln!(out, "nothing to do: {name} has no records")?;
    }
    Ok(true)
}

fn print_json(
    out: &mut dyn Write,
    ledger: &Ledger,
    providers: &[String],
    fed: &Fed,
    told: Map<String, Value>,
) -> io::Result<()> {
    let mut summary = ledger.json();
    summary.insert("providers".to_owned(), json!(providers));
    summary.insert("gave_up".to_owned(), json!(fed.gave_up.as_ref().map(|GaveUp(why)| why)));
    summary.extend(told);
    writeln!(out, "{}", Value::Object(summary))
}

fn read_input(args: &Args) -> Result<Vec<u8>, DemoError> {
    match args.input.as_deref() {
        None => Ok(EVENTS.as_bytes().to_vec()),
        Some(path) if path == Path::new("-") => {
            let mut text = Vec::new();
            io::stdin().lock().read_to_end(&mut text)?;
            Ok(text)
        }
        Some(path) => fs::read(path).map_err(|source| DemoError::file(path, source)),
    }
}

async fn keep(brokers: &str, app: &App, topic: &str) -> io::Result<()> {
    say(format_args!(
        "\nThe broker and HTTP go on until Ctrl-C. Try:\n  \
         kcat -b {brokers} -t {topic} -C -o beginning -e -f '%k  %s\\n'\n  \
         curl http://{http}/v1/health\n  curl http://{http}/v1/metrics",
        http = app.http_address()
    ));
    tokio::signal::ctrl_c().await
}
