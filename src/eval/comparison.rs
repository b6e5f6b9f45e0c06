//! Two variants on the same labels: is one better, or is that chance?

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::fields::Field;
use super::interval::as_f64;
use super::labels::Label;
use super::outcome::Run;
use super::significance::{LEVEL, holm, paired};

/// Scores closer than this are equal.
const EQUAL: f64 = 1e-9;
/// How many standard errors a 95 % interval reaches to each side.
const Z: f64 = 1.96;

/// The scores of a variant, label by label. Those of an earlier run are read from its report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The variant's name.
    pub name: String,
    /// Those of each label that counts.
    pub labels: Vec<LabelScores>,
}

/// The scores of one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelScores {
    /// The label's id.
    pub id: String,
    /// Tells whether it still is the same label.
    pub digest: String,
    /// The score of each field, within 0.0–1.0, by its JSON Pointer.
    pub fields: BTreeMap<String, f64>,
}

/// What a difference comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The second variant is better, by more than chance would make it.
    Better,
    /// It is worse, by more than chance would make it.
    Worse,
    /// Chance alone makes differences like this one.
    Noise,
}

/// How the second of two variants differs from the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Labels that both have.
    pub labels: usize,
    /// Mean score of the first one.
    pub before: f64,
    /// Mean score of the second one.
    pub after: f64,
    /// Half of the 95 % interval of the difference between the two means.
    pub margin: f64,
    /// Labels on which the second one is better.
    pub better: usize,
    /// Labels on which it is worse.
    pub worse: usize,
    /// How likely chance alone makes such a difference.
    pub p: f64,
    /// What it comes to.
    pub finding: Finding,
}

/// Two variants on the labels that both have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The first one.
    pub base: String,
    /// The second one.
    pub variant: String,
    /// Labels that have changed, or for which only one of the two has a result.
    pub left_out: usize,
    /// By the share of each label's fields that are right.
    pub overall: Difference,
    /// By each field that both have. Here `p` counts how many fields were looked at.
    pub fields: BTreeMap<String, Difference>,
}

impl Scores {
    /// Those of a run.
    pub fn of(run: &Run, fields: &[Field], labels: &[Label]) -> Self {
        let rows = run.rows(labels).filter_map(|row| {
            let scores = fields.iter().zip(&row.judged?.fields).map(|(field, one)| (field.pointer.clone(), one.score));
            Some(LabelScores { id: row.label.id.clone(), digest: row.label.digest(), fields: scores.collect() })
        });
        Self { name: run.name.clone(), labels: rows.collect() }
    }
}

impl Comparison {
    /// Compares `variant` with `base`, label by label.
    pub fn of(base: &Scores, variant: &Scores) -> Self {
        let earlier: HashMap<(&str, &str), &LabelScores> =
            base.labels.iter().map(|label| ((label.id.as_str(), label.digest.as_str()), label)).collect();
        let pairs: Vec<(&LabelScores, &LabelScores)> = variant
            .labels
            .iter()
            .filter_map(|label| Some((*earlier.get(&(label.id.as_str(), label.digest.as_str()))?, label)))
            .collect();
        let names: BTreeSet<&String> =
            pairs.iter().flat_map(|(a, b)| a.fields.keys().filter(|name| b.fields.contains_key(*name))).collect();
        let of_field = |name: &String| {
            let scores = pairs.iter().filter_map(|(a, b)| Some((*a.fields.get(name)?, *b.fields.get(name)?)));
            (name.clone(), Difference::of(scores))
        };
        let mut fields: BTreeMap<String, Difference> = names.iter().map(|name| of_field(name)).collect();
        let adjusted = holm(&fields.values().map(|one| one.p).collect::<Vec<_>>());
        for (difference, p) in fields.values_mut().zip(adjusted) {
            *difference = difference.clone().with_p(p);
        }
        let mean = |label: &LabelScores| {
            let scores: Vec<f64> = names.iter().filter_map(|name| label.fields.get(*name).copied()).collect();
            scores.iter().sum::<f64>() / as_f64(scores.len().max(1))
        };
        Self {
            base: base.name.clone(),
            variant: variant.name.clone(),
            left_out: left_out(base, variant, pairs.len()),
            overall: Difference::of(pairs.iter().map(|(a, b)| (mean(a), mean(b)))),
            fields,
        }
    }

    /// What the labels that are left out are, in a sentence; `None` if there are none.
    pub fn told_left_out(&self) -> Option<String> {
        let told = match self.left_out {
            0 => return None,
            1 => "1 label is left out: it".to_owned(),
            number => format!("{number} labels are left out: each of them"),
        };
        Some(format!("{told} has changed, or only one of the two has a result for it"))
    }

    /// Whether anything is worse by more than chance would make it.
    pub fn is_regression(&self) -> bool {
        std::iter::once(&self.overall).chain(self.fields.values()).any(|one| one.finding == Finding::Worse)
    }

    /// The fields whose difference is more than noise.
    pub fn findings(&self) -> impl Iterator<Item = (&String, &Difference)> {
        self.fields.iter().filter(|(_, difference)| difference.finding != Finding::Noise)
    }
}

/// The labels of both that are in no pair. One that has changed is the same label.
fn left_out(base: &Scores, variant: &Scores, pairs: usize) -> usize {
    let ids: BTreeSet<&str> = base.labels.iter().chain(&variant.labels).map(|label| label.id.as_str()).collect();
    ids.len() - pairs
}

impl Difference {
    /// Of pairs of scores, the first variant's and the second's.
    fn of(pairs: impl Iterator<Item = (f64, f64)>) -> Self {
        let pairs: Vec<(f64, f64)> = pairs.collect();
        let number = as_f64(pairs.len().max(1));
        let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / number;
        let (before, after) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let change = after - before;
        let squares: f64 = pairs.iter().map(|(a, b)| (b - a - change).powi(2)).sum();
        let margin = Z * (squares / (number - 1.0).max(1.0) / number).sqrt();
        let count = |is_so: fn(f64) -> bool| pairs.iter().filter(|(a, b)| is_so(b - a)).count();
        let (better, worse) = (count(|change| change > EQUAL), count(|change| change < -EQUAL));
        let difference =
            Self { labels: pairs.len(), before, after, margin, better, worse, p: 1.0, finding: Finding::Noise };
        difference.with_p(paired(better, worse))
    }

    /// The same with this probability, and what follows from it.
    fn with_p(self, p: f64) -> Self {
        // Many small gains do not make up for a few lost labels: the mean has to say the same as the counts.
        let change = self.after - self.before;
        let finding = match (p < LEVEL, self.better > self.worse) {
            (true, true) if change > EQUAL => Finding::Better,
            (true, false) if change < -EQUAL => Finding::Worse,
            _ => Finding::Noise,
        };
        Self { p, finding, ..self }
    }
}

impl fmt::Display for Difference {
    /// In a sentence: `90.0 % instead of 85.0 % (+5.0 ± 3.1), better on 12 of 150 labels and worse on 2, p = 0.013:
    /// more than noise`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { labels, before, after, margin, better, worse, p, finding } = self;
        let [before, after, change, margin] = [*before, *after, after - before, *margin].map(|share| share * 100.0);
        write!(f, "{after:.1} % instead of {before:.1} % ({change:+.1} ± {margin:.1}), ")?;
        write!(f, "better on {better} of {labels} labels and worse on {worse}, ")?;
        if *p < 0.001 {
            write!(f, "p < 0.001")?
        } else {
            write!(f, "p = {p:.3}")?
        }
        f.write_str(if *finding == Finding::Noise { ": no more than noise" } else { ": more than noise" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A variant whose field `a` has these scores, and `b` is always right.
    fn scores(name: &str, a: &[f64]) -> Scores {
        let labels = a.iter().enumerate().map(|(index, score)| LabelScores {
            id: format!("l{index}"),
            digest: "d".to_owned(),
            fields: BTreeMap::from([("/a".to_owned(), *score), ("/b".to_owned(), 1.0)]),
        });
        Scores { name: name.to_owned(), labels: labels.collect() }
    }

    #[test]
    fn a_difference_on_many_labels_is_more_than_noise() {
        let base = scores("base", &[[0.0; 12].as_slice(), &[1.0; 28]].concat());
        let better = scores("better", &[[1.0; 10].as_slice(), &[0.0; 2], &[1.0; 27], &[0.0]].concat());
        let comparison = Comparison::of(&base, &better);
        let field = &comparison.fields["/a"];
        assert_eq!((field.better, field.worse, field.finding), (10, 1, Finding::Better));
        assert!((field.p - 2.0 * 0.011_718_75).abs() < 1e-9, "two fields were looked at: {}", field.p);
        assert_eq!(comparison.fields["/b"].finding, Finding::Noise);
        assert!((comparison.overall.after - comparison.overall.before - 0.1125).abs() < 1e-9);
        assert!(!comparison.is_regression());
        assert!(Comparison::of(&better, &base).is_regression());
        let told = comparison.overall.to_string();
        assert!(told.contains(" instead of 85.0 % (+11."), "{told}");
        assert!(told.ends_with("better on 10 of 40 labels and worse on 1, p = 0.012: more than noise"), "{told}");
        assert_eq!(comparison.findings().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["/a"]);
    }

    #[test]
    fn a_difference_on_few_labels_is_noise() {
        let comparison =
            Comparison::of(&scores("a", &[0.0, 0.0, 1.0, 1.0, 0.5]), &scores("b", &[1.0, 1.0, 0.0, 1.0, 0.75]));
        assert_eq!((comparison.overall.better, comparison.overall.worse), (3, 1));
        assert_eq!(comparison.overall.finding, Finding::Noise);
        assert!(comparison.overall.to_string().ends_with("no more than noise"));
    }

    #[test]
    fn many_small_gains_and_a_few_lost_labels_are_no_improvement() {
        let pairs = (0..14).map(|label| if label < 12 { (0.8, 0.9) } else { (1.0, 0.0) });
        let difference = Difference::of(pairs);
        assert!(difference.p < LEVEL && difference.after < difference.before, "{difference:?}");
        assert_eq!(difference.finding, Finding::Noise);
    }

    #[test]
    fn labels_that_changed_are_left_out() {
        let base = scores("a", &[0.0; 10]);
        let mut changed = scores("b", &[1.0; 10]);
        changed.labels[3].digest = "other".to_owned();
        changed.labels.truncate(9);
        let comparison = Comparison::of(&base, &changed);
        assert_eq!((comparison.overall.labels, comparison.left_out), (8, 2));
        let told = "2 labels are left out: each of them has changed, or only one of the two has a result for it";
        assert_eq!(comparison.told_left_out().as_deref(), Some(told));
        let nothing = Comparison::of(&base, &scores("c", &[]));
        assert_eq!((nothing.overall.labels, nothing.overall.finding, nothing.left_out), (0, Finding::Noise, 10));
    }
}
