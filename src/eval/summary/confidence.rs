//! Whether a higher confidence means a better answer.

use serde::Serialize;

use crate::eval::interval::{Share, as_f64};
use crate::eval::outcome::Row;

/// Where the bins end; the last one has 1.0, too.
const ENDS: [f64; 6] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// Answers by their confidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confidence {
    /// The answers from each confidence to the next; bins without any are left out.
    pub bins: Vec<Bin>,
    /// How likely an answer with nothing wrong has a higher confidence than one with something wrong: 1.0 if it always
    /// has, 0.5 if confidence says nothing. `None` where all answers are right, or none is.
    pub ranking: Option<f64>,
}

/// Answers of similar confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// Confidence from here on.
    pub from: f64,
    /// Confidence up to here.
    pub to: f64,
    /// Their mean confidence.
    pub mean: f64,
    /// Answers.
    pub answers: usize,
    /// Fields of them that are right.
    pub fields_right: Share,
}

/// An answer: its confidence, its right fields, all of its fields.
type Answer = (f64, usize, usize);

impl Confidence {
    /// That of the answers among these rows.
    pub(super) fn of(rows: &[Row<'_>]) -> Self {
        let answers = rows.iter().filter_map(|row| {
            let judged = row.judged?;
            Some((row.outcome.given()?.confidence, judged.right(), judged.fields.len()))
        });
        let answers: Vec<Answer> = answers.collect();
        let starts = std::iter::once(0.0).chain(ENDS);
        let bins = starts.zip(ENDS).filter_map(|(from, to)| bin(&answers, from, to));
        Self { bins: bins.collect(), ranking: ranking(&answers) }
    }
}

fn bin(answers: &[Answer], from: f64, to: f64) -> Option<Bin> {
    let is_last = to >= 1.0;
    let inside = |answer: &&Answer| answer.0 >= from && (answer.0 < to || is_last);
    let own: Vec<Answer> = answers.iter().filter(inside).copied().collect();
    let mean = own.iter().map(|answer| answer.0).sum::<f64>() / as_f64(own.len());
    let fields_right = Share::of_groups(own.iter().map(|(_, right, all)| (*right, *all)));
    (!own.is_empty()).then_some(Bin { from, to, mean, answers: own.len(), fields_right })
}

/// The share of pairs of a right and a wrong answer that confidence puts in order; equal ones count half.
fn ranking(answers: &[Answer]) -> Option<f64> {
    let (right, wrong): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|(_, right, all)| right == all);
    let order = |right: &Answer, wrong: &Answer| match right.0.total_cmp(&wrong.0) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let pairs = as_f64(right.len() * wrong.len());
    let ordered: f64 = right.iter().flat_map(|right| wrong.iter().map(|wrong| order(right, wrong))).sum();
    (pairs > 0.0).then(|| ordered / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confidence_that_ranks_answers_rightly_is_worth_one() {
        let near = |value: Option<f64>, expected: f64| assert!((value.unwrap() - expected).abs() < 1e-9, "{value:?}");
        near(ranking(&[(0.9, 2, 2), (0.8, 2, 2), (0.5, 1, 2)]), 1.0);
        near(ranking(&[(0.4, 2, 2), (0.9, 1, 2)]), 0.0);
        near(ranking(&[(0.9, 2, 2), (0.9, 1, 2), (0.95, 0, 2)]), 0.25);
        assert_eq!(ranking(&[(0.9, 2, 2)]), None);
    }

    #[test]
    fn answers_are_counted_from_each_confidence_to_the_next() {
        let answers = [(0.2, 1, 2), (0.5, 2, 2), (0.59, 2, 2), (1.0, 2, 2)];
        let counts = [(0.0, 0.5), (0.5, 0.6), (0.9, 1.0)].map(|(from, to)| bin(&answers, from, to).unwrap().answers);
        assert_eq!(counts, [1, 2, 1]);
        assert_eq!(bin(&answers, 0.7, 0.8), None);
    }
}
