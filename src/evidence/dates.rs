//! Dates as people write them: with year, in numbers or with the month's name, in several languages.

use std::ops::Range;
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use regex::{Captures, Regex};

use super::boundaries::is_token;
use super::months::{self, month};
use super::pattern::literal;

/// What looks like one of the dates of a text, at most: a text with more is a table, or meant to keep us busy.
const MAX_CANDIDATES: usize = 20_000;

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

/// The days that a part of the text may be, and where it stands.
type Candidate = (Vec<(First, NaiveDate)>, Range<usize>);

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let names = months::alternatives();
    let year_first = r"(?P<y1>\d{4})(?P<s1>[-/.])(?P<m1>\d{1,2})(?P<t1>[-/.])(?P<d1>\d{1,2})";
    let compact = r"(?P<y2>(?:19|20)\d{2})(?P<m2>\d{2})(?P<d2>\d{2})";
    let east_asian = r"(?P<y3>\d{4}) ?[年년] ?(?P<m3>\d{1,2}) ?[月월] ?(?P<d3>\d{1,2}) ?[日일]";
    let numbers = r"(?P<a4>\d{1,2})(?P<s4>[-/.]) ?(?P<b4>\d{1,2})(?P<t4>[-/.]) ?(?P<y4>\d{4}|\d{2})";
    let day_first = format!(
        r"(?P<d5>\d{{1,2}})(?:st|nd|rd|th|er|e|º|°|\.)?[ -]?(?:(?:of|de|di) |d')?(?P<m5>{names})\.?(?:,| del?)?[ -]?(?P<y5>\d{{4}}|'?\d{{2}})"
    );
    let month_first = format!(r"(?P<m6>{names})\.?[ -](?P<d6>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y6>\d{{4}})");
    literal(&format!("{year_first}|{compact}|{east_asian}|{numbers}|{day_first}|{month_first}"))
});

/// The dates of a folded text in their order.
pub(super) fn dates(text: &str) -> Vec<Date> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut from = 0;
    for _ in 0..MAX_CANDIDATES {
        let Some(captures) = DATE.captures_at(text, from) else { break };
        let Some(place) = captures.get(0).map(|whole| whole.range()) else { break };
        let days = days(&captures);
        if days.is_empty() || !is_alone(text, &place) {
            // What looks like a date may begin later: the day in `100.12.03.2026` no, in `7 12 March 2026` yes.
            from = text.ceil_char_boundary(place.start + 1);
            continue;
        }
        from = place.end;
        found.push((days, place));
    }
    let habit = habit(&found);
    let dates = found.into_iter().map(|(mut days, place)| {
        days.retain(|(order, _)| habit.is_none_or(|habit| *order == habit || *order == First::Year));
        let mut days: Vec<NaiveDate> = days.into_iter().map(|(_, day)| day).collect();
        days.dedup();
        Date { days, place }
    });
    dates.filter(|date| !date.days.is_empty()).collect()
}

/// The date that a text is, and nothing else.
pub(super) fn only_date(folded: &str) -> Option<Date> {
    dates(folded).into_iter().find(|date| date.place == (0..folded.len()))
}

/// Whether no digits, letters or further groups of digits are beside a date. A `t` begins the time.
fn is_alone(text: &str, place: &Range<usize>) -> bool {
    let after = text.get(place.end..).unwrap_or_default();
    let begins_time = after.strip_prefix('t').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let goes_on = |c: char| matches!(c, '-' | '/' | '.' | ',');
    let follows = after.strip_prefix(goes_on).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let before = text.get(..place.start).unwrap_or_default();
    let precedes = before.strip_suffix(goes_on).is_some_and(|rest| rest.ends_with(char::is_alphanumeric));
    let until = if begins_time { text.get(..place.end).unwrap_or(text) } else { text };
    is_token(until, place) && !follows && !precedes
}

/// The days that a match may mean, each with the order that it was read in.
fn days(captures: &Captures<'_>) -> Vec<(First, NaiveDate)> {
    let text = |name: &str| captures.name(name).map(|found| found.as_str());
    let number = |name: &str| text(name).and_then(|digits| digits.trim_start_matches('\'').parse::<u32>().ok());
    let named = |name: &str| text(name).and_then(month);
    let day = |order: First, year: Option<u32>, month: Option<u32>, day: Option<u32>| {
        let year = year.map(full_year).and_then(|year| i32::try_from(year).ok());
        Some((order, NaiveDate::from_ymd_opt(year?, month?, day?)?))
    };
    let all = if number("y1").is_some() {
        let is_date = text("s1") == text("t1");
        vec![day(First::Year, number("y1").filter(|_| is_date), number("m1"), number("d1"))]
    } else if number("y2").is_some() {
        vec![day(First::Year, number("y2"), number("m2"), number("d2"))]
    } else if number("y3").is_some() {
        vec![day(First::Year, number("y3"), number("m3"), number("d3"))]
    } else if let (Some(year), Some(mark)) = (number("y4"), text("s4")) {
        let year = Some(year).filter(|_| text("t4") == Some(mark));
        let (a, b) = (number("a4"), number("b4"));
        let is_short = text("y4").is_some_and(|year| year.len() == 2);
        match mark {
            "." => vec![day(First::Day, year, b, a)],
            "-" if is_short => vec![
                day(First::Day, year, b, a),
                day(First::Month, year, a, b),
                day(First::Year, a.filter(|_| year.is_some()), b, number("y4")),
            ],
            _ => vec![day(First::Day, year, b, a), day(First::Month, year, a, b)],
        }
    } else if number("y5").is_some() {
        vec![day(First::Year, number("y5"), named("m5"), number("d5"))]
    } else {
        vec![day(First::Year, number("y6"), named("m6"), number("d6"))]
    };
    all.into_iter().flatten().collect()
}

/// The order in which the text puts day and month, where one of its dates can be read in one order only.
fn habit(found: &[Candidate]) -> Option<First> {
    let mut orders = found.iter().filter_map(|(days, _)| match days.as_slice() {
        [(order, day)] if *order != First::Year && day.day() > 12 => Some(*order),
        _ => None,
    });
    let first = orders.next()?;
    orders.all(|order| order == first).then_some(first)
}

/// The year that two digits mean: from 1970 to 2069.
fn full_year(year: u32) -> u32 {
    match year {
        0..70 => 2000 + year,
        70..100 => 1900 + year,
        _ => year,
    }
}

#[cfg(test)]
mod tests {
    use super::super::folded_text::fold;
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let days = |date: Date| date.days.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        dates(&fold(text)).into_iter().map(days).collect()
    }

    #[test]
    fn dates_are_read_in_many_writings() {
        for text in [
            "2026-03-12",
            "2026/03/12",
            "2026.3.12",
            "20260312",
            "2026年3月12日",
            "2026년 3월 12일",
            "12.03.2026",
            "12. 3. 2026",
            "12.3.26",
            "12. März 2026",
            "12 mars 2026",
            "12-mar-2026",
            "12 Mar '26",
            "le 12 mars 2026",
            "12 de marzo de 2026",
            "12 de março de 2026",
            "12 marzo 2026",
            "12 maart 2026",
            "12 marca 2026",
            "March 12th, 2026",
            "Mar. 12, 2026",
            "the 12th of March, 2026",
            "2026-03-12T10:00",
            "١٢ mars ٢٠٢٦",
        ] {
            assert_eq!(found(text), ["2026-03-12"], "{text}");
        }
    }

    #[test]
    fn day_and_month_are_told_apart_by_another_date_of_the_text_or_not_at_all() {
        assert_eq!(found("03/04/2026"), ["2026-04-03 or 2026-03-04"]);
        assert_eq!(found("03-04-2026"), ["2026-04-03 or 2026-03-04"]);
        assert_eq!(found("03/03/2026"), ["2026-03-03"]);
        assert_eq!(found("03.04.2026"), ["2026-04-03"]);
        assert_eq!(found("03/04/2026 to 25/04/2026"), ["2026-04-03", "2026-04-25"]);
        assert_eq!(found("03/04/2026 to 04/25/2026"), ["2026-03-04", "2026-04-25"]);
        assert_eq!(found("26-03-12"), ["2012-03-26 or 2026-03-12"]);
    }

    #[test]
    fn what_is_no_date_is_not_read_as_one() {
        for text in [
            "31.02.2026",
            "12 apples 2026",
            "1.2.3.2026",
            "192.168.10.12",
            "12.03.20265",
            "A-12.03.2026",
            "2026-03/12",
            "120260312",
            "March 2026",
            "12 March",
            "2026-03-12-7",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
