//! Where a JSON value is not what was expected, by JSON Pointers.

use serde_json::Value;

use crate::domain::json::{self, pointer};

/// Longest value that is shown whole, in characters.
const LONGEST: usize = 200;

/// How a value is held against what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Objects may have other members beside.
    AtLeast,
    /// They may not.
    Exactly,
}

/// The differences, one a line: `/total: expected 12.5, got 12`.
pub(super) fn differences(expected: &Value, given: &Value, extent: Extent) -> Vec<String> {
    let mut found = Vec::new();
    compare(&mut found, "", expected, given, extent);
    found
}

fn compare(found: &mut Vec<String>, at: &str, expected: &Value, given: &Value, extent: Extent) {
    match (expected, given) {
        (Value::Object(expected), Value::Object(given)) => {
            for (name, expected) in expected {
                let at = pointer::join(at, name);
                match given.get(name) {
                    Some(given) => compare(found, &at, expected, given, extent),
                    None => found.push(format!("{at}: expected {}, and it is not there", shown(expected))),
                }
            }
            let is_unexpected = |name: &String| extent == Extent::Exactly && !expected.contains_key(name);
            for (name, given) in given.iter().filter(|(name, _)| is_unexpected(name)) {
                found.push(format!("{}: {} is not expected", pointer::join(at, name), shown(given)));
            }
        }
        (Value::Array(expected), Value::Array(given)) if expected.len() == given.len() => {
            for (index, (expected, given)) in expected.iter().zip(given).enumerate() {
                compare(found, &pointer::join(at, &index.to_string()), expected, given, extent);
            }
        }
        _ if json::equal(expected, given) => {}
        _ => {
            let place = if at.is_empty() { "the whole" } else { at };
            found.push(format!("{place}: expected {}, got {}", shown(expected), shown(given)));
        }
    }
}

/// A value on one line, cut if it is long.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_difference_has_its_pointer() {
        let expected = json!({ "a/b": 1, "items": [{ "n": 1 }, { "n": 2 }], "gone": null, "list": [1] });
        let given = json!({ "a/b": 1.0, "items": [{ "n": 1 }, { "n": 3, "m": 1 }], "list": [1, 2], "more": true });
        let found = differences(&expected, &given, Extent::AtLeast);
        assert_eq!(
            found,
            [
                "/items/1/n: expected 2, got 3",
                "/gone: expected null, and it is not there",
                "/list: expected [1], got [1,2]"
            ]
        );
        let exactly = differences(&expected, &given, Extent::Exactly);
        for line in ["/items/1/m: 1 is not expected", "/more: true is not expected"] {
            assert!(exactly.iter().any(|found| found == line), "{exactly:?}");
        }
        assert_eq!(exactly.len(), found.len() + 2, "{exactly:?}");
    }

    #[test]
    fn long_values_are_cut() {
        let found = differences(&json!("é".repeat(500)), &json!({}), Extent::Exactly);
        assert!(found.len() == 1 && found[0].chars().count() < 250, "{found:?}");
    }
}
