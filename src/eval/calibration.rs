//! What a run shows of how often each field was right, by the state of its evidence.

use std::collections::{BTreeMap, BTreeSet};

use super::fields::Field;
use super::interval::Share;
use super::labels::Label;
use super::outcome::Run;
use super::states::{self, Stated};
use crate::domain::calibration::{Calibration, FORMAT, Observed};

/// The shares that a run shows; of nothing, where no evidence was looked for.
pub fn of(connector: &str, run: &Run, fields: &[Field], labels: &[Label]) -> Calibration {
    let stated: Vec<Vec<Stated>> = run.rows(labels).map(|row| states::of_row(fields, row)).collect();
    let paths: BTreeSet<&String> = stated.iter().flatten().map(|one| &one.path).collect();
    let of_path = |path: &String| (path.clone(), observed(&stated, |one| one.path == *path));
    Calibration {
        format: FORMAT,
        connector: connector.to_owned(),
        variant: run.name.clone(),
        labels: run.rows(labels).filter(|row| row.judged.is_some()).count(),
        fields: paths.into_iter().map(of_path).collect(),
        all: observed(&stated, |_| true),
    }
}

fn observed(stated: &[Vec<Stated>], is_wanted: impl Fn(&Stated) -> bool) -> BTreeMap<String, Observed> {
    let shares = states::shares(stated, is_wanted).into_iter().filter_map(|share| {
        let Share { rate, of, low, high, .. } = share.right;
        let n = u32::try_from(of).unwrap_or(u32::MAX);
        Some((share.state.to_owned(), Observed { p: rate?, n, low, high }))
    });
    shares.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evidence::EvidenceState::{self, Absent, Ambiguous, Exact, None as NotFound};
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
        let calibration = of("tickets", &run, &fields(), &labels);
        let read = Calibration::parse(&serde_json::to_string_pretty(&calibration).unwrap()).unwrap();
        assert_eq!(read, calibration);
        let p = |path: &str, state: EvidenceState| read.observed(path, state).map(|one| (one.p, one.n));
        assert_eq!(p("/name", Exact), Some((0.75, 8)));
        assert_eq!(p("/total", NotFound), Some((1.0, 6)));
        assert_eq!(p("/total", Exact), Some((0.8, 10)), "two values are too few for a field of its own");
        assert_eq!(p("/mood", Ambiguous), None);
        assert_eq!(p("/mood", Absent), Some((1.0, 8)));
    }
}
