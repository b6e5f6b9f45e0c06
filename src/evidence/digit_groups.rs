//! Groups of digits one after the other, as people write telephone, account and card numbers, and thousands.

use std::ops::Range;

use super::boundaries::{is_dash, is_word};
use super::digits::{digit, is_digit};
use super::standing::Standing;

/// Groups that are looked at on each side.
const MAX_GROUPS: usize = 8;
/// Characters between two groups: `) `, ` (`.
const MAX_GAP: usize = 3;
/// Digits from which on groups are a telephone number.
const LEAST_PHONE: usize = 7;

/// The groups of digits around a place.
struct Groups<'t> {
    text: &'t str,
    all: Vec<Group>,
    /// Digits of a number after the last group, or before the first one, that has a fraction: `1 234,56`.
    has_fraction: bool,
}

struct Group {
    place: Range<usize>,
    digits: usize,
}

/// How digits stand among the groups around them.
pub(super) fn standing(text: &str, place: &Range<usize>) -> Standing {
    let previous = group_before(text, place.start);
    let next = group_after(text, place.end);
    if previous.is_none() && next.is_none() {
        return Standing::Alone;
    }
    let groups = Groups::new(text, place, previous, next);
    let codes =
        [groups.international(), groups.with_area_code(), groups.american(), groups.account(), groups.in_pairs()];
    let found =
        codes.into_iter().flatten().chain([groups.thousands(), groups.beside_code(place)].into_iter().flatten());
    let within = found.filter(|(code, _)| groups.is_within(place, code)).map(|(_, standing)| standing);
    within.max().unwrap_or(Standing::Alone)
}

/// Groups that belong together, and how one of them stands.
type Code = (Range<usize>, Standing);

impl<'t> Groups<'t> {
    fn new(text: &'t str, place: &Range<usize>, previous: Option<Found>, next: Option<Found>) -> Self {
        let mut groups = Self { text, all: Vec::with_capacity(4), has_fraction: false };
        let mut before = previous;
        while let Some(found) = before.take().filter(|_| groups.all.len() < MAX_GROUPS) {
            let at = found.group.place.start;
            groups.all.push(found.group);
            before = (!found.is_last).then(|| group_before(text, at)).flatten();
        }
        groups.all.reverse();
        groups.add_own(place);
        let mut after = next;
        while let Some(found) = after.take().filter(|_| groups.all.len() < 2 * MAX_GROUPS) {
            let at = found.group.place.end;
            groups.has_fraction |= found.is_last;
            groups.all.push(found.group);
            after = (!found.is_last).then(|| group_after(text, at)).flatten();
        }
        groups
    }

    /// Adds the groups of the place itself; a number with a fraction is one.
    fn add_own(&mut self, place: &Range<usize>) {
        let own = self.text.get(place.clone()).unwrap_or_default();
        let mut at = place.start;
        for (index, part) in own.split(|c: char| !is_digit(c)).enumerate() {
            let end = at + part.len();
            let is_fraction = self.text.get(..at).unwrap_or_default().ends_with(['.', ',']) && index > 0;
            if is_fraction {
                self.has_fraction = true;
            } else if !part.is_empty() {
                self.all.push(Group { place: at..end, digits: part.chars().count() });
            }
            at = end + self.text.get(end..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        }
    }

    /// Whether a place is in these groups, and not all of them.
    fn is_within(&self, place: &Range<usize>, code: &Range<usize>) -> bool {
        let (Some(first), Some(last)) = (self.all.get(code.start), self.all.get(code.end.wrapping_sub(1))) else {
            return false;
        };
        let is_all = place.start <= first.place.start && last.place.end <= place.end;
        !is_all && first.place.start < place.end && place.start < last.place.end
    }

    fn digits(&self, groups: Range<usize>) -> usize {
        self.all.get(groups).unwrap_or_default().iter().map(|group| group.digits).sum()
    }

    fn lengths(&self) -> Vec<usize> {
        self.all.iter().map(|group| group.digits).collect()
    }

    fn begins_with_zero(&self, index: usize) -> bool {
        let group = self.all.get(index).filter(|group| group.digits > 1);
        let first = group.and_then(|group| self.text.get(group.place.start..)?.chars().next());
        first.and_then(digit) == Some(0)
    }

    /// What is between a group and the next one.
    fn gap(&self, index: usize) -> &'t str {
        let (Some(left), Some(right)) = (self.all.get(index), self.all.get(index + 1)) else { return "" };
        self.text.get(left.place.end..right.place.start).unwrap_or_default()
    }

    fn is_divided_by_space(&self, index: usize) -> bool {
        matches!(self.gap(index), " " | "\u{A0}" | "\u{202F}" | "\u{2009}")
    }

    /// `+49 30 1234567`, but not `+12 345 678`.
    fn international(&self) -> Option<Code> {
        let before = self.text.get(..self.all.first()?.place.start)?;
        let has_plus = before.trim_end_matches('(').ends_with('+');
        let all = 0..self.all.len();
        let is_number = self.thousands_from(0) == Some(all.clone()) && self.digits(all.clone()) <= 9;
        (has_plus && !self.has_fraction && !is_number && self.digits(all.clone()) >= LEAST_PHONE)
            .then_some((all, Standing::Part))
    }

    /// `030 1234567`, `01 23 45 67 89`: a group with a zero in front, and those after it. Not the date `03-04-2026`.
    fn with_area_code(&self) -> Option<Code> {
        let count = self.all.len();
        let begins = |index: &usize| {
            let is_first = *index == 0 || !self.gap(index - 1).contains(|c: char| c == '/' || is_dash(c));
            is_first && self.begins_with_zero(*index) && !self.is_date(*index)
        };
        let first = (0..count.saturating_sub(1)).find(begins)?;
        let is_thousands = first > 0 && self.thousands_from(first - 1).is_some();
        let is_long = self.digits(first..count) >= LEAST_PHONE;
        (is_long && !is_thousands && !self.has_fraction).then_some((first..count, Standing::Part))
    }

    /// Whether day, month and year, or month and year, begin with this group.
    fn is_date(&self, index: usize) -> bool {
        let lengths = self.lengths();
        let has_mark = self.gap(index).starts_with(|c: char| c == '/' || is_dash(c));
        has_mark && matches!(lengths.get(index..), Some([1..=2, 1..=2, 2 | 4, ..] | [1..=2, 4, ..]))
    }

    /// `(555) 010-9999`.
    fn american(&self) -> Option<Code> {
        let first = self.lengths().windows(3).position(|lengths| lengths == [3, 3, 4])?;
        let is_marked = !self.is_divided_by_space(first) || !self.is_divided_by_space(first + 1);
        let from = if first > 0 && self.digits(first - 1..first) == 1 { first - 1 } else { first };
        Some((from..first + 3, if is_marked { Standing::Part } else { Standing::Unsure }))
    }

    /// Account and card numbers: groups of four, the last one perhaps shorter; with `DE89` before them fewer.
    fn account(&self) -> Option<Code> {
        let is_four = |group: &Group| group.digits == 4;
        let first = self.all.iter().position(is_four)?;
        let fours = self.all.get(first..)?.iter().take_while(|group| is_four(group)).count();
        let has_letters = first > 0 && self.has_country(first - 1);
        let is_year = |group: &Group| {
            let text = self.text.get(group.place.clone()).unwrap_or_default();
            text.parse().is_ok_and(|year: u32| (1900..=2100).contains(&year))
        };
        let are_years = self.all.get(first..first + fours)?.iter().all(is_year);
        let is_account = if has_letters { fours >= 2 } else { fours >= 3 && !are_years };
        let end = first + fours;
        let last = self.all.get(end).filter(|group| group.digits < 4 && self.is_divided_by_space(end - 1));
        let from = if has_letters { first - 1 } else { first };
        (is_account && !self.has_fraction).then_some((from..end + usize::from(last.is_some()), Standing::Part))
    }

    /// Whether two letters are written before the two digits of a group: `DE89`.
    fn has_country(&self, index: usize) -> bool {
        let Some(group) = self.all.get(index).filter(|group| group.digits == 2) else { return false };
        let mut before = self.text.get(..group.place.start).unwrap_or_default().chars().rev();
        let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
        is_letter(before.next()) && is_letter(before.next()) && !before.next().is_some_and(is_word)
    }

    /// `12 34 56 78`: a telephone number, or four numbers.
    fn in_pairs(&self) -> Option<Code> {
        let is_pair = self.all.iter().all(|group| group.digits == 2);
        (is_pair && self.all.len() >= 4).then_some((0..self.all.len(), Standing::Unsure))
    }

    /// `2 500`, which may be two numbers where the space is an ordinary one.
    fn thousands(&self) -> Option<Code> {
        let found = (0..self.all.len()).find_map(|index| self.thousands_from(index))?;
        let is_ordinary = (found.start..found.end - 1).any(|index| self.gap(index) == " ");
        Some((found, if is_ordinary { Standing::Unsure } else { Standing::Part }))
    }

    fn thousands_from(&self, index: usize) -> Option<Range<usize>> {
        let is_first = self.all.get(index)?.digits <= 3 && !self.begins_with_zero(index);
        let follows =
            |at: &usize| self.is_divided_by_space(at - 1) && self.all.get(*at).is_some_and(|group| group.digits == 3);
        let end = (index + 1..self.all.len()).take_while(follows).last()? + 1;
        is_first.then_some(index..end)
    }

    /// `4711 0815`: beside a group that is a code, since a zero is in front of it.
    fn beside_code(&self, place: &Range<usize>) -> Option<Code> {
        let own = self.all.iter().position(|group| place.start <= group.place.start)?;
        let is_code =
            |index: usize| self.begins_with_zero(index) && self.all.get(index).is_some_and(|group| group.digits >= 4);
        let is_beside = is_code(own + 1) || own.checked_sub(1).is_some_and(is_code);
        is_beside.then(|| (own.saturating_sub(1)..(own + 2).min(self.all.len()), Standing::Unsure))
    }
}

/// A group beside another one.
struct Found {
    group: Group,
    /// Whether none can come after it in this direction: letters or a fraction belong to it.
    is_last: bool,
}

/// The group of digits before byte `at`.
fn group_before(text: &str, at: usize) -> Option<Found> {
    let before = text.get(..at)?;
    let rest = before.get(..before.len() - gap(before.chars().rev())?)?;
    let (digits, length) = digits(rest.chars().rev())?;
    let start = rest.len() - length;
    let mut beyond = rest.get(..start)?.chars().rev();
    let previous = beyond.next();
    let is_in_number = previous.is_some_and(is_number_mark) && beyond.next().is_some_and(is_digit);
    let is_last = previous.is_some_and(is_word);
    (!is_in_number).then_some(Found { group: Group { place: start..rest.len(), digits }, is_last })
}

/// The group of digits after byte `at`.
fn group_after(text: &str, at: usize) -> Option<Found> {
    let after = text.get(at..)?;
    let start = at + gap(after.chars())?;
    let (digits, length) = digits(text.get(start..)?.chars())?;
    let mut beyond = text.get(start + length..)?.chars();
    let next = beyond.next();
    let is_in_number = next.is_some_and(is_number_mark) && beyond.next().is_some_and(is_digit);
    let is_fraction = is_in_number && digits == 3 && next != Some(':');
    let is_word = next.is_some_and(is_word);
    let group = Group { place: start..start + length, digits };
    ((!is_in_number || is_fraction) && !is_word).then_some(Found { group, is_last: is_fraction })
}

fn is_number_mark(c: char) -> bool {
    matches!(c, '.' | ',' | ':' | '\'')
}

/// Bytes of what is between two groups; none if it parts them.
fn gap(chars: impl Iterator<Item = char>) -> Option<usize> {
    let is_space = |c: char| matches!(c, ' ' | '\u{A0}' | '\u{202F}' | '\u{2009}');
    let is_gap = |c: &char| is_space(*c) || matches!(c, '(' | ')' | '/') || is_dash(*c);
    let (mut count, mut spaces, mut length) = (0, 0, 0);
    for c in chars.take(MAX_GAP + 1).take_while(is_gap) {
        count += 1;
        spaces += usize::from(is_space(c));
        length += c.len_utf8();
    }
    ((1..=MAX_GAP).contains(&count) && spaces <= 1).then_some(length)
}

/// How many digits come first, and their bytes.
fn digits(chars: impl Iterator<Item = char>) -> Option<(usize, usize)> {
    let found =
        chars.take_while(|c| is_digit(*c)).fold((0, 0), |(digits, length), c| (digits + 1, length + c.len_utf8()));
    (found.0 > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, digits: &str) -> Standing {
        let start = text.rfind(digits).unwrap();
        standing(text, &(start..start + digits.len()))
    }

    #[test]
    fn groups_of_telephone_account_and_card_numbers_are_parts_of_them() {
        for (text, digits) in [
            ("call +49 30 1234567", "30"),
            ("call +49 (0)30 1234567", "1234567"),
            ("call 030 1234567", "1234567"),
            ("call 01 23 45 67 89", "45"),
            ("call (555) 010-9999", "555"),
            ("IBAN DE89 3704 0044 0532 0130 00", "3704"),
            ("IBAN DE89 3704 0044 0532 0130 00", "00"),
            ("IBAN NO93 8601 1117 947", "947"),
            ("IBAN GB29 NWBK 6016 1331 9268 19", "6016"),
            ("card 4111 1111 1111 1234", "4111"),
            ("2\u{202F}500 ml", "500"),
        ] {
            assert_eq!(of(text, digits), Standing::Part, "{digits} in {text}");
        }
    }

    #[test]
    fn all_of_a_code_and_numbers_beside_each_other_stand_for_themselves() {
        for (text, digits) in [
            ("call +49 30 1234567", "49 30 1234567"),
            ("call 030 1234567 or 12 people", "12"),
            ("from 2023 2024 2025 on", "2024"),
            ("01 2 lamps 45,00", "2"),
            ("03-04-2026 4711", "4711"),
            ("2 500 ml", "2 500"),
            ("2 lamps, 500 chairs", "500"),
            ("10 20 30", "20"),
            ("10\n500", "500"),
        ] {
            assert_eq!(of(text, digits), Standing::Alone, "{digits} in {text}");
        }
    }

    #[test]
    fn what_may_be_two_numbers_or_one_is_unsure() {
        for (text, digits) in
            [("2 500 ml", "500"), ("2 500 ml", "2"), ("1 234,56", "1"), ("12 34 56 78", "56"), ("4711 0815", "4711")]
        {
            assert_eq!(of(text, digits), Standing::Unsure, "{digits} in {text}");
        }
    }
}
