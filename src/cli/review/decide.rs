//! Decisions: accept, correct, reject.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::connector::ReviewedConnector;
use super::{CommandError, ResultArgs, label};
use crate::app::connector_schema::connector_schema;
use crate::cli::runtime;
use crate::codec::dead_letter::DeadLetterOrigin;
use crate::codec::review_record::{Approval, Correction, Reviewer, WaitingResult};
use crate::domain::failure::{Code, Failure};
use crate::domain::{json, text};
use crate::kafka::review_queue::ReviewError;
use crate::ports::clock::{Clock as _, SystemClock};
use crate::schema::Schema;

#[derive(Debug, clap::Args)]
pub(super) struct AcceptArgs {
    #[command(flatten)]
    decision: DecisionArgs,
    #[command(flatten)]
    labels: LabelArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct CorrectArgs {
    #[command(flatten)]
    decision: DecisionArgs,
    #[command(flatten)]
    labels: LabelArgs,
    /// The right data as JSON, valid against the connector's schema; - is standard input
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct RejectArgs {
    #[command(flatten)]
    decision: DecisionArgs,
    /// Why, for the dead letter
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

// A flattened doc comment would replace that of the command.
#[derive(Debug, clap::Args)]
struct DecisionArgs {
    #[command(flatten)]
    of: ResultArgs,
    /// Who decides; the result (`ce_reviewedby`) or the dead letter says so
    #[arg(long, value_name = "NAME")]
    reviewer: Reviewer,
    /// Decide although no decision about results of this connector is known. Right if there was none; else what was
    /// decided waits again
    #[arg(long)]
    first_decision: bool,
}

#[derive(Debug, clap::Args)]
struct LabelArgs {
    /// Append the event with the published data to this file, as a label for `eval`
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

pub(super) fn accept(args: &AcceptArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let of = &args.decision.of;
    let connector = ReviewedConnector::read(&of.connector)?;
    publish(&connector, &args.decision, &args.labels, None)?;
    Ok(writeln!(out, "accepted {}", of.place)?)
}

pub(super) fn correct(args: &CorrectArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let of = &args.decision.of;
    let connector = ReviewedConnector::read(&of.connector)?;
    let schema = runtime()?.block_on(connector_schema(connector.runtime.clone(), &connector.config))?;
    let correction =
        read_correction(&args.data, &schema).map_err(|why| CommandError::WrongUse(format!("--data: {why}")))?;
    publish(&connector, &args.decision, &args.labels, Some(&correction))?;
    Ok(writeln!(out, "corrected {}", of.place)?)
}

pub(super) fn reject(args: &RejectArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    let RejectArgs { decision: DecisionArgs { of, reviewer, first_decision }, reason } = args;
    let connector = ReviewedConnector::read(&of.connector)?;
    let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let failure = Failure::new(Code::RejectedByReviewer, format!("{} rejected the result{reason}", reviewer.as_str()));
    let origin = DeadLetterOrigin { connector: &connector.config.name };
    connector.queue()?.decide(of.place, *first_decision, |waiting| {
        let letter = waiting.rejected(&failure, &origin, SystemClock.now());
        Ok((Arc::clone(&connector.config.topics.dead_letter_topic), letter))
    })?;
    Ok(writeln!(out, "rejected {}", of.place)?)
}

/// Publishes a result, and appends the label when nothing else can come of the decision.
fn publish(
    connector: &ReviewedConnector,
    DecisionArgs { of, reviewer, first_decision }: &DecisionArgs,
    LabelArgs { labels }: &LabelArgs,
    correction: Option<&Correction>,
) -> Result<(), CommandError> {
    // Opened before anything is decided, so that the label has a place.
    let labels = labels.as_ref().map(|path| open_labels(path)).transpose()?;
    let mut published = None;
    let decided = connector.queue()?.decide(of.place, *first_decision, |waiting| {
        let approved = waiting.approved(&Approval { reviewer, at: SystemClock.now(), correction });
        let data = approved.value.clone().unwrap_or_default();
        let written = connector.write(&waiting, approved)?;
        published = Some((waiting, data));
        Ok((written.topic.unwrap_or_else(|| Arc::clone(&connector.config.topics.sink_topic)), written.outgoing))
    });
    // If it may stand, no other command would write the label.
    let may_stand = matches!(decided, Ok(()) | Err(ReviewError::Unconfirmed(_)));
    let labelled = match (labels, published.filter(|_| may_stand)) {
        (Some((file, path)), Some((waiting, data))) => append_label(file, connector, &waiting, &data)
            .map_err(|why| CommandError::NoLabel { path: path.to_path_buf(), why }),
        _ => Ok(()),
    };
    decided?;
    labelled
}

fn append_label(
    mut file: File,
    connector: &ReviewedConnector,
    waiting: &WaitingResult,
    data: &[u8],
) -> Result<(), String> {
    let expected: Value = serde_json::from_slice(data).map_err(|error| error.to_string())?;
    let event = connector.event(waiting).ok_or("the record that was answered is not readable")?;
    let id = waiting.header("ce_id").unwrap_or_default();
    label::append(&mut file, id, &event, &expected).map_err(|error| error.to_string())
}

fn open_labels(path: &Path) -> Result<(File, &Path), CommandError> {
    let file = File::options().read(true).append(true).create(true).open(path);
    file.map(|file| (file, path))
        .map_err(|error| CommandError::WrongUse(format!("--labels: {}: {error}", path.display())))
}

/// The data that a person gives, if it is valid; else what is wrong.
fn read_correction(path: &Path, schema: &Schema) -> Result<Correction, String> {
    let text = read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let data = json::parse(&text).map_err(|fault| fault.to_string())?;
    if let Err(violations) = schema.validate(&data) {
        let told = violations.iter().map(|violation| format!("{}: {}", violation.pointer, violation.message));
        return Err(format!(
            "it is not valid against the schema {}:\n{}",
            schema.name(),
            told.collect::<Vec<_>>().join("\n")
        ));
    }
    Ok(Correction {
        data: Bytes::from(data.to_string()),
        schema_uri: schema.uri().to_owned(),
        schema_version: schema.version().to_owned(),
    })
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.read_to_end(&mut bytes)?;
    }
    text::decode(&bytes).map_err(io::Error::other)
}
