//! Who is measured, and the one job that all of them do: events from a topic, each asked of the stub provider, the answer
//! parsed and held against the schema, valid ones to the sink, the others to the dead letters.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::connector;
use crate::scenario::Scenario;

/// One run of one contender.
pub struct Job<'a> {
    pub scenario: &'a Scenario,
    /// Where it may write.
    pub directory: &'a Path,
    pub brokers: &'a str,
    /// Of the stub provider, as OpenAI's clients take it.
    pub base_url: &'a str,
    pub group: &'a str,
    pub source: &'a str,
    pub sink: &'a str,
    pub dead_letters: &'a str,
}

/// A program that does the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contender {
    /// structured-prompt, this binary of it.
    Connector(PathBuf),
}

impl Contender {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Connector(_) => "structured-prompt",
        }
    }

    /// The command that does a job.
    pub fn command(&self, job: &Job<'_>) -> Command {
        match self {
            Self::Connector(binary) => connector::command(binary, job),
        }
    }
}
