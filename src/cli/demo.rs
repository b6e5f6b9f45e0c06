//! `demo`: the whole product in one process. A broker inside the process, the real consumer, pipeline and producer, and
//! the offline extractor in place of a model.

mod events;
mod report;

use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;

use super::{Exit, log_panics, runtime, say};
use crate::app::{App, AppError};
use crate::config::connector::{self, ConnectorConfig, RuntimeDefaults};
use crate::config::runtime::{self as runtime_config, RuntimeConfig};
use crate::config::{Environment, Findings};
use crate::domain::record::{Outgoing, Record};
use crate::kafka::embedded::EmbeddedCluster;
use crate::kafka::plain;
use crate::kafka::settings::{Guarantee, RouteSettings};
use crate::kafka::work::{Observer, Outcome};
use crate::store::settings::StoreUrl;
use crate::telemetry::logging;
use crate::telemetry::settings::{LogFormat, LogSettings};
use report::Summary;

const CONNECTOR: &str = include_str!("../../connectors/support-triage.yaml");
const EVENTS: &str = include_str!("../../examples/support-triage/events.jsonl");
/// The provider that needs neither key nor network.
const OFFLINE: &str = "offline";
/// Enough to show that partitions are worked on side by side.
const PARTITIONS: i32 = 6;
/// Without any progress for this long, something is wrong. The embedded broker's first assignment takes three seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// Far below the five megabytes that the embedded broker keeps of a partition.
const PART_BYTES: usize = 1 << 20;
const GRACE: Duration = Duration::from_secs(5);

/// Run a connector over example events: no Kafka, no key, no network.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Events to send, one a line: CloudEvents in the JSON format, or what the connector's format says; - reads standard
    /// input [default: 200 and more support tickets, some of them bad].
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Connector to run [default: the built-in support triage].
    #[arg(long, value_name = "FILE")]
    connector: Option<PathBuf>,
    /// Runtime configuration whose providers are asked, caches and routing included; its brokers, HTTP address and store are
    /// not used [default: the offline extractor].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
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

#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("{0}")]
    Configuration(#[from] Findings),
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
    fn exit_code(&self) -> Exit {
        match self {
            Self::Configuration(_) | Self::App(_) | Self::File { .. } => Exit::WrongUse,
            Self::Kafka(_) | Self::Io(_) => Exit::Failed,
        }
    }
}

/// Runs the demonstration. Exit code: 0 if every record sent is in the results or the dead letters, 1 if not, 2 for wrong
/// arguments.
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
    let mut runtime = read_runtime(args)?;
    let mut connector = read_connector(args, &runtime)?;
    if connector.route.guarantee == Guarantee::ExactlyOnce {
        say("The broker in this process knows no transactions to rely on: this demonstration is at-least-once.");
        connector.route.guarantee = Guarantee::AtLeastOnce;
    }
    let text = read_input(args)?;
    let records = events::records(&text, connector.route.format);

    let route = connector.route.clone();
    let topics = route.source_topics.iter().chain([&route.sink_topic, &route.dead_letter_topic]);
    let cluster = EmbeddedCluster::start(topics.map(|topic| (&**topic, PARTITIONS)))?;
    runtime.kafka.brokers = vec![cluster.bootstrap_servers()];
    runtime.http.listen.set_port(0);
    // A demonstration leaves nothing behind.
    runtime.store.url = StoreUrl::Memory;
    if args.config.is_none() {
        connector.pipeline.provider = Some(OFFLINE.to_owned());
    }
    let brokers = cluster.bootstrap_servers();
    say(format_args!("A broker runs in this process at {brokers}; connector {} joins its group …", connector.name));

    let tally = Arc::new(Tally::default());
    let app = App::start(runtime, vec![connector], Some(Arc::clone(&tally) as Arc<dyn Observer>)).await?;
    let (results, dead_letters) = feed(&brokers, &route, &records, &tally).await?;
    write_lines(args.results.as_deref(), &results, report::result_line)?;
    write_lines(args.dead_letters.as_deref(), &dead_letters, report::dead_letter_line)?;
    if let Some(path) = &args.metrics {
        let text = app.metrics().unwrap_or_default();
        fs::write(path, text).map_err(|source| DemoError::File { path: path.clone(), source })?;
    }
    let summary = Summary::of(records.len(), &results, &dead_letters, &tally.finished(), tally.repeats());
    print(args, &summary, &records, &results, &dead_letters)?;
    if args.keep {
        keep(&brokers, &app, &route.sink_topic).await?;
    }
    Ok(app.drain(GRACE).await && summary.is_complete())
}

fn read_runtime(args: &Args) -> Result<RuntimeConfig, DemoError> {
    let runtime = match &args.config {
        Some(path) => runtime_config::load(Some(path), &Environment::of_process())?,
        None => runtime_config::load(None, &[("STRUCTURED_PROMPT_ROUTING__FALLBACK", OFFLINE)].into_iter().collect())?,
    };
    Ok(runtime)
}

fn read_connector(args: &Args, runtime: &RuntimeConfig) -> Result<ConnectorConfig, DemoError> {
    let defaults = RuntimeDefaults::from(runtime);
    let connector = match &args.connector {
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|source| DemoError::File { path: path.clone(), source })?;
            connector::read_text(path, &text, &defaults)?
        }
        None => connector::read_text(Path::new("(built in)"), CONNECTOR, &defaults)?,
    };
    Ok(connector)
}

fn read_input(args: &Args) -> Result<Vec<u8>, DemoError> {
    match args.input.as_deref() {
        None => Ok(EVENTS.as_bytes().to_vec()),
        Some(path) if path == Path::new("-") => {
            let mut text = Vec::new();
            io::stdin().lock().read_to_end(&mut text)?;
            Ok(text)
        }
        Some(path) => fs::read(path).map_err(|source| DemoError::File { path: path.to_owned(), source }),
    }
}

/// Sends the records and reads what becomes of them, a part at a time: the embedded broker keeps only the newest megabytes
/// of a partition.
async fn feed(
    brokers: &str,
    route: &RouteSettings,
    records: &[Outgoing],
    tally: &Tally,
) -> Result<(Vec<Record>, Vec<Record>), DemoError> {
    let source = route.source_topics.first().map(|topic| &**topic).unwrap_or_default();
    let mut sink = plain::Reader::new(brokers, &route.sink_topic)?;
    let mut dead_letter_queue = plain::Reader::new(brokers, &route.dead_letter_topic)?;
    let (mut results, mut dead_letters) = (Vec::new(), Vec::new());
    let mut sent = 0;
    for part in parts(records) {
        tokio::task::block_in_place(|| plain::produce_all(brokers, source, part))?;
        sent += part.len();
        let is_finished = watch(tally, sent, records.len()).await;
        tokio::task::block_in_place(|| -> Result<(), KafkaError> {
            results.append(&mut sink.catch_up()?);
            dead_letters.append(&mut dead_letter_queue.catch_up()?);
            Ok(())
        })?;
        if !is_finished {
            break;
        }
    }
    if io::stderr().is_terminal() {
        say("");
    }
    Ok((results, dead_letters))
}

/// Parts of at most [`PART_BYTES`], or one record.
fn parts(records: &[Outgoing]) -> impl Iterator<Item = &[Outgoing]> {
    let size = |record: &Outgoing| record.value.as_ref().map_or(0, bytes::Bytes::len) + 512;
    let mut left = records;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = left.iter().take_while(|record| {
            bytes += size(record);
            bytes <= PART_BYTES
        });
        let (part, rest) = left.split_at(fitting.count().max(1).min(left.len()));
        left = rest;
        (!part.is_empty()).then_some(part)
    })
}

/// Waits until the records sent so far are finished, showing how many are. False if nothing moves any more.
async fn watch(tally: &Tally, sent: usize, expected: usize) -> bool {
    let mut last = (tally.count(), Instant::now());
    loop {
        let finished = tally.count();
        if finished >= sent || last.1.elapsed() > PATIENCE {
            if io::stderr().is_terminal() {
                drop(write!(io::stderr(), "\r{finished} of {expected} records finished "));
            }
            return finished >= sent;
        }
        if finished != last.0 {
            last = (finished, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn print(
    args: &Args,
    summary: &Summary,
    records: &[Outgoing],
    results: &[Record],
    dead_letters: &[Record],
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if args.json {
        return writeln!(out, "{}", summary.json());
    }
    report::samples(&mut out, records, results, dead_letters)?;
    summary.write(&mut out)
}

fn write_lines(path: Option<&Path>, records: &[Record], line: fn(&Record) -> String) -> Result<(), DemoError> {
    let Some(path) = path else { return Ok(()) };
    let text: String = records.iter().map(|record| line(record) + "\n").collect();
    fs::write(path, text).map_err(|source| DemoError::File { path: path.to_owned(), source })
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

/// Notes every finished record.
#[derive(Default)]
struct Tally(Mutex<Vec<Finished>>, AtomicUsize);

/// One finished record.
#[derive(Debug, Clone, Copy)]
struct Finished {
    at: Instant,
    took: Duration,
}

impl Tally {
    fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() + self.repeats()
    }

    fn repeats(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }

    fn finished(&self) -> Vec<Finished> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Tally {
    fn closed(&self, _outcome: &Outcome, took: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Finished { at: Instant::now(), took });
    }

    fn repeated(&self) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}
