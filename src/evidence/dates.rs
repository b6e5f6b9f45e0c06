//! Dates as people write them: with year, in numbers or with the month's name, in several languages.

use std::ops::Range;
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use regex::{Captures, Regex};

use super::boundaries::{is_token, is_word, may_begin_number};
use super::budget::AllOf;
use super::months::{self, month};
use super::pattern::literal;

/// What looks like one of the dates of a text, at most: a text with more is a table, or meant to keep us busy.
const MAX_CANDIDATES: usize = 20_000;

/// Bytes of the longest way to write a date.
const MAX_LENGTH: usize = 64;

/// A date in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Date {
    /// The days that it may be.
    pub(super) days: Vec<NaiveDate>,
    /// Where it stands, in bytes of the folded text.
    pub(super) place: Range<usize>,
}

/// What comes first where someone writes a date in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Day,
    Month,
    Year,
}

/// A part of the text that is a date.
struct Candidate {
    /// The days that it may be, each with the order that it was read in.
    days: Vec<(First, NaiveDate)>,
    place: Range<usize>,
    /// Whether dates in this writing may have the day or the month first: `13/03/2026`, but not `13.03.2026`.
    has_two_orders: bool,
}

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let names = months::alternatives();
    let year_first = r"(?P<y1>\d{4})(?P<s1>[-/.])(?P<m1>\d{1,2})(?P<t1>[-/.])(?P<d1>\d{1,2})";
    let compact = r"(?P<y2>(?:19|20)\d{2})(?P<m2>\d{2})(?P<d2>\d{2})";
    let east_asian = r"(?P<y3>\d{4}) ?[年년] ?(?P<m3>\d{1,2}) ?[月월] ?(?P<d3>\d{1,2}) ?[日일]";
    let numbers = r"(?P<a4>\d{1,2})(?P<s4>[-/.]) ?(?P<b4>\d{1,2})(?P<t4>[-/.]) ?(?P<y4>\d{4}|\d{2})";
    let day_first = format!(
        r"(?P<d5>\d{{1,2}})(?:st|nd|rd|th|er|e|º|°|\.)?[ -]?(?:(?:of|de|di) |d')?(?P<m5>{names})\.?(?:,| del?)?[ -]?(?P<y5>\d{{4}}|'?\d{{2}})"
    );
    let month_first = format!(
        r"(?P<m6>{names})\.?[ -](?:(?P<from6>\d{{1,2}})(?:st|nd|rd|th)? ?- ?)?(?P<d6>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y6>\d{{4}})"
    );
    literal(&format!("{year_first}|{compact}|{east_asian}|{numbers}|{day_first}|{month_first}"))
});

/// What may stand before a date as the first one of its range, and leaves out what both have in common:
/// `12.–15.03.2026`, `12 March – 15 April 2026`.
static FIRST_OF_RANGE: LazyLock<Regex> = LazyLock::new(|| {
    let names = months::alternatives();
    let numbers = r"[./] ?(?P<month>\d{1,2})\.?";
    let name = format!(r"(?P<mark>st|nd|rd|th|er|º|°|\.)?(?:[ -]?(?P<name>{names})\.?)?");
    literal(&format!(r"(?P<day>\d{{1,2}})(?:{numbers}|{name}) ?- ?$"))
});

/// Bytes before a date in which the first one of its range is looked for.
const RANGE_WINDOW: usize = 32;

/// The dates of a folded text in their order.
pub(super) fn dates(text: &str) -> AllOf<Date> {
    let mut found: Vec<Candidate> = Vec::new();
    let (mut from, mut is_cut) = (0, true);
    for _ in 0..MAX_CANDIDATES {
        let Some(captures) = DATE.captures_at(text, from) else {
            is_cut = false;
            break;
        };
        let Some(place) = captures.get(0).map(|whole| whole.range()) else { break };
        let has_two_orders = captures.name("s4").is_some_and(|mark| mark.as_str() != ".");
        let date = Candidate { days: days(&captures), place, has_two_orders };
        let is_known = found.last().is_some_and(|last| text.get(last.place.end..date.place.start) == Some("-"));
        let first = if is_known { None } else { first_of_range(text, &date) };
        let is_range = is_known || first.is_some();
        if date.days.is_empty() || !is_alone(text, &date.place, is_range) || is_no_year(text, &captures) {
            // What looks like a date may begin later: the day in `100.12.03.2026` no, in `7 12 March 2026` yes.
            from = text.ceil_char_boundary(date.place.start + 1);
            continue;
        }
        from = date.place.end;
        found.extend(first.or_else(|| first_day(&captures, &date)));
        found.push(date);
    }
    AllOf { found: resolved(found), is_cut }
}

/// The dates with the days that they may be, given how the text writes dates.
fn resolved(found: Vec<Candidate>) -> Vec<Date> {
    let order = order_of_day_and_month(&found);
    let dates = found.into_iter().map(|Candidate { days, place, has_two_orders }| {
        let is_other =
            |first: First| has_two_orders && first != First::Year && order.is_some_and(|order| order != first);
        let days = days.into_iter().filter(|(first, _)| !is_other(*first));
        let mut days: Vec<NaiveDate> = days.map(|(_, day)| day).collect();
        days.dedup();
        Date { days, place }
    });
    dates.filter(|date| !date.days.is_empty()).collect()
}

/// Whether no digits, letters or further groups of digits are beside a date. A `t` begins the time, and a dash parts it
/// from the other date of a range.
fn is_alone(text: &str, place: &Range<usize>, is_end_of_range: bool) -> bool {
    let after = text.get(place.end..).unwrap_or_default();
    let is_digit = |c: char| c.is_ascii_digit();
    let begins_time = after.strip_prefix('t').is_some_and(|rest| rest.starts_with(is_digit));
    let goes_on = |c: char| matches!(c, '-' | '/' | '.' | ',');
    let follows = after.strip_prefix(goes_on).is_some_and(|rest| rest.starts_with(is_digit));
    let before = text.get(..place.start).unwrap_or_default();
    let precedes = before.strip_suffix(goes_on).is_some_and(|rest| rest.ends_with(char::is_alphanumeric));
    let until = if begins_time { text.get(..place.end).unwrap_or(text) } else { text };
    is_token(until, place) && (!follows || begins_range(after)) && (!precedes || is_end_of_range)
}

/// Whether a dash and another date come next.
fn begins_range(after: &str) -> bool {
    let Some(rest) = after.strip_prefix('-') else { return false };
    let window = rest.get(..rest.ceil_char_boundary(MAX_LENGTH.min(rest.len()))).unwrap_or_default();
    let captures = DATE.captures(window).filter(|captures| captures.get(0).is_some_and(|whole| whole.start() == 0));
    captures.is_some_and(|captures| !days(&captures).is_empty())
}

/// The first date of a range that ends with this one. Its place is the whole range.
fn first_of_range(text: &str, end: &Candidate) -> Option<Candidate> {
    let before = text.get(..end.place.start)?;
    let window = before.get(before.floor_char_boundary(before.len().saturating_sub(RANGE_WINDOW))..)?;
    if !window.trim_end().ends_with('-') {
        return None;
    }
    let captures = FIRST_OF_RANGE.captures(window)?;
    let start = before.len() - window.len() + captures.get(0)?.start();
    let is_told = ["month", "name", "mark"].iter().any(|part| captures.name(part).is_some());
    if !is_told && captures.get(0)?.as_str().contains(' ') {
        // `Item 12 - 15.03.2026` is no range.
        return None;
    }
    if !may_begin_number(before.get(..start)?) {
        return None;
    }
    let number = |name: &str| captures.name(name).map(|found| found.as_str().parse::<u32>().ok());
    let written = number("day")??;
    let second = number("month").map_or(Some(None), |month| month.map(Some))?;
    let named = captures.name("name").map(|name| month(name.as_str()));
    let named = named.map_or(Some(None), |month| month.map(Some))?;
    let first = |(order, last): &(First, NaiveDate)| {
        let (day, month) = match (named, second, order) {
            (Some(month), ..) => (written, month),
            (None, Some(day), First::Month) => (day, written),
            (None, Some(month), _) => (written, month),
            (None, None, _) => (written, last.month()),
        };
        let this_year = NaiveDate::from_ymd_opt(last.year(), month, day).filter(|first| first < last);
        let has_month = named.is_some() || second.is_some();
        let last_year = || NaiveDate::from_ymd_opt(last.year() - 1, month, day).filter(|_| has_month);
        Some((*order, this_year.or_else(last_year)?))
    };
    let days: Vec<_> = end.days.iter().filter_map(first).collect();
    let place = start..end.place.end;
    (!days.is_empty()).then_some(Candidate { days, place, has_two_orders: end.has_two_orders })
}

/// The first day of `March 12-15, 2026`, whose place is all of it.
fn first_day(captures: &Captures<'_>, end: &Candidate) -> Option<Candidate> {
    let number = |name: &str| captures.name(name)?.as_str().parse::<u32>().ok();
    let month = captures.name("m6").and_then(|name| month(name.as_str()))?;
    let year = i32::try_from(number("y6")?).ok()?;
    let first = NaiveDate::from_ymd_opt(year, month, number("from6")?)?;
    let is_first = end.days.iter().any(|(_, last)| first < *last);
    is_first.then(|| Candidate { days: vec![(First::Month, first)], place: end.place.clone(), has_two_orders: false })
}

/// Whether what would be a year of two digits is something else: the hour in `5 mars 10:30`, the guests in
/// `5. Mai 20 Personen`.
fn is_no_year(text: &str, captures: &Captures<'_>) -> bool {
    let Some(year) = captures.name("y4").or_else(|| captures.name("y5")).filter(|year| year.len() == 2) else {
        return false;
    };
    let (before, after) = (text.get(..year.start()), text.get(year.end()..).unwrap_or_default());
    let is_divided = before.is_some_and(|before| before.ends_with(' '));
    let next = after.strip_prefix(' ').unwrap_or(after);
    let is_time = after.strip_prefix([':', 'h']).is_some_and(|rest| !rest.starts_with(char::is_alphabetic));
    let counts = next.starts_with(|c: char| is_word(c) || matches!(c, '%' | '€' | '$' | '£'));
    is_time || (is_divided && counts)
}

/// The days that a match may mean, each with the order that it was read in.
fn days(captures: &Captures<'_>) -> Vec<(First, NaiveDate)> {
    let text = |name: &str| captures.name(name).map(|found| found.as_str());
    let number = |name: &str| text(name).and_then(|digits| digits.parse::<u32>().ok());
    let year = |name: &str| text(name).and_then(year);
    let named = |name: &str| text(name).and_then(month);
    let day = |order: First, year: Option<i32>, month: Option<u32>, day: Option<u32>| {
        Some((order, NaiveDate::from_ymd_opt(year?, month?, day?)?))
    };
    let all = if number("y1").is_some() {
        let is_date = text("s1") == text("t1");
        vec![day(First::Year, year("y1").filter(|_| is_date), number("m1"), number("d1"))]
    } else if number("y2").is_some() {
        vec![day(First::Year, year("y2"), number("m2"), number("d2"))]
    } else if number("y3").is_some() {
        vec![day(First::Year, year("y3"), number("m3"), number("d3"))]
    } else if let (Some(found), Some(mark)) = (year("y4"), text("s4")) {
        let year_first = text("a4").and_then(self::year).filter(|_| text("t4") == Some(mark));
        let year = Some(found).filter(|_| text("t4") == Some(mark));
        let (a, b) = (number("a4"), number("b4"));
        let is_short = text("y4").is_some_and(|year| year.len() == 2);
        match mark {
            "." => vec![day(First::Day, year, b, a)],
            "-" if is_short => vec![
                day(First::Day, year, b, a),
                day(First::Month, year, a, b),
                day(First::Year, year_first.filter(|_| text("a4").is_some_and(|a| a.len() == 2)), b, number("y4")),
            ],
            _ => vec![day(First::Day, year, b, a), day(First::Month, year, a, b)],
        }
    } else if text("y5").is_some() {
        vec![day(First::Year, year("y5"), named("m5"), number("d5"))]
    } else {
        vec![day(First::Year, year("y6"), named("m6"), number("d6"))]
    };
    all.into_iter().flatten().collect()
}

/// The order of day and month in those dates of the text that may have either, where one of them can be read in one
/// order only. Dates with points or names say nothing of it: an American mail may be quoted below a German one.
fn order_of_day_and_month(found: &[Candidate]) -> Option<First> {
    let open = found.iter().filter(|date| date.has_two_orders);
    let mut orders = open.filter_map(|date| match date.days.as_slice() {
        [(order, day)] if *order != First::Year && day.day() > 12 => Some(*order),
        _ => None,
    });
    let first = orders.next()?;
    orders.all(|order| order == first).then_some(first)
}

/// The year that digits mean: two of them one from 1970 to 2069, four what they say.
fn year(digits: &str) -> Option<i32> {
    let digits = digits.trim_start_matches('\'');
    let year: i32 = digits.parse().ok()?;
    match (digits.len(), year) {
        (2, 0..70) => Some(2000 + year),
        (2, _) => Some(1900 + year),
        _ => Some(year),
    }
}

#[cfg(test)]
mod tests;
