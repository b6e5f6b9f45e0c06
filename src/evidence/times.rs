//! Times of day, alone and beside a date.

use std::ops::Range;
use std::sync::LazyLock;

use chrono::{FixedOffset, NaiveDateTime, NaiveTime};
use regex::{Captures, Regex};

use super::boundaries::is_token;
use super::dates::Date;
use super::pattern::literal;

/// Bytes that may be between a date and its time.
const MAX_GAP: usize = 16;

/// What may be between a date and its time, apart from spaces, commas and dashes.
const GAPS: &[&str] = &[
    "",
    "t",
    "at",
    "um",
    "gegen",
    "ab",
    "à",
    "a las",
    "alle",
    "alle ore",
    "ore",
    "om",
    "as",
    "às",
    "o",
    "on",
    "am",
    "le",
    "el",
    "il",
    "op",
    "den",
    "kl",
    "@",
    "uhr am",
    "uhr",
    "o'clock on",
    "from",
    "de",
    "von",
];

/// What looks like one of the times of a text, at most: a text with more is a table, or meant to keep us busy.
const MAX_CANDIDATES: usize = 20_000;

/// A time of day in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Time {
    /// To the second; the text may say less.
    pub(super) time: NaiveTime,
    /// The offset from UTC, where the text says one.
    pub(super) offset: Option<FixedOffset>,
    /// Where it stands, in bytes of the folded text.
    pub(super) place: Range<usize>,
}

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    let zone = r"(?: ?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2}))?";
    let colon =
        r"(?P<h1>\d{1,2}):(?P<m1>\d{2})(?::(?P<s1>\d{2})(?:[.,]\d{1,9})?)?(?: ?(?P<half1>[ap])\.? ?m\.?| ?uhr)?";
    let letter = r"(?P<h2>\d{1,2}) ?h(?: ?(?P<m2>\d{2}))?";
    let point = r"(?P<h3>\d{1,2})\.(?P<m3>\d{2}) ?(?:uhr|(?P<half3>[ap])\.? ?m\.?)";
    let clock = r"(?P<h4>\d{1,2}) uhr(?: (?P<m4>\d{2}))?";
    let half = r"(?P<h5>\d{1,2}) ?(?P<half5>[ap])\.? ?m\.?";
    literal(&format!("(?:{colon}|{letter}|{point}|{clock}|{half}){zone}"))
});

/// The times of a folded text in their order.
pub(super) fn times(text: &str) -> Vec<Time> {
    let mut found = Vec::new();
    let mut from = 0;
    for _ in 0..MAX_CANDIDATES {
        let Some(captures) = TIME.captures_at(text, from) else { break };
        let Some(whole) = captures.get(0) else { break };
        let place = whole.start()..whole.start() + whole.as_str().trim_end_matches('.').len();
        match time(&captures).filter(|_| is_alone(text, &place)) {
            Some((time, offset)) => {
                from = place.end;
                found.push(Time { time, offset, place });
            }
            None => from = text.ceil_char_boundary(place.start + 1),
        }
    }
    found
}

/// The time that a text is, and nothing else.
pub(super) fn only_time(folded: &str) -> Option<Time> {
    times(folded).into_iter().find(|time| time.place.start == 0 && time.place.end + 1 >= folded.len())
}

/// Whether it is not the end of a longer number. A `t` parts it from a date.
fn is_alone(text: &str, place: &Range<usize>) -> bool {
    let before = text.get(..place.start).unwrap_or_default();
    let after_date = before.strip_suffix('t').is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
    let from = if after_date { place.start } else { 0 };
    let precedes = before.ends_with([':', '.', ',', '/', '-'])
        && before.trim_end_matches([':', '.', ',', '/', '-']).ends_with(|c: char| c.is_ascii_digit());
    let follows = text.get(place.end..).and_then(|rest| rest.strip_prefix([':', '.', '/']));
    let follows = follows.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let rest = text.get(from..).unwrap_or_default();
    is_token(rest, &(place.start - from..place.end - from)) && !precedes && !follows
}

fn time(captures: &Captures<'_>) -> Option<(NaiveTime, Option<FixedOffset>)> {
    let text = |names: &[&str]| names.iter().find_map(|name| captures.name(name)).map(|found| found.as_str());
    let number = |names: &[&str]| text(names).map(|digits| digits.parse::<u32>().ok());
    let hour = number(&["h1", "h2", "h3", "h4", "h5"])??;
    let hour = match text(&["half1", "half3", "half5"]) {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("p") if hour < 12 => hour + 12,
        Some("a") if hour == 12 => 0,
        _ => hour,
    };
    let minute = number(&["m1", "m2", "m3", "m4"]).unwrap_or(Some(0))?;
    let second = number(&["s1"]).unwrap_or(Some(0))?;
    let zone = text(&["zone"]).map(offset);
    Some((NaiveTime::from_hms_opt(hour, minute, second)?, zone.unwrap_or_default()))
}

/// The offset that `z`, `utc` or `+02:00` means.
fn offset(zone: &str) -> Option<FixedOffset> {
    let Some(digits) = zone.strip_prefix(['+', '-']) else { return FixedOffset::east_opt(0) };
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(digits.len() - 2..)?.parse().ok()?;
    let seconds = hours * 3600 + minutes * 60;
    FixedOffset::east_opt(if zone.starts_with('-') { -seconds } else { seconds })
}

/// A time that a value means: a day's time in a place, or a moment where the value names its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// By the clock on the wall.
    pub(super) local: NaiveDateTime,
    /// The offset from UTC.
    pub(super) offset: Option<FixedOffset>,
}

impl Moment {
    /// Whether a date with a time is this moment, with the time's offset if it has one.
    fn is(self, day: chrono::NaiveDate, time: &Time) -> bool {
        let written = day.and_time(time.time);
        match (self.offset, time.offset) {
            (Some(offset), Some(written_offset)) => {
                self.local.checked_sub_offset(offset) == written.checked_sub_offset(written_offset)
            }
            _ => written == self.local,
        }
    }
}

/// Where a text has a moment: a date with the time beside it, or the date alone if the value is its midnight. With
/// each place comes whether it can be read in no other way.
pub(super) fn moments(text: &str, dates: &[Date], times: &[Time], moment: Moment) -> Vec<(Range<usize>, bool)> {
    let mut found = Vec::new();
    for date in dates.iter().filter(|date| date.days.iter().any(|day| is_near(*day, moment))) {
        let is_sure = date.days.len() == 1;
        // Times are in the order of the text: only the next one on each side can be beside the date.
        let after = times.partition_point(|time| time.place.start < date.place.end);
        let before = times.partition_point(|time| time.place.end <= date.place.start);
        let nearest = [before.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|index| times.get(index));
        let beside = nearest.filter(|time| is_beside(text, &date.place, &time.place));
        let mut has_time = false;
        for time in beside {
            has_time = true;
            if date.days.iter().any(|day| moment.is(*day, time)) {
                let place = date.place.start.min(time.place.start)..date.place.end.max(time.place.end);
                found.push((place, is_sure));
            }
        }
        let is_midnight = moment.local.time() == NaiveTime::MIN;
        if !has_time && is_midnight && date.days.contains(&moment.local.date()) {
            found.push((date.place.clone(), is_sure));
        }
    }
    found
}

/// Whether a day is that of the moment, or beside it: offsets may move it.
fn is_near(day: chrono::NaiveDate, moment: Moment) -> bool {
    day.signed_duration_since(moment.local.date()).num_days().abs() <= 1
}

/// Whether nothing but a word such as `at` is between a date and a time.
fn is_beside(text: &str, date: &Range<usize>, time: &Range<usize>) -> bool {
    let gap = if date.end <= time.start { date.end..time.start } else { time.end..date.start };
    let Some(gap) = text.get(gap).filter(|gap| gap.len() <= MAX_GAP) else { return false };
    GAPS.contains(&gap.trim_matches([' ', ',', '-', '.', '(', '|', ';']))
}

#[cfg(test)]
mod tests {
    use super::super::dates::dates;
    use super::super::folded_text::fold;
    use super::*;

    fn found(text: &str) -> Vec<String> {
        times(&fold(text)).into_iter().map(|time| time.time.to_string()).collect()
    }

    #[test]
    fn times_are_read_in_many_writings() {
        for text in [
            "14:30",
            "14:30:00",
            "2:30 pm",
            "2:30 P.M.",
            "2.30 pm",
            "14h30",
            "14 h 30",
            "14.30 Uhr",
            "14 Uhr 30",
            "14:30 Uhr",
            "14:30Z",
            "14:30 UTC",
            "at 14:30.",
        ] {
            assert_eq!(found(text), ["14:30:00"], "{text}");
        }
        assert_eq!(found("from 2 pm to 14 Uhr, 12 am, 12 pm"), ["14:00:00", "14:00:00", "00:00:00", "12:00:00"]);
    }

    #[test]
    fn what_is_no_time_is_not_read_as_one() {
        for text in ["25:00", "14:60", "13 pm", "1:2:3", "12.50", "14:305", "5 hours", "2026:14:30", "3 ham", "114:30"]
        {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_date_with_the_time_beside_it() {
        let is_found = |text: &str, day: &str, time: &str, offset: Option<i32>| {
            let text = fold(text);
            let local = format!("{day}T{time}").parse().unwrap();
            let moment = Moment { local, offset: offset.and_then(|hours| FixedOffset::east_opt(hours * 3600)) };
            !moments(&text, &dates(&text), &times(&text), moment).is_empty()
        };
        for (text, offset) in [
            ("on 12 March 2026 at 2:30 pm", Some(0)),
            ("am 12.03.2026 um 14:30 Uhr", None),
            ("14:30 Uhr am 12.03.2026", Some(1)),
            ("2026-03-12 14:30", None),
            ("2026-03-12T14:30:00Z", Some(0)),
            ("2026-03-12T15:30:00+01:00", Some(0)),
        ] {
            assert!(is_found(text, "2026-03-12", "14:30:00", offset), "{text}");
        }
        assert!(is_found("12.03.2026", "2026-03-12", "00:00:00", Some(0)));
        for text in ["12.03.2026, 15:30", "12.03.2026", "12.03.2026 and later 14:30", "2026-03-12T14:30:00+02:00"] {
            assert!(!is_found(text, "2026-03-12", "14:30:00", Some(0)), "{text}");
        }
        assert!(!is_found("12.03.2026 14:30", "2026-03-12", "00:00:00", None));
    }
}
