//! A date with a time beside it.

use std::ops::Range;

use chrono::{FixedOffset, NaiveDateTime, NaiveTime};

use super::dates::Date;
use super::times::{Time, is_range};

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
        let mut has_time = false;
        for time in beside(text, &date.place, times).into_iter().flatten() {
            has_time = true;
            if date.days.iter().any(|day| moment.is(*day, time)) {
                let place = date.place.start.min(time.place.start)..date.place.end.max(time.place.end);
                found.push((place, is_sure && time.is_sure));
            }
        }
        let is_midnight = moment.local.time() == NaiveTime::MIN;
        if !has_time && is_midnight && date.days.contains(&moment.local.date()) {
            found.push((date.place.clone(), is_sure));
        }
    }
    found
}

/// The times beside a date: the next one on each side, and the other end of its range.
fn beside<'t>(text: &str, date: &Range<usize>, times: &'t [Time]) -> [Option<&'t Time>; 4] {
    // Times are in the order of the text: only the next one on each side can be beside the date.
    let after = times.partition_point(|time| time.place.start < date.end);
    let before = times.partition_point(|time| time.place.end <= date.start);
    let time = |index: Option<usize>| times.get(index?);
    let is_one = |first: &Time, second: &Time| {
        let between = text.get(first.place.end..second.place.start);
        first.place.end == second.place.end || between.is_some_and(is_range)
    };
    let next = time(Some(after)).filter(|time| is_beside(text, date, &time.place));
    let last = time(before.checked_sub(1)).filter(|time| is_beside(text, date, &time.place));
    let end = next.and_then(|next| time(Some(after + 1)).filter(|end| is_one(next, end)));
    let start = last.and_then(|last| time(before.checked_sub(2)).filter(|start| is_one(start, last)));
    [start, last, next, end]
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
    use super::super::times::times;
    use super::*;

    #[test]
    fn a_moment_is_a_date_with_the_time_beside_it() {
        let is_found = |text: &str, day: &str, time: &str, offset: Option<i32>| {
            let text = fold(text);
            let local = format!("{day}T{time}").parse().unwrap();
            let moment = Moment { local, offset: offset.and_then(|hours| FixedOffset::east_opt(hours * 3600)) };
            !moments(&text, &dates(&text).found, &times(&text).found, moment).is_empty()
        };
        for (text, offset) in [
            ("on 12 March 2026 at 2:30 pm", Some(0)),
            ("am 12.03.2026 um 14:30 Uhr", None),
            ("14:30 Uhr am 12.03.2026", Some(1)),
            ("2026-03-12 14:30", None),
            ("2026-03-12T14:30:00Z", Some(0)),
            ("2026-03-12T15:30:00+01:00", Some(0)),
            ("12.03.2026, 14:30-17:00", None),
            ("12.03.2026, 09:00–14:30", None),
            ("9-14.30 Uhr am 12.03.2026", None),
            ("14.30-16 Uhr am 12.03.2026", None),
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
