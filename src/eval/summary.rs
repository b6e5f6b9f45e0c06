//! A variant in numbers.

mod confidence;
mod field;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

pub use self::confidence::{Bin, Confidence};
pub use self::field::FieldSummary;
use super::fields::Field;
use super::interval::{Share, as_f64};
use super::labels::Label;
use super::outcome::{End, Row, Run};
use super::states::{self, StateShare, Stated};
use super::verdict::FieldVerdict;
use crate::domain::answer::Validation;
use crate::domain::failure::Code;

/// What a variant made of the labels. Labels for which nobody could be asked count nowhere but in `unasked`; those
/// without an answer count as wrong in every field.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Labels that count.
    pub labels: usize,
    /// Labels for which nobody could be asked.
    pub unasked: usize,
    /// Labels with a valid answer.
    pub answered: Share,
    /// Labels whose answer is valid after coercions only.
    pub relaxed: usize,
    /// Labels that the provider refused to answer.
    pub refused: usize,
    /// Labels without an answer, by the code that their dead letter would have.
    pub dead_letters: BTreeMap<&'static str, usize>,
    /// Fields that are right.
    pub fields_right: Share,
    /// Labels with nothing wrong.
    pub labels_right: Share,
    /// Fields without a value, of those where one was expected and there is an answer.
    pub omitted: Share,
    /// Fields with a value, of those where none was expected and there is an answer.
    pub invented: Share,
    /// Values that were looked for in the text and are not there.
    pub ungrounded: Share,
    /// Values that were located where the label says, of those where it says so.
    pub at_their_place: Share,
    /// How often values were right, by the state of their evidence.
    pub by_state: Vec<StateShare>,
    /// Each field.
    pub fields: Vec<FieldSummary>,
    /// Fields that are right, by the language of the label.
    pub by_language: BTreeMap<String, Share>,
    /// Fields that are right, by what makes the label hard.
    pub by_trap: BTreeMap<String, Share>,
    /// Whether a higher confidence means a better answer.
    pub confidence: Confidence,
    /// The models that answered.
    pub models: BTreeSet<String>,
    /// What it took.
    pub cost: Cost,
    /// How long labels took; `None` where answers came from recordings.
    pub latency: Option<Latency>,
}

/// What a variant used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// Calls of providers.
    pub calls: u32,
    /// Tokens of the requests.
    pub input_tokens: u64,
    /// Tokens of the answers.
    pub output_tokens: u64,
    /// What all of it cost, by the configured prices, in US dollars.
    pub usd: f64,
    /// The same for each valid answer; what the others cost is part of it.
    pub usd_per_answer: Option<f64>,
}

/// How long a label took, from the request to its end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 95 % of them took no longer, in milliseconds.
    pub p95_ms: f64,
}

impl Summary {
    /// That of a run.
    pub fn of(run: &Run, fields: &[Field], labels: &[Label]) -> Self {
        let counted: Vec<Row<'_>> = run.rows(labels).filter(|row| row.judged.is_some()).collect();
        let stated: Vec<Vec<Stated>> = counted.iter().map(|row| states::of_row(fields, *row)).collect();
        let verdicts = verdicts(&counted, None);
        let right = |row: &Row<'_>| row.judged.map_or((0, 0), |judged| (judged.right(), judged.fields.len()));
        let count = |is_so: &dyn Fn(&Row<'_>) -> bool| counted.iter().filter(|row| is_so(row)).count();
        let answered = count(&|row| row.outcome.given().is_some());
        let is_relaxed =
            |row: &Row<'_>| row.outcome.given().is_some_and(|given| given.validation == Validation::Relaxed);
        let dead_letters = dead_letters(&counted);
        Self {
            labels: counted.len(),
            unasked: labels.len() - counted.len(),
            answered: Share::of(answered, counted.len()),
            relaxed: count(&is_relaxed),
            refused: dead_letters.get(Code::ProviderRefused.as_str()).copied().unwrap_or(0),
            dead_letters,
            fields_right: Share::of_groups(counted.iter().map(right)),
            labels_right: Share::of(count(&|row| right(row).0 == right(row).1), counted.len()),
            omitted: field::omitted(&verdicts),
            invented: field::invented(&verdicts),
            ungrounded: field::ungrounded(&stated, |_| true),
            at_their_place: Share::of_records(stated.iter().map(Vec::as_slice), |one| one.is_at_its_place),
            by_state: states::shares(&stated, |_| true),
            fields: fields.iter().enumerate().map(|(at, one)| FieldSummary::of(at, one, &counted, &stated)).collect(),
            by_language: by(&counted, |label| label.language.as_slice()),
            by_trap: by(&counted, |label| &label.traps),
            confidence: Confidence::of(&counted),
            models: counted.iter().filter_map(|row| Some(row.outcome.given()?.model.clone())).collect(),
            cost: cost(run, answered),
            latency: if run.is_replayed { None } else { latency(&counted) },
        }
    }
}

fn dead_letters(rows: &[Row<'_>]) -> BTreeMap<&'static str, usize> {
    let mut codes = BTreeMap::new();
    for row in rows {
        if let End::NoAnswer { code, .. } = &row.outcome.end {
            *codes.entry(code.as_str()).or_default() += 1;
        }
    }
    codes
}

/// The fields that are right, by something that labels have.
fn by<'a>(rows: &[Row<'a>], of: impl Fn(&'a Label) -> &'a [String]) -> BTreeMap<String, Share> {
    let mut groups: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for row in rows {
        let Some(judged) = row.judged else { continue };
        for name in of(row.label) {
            groups.entry(name.clone()).or_default().push((judged.right(), judged.fields.len()));
        }
    }
    groups.into_iter().map(|(name, group)| (name, Share::of_groups(group.into_iter()))).collect()
}

fn cost(run: &Run, answered: usize) -> Cost {
    let outcomes = run.outcomes();
    let usd = outcomes.iter().map(|outcome| outcome.cost_usd).sum();
    Cost {
        calls: outcomes.iter().map(|outcome| outcome.calls).sum(),
        input_tokens: outcomes.iter().map(|outcome| outcome.usage.input_tokens).sum(),
        output_tokens: outcomes.iter().map(|outcome| outcome.usage.output_tokens).sum(),
        usd,
        usd_per_answer: (answered > 0).then(|| usd / as_f64(answered)),
    }
}

fn latency(rows: &[Row<'_>]) -> Option<Latency> {
    let mut times: Vec<Duration> = rows.iter().map(|row| row.outcome.took).collect();
    times.sort_unstable();
    // The nearest rank: a time that a label really took.
    let quantile = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).max(1);
        times.get(rank - 1).map(|time| time.as_secs_f64() * 1e3)
    };
    Some(Latency { p50_ms: quantile(50)?, p95_ms: quantile(95)? })
}

/// The verdicts of each row that counts, on all fields or on one.
fn verdicts<'a>(rows: &[Row<'a>], field: Option<usize>) -> Vec<&'a [FieldVerdict]> {
    let of_row = |row: &Row<'a>| {
        let fields = &row.judged?.fields;
        field.map_or(Some(fields.as_slice()), |field| fields.get(field..=field))
    };
    rows.iter().filter_map(of_row).collect()
}

#[cfg(test)]
mod tests;
