//! Values that stand in a text as they are.

use std::ops::Range;

use memchr::memmem;

use super::boundaries::is_token;
use super::budget::{Budget, READ_AROUND};
use super::place::Match;
use super::standing::Standing;
use super::whole_value::standing;

/// What a place costs that is looked at, in bytes of a text that is searched.
const LOOKED_AT: usize = 32;

/// The first places, `most` at most, where `text` has `value` as whole tokens that are no part of a longer value. One
/// that may be a part of a longer value is not sure. Only places that `is_wanted` accepts are looked at.
pub(super) fn find(
    text: &str,
    value: &str,
    most: usize,
    budget: &mut Budget,
    is_wanted: impl Fn(&Range<usize>) -> bool,
) -> Vec<Match> {
    matches(text, value, most, budget, |place, budget| {
        let standing = is_wanted(&place).then(|| whole(text, &place, value, budget))??;
        Some(Match { place, is_sure: standing == Standing::Alone })
    })
}

/// How `value` stands at a place of a text; `None` where it is no token, or a part of a longer value.
pub(super) fn whole(text: &str, place: &Range<usize>, value: &str, budget: &mut Budget) -> Option<Standing> {
    let is_read = is_token(text, place) && budget.spend(READ_AROUND);
    is_read.then(|| standing(text, place, value)).filter(|standing| *standing != Standing::Part)
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
    matches(text, value, most, budget, |place, _| is_right(&place).then_some(place))
}

/// What `accept` makes of the first places where `text` has `value`, `most` at most.
pub(super) fn matches<T>(
    text: &str,
    value: &str,
    most: usize,
    budget: &mut Budget,
    accept: impl Fn(Range<usize>, &mut Budget) -> Option<T>,
) -> Vec<T> {
    let mut found = Vec::new();
    if value.is_empty() || value.len() > text.len() || !budget.spend(text.len()) {
        return found;
    }
    let finder = memmem::Finder::new(value);
    let first = value.chars().next().map_or(1, char::len_utf8);
    let mut from = 0;
    while let Some(at) = text.as_bytes().get(from..).and_then(|rest| finder.find(rest)) {
        let (start, end) = (from + at, from + at + value.len());
        if !budget.spend(value.len() + LOOKED_AT) {
            break;
        }
        let accepted = accept(start..end, budget);
        // The value may overlap itself: `a-a` in `xa-a-a`.
        from = if accepted.is_some() { end } else { start + first };
        found.extend(accepted);
        if found.len() == most {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, value: &str) -> Vec<usize> {
        find(text, value, 8, &mut Budget::new(), |_| true).into_iter().map(|found| found.place.start).collect()
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
