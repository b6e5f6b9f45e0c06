//! Subschemas by which nothing is valid.

use jsonschema::PatternOptions;
use jsonschema::canonical::{self, Cause, UnsatisfiableReason};

use super::Review;
use crate::domain::json::pointer::join;
use crate::schema::keywords::{self, Role};

impl Review<'_> {
    /// What `jsonschema` proves to be empty. What it cannot prove is not said.
    pub(super) fn contradictions(&mut self) {
        let options = canonical::options().offline().should_validate_formats(true);
        let prepared = options.with_pattern_options(PatternOptions::regex()).prepare(self.root);
        let Ok(empty) = prepared.and_then(|prepared| prepared.unsatisfiable()) else { return };
        let mut empty: Vec<(String, Vec<Cause>)> = empty
            .into_iter()
            .filter_map(|(pointer, reason)| match reason {
                // Somebody wrote `false`.
                UnsatisfiableReason::Literal => None,
                UnsatisfiableReason::Empty(cause) => Some((pointer, vec![cause])),
                UnsatisfiableReason::Conflict(causes) => Some((pointer, causes)),
            })
            .collect();
        // The innermost first: what is empty because of it needs no words of its own.
        empty.sort_by_key(|(pointer, _)| std::cmp::Reverse(pointer.matches('/').count()));
        for (pointer, causes) in empty {
            let is_known = self.remarks.iter().any(|remark| remark.is_mistake && is_within(&remark.pointer, &pointer));
            let is_root = pointer.is_empty();
            let of_it: Vec<&str> = causes.iter().flat_map(|cause| &cause.keywords).map(String::as_str).collect();
            let is_behind = of_it.iter().all(|keyword| *keyword == "$ref");
            let has_mistakes = self.remarks.iter().any(|remark| remark.is_mistake);
            if is_known || (is_root || is_behind) && has_mistakes {
                continue;
            }
            let (message, place) = words(&pointer, &of_it);
            let help = "no answer can be valid here: correct one of them, or remove the subschema";
            if is_root || is_direct(&pointer, &causes) {
                self.mistake(place, message, help);
            } else {
                self.note(place, message, help);
            }
        }
    }
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether assertions that stand side by side exclude each other: nobody means that. Parts of a composition can be
/// empty on purpose.
fn is_direct(pointer: &str, causes: &[Cause]) -> bool {
    let is_assertion = |name: &String| {
        matches!(keywords::find(name).map(|keyword| keyword.role), Some(Role::Assertion(_))) && name != "required"
    };
    causes
        .iter()
        .all(|cause| cause.pointer == pointer && !cause.keywords.is_empty() && cause.keywords.iter().all(is_assertion))
}

fn words(pointer: &str, keywords: &[&str]) -> (String, String) {
    let mut named: Vec<&str> = Vec::new();
    for keyword in keywords {
        if !named.contains(keyword) {
            named.push(keyword);
        }
    }
    let place = named.first().map_or_else(|| pointer.to_owned(), |keyword| join(pointer, keyword));
    let message = match named.as_slice() {
        [] => "no value is valid here".to_owned(),
        [one] => format!("{one} leaves no valid value"),
        [first @ .., last] => format!("{} and {last} exclude each other: no value is valid here", first.join(", ")),
    };
    (message, place)
}
