//! The records that are looked at.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use super::{Args, PlanError};
use crate::app::plan::Planner;
use crate::config::connector::ConnectorConfig;
use crate::config::runtime::RuntimeConfig;
use crate::domain::record::Record;
use crate::domain::text;
use crate::kafka::waiting_records;

/// Records, and how many they stand for.
pub(super) struct Records {
    pub(super) records: Vec<Record>,
    /// How many wait for the connector; `None` of a file, which has all of its records.
    pub(super) waiting: Option<u64>,
}

/// Reads the file that was named, or some of the records that wait.
pub(super) fn read(
    args: &Args,
    planner: &Planner,
    runtime: &RuntimeConfig,
    connector: &ConnectorConfig,
) -> Result<Records, PlanError> {
    let Some(path) = &args.input else {
        let limit = args.records.get().into();
        // It waits on this thread: nothing else is to be done meanwhile.
        let sample = waiting_records::read(&runtime.kafka, &connector.topics, limit)?;
        return Ok(Records { records: sample.records, waiting: Some(sample.waiting) });
    };
    let text = contents(path).map_err(|why| PlanError::WrongUse(format!("{}: {why}", path.display())))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let records = lines.enumerate().map(|(number, line)| planner.record(line, number)).collect();
    Ok(Records { records, waiting: None })
}

fn contents(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().lock().read_to_end(&mut bytes)?;
    } else {
        bytes = fs::read(path)?;
    }
    text::decode(&bytes).map_err(io::Error::other)
}
