//! Where the values of an answer stand in the text that they were taken from.

use std::sync::Arc;

use crate::domain::quotes::QuoteOutcome;

/// Whether, and how, a value stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvidenceState {
    /// It stands there as it is, in one place.
    Exact,
    /// It stands there in another writing (`12. März 2026` for `2026-03-12`), in one place.
    Normalized,
    /// It stands in several places, or in one that can be read in several ways (`03/04/2026`).
    Ambiguous,
    /// The text does not have it.
    None,
    /// There is no value: null, an empty string, or a property of the schema that was left out.
    Absent,
    /// It is a conclusion rather than a quotation (a boolean, a value of an enum, a summary): it is not looked for.
    Judged,
    /// Not everything could be looked at: the answer or the text has more than one search is allowed to cost.
    Unsearched,
}

impl EvidenceState {
    /// Every state, in the order of their declaration.
    pub const ALL: [Self; 7] =
        [Self::Exact, Self::Normalized, Self::Ambiguous, Self::None, Self::Absent, Self::Judged, Self::Unsearched];

    /// The word that results and metrics have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalized => "normalized",
            Self::Ambiguous => "ambiguous",
            Self::None => "none",
            Self::Absent => "absent",
            Self::Judged => "judged",
            Self::Unsearched => "unsearched",
        }
    }

    /// Whether the value was found in the text.
    pub fn is_located(self) -> bool {
        matches!(self, Self::Exact | Self::Normalized | Self::Ambiguous)
    }

    /// Whether it is a value that should be in the text.
    pub fn is_locatable(self) -> bool {
        !matches!(self, Self::Absent | Self::Judged)
    }

    /// Whether it is a value that should be in the text and was not found there. One that could not be looked for was
    /// not, either: otherwise a text that is long enough would give ground to any value.
    pub fn is_ungrounded(self) -> bool {
        self.is_locatable() && !self.is_located()
    }
}

/// A part of a text, from `start` to before `end`, in Unicode code points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Its first code point.
    pub start: u32,
    /// The code point after its last one.
    pub end: u32,
}

/// How often values of a field with the same state were right, as an evaluation counted it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// The share of right values.
    pub p: f64,
    /// Of how many.
    pub n: u32,
}

/// Where one value of an answer stands.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldEvidence {
    /// JSON Pointer (RFC 6901) of the value within the answer.
    pub field: String,
    /// How it stands there.
    pub state: EvidenceState,
    /// The text that has it: its name in the record. None where no text has it.
    pub source: Option<Arc<str>>,
    /// The places in that text, in the order of the text; the first few where there are many.
    pub spans: Vec<Span>,
    /// How often such values were right, where that was counted.
    pub accuracy: Option<Accuracy>,
}

/// Where the values of an answer stand, in the order of the answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// One entry for each value, and for each property of the schema that was left out.
    pub fields: Vec<FieldEvidence>,
    /// What came of each quote that was looked for.
    pub quotes: Vec<QuoteOutcome>,
}

impl Evidence {
    /// Share of the values that should be in the text and are, within 0.0–1.0. None where there are no such values.
    pub fn grounded(&self) -> Option<f64> {
        let locatable = self.count(EvidenceState::is_locatable);
        (locatable > 0).then(|| f64::from(self.count(EvidenceState::is_located)) / f64::from(locatable))
    }

    fn count(&self, is_counted: fn(EvidenceState) -> bool) -> u32 {
        let counted = self.fields.iter().filter(|field| is_counted(field.state)).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grounded(states: &[EvidenceState]) -> Option<f64> {
        let field = |state: &EvidenceState| FieldEvidence {
            field: "/a".into(),
            state: *state,
            source: None,
            spans: Vec::new(),
            accuracy: None,
        };
        Evidence { fields: states.iter().map(field).collect(), quotes: Vec::new() }.grounded()
    }

    #[test]
    fn only_values_that_should_be_in_the_text_count_for_the_share_that_is_grounded() {
        use EvidenceState::{Absent, Ambiguous, Exact, Judged, None as NotFound, Normalized, Unsearched};
        assert_eq!(grounded(&[Exact, Normalized, Ambiguous, NotFound, Absent, Judged]), Some(0.75));
        assert_eq!(grounded(&[Exact, Unsearched]), Some(0.5));
        assert_eq!(grounded(&[Absent, Judged]), None);
        assert_eq!(grounded(&[]), None);
    }
}
