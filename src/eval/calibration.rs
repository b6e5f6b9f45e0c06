//! How often each field was right, by the state of its evidence: what results may tell as a probability, since it was
//! counted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fields::Field;
use super::interval::Share;
use super::labels::Label;
use super::outcome::Run;
use super::states::{self, Stated};

/// The form of the file.
const FORMAT: u32 = 1;
/// How many values a field and state must have had for their share to mean something.
const ENOUGH: usize = 5;

/// Counted shares of right values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The form of this file.
    pub format: u32,
    /// The connector that was evaluated.
    pub connector: String,
    /// The variant of it.
    pub variant: String,
    /// Labels that were counted.
    pub labels: usize,
    /// By field, the same for all items of a list (`/lines/*/net`), and by state.
    pub fields: BTreeMap<String, BTreeMap<String, Observed>>,
    /// By state, over all fields.
    pub all: BTreeMap<String, Observed>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The share of right values.
    pub p: f64,
    /// Of how many.
    pub n: usize,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end of its 95 % interval.
    pub high: f64,
}

impl Calibration {
    /// What a run shows.
    pub fn of(connector: &str, run: &Run, fields: &[Field], labels: &[Label]) -> Self {
        let stated: Vec<Vec<Stated>> = run.rows(labels).map(|row| states::of_row(fields, row)).collect();
        let paths: BTreeSet<&String> = stated.iter().flatten().map(|one| &one.path).collect();
        let of_path = |path: &String| (path.clone(), observed(&stated, |one| one.path == *path));
        Self {
            format: FORMAT,
            connector: connector.to_owned(),
            variant: run.name.clone(),
            labels: run.rows(labels).filter(|row| row.judged.is_some()).count(),
            fields: paths.into_iter().map(of_path).collect(),
            all: observed(&stated, |_| true),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A sentence: why it is none, or none of this version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found: Self = serde_json::from_str(text).map_err(|error| format!("it is no calibration: {error}"))?;
        if found.format == FORMAT {
            Ok(found)
        } else {
            Err(format!(
                "its format is {}, and only {FORMAT} is known; make it anew with eval --calibration",
                found.format
            ))
        }
    }

    /// What was counted for a field in this state; over all fields, where too few values of this one were seen.
    pub fn observed(&self, path: &str, state: &str) -> Option<&Observed> {
        let own = self.fields.get(path).and_then(|states| states.get(state)).filter(|own| own.n >= ENOUGH);
        own.or_else(|| self.all.get(state))
    }
}

fn observed(stated: &[Vec<Stated>], is_wanted: impl Fn(&Stated) -> bool) -> BTreeMap<String, Observed> {
    let shares = states::shares(stated, is_wanted).into_iter().filter_map(|share| {
        let Share { rate, of, low, high, .. } = share.right;
        Some((share.state.to_owned(), Observed { p: rate?, n: of, low, high }))
    });
    shares.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evidence::EvidenceState::{Exact, None as NotFound};
    use crate::eval::testing::{answer, fields, labels, run, with_evidence};

    #[test]
    fn what_is_written_is_read_again_and_few_values_count_with_all_others() {
        let labels = labels(&[r#"{"name":"Ada","total":12}"#; 8]);
        let outcomes = (0..8).map(|index| {
            let (name, total) = if index < 6 { ("Ada", NotFound) } else { ("Bob", Exact) };
            let given = answer(&format!(r#"{{"name":"{name}","total":12}}"#));
            with_evidence(given, &[("/name", Exact, &[(0, 3)]), ("/total", total, &[])])
        });
        let run = run(&labels, outcomes.collect());
        let calibration = Calibration::of("tickets", &run, &fields(), &labels);
        let read = Calibration::parse(&serde_json::to_string_pretty(&calibration).unwrap()).unwrap();
        assert_eq!(read, calibration);
        let p = |path: &str, state: &str| read.observed(path, state).map(|one| (one.p, one.n));
        assert_eq!(p("/name", "exact"), Some((0.75, 8)));
        assert_eq!(p("/total", "none"), Some((1.0, 6)));
        assert_eq!(p("/total", "exact"), Some((0.8, 10)), "two values are too few for a field of its own");
        assert_eq!(p("/mood", "ambiguous"), None);
        assert_eq!(p("/mood", "absent"), Some((1.0, 8)));
    }

    #[test]
    fn what_is_no_calibration_is_refused() {
        assert!(Calibration::parse("{}").unwrap_err().starts_with("it is no calibration: "));
        let newer = r#"{"format":2,"connector":"c","variant":"v","labels":0,"fields":{},"all":{}}"#;
        assert!(Calibration::parse(newer).unwrap_err().contains("make it anew"));
    }
}
