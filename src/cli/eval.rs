//! `eval`: how good are the answers, on events whose right answers are known?

mod ask;
mod files;
mod setup;
mod variant;
mod verdict;

use std::io::{self, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use super::{Exit, log_panics, runtime, say};
use crate::app::errors::AppError;
use crate::app::evaluation::Evaluator;
use crate::config::{Findings, parse_duration};
use crate::eval::comparison::Scores;
use crate::eval::fields::{self, FieldError};
use crate::eval::labels::LabelProblem;
use crate::eval::report::Report;
use crate::telemetry::logging;
use crate::telemetry::settings::{LogFormat, LogSettings};
use setup::Prepared;
use variant::{VariantArgument, parse_variant};

/// How long one label may take: long enough for a provider's pause.
const DEFAULT_LIMIT: Duration = Duration::from_secs(300);

/// Measure a connector's answers on labelled events, and compare variants of it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Labels, one JSON object a line: {"event": …, "expected": {…}}
    #[arg(value_name = "LABELS", required = true)]
    labels: Vec<PathBuf>,
    /// The connector whose question is asked
    #[arg(long, value_name = "FILE")]
    connector: PathBuf,
    /// A variant of it: provider, model, template, prompt (a file), schema, temperature, evidence and confidence_threshold
    /// may differ. May be given several times; all are compared with the first one [default: the connector as it is]
    #[arg(long = "variant", value_name = "NAME=KEY:VALUE,…", value_parser = parse_variant)]
    variants: Vec<VariantArgument>,
    /// Runtime configuration: its providers are asked, and its store has the schemas and templates. Without it, whoever
    /// the connector or the variant names is asked, as config/structured-prompt.yaml sets it up if that is there, else
    /// the offline extractor
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep answers of providers in this directory: what is in it is not asked, and paid, again
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Write report.json, report.md and report.html to this directory
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write how often each field was right, by its evidence, to this file; for one variant only
    #[arg(long, value_name = "FILE")]
    calibration: Option<PathBuf>,
    /// Fail if a variant has a lower share of fields right, for example 0.9
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    fail_under: Option<f64>,
    /// Fail if a variant is worse than in this report.json of an earlier run, by more than chance would make it
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Labels that are asked about at the same time
    #[arg(long, value_name = "NUMBER", default_value = "8")]
    concurrency: NonZeroU16,
    /// Give a label up after this time, for example 30s [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    timeout: Option<Duration>,
}

/// Why there is no evaluation.
#[derive(Debug, thiserror::Error)]
enum EvalError {
    #[error("{0}")]
    Configuration(#[from] Findings),
    #[error("{0}")]
    WrongUse(String),
    #[error("{}", lines(.0))]
    Labels(Vec<LabelProblem>),
    #[error("the schema of the first variant: {0}")]
    Field(#[from] FieldError),
    #[error(transparent)]
    App(#[from] AppError),
    #[error("{0}: {1}")]
    File(String, io::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
}

fn lines(problems: &[LabelProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Evaluates, and prints what was found to `out`. Exit code: 0 done; 1 below what was asked for, worse than the
/// baseline, or incomplete; 2 wrong arguments, labels or configuration.
///
/// # Errors
/// Only when `out` cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> io::Result<Exit> {
    let log = LogSettings { format: LogFormat::Text, filter: "error".to_owned() };
    if let Err(error) = logging::init(&log, logging::Target::Stderr) {
        say(error);
        return Ok(Exit::WrongUse);
    }
    log_panics();
    match runtime()?.block_on(evaluate(args, out)) {
        Ok(exit) => Ok(exit),
        Err(error) => {
            say(&error);
            Ok(if matches!(error, EvalError::Io(_)) { Exit::Failed } else { Exit::WrongUse })
        }
    }
}

async fn evaluate(args: &Args, out: &mut dyn Write) -> Result<Exit, EvalError> {
    let labels = files::read_labels(&args.labels)?;
    let baseline = args.baseline.as_deref().map(files::read_baseline).transpose()?;
    let prepared = setup::prepare(args)?;
    check(args, &prepared, baseline.as_deref())?;
    // All of them before the first one is asked: what is wrong with the last one must not be found after an hour.
    let mut started = Vec::new();
    for variant in prepared {
        let evaluator = Evaluator::start(variant.runtime.clone(), variant.connector.clone()).await?;
        started.push((variant, evaluator));
    }
    let Some((first, evaluator)) = started.first() else { return Ok(Exit::WrongUse) };
    let problems = crate::eval::labels::check(&labels, evaluator.schema());
    if !problems.is_empty() {
        return Err(EvalError::Labels(problems));
    }
    let (fields, connector) = (fields::of_schema(evaluator.schema().json())?, first.connector.name.to_string());
    let limit = args.timeout.unwrap_or(DEFAULT_LIMIT);
    let mut runs = Vec::new();
    for (variant, evaluator) in started {
        runs.push(ask::all(&variant, &evaluator, &labels, &fields, (args.concurrency, limit)).await);
        evaluator.finish().await;
    }
    let report =
        Report::new(&connector, &fields, &labels, &runs).with_baseline(baseline.as_deref().unwrap_or_default());
    // Files first: whoever reads standard output may stop reading.
    files::write(args, &report)?;
    verdict::print(&report, out)?;
    Ok(verdict::exit(&report, args.fail_under))
}

/// Whether what was asked for can be done with these variants.
fn check(args: &Args, variants: &[Prepared], baseline: Option<&[Scores]>) -> Result<(), EvalError> {
    if args.calibration.is_some() && variants.len() > 1 {
        let why = "--calibration is of one variant; evaluate the one whose results shall tell it alone";
        return Err(EvalError::WrongUse(why.to_owned()));
    }
    let Some(baseline) = baseline else { return Ok(()) };
    let has_one = baseline.iter().any(|scores| variants.iter().any(|variant| variant.name == scores.name));
    if has_one {
        return Ok(());
    }
    let known: Vec<&str> = baseline.iter().map(|scores| scores.name.as_str()).collect();
    Err(EvalError::WrongUse(format!("--baseline has no variant of these names; it has {}", known.join(", "))))
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0 to 1, for example 0.9".to_owned())
}
