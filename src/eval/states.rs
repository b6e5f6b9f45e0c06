//! How often values were right, by the state of their evidence: whether `exact` is worth more than `none`.

use std::collections::HashMap;

use serde::Serialize;

use super::fields::Field;
use super::interval::Share;
use super::outcome::Row;
use super::source;
use super::verdict::Verdict;
use crate::domain::evidence::{EvidenceState, FieldEvidence};

/// A value of an answer, or that there is none, with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// The index of the field.
    pub field: usize,
    /// Its JSON Pointer, the same for all items of a list.
    pub path: String,
    /// Whether it stands in the text.
    pub state: EvidenceState,
    /// Whether it is right.
    pub is_right: bool,
    /// Whether it was located where the label says; `None` where the label does not, or it was not located.
    pub is_at_its_place: Option<bool>,
}

/// What was right among the values of one state.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StateShare {
    /// The state.
    pub state: &'static str,
    /// Right values among all with this state.
    pub right: Share,
}

/// The values of an answer whose evidence is known, and the fields without a value. Empty where no evidence was looked
/// for.
pub fn of_row(fields: &[Field], row: Row<'_>) -> Vec<Stated> {
    let (Some(judged), Some(given)) = (row.judged, row.outcome.given()) else { return Vec::new() };
    let Some(evidence) = &given.evidence else { return Vec::new() };
    let by_pointer: HashMap<&str, &FieldEvidence> =
        evidence.fields.iter().map(|field| (&*field.field, field)).collect();
    let values = judged.values.iter().filter_map(|value| {
        let evidence = by_pointer.get(value.pointer.as_str())?;
        Some(Stated {
            field: value.field,
            path: value.path.clone(),
            state: evidence.state,
            is_right: value.is_right,
            is_at_its_place: value.in_label.as_deref().and_then(|field| is_at_its_place(row, field, evidence)),
        })
    });
    let is_empty = |verdict: Verdict| matches!(verdict, Verdict::RightlyAbsent | Verdict::Omitted);
    let empty = fields.iter().zip(&judged.fields).enumerate().filter(|(_, (_, one))| is_empty(one.verdict));
    let absent = empty.map(|(index, (field, one))| Stated {
        field: index,
        path: field.pointer.clone(),
        state: EvidenceState::Absent,
        is_right: one.verdict.is_right(),
        is_at_its_place: None,
    });
    values.chain(absent).collect()
}

/// What was right of each state that occurs, in the order of the states, among the values of these records that are
/// wanted.
pub fn shares(records: &[Vec<Stated>], is_wanted: impl Fn(&Stated) -> bool) -> Vec<StateShare> {
    let of_state = |state: EvidenceState| {
        let is_right = |one: &Stated| (one.state == state && is_wanted(one)).then_some(one.is_right);
        let right = Share::of_records(records.iter().map(Vec::as_slice), is_right);
        StateShare { state: state.as_str(), right }
    };
    EvidenceState::ALL.into_iter().map(of_state).filter(|share| share.right.of > 0).collect()
}

/// Whether a located value overlaps the text that the label quotes for this field of its own.
fn is_at_its_place(row: Row<'_>, field: &str, evidence: &FieldEvidence) -> Option<bool> {
    let quote = row.label.evidence.get(field)?;
    let source = evidence.source.as_ref().filter(|_| !evidence.spans.is_empty())?;
    let text = source::text(&row.label.event, source)?;
    let quoted = source::places(&text, quote);
    let overlaps = evidence.spans.iter().any(|span| quoted.iter().any(|at| at.start < span.end && span.start < at.end));
    Some(overlaps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Code;
    use crate::eval::testing::{answer, failed, fields, labels, run, with_evidence};

    #[test]
    fn values_are_counted_by_their_state_and_missing_ones_as_absent() {
        use EvidenceState::{Absent, Ambiguous, Exact, Judged, None as NotFound};
        let labels = labels(&[
            r#"{"name":"Ada","total":12,"mood":"good","tags":["a","b"]}"#,
            r#"{"name":"Ada","total":null,"mood":null,"tags":[]}"#,
            r#"{"name":"Ada"}"#,
        ]);
        let first = with_evidence(
            answer(r#"{"name":"Ada","total":12,"mood":"bad","tags":["a","x"]}"#),
            &[
                ("/name", Exact, &[(0, 3)]),
                ("/total", Ambiguous, &[(9, 11), (15, 17)]),
                ("/mood", Judged, &[]),
                ("/tags/0", NotFound, &[]),
                ("/tags/1", NotFound, &[]),
            ],
        );
        let second = with_evidence(
            answer(r#"{"name":"owes","total":null}"#),
            &[("/name", Exact, &[(4, 8)]), ("/total", Absent, &[])],
        );
        let run = run(&labels, vec![first, second, failed(Code::AnswerInvalid)]);
        let stated: Vec<Vec<Stated>> = run.rows(&labels).map(|row| of_row(&fields(), row)).collect();
        let found: Vec<_> =
            shares(&stated, |_| true).iter().map(|share| (share.state, share.right.count, share.right.of)).collect();
        let expected = [("exact", 1, 2), ("ambiguous", 1, 1), ("none", 1, 2), ("absent", 3, 3), ("judged", 0, 1)];
        assert_eq!(found, expected);
        let placed: Vec<_> = stated.iter().flatten().filter_map(|one| one.is_at_its_place).collect();
        assert_eq!(placed, [true, false], "the label quotes Ada, and \"owes\" is not there");
        assert!(stated.iter().flatten().any(|one| one.path == "/tags/*"));
    }

    #[test]
    fn the_items_of_a_list_in_another_order_are_looked_for_at_their_own_quotes() {
        use EvidenceState::Exact;
        let mut labels = labels(&[r#"{"tags":["Ada","owes"]}"#]);
        labels[0].evidence =
            [("/tags/0", "Ada"), ("/tags/1", "owes")].map(|(field, quote)| (field.to_owned(), quote.to_owned())).into();
        let given = with_evidence(
            answer(r#"{"tags":["owes","12","Ada"]}"#),
            &[("/tags/0", Exact, &[(4, 8)]), ("/tags/1", Exact, &[(9, 11)]), ("/tags/2", Exact, &[(0, 3)])],
        );
        let run = run(&labels, vec![given]);
        let stated = run.rows(&labels).flat_map(|row| of_row(&fields(), row));
        let placed: Vec<_> = stated.filter(|one| one.path == "/tags/*").map(|one| one.is_at_its_place).collect();
        assert_eq!(placed, [Some(true), None, Some(true)]);
    }

    #[test]
    fn values_of_one_record_count_together_in_the_interval() {
        use EvidenceState::Exact;
        let labels = labels(&[r#"{"tags":["Ada","owes","or"]}"#; 10]);
        let outcomes = (0..10).map(|index| {
            let tags = if index < 5 { r#"["Ada","owes","or"]"# } else { r#"["a","b","c"]"# };
            let given = answer(&format!(r#"{{"tags":{tags}}}"#));
            with_evidence(given, &[("/tags/0", Exact, &[]), ("/tags/1", Exact, &[]), ("/tags/2", Exact, &[])])
        });
        let run = run(&labels, outcomes.collect());
        let stated: Vec<Vec<Stated>> = run.rows(&labels).map(|row| of_row(&fields(), row)).collect();
        let right = shares(&stated, |one| one.state == Exact)[0].right;
        assert_eq!((right.count, right.of), (15, 30));
        let (together, apart) = (Share::of(5, 10), Share::of(15, 30));
        assert!((right.low - together.low).abs() < 0.02 && right.low < apart.low, "{right:?}");
    }

    #[test]
    fn without_evidence_there_is_nothing_to_count() {
        let labels = labels(&[r#"{"name":"Ada"}"#]);
        let run = run(&labels, vec![answer(r#"{"name":"Ada"}"#)]);
        assert_eq!(run.rows(&labels).flat_map(|row| of_row(&fields(), row)).count(), 0);
    }
}
