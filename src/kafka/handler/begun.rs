//! How far a record came, and what is known of it.

use std::sync::Arc;
use std::time::Duration;

use super::asked::Asked;
use crate::codec::trace::TraceContext;
use crate::delivery::outcome::{NoOutcome, Settled};
use crate::kafka::record_reader::ReadRecord;
use crate::pipeline::request::Question;
use crate::ports::journal::Claim;
use crate::telemetry::traces::trace::{OpenSpan, Trace};

/// A record that needs a provider.
#[derive(Debug)]
pub struct Job {
    pub(super) read: ReadRecord,
    pub(super) context: TraceContext,
    pub(super) question: Question,
    pub(super) asked: Arc<Asked>,
    /// Until it is its turn to ask.
    pub(super) waiting: OpenSpan,
}

/// A record as far as it came without waiting.
pub struct BegunRecord {
    /// How far.
    pub step: RecordStep,
    /// What is to be decided first: whether its event has an outcome already.
    pub claim: Option<Claim>,
}

/// How far a record came without waiting.
pub enum RecordStep {
    /// To its end.
    Settled(Settled),
    /// To a question.
    Ask(Box<Job>),
    /// Nowhere: it has no outcome.
    Skip(NoOutcome),
}

impl RecordStep {
    /// What is recorded of the record.
    pub fn trace(&self) -> Trace {
        match self {
            Self::Settled(settled) => settled.trace.clone(),
            Self::Ask(job) => job.question.trace().clone(),
            Self::Skip(_) => Trace::default(),
        }
    }
}

/// What is known of a record, if it fails on its way.
#[derive(Default)]
pub(super) struct KnownRecord {
    pub(super) claim: Option<Claim>,
    pub(super) context: Option<TraceContext>,
    pub(super) trace: Trace,
    /// When it was received, where that is recorded.
    pub(super) began_at: Option<Duration>,
}
