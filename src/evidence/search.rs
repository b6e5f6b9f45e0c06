//! One value, stage by stage: as it is, then in other writings. A stage is tried in every source before the next one.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Number;

use crate::domain::evidence::{EvidenceState, Span};

use super::Source;
use super::budget::Budget;
use super::exact;
use super::source_text::SourceText;

/// Places of one value that are given; whoever reads them needs no more to see that there are many.
const MAX_SPANS: usize = 8;

/// What was found of one value.
pub(super) struct Found {
    pub(super) state: EvidenceState,
    pub(super) source: Option<Arc<str>>,
    pub(super) spans: Vec<Span>,
}

impl Found {
    /// A value that stands nowhere, or is not looked for.
    pub(super) fn without_place(state: EvidenceState) -> Self {
        Self { state, source: None, spans: Vec::new() }
    }
}

/// The search of one answer's values in all sources.
pub(super) struct Search<'a> {
    sources: Vec<SourceText<'a>>,
    budget: Budget,
}

impl<'a> Search<'a> {
    /// Nothing is searched yet.
    pub(super) fn new(sources: &'a [Source<'_>]) -> Self {
        Self { sources: sources.iter().map(SourceText::new).collect(), budget: Budget::new() }
    }

    /// Looks for a text of this `format`, empty where the schema names none.
    pub(super) fn text(&mut self, value: &str, _format: &str) -> Found {
        self.as_written(value)
    }

    /// Looks for a number.
    pub(super) fn number(&mut self, value: &Number) -> Found {
        self.as_written(value.as_str())
    }

    fn as_written(&mut self, value: &str) -> Found {
        for source in &self.sources {
            let places = exact::find(source.raw, value, MAX_SPANS, &mut self.budget);
            if !places.is_empty() {
                return found(source, EvidenceState::Exact, &places);
            }
        }
        let state = if self.budget.is_spent() { EvidenceState::Unsearched } else { EvidenceState::None };
        Found::without_place(state)
    }
}

/// What `source` has; in several places it is ambiguous, whatever the writing.
fn found(source: &SourceText<'_>, state: EvidenceState, places: &[Range<usize>]) -> Found {
    Found {
        state: if places.len() > 1 { EvidenceState::Ambiguous } else { state },
        source: Some(source.name()),
        spans: places.iter().map(|place| source.span(place)).collect(),
    }
}
