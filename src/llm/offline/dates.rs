//! Dates as people write them, as ISO 8601. Only complete ones: without a year there is nothing to guess from.

use std::sync::LazyLock;

use chrono::{NaiveDate, NaiveTime};
use regex::{Captures, Regex};

use super::pattern::literal;
use crate::evidence::months::month;

/// A date, perhaps with the time that stands next to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Date {
    pub(super) day: NaiveDate,
    /// Time of day and the offset as written (`Z`, `+02:00`).
    pub(super) time: Option<(NaiveTime, String)>,
    /// Byte where it begins.
    pub(super) at: usize,
    /// Byte after the date, without its time.
    pub(super) end: usize,
}

impl Date {
    /// Whether the date is on a line with hardly anything else, as in the head of a letter.
    pub(super) fn stands_alone(&self, text: &str) -> bool {
        let from = text.get(..self.at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let line = text.get(from..).unwrap_or_default().lines().next().unwrap_or_default();
        line.split_whitespace().count() <= 6
    }

    /// RFC 3339 full-date.
    pub(super) fn to_date(&self) -> String {
        self.day.format("%Y-%m-%d").to_string()
    }

    /// RFC 3339 date-time; midnight and UTC where the text does not say.
    pub(super) fn to_date_time(&self) -> String {
        let (time, offset) = self.time.clone().unwrap_or((NaiveTime::MIN, "Z".to_owned()));
        let offset = if offset.is_empty() { "Z" } else { &offset };
        format!("{}T{}{offset}", self.to_date(), time.format("%H:%M:%S"))
    }
}

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let iso = r"\b(?P<y1>\d{4})-(?P<m1>\d{2})-(?P<d1>\d{2})(?:[T ](?P<t1>\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?(?P<o1>Z|[+-]\d{2}:\d{2})?)?";
    let dots = r"\b(?P<d2>\d{1,2})\.\s?(?P<m2>\d{1,2})\.\s?(?P<y2>\d{4})\b";
    let slashes = r"\b(?P<a3>\d{1,2})[/-](?P<b3>\d{1,2})[/-](?P<y3>\d{4})\b";
    let day_first = r"\b(?P<d4>\d{1,2})(?:st|nd|rd|th|er|\.)?\s+(?:of |de )?(?P<m4>[^\W\d_]{3,10})\.?,?\s+(?:del? )?(?P<y4>\d{4})\b";
    let month_first = r"\b(?P<m5>[^\W\d_]{3,10})\.?\s+(?P<d5>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y5>\d{4})\b";
    literal(&format!("{iso}|{dots}|{slashes}|{day_first}|{month_first}"))
});

static CLOCK: LazyLock<Regex> =
    LazyLock::new(|| literal(r"^[,\s]{0,3}(?:at|um|à|a las)?\s?(\d{1,2}):(\d{2})(?:\s?([AaPp])\.?[Mm])?"));

/// The dates in `text`. `day_first` settles `03/12/2026`.
pub(super) fn dates(text: &str, day_first: bool) -> Vec<Date> {
    DATE.captures_iter(text)
        .filter_map(|captures| {
            let whole = captures.get(0)?;
            let day = day(&captures, day_first)?;
            let after = text.get(whole.end()..)?;
            let written = captures.name("t1").and_then(|time| clock(time.as_str()));
            let offset = captures.name("o1").map_or("", |offset| offset.as_str()).to_owned();
            let time = written.or_else(|| clock(after)).map(|time| (time, offset));
            Some(Date { day, time, at: whole.start(), end: whole.end() })
        })
        .collect()
}

fn day(captures: &Captures<'_>, day_first: bool) -> Option<NaiveDate> {
    let number = |name: &str| captures.name(name)?.as_str().parse::<u32>().ok();
    let (year, month, day) = if let Some(year) = number("y1") {
        (year, number("m1")?, number("d1")?)
    } else if let Some(year) = number("y2") {
        (year, number("m2")?, number("d2")?)
    } else if let Some(year) = number("y3") {
        let (a, b) = (number("a3")?, number("b3")?);
        let (day, month) = if a > 12 || (day_first && b <= 12) { (a, b) } else { (b, a) };
        (year, month, day)
    } else if let Some(year) = number("y4") {
        (year, month(&captures.name("m4")?.as_str().to_lowercase())?, number("d4")?)
    } else {
        (number("y5")?, month(&captures.name("m5")?.as_str().to_lowercase())?, number("d5")?)
    };
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// A time of day at the beginning of `text`.
fn clock(text: &str) -> Option<NaiveTime> {
    let captures = CLOCK.captures(text)?;
    let hour: u32 = captures.get(1)?.as_str().parse().ok()?;
    let hour = match captures.get(3).map(|half| half.as_str().to_ascii_lowercase()) {
        Some(half) if half == "p" && hour < 12 => hour + 12,
        Some(half) if half == "a" && hour == 12 => 0,
        _ => hour,
    };
    NaiveTime::from_hms_opt(hour, captures.get(2)?.as_str().parse().ok()?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_many_forms() {
        for text in [
            "on 2026-03-12",
            "12 March 2026",
            "March 12th, 2026",
            "12.03.2026",
            "12. März 2026",
            "le 12 mars 2026",
            "el 12 de marzo de 2026",
            "03/12/2026",
            "12 Mar 2026",
        ] {
            assert_eq!(dates(text, false).first().map(Date::to_date).as_deref(), Some("2026-03-12"), "{text}");
        }
        assert_eq!(dates("03/12/2026", true)[0].to_date(), "2026-12-03");
        assert_eq!(dates("25/12/2026", false)[0].to_date(), "2026-12-25");
        assert_eq!(dates("31.02.2026, 12 apples 2026, tomorrow", false), []);
    }

    #[test]
    fn a_time_beside_the_date_belongs_to_it() {
        assert_eq!(dates("2026-03-12T08:30:00+02:00", false)[0].to_date_time(), "2026-03-12T08:30:00+02:00");
        assert_eq!(dates("12 March 2026 at 2:05 pm", false)[0].to_date_time(), "2026-03-12T14:05:00Z");
        assert_eq!(dates("12 March 2026", false)[0].to_date_time(), "2026-03-12T00:00:00Z");
    }
}
