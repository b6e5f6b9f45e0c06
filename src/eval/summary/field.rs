//! A field in numbers.

use serde::Serialize;

use super::verdicts;
use crate::eval::fields::Field;
use crate::eval::interval::{Share, as_f64};
use crate::eval::outcome::Row;
use crate::eval::states::{self, StateShare, Stated};
use crate::eval::verdict::{FieldVerdict, Verdict};

/// What a variant made of one field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldSummary {
    /// Its JSON Pointer.
    pub field: String,
    /// How it was compared.
    pub metric: &'static str,
    /// Labels on which it is right.
    pub right: Share,
    /// Mean score: of a list its F1, of all else the same as `right`.
    pub score: f64,
    /// Labels with another value than the expected one.
    pub wrong: usize,
    /// Labels without a value, of those where one was expected and there is an answer.
    pub omitted: Share,
    /// Labels with a value, of those where none was expected and there is an answer.
    pub invented: Share,
    /// Values that were looked for in the text and are not there.
    pub ungrounded: Share,
    /// How often its values were right, by the state of their evidence.
    pub by_state: Vec<StateShare>,
}

impl FieldSummary {
    /// That of the field at this index.
    pub(super) fn of(index: usize, field: &Field, rows: &[Row<'_>], stated: &[Vec<Stated>]) -> Self {
        let own = |one: &Stated| one.field == index;
        let verdicts = verdicts(rows, Some(index));
        let judged = || verdicts.iter().copied().flatten();
        let scores: f64 = judged().map(|one| one.score).sum();
        Self {
            field: field.pointer.clone(),
            metric: field.metric.as_str(),
            right: Share::of_records(verdicts.iter().copied(), |one| Some(one.verdict.is_right())),
            score: scores / as_f64(judged().count().max(1)),
            wrong: judged().filter(|one| one.verdict == Verdict::Wrong).count(),
            omitted: omitted(&verdicts),
            invented: invented(&verdicts),
            ungrounded: ungrounded(stated, own),
            by_state: states::shares(stated, own),
        }
    }
}

/// Fields without a value, of those where one was expected and there is an answer.
pub(super) fn omitted(verdicts: &[&[FieldVerdict]]) -> Share {
    Share::of_records(verdicts.iter().copied(), |one| match one.verdict {
        Verdict::Omitted => Some(true),
        Verdict::Right | Verdict::Wrong => Some(false),
        Verdict::RightlyAbsent | Verdict::Invented | Verdict::NoAnswer => None,
    })
}

/// Fields with a value, of those where none was expected and there is an answer.
pub(super) fn invented(verdicts: &[&[FieldVerdict]]) -> Share {
    Share::of_records(verdicts.iter().copied(), |one| match one.verdict {
        Verdict::Invented => Some(true),
        Verdict::RightlyAbsent => Some(false),
        Verdict::Right | Verdict::Wrong | Verdict::Omitted | Verdict::NoAnswer => None,
    })
}

/// Values that were not found in the text, of those that should be there.
pub(super) fn ungrounded(stated: &[Vec<Stated>], is_wanted: impl Fn(&Stated) -> bool) -> Share {
    Share::of_records(stated.iter().map(Vec::as_slice), |one| {
        (one.state.is_locatable() && is_wanted(one)).then_some(one.state.is_ungrounded())
    })
}
