//! A field in numbers.

use serde::Serialize;

use super::{share, verdicts};
use crate::domain::evidence::EvidenceState;
use crate::eval::fields::Field;
use crate::eval::interval::{Share, as_f64};
use crate::eval::outcome::Row;
use crate::eval::states::{self, StateShare, Stated};
use crate::eval::verdict::Verdict;

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
    pub(super) fn of(index: usize, field: &Field, rows: &[Row<'_>], stated: &[Stated]) -> Self {
        let own = || stated.iter().filter(move |one| one.field == index);
        let judged = || rows.iter().filter_map(move |row| row.judged?.fields.get(index));
        let scores: f64 = judged().map(|one| one.score).sum();
        Self {
            field: field.pointer.clone(),
            metric: field.metric.as_str(),
            right: share(judged().map(|one| one.verdict.is_right())),
            score: scores / as_f64(judged().count().max(1)),
            wrong: verdicts(rows, Some(index)).filter(|verdict| *verdict == Verdict::Wrong).count(),
            omitted: omitted(rows, Some(index)),
            invented: invented(rows, Some(index)),
            ungrounded: share(own().filter(|one| one.state.is_locatable()).map(|one| one.state == EvidenceState::None)),
            by_state: states::shares(own()),
        }
    }
}

/// Fields without a value, of those where one was expected.
pub(super) fn omitted(rows: &[Row<'_>], field: Option<usize>) -> Share {
    let expected =
        verdicts(rows, field).filter(|verdict| !matches!(verdict, Verdict::RightlyAbsent | Verdict::Invented));
    share(expected.map(|verdict| verdict == Verdict::Omitted))
}

/// Fields with a value, of those where none was expected.
pub(super) fn invented(rows: &[Row<'_>], field: Option<usize>) -> Share {
    let unexpected =
        verdicts(rows, field).filter(|verdict| matches!(verdict, Verdict::RightlyAbsent | Verdict::Invented));
    share(unexpected.map(|verdict| verdict == Verdict::Invented))
}
