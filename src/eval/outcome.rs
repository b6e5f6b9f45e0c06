//! What a variant made of the labels.

use std::time::Duration;

use serde_json::Value;

use super::fields::Field;
use super::labels::Label;
use super::verdict::{Judged, judge};
use crate::domain::answer::{Usage, Validation};
use crate::domain::evidence::Evidence;
use crate::domain::failure::{Code, Kind};

/// What a variant made of one label.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Provider calls that it took.
    pub calls: u32,
    /// Tokens of all of them.
    pub usage: Usage,
    /// What they cost in US dollars, by the configured prices.
    pub cost_usd: f64,
    /// How long it took.
    pub took: Duration,
}

/// How a label ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// With an answer.
    Answer(Given),
    /// Without one.
    NoAnswer {
        /// Why: the code that a dead letter would have.
        code: Code,
        /// The same in a sentence.
        detail: String,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// The answer's data.
    pub data: Value,
    /// How far it was checked against its schema.
    pub validation: Validation,
    /// Its confidence.
    pub confidence: f64,
    /// The provider that gave it.
    pub provider: String,
    /// The model that the provider says it used.
    pub model: String,
    /// Where its values stand in the event; `None` where that was not looked for.
    pub evidence: Option<Evidence>,
}

impl Outcome {
    /// The answer, if there is one.
    pub fn given(&self) -> Option<&Given> {
        match &self.end {
            End::Answer(given) => Some(given),
            End::NoAnswer { .. } => None,
        }
    }

    /// Why there is no answer; empty if there is one.
    pub fn reason(&self) -> String {
        match &self.end {
            End::Answer(_) => String::new(),
            End::NoAnswer { code, detail } => format!("{}: {detail}", code.as_str()),
        }
    }

    /// Whether nobody could be asked: that says nothing of the answers, and the label does not count.
    pub fn is_unasked(&self) -> bool {
        match &self.end {
            End::Answer(_) => false,
            End::NoAnswer { code, .. } => {
                code.kind() == Kind::Unavailable || matches!(code, Code::DeadlineExceeded | Code::NotRecorded)
            }
        }
    }
}

/// A label with what became of it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The label.
    pub label: &'a Label,
    /// What the variant made of it.
    pub outcome: &'a Outcome,
    /// Field by field; `None` where nobody could be asked.
    pub judged: Option<&'a Judged>,
}

/// All that one variant made of the labels.
#[derive(Debug, Clone)]
pub struct Run {
    /// The variant's name.
    pub name: String,
    /// What is particular to it, in words.
    pub settings: Vec<(String, String)>,
    /// Whether answers came from recordings, so that times mean nothing.
    pub is_replayed: bool,
    outcomes: Vec<Outcome>,
    judged: Vec<Option<Judged>>,
}

impl Run {
    /// Holds the outcomes of the labels, in their order, against them.
    pub fn new(name: String, fields: &[Field], labels: &[Label], outcomes: Vec<Outcome>) -> Self {
        let judged = labels.iter().zip(&outcomes).map(|(label, outcome)| match outcome.given() {
            Some(given) => Some(judge(fields, &Value::Object(label.expected.clone()), &given.data)),
            None if outcome.is_unasked() => None,
            None => Some(Judged::without_answer(fields)),
        });
        let judged = judged.collect();
        Self { name, settings: Vec::new(), is_replayed: false, outcomes, judged }
    }

    /// The labels, which must be those that the run was made of, with what became of each.
    pub fn rows<'a>(&'a self, labels: &'a [Label]) -> impl Iterator<Item = Row<'a>> + Clone {
        let outcomes = self.outcomes.iter().zip(&self.judged);
        labels.iter().zip(outcomes).map(|(label, (outcome, judged))| Row { label, outcome, judged: judged.as_ref() })
    }

    /// What became of each label.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
}
