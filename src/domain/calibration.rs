//! How often the fields of answers were right by the state of their evidence: counted by an evaluation, told by results.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::evidence::{Accuracy, Evidence, EvidenceState};

/// The form of the file.
pub const FORMAT: u32 = 1;
/// How many values a field and state must have had for their share to mean something.
const ENOUGH: u32 = 5;

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
    pub n: u32,
    /// The lower end of its 95 % interval.
    pub low: f64,
    /// The upper end of its 95 % interval.
    pub high: f64,
}

impl Calibration {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence: why it is none, or none of this version.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found: Self = serde_json::from_str(text).map_err(|error| format!("it is no calibration: {error}"))?;
        if found.format != FORMAT {
            return Err(format!("its format is {}, and only {FORMAT} is known", found.format));
        }
        let counted = || found.fields.values().chain([&found.all]).flatten();
        let known = EvidenceState::ALL.map(EvidenceState::as_str);
        if let Some((state, _)) = counted().find(|(state, _)| !known.contains(&state.as_str())) {
            return Err(format!("there is no state of evidence called {state:?}"));
        }
        if let Some((_, wrong)) = counted().find(|(_, observed)| !(0.0..=1.0).contains(&observed.p)) {
            return Err(format!("p is a share from 0 to 1, and not {}", wrong.p));
        }
        if found.all.is_empty() {
            return Err("it counts nothing: no evidence was looked for when it was made".to_owned());
        }
        Ok(found)
    }

    /// What was counted for a field in this state; over all fields, where too few values of this one were seen. Of a
    /// field that was not counted at all, which labels do not have or which is not compared, nothing is known.
    pub fn observed(&self, path: &str, state: EvidenceState) -> Option<&Observed> {
        let own = self.fields.get(path)?.get(state.as_str()).filter(|own| own.n >= ENOUGH);
        own.or_else(|| self.all.get(state.as_str()))
    }

    /// Says of each value of `data` how often ones like it were right.
    pub fn add_accuracy(&self, evidence: &mut Evidence, data: &Value) {
        for field in &mut evidence.fields {
            let observed = self.observed(&path(&field.field, data), field.state);
            field.accuracy = observed.map(|observed| Accuracy { p: observed.p, n: observed.n });
        }
    }
}

/// The JSON Pointer of a value with `*` for each index of a list.
fn path(pointer: &str, data: &Value) -> String {
    let (mut path, mut around) = (String::with_capacity(pointer.len()), String::new());
    for token in pointer.split('/').skip(1) {
        let is_index = data.pointer(&around).is_some_and(Value::is_array);
        path.push('/');
        path.push_str(if is_index { "*" } else { token });
        around.push('/');
        around.push_str(token);
    }
    path
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::evidence::FieldEvidence;

    fn observed(p: f64, n: u32) -> Value {
        json!({ "p": p, "n": n, "low": 0.1, "high": 0.9 })
    }

    fn file() -> Value {
        json!({ "format": 1, "connector": "c", "variant": "v", "labels": 12,
            "fields": {
                "/name": { "exact": observed(0.75, 8), "none": observed(1.0, 2) },
                "/lines/*/net": { "exact": observed(0.9, 10) },
                "/2026": { "exact": observed(0.6, 5) },
            },
            "all": { "exact": observed(0.8, 23), "none": observed(0.25, 4) } })
    }

    fn parse(file: &Value) -> Result<Calibration, String> {
        Calibration::parse(&file.to_string())
    }

    #[test]
    fn values_have_the_share_of_their_field_and_state_or_that_of_all_fields() {
        let data = json!({ "name": "Ada", "lines": [{ "net": 1 }, { "net": 2 }], "2026": "x", "summary": "bad" });
        let field = |(field, state): (&str, EvidenceState)| FieldEvidence {
            field: field.to_owned(),
            state,
            source: None,
            spans: Vec::new(),
            accuracy: None,
        };
        use EvidenceState::{Exact, Judged, None as NotFound};
        let states = [
            ("/name", Exact),
            ("/name", NotFound),
            ("/lines/1/net", Exact),
            ("/2026", Exact),
            ("/2026", NotFound),
            ("/2026", Judged),
            // Nobody counted it.
            ("/summary", Exact),
        ];
        let mut evidence = Evidence { fields: states.map(field).into(), ..Evidence::default() };
        parse(&file()).unwrap().add_accuracy(&mut evidence, &data);
        let told = evidence.fields.iter().map(|field| field.accuracy.map(|one| (one.p, one.n))).collect::<Vec<_>>();
        let [name, of_all, net, year] = [(0.75, 8), (0.25, 4), (0.9, 10), (0.6, 5)].map(Some);
        assert_eq!(told, [name, of_all, net, year, of_all, None, None]);
    }

    #[test]
    fn what_is_no_calibration_is_refused() {
        let refused = |key: &str, value: Value| {
            let mut file = file();
            file[key] = value;
            parse(&file).unwrap_err()
        };
        assert!(Calibration::parse("{}").unwrap_err().starts_with("it is no calibration: "));
        assert!(refused("format", json!(2)).contains("only 1 is known"));
        assert!(refused("all", json!({})).contains("counts nothing"));
        assert!(refused("all", json!({ "exactly": observed(0.5, 1) })).contains("\"exactly\""));
        assert!(refused("fields", json!({ "/a": { "exact": observed(1.5, 1) } })).contains("not 1.5"));
    }
}
