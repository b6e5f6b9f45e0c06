//! Values that stand in a text as they are.

use std::ops::Range;

use memchr::memmem;

use super::boundaries::is_token;
use super::budget::Budget;
use super::place::Match;
use super::standing::Standing;
use super::whole_value::{is_whole, standing};

/// The first places, `most` at most, where `text` has `value` as whole tokens that are no part of a longer value. One
/// that may be a part of a longer value is not sure.
pub(super) fn find(text: &str, value: &str, most: usize, budget: &mut Budget) -> Vec<Match> {
    let found = places(text, value, most, budget, |place| is_token(text, place) && is_whole(text, place, value));
    let is_sure = |place: &Range<usize>| standing(text, place, value) == Standing::Alone;
    found.into_iter().map(|place| Match { is_sure: is_sure(&place), place }).collect()
}

/// The first places where `text` has `value` as whole tokens.
pub(super) fn tokens(text: &str, value: &str, most: usize, budget: &mut Budget) -> Vec<Range<usize>> {
    places(text, value, most, budget, |place| is_token(text, place))
}

/// The first places where `text` has `value` and `is_right` accepts it.
pub(super) fn places(
    text: &str,
    value: &str,
    most: usize,
    budget: &mut Budget,
    is_right: impl Fn(&Range<usize>) -> bool,
) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    if value.is_empty() || value.len() > text.len() || !budget.spend(text.len()) {
        return found;
    }
    let finder = memmem::Finder::new(value);
    let first = value.chars().next().map_or(1, char::len_utf8);
    let mut from = 0;
    while let Some(at) = text.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
        let place = from + at..from + at + value.len();
        if is_right(&place) {
            from = place.end;
            found.push(place);
            if found.len() == most {
                break;
            }
        } else {
            // The value may overlap itself: `a-a` in `xa-a-a`.
            from = place.start + first;
            if !budget.spend(value.len()) {
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, value: &str) -> Vec<usize> {
        find(text, value, 8, &mut Budget::new()).into_iter().map(|found| found.place.start).collect()
    }

    #[test]
    fn every_whole_occurrence_is_found_up_to_the_limit() {
        assert_eq!(places("4711, 47110, 4711", "4711"), [0, 13]);
        assert_eq!(places("xa-a a-a", "a-a"), [5]);
        assert_eq!(places("none", "4711"), [0; 0]);
        assert_eq!(places(&"a ".repeat(100), "a").len(), 8);
    }

    #[test]
    fn a_text_that_is_all_candidates_costs_no_more_than_allowed() {
        let value = "a".repeat(50_000);
        assert_eq!(places(&"a".repeat(1 << 20), &value), [0; 0]);
    }
}
