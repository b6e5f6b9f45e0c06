//! Times of day.

use std::ops::Range;
use std::sync::LazyLock;

use chrono::{FixedOffset, NaiveTime};
use regex::{Captures, Regex};

use super::boundaries::{is_token, may_begin_number};
use super::budget::AllOf;
use super::pattern::literal;

/// What looks like one of the times of a text, at most: a text with more is a table, or meant to keep us busy.
const MAX_CANDIDATES: usize = 20_000;

/// Bytes after a time that may belong to it: half of the day and offset.
const MAX_REST: usize = 32;

/// Words before hours that say that they are a time and no duration: `à 8h`.
const PREPOSITIONS: &[&str] = &[
    "à", "vers", "dès", "avant", "après", "jusqu'à", "um", "gegen", "ab", "at", "las", "alle", "ore", "om", "às", "kl",
];

/// What is between the two times of a range, and whether it leaves no doubt that it is one.
const RANGES: [(&str, bool); 10] = [
    ("-", true),
    (" - ", false),
    (" bis ", false),
    (" to ", false),
    (" till ", false),
    (" until ", false),
    (" à ", false),
    (" a ", false),
    (" alle ", false),
    (" tot ", false),
];

/// What German says after `am`, which is no half of the day then.
const GERMAN_DAYS: [&str; 8] =
    ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonnabend", "sonntag"];

/// A time of day in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Time {
    /// To the second; the text may say less.
    pub(super) time: NaiveTime,
    /// The offset from UTC, where the text says one.
    pub(super) offset: Option<FixedOffset>,
    /// Where it stands, in bytes of the folded text.
    pub(super) place: Range<usize>,
    /// Whether it can be nothing else: `8h` may be a duration.
    pub(super) is_sure: bool,
}

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    let colon = r"(?P<h1>\d{1,2}):(?P<m1>\d{2})(?::(?P<s1>\d{2})(?:[.,]\d{1,9})?)?";
    let letter = r"(?P<h2>\d{1,2}) ?h(?: ?(?P<m2>\d{2}))?";
    let point = r"(?P<h3>\d{1,2})\.(?P<m3>\d{2}) ?(?:uhr|(?P<half3>[ap])\.? ?m\.?)";
    let clock = r"(?P<h4>\d{1,2}) uhr(?: (?P<m4>\d{2}))?";
    let half = r"(?P<h5>\d{1,2}) ?(?P<half5>[ap])\.? ?m\.?";
    literal(&format!("{colon}|{letter}|{point}|{clock}|{half}"))
});

/// The half of the day, or `Uhr`, after hours and minutes.
static HALF: LazyLock<Regex> = LazyLock::new(|| literal(r"^ ?(?:(?P<half>[ap])\.? ?m|uhr)\b"));

/// The offset from UTC after a time.
static ZONE: LazyLock<Regex> =
    LazyLock::new(|| literal(r"^ ?(?P<zone>z|(?:utc|gmt)(?P<from_utc>[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2})\b"));

/// The times of a folded text in their order.
pub(super) fn times(text: &str) -> AllOf<Time> {
    let mut found: Vec<Time> = Vec::new();
    let mut from = 0;
    for _ in 0..MAX_CANDIDATES {
        let Some(captures) = TIME.captures_at(text, from) else { return AllOf { found, is_cut: false } };
        let Some(core) = captures.get(0).map(|core| core.range()) else { return AllOf { found, is_cut: false } };
        from = text.ceil_char_boundary(core.start + 1);
        let Some(written) = Written::of(text, &captures, &core).filter(|written| is_alone(text, &written.time.place))
        else {
            continue;
        };
        let range = before_range(text, core.start);
        let is_known = range.is_some_and(|(before, _)| found.last().is_some_and(|last| last.place.end == before.len()));
        let first = range.filter(|_| !is_known).and_then(|(before, is_sure)| written.first_of_range(before, is_sure));
        let is_glued = text.get(..core.start).and_then(|before| before.strip_suffix('-')).is_some_and(ends_with_digit);
        if is_glued && !is_known && first.is_none() {
            continue;
        }
        from = written.time.place.end;
        found.extend(first);
        found.push(written.time);
    }
    AllOf { found, is_cut: true }
}

/// Whether a text between two times makes a range of them.
pub(super) fn is_range(between: &str) -> bool {
    RANGES.iter().any(|(range, _)| *range == between)
}

/// The text before the mark or word of a range that ends at byte `at`, and whether it is one without doubt.
fn before_range(text: &str, at: usize) -> Option<(&str, bool)> {
    let before = text.get(..at)?;
    RANGES.iter().find_map(|(range, is_sure)| Some((before.strip_suffix(range)?, *is_sure)))
}

fn ends_with_digit(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit())
}

/// A time as it is written.
struct Written {
    time: Time,
    /// Whether it says that it is one, so that hours alone can stand before it: `9-17 Uhr`.
    has_unit: bool,
    /// `a` or `p`, if it says so.
    half: Option<char>,
}

impl Written {
    /// What the expression found at `core`, with what goes on after it.
    fn of(text: &str, captures: &Captures<'_>, core: &Range<usize>) -> Option<Self> {
        let part = |names: &[&str]| names.iter().find_map(|name| captures.name(name)).map(|found| found.as_str());
        let number = |names: &[&str]| part(names).map(|digits| digits.parse::<u32>().ok());
        let has = |name: &str| captures.name(name).is_some();
        let hour = number(&["h1", "h2", "h3", "h4", "h5"])??;
        let minute = number(&["m1", "m2", "m3", "m4"]).unwrap_or(Some(0))?;
        let second = number(&["s1"]).unwrap_or(Some(0))?;
        let mut half = part(&["half3", "half5"]).and_then(|half| half.chars().next());
        let mut place = core.start..core.start + text.get(core.clone())?.trim_end_matches('.').len();
        let mut has_unit = !has("h1");
        if let Some((length, said)) =
            half_after(rest(text, place.end)).filter(|(_, half)| is_half(hour, *half) && has("h1"))
        {
            (has_unit, half, place.end) = (true, said, place.end + length);
        }
        let is_german = half == Some('a') && has("half5") && is_german_on(rest(text, place.end));
        let is_duration = has("h2") && !has("m2") && !follows_preposition(text.get(..place.start)?);
        if has("h2") && rest(text, place.end).trim_start().starts_with("min") {
            return None;
        }
        let time = NaiveTime::from_hms_opt(in_24_hours(hour, half)?, minute, second)?;
        let zone = zone(rest(text, place.end), has("s1") || begins_after_date(text, place.start));
        place.end += zone.map_or(0, |(length, _)| length);
        let offset = zone.map(|(_, offset)| offset);
        Some(Self { time: Time { time, offset, place, is_sure: !is_german && !is_duration }, has_unit, half })
    }

    /// The first time of a range that ends with this one and says only here what it is: `9-17 Uhr`, `2-4 pm`. Its place
    /// is the whole range.
    fn first_of_range(&self, before: &str, is_sure: bool) -> Option<Time> {
        let is_of_time = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.');
        let digits = before.get(before.trim_end_matches(is_of_time).len()..)?;
        let start = before.len() - digits.len();
        let is_alone = may_begin_number(before.get(..start)?);
        let (hour, minute) = digits.split_once([':', '.']).unwrap_or((digits, "00"));
        if !self.has_unit || !is_alone || !(1..=2).contains(&hour.len()) || minute.len() != 2 {
            return None;
        }
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        let in_half = |half| NaiveTime::from_hms_opt(in_24_hours(hour, half)?, minute, 0);
        let other = self.half.map(|half| if half == 'a' { 'p' } else { 'a' });
        let time = [self.half, other].into_iter().filter_map(in_half).find(|first| *first < self.time.time)?;
        Some(Time { time, offset: self.time.offset, place: start..self.time.place.end, is_sure })
    }
}

/// What comes next, as far as it may belong to a time.
fn rest(text: &str, from: usize) -> &str {
    text.get(from..text.ceil_char_boundary((from + MAX_REST).min(text.len()))).unwrap_or_default()
}

/// The half of the day that a text begins with, none for `Uhr`, and its length.
fn half_after(rest: &str) -> Option<(usize, Option<char>)> {
    let captures = HALF.captures(rest)?;
    let length = captures.get(0)?.len();
    let half = captures.name("half").and_then(|half| half.as_str().chars().next());
    (half != Some('a') || !is_german_on(rest.get(length..)?)).then_some((length, half))
}

/// Whether `am` was the German word for `on`: a day or a date comes next.
fn is_german_on(rest: &str) -> bool {
    let next = rest.strip_prefix(' ').unwrap_or_default();
    next.starts_with(|c: char| c.is_ascii_digit()) || GERMAN_DAYS.iter().any(|day| next.starts_with(day))
}

fn is_half(hour: u32, half: Option<char>) -> bool {
    half.is_none() || (1..=12).contains(&hour)
}

fn in_24_hours(hour: u32, half: Option<char>) -> Option<u32> {
    match half {
        half if !is_half(hour, half) => None,
        Some('p') if hour < 12 => Some(hour + 12),
        Some('a') if hour == 12 => Some(0),
        _ => Some(hour),
    }
}

fn follows_preposition(before: &str) -> bool {
    let word = before.strip_suffix(' ').and_then(|before| before.rsplit([' ', '(', ',']).next());
    word.is_some_and(|word| PREPOSITIONS.contains(&word))
}

/// The offset that a text begins with, and its length. A minus is that of a range, `09:00-17:00`, unless the time is
/// `exact`: written as machines do.
fn zone(rest: &str, is_exact: bool) -> Option<(usize, FixedOffset)> {
    let captures = ZONE.captures(rest)?;
    let written = captures.name("zone")?;
    let from_utc = captures.name("from_utc").map(|found| found.as_str());
    let sign = from_utc.or(Some(written.as_str()).filter(|written| written.starts_with(['+', '-'])));
    let is_range = from_utc.is_none() && written.as_str().starts_with('-') && !is_exact;
    let offset = sign.map_or_else(|| FixedOffset::east_opt(0), offset)?;
    (!is_range).then_some((written.end(), offset))
}

/// The offset that `+2`, `+0200` or `+02:00` means.
fn offset(written: &str) -> Option<FixedOffset> {
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes) = digits.split_at(if digits.len() > 2 { digits.len() - 2 } else { digits.len() });
    let (hours, minutes): (i32, i32) =
        (hours.parse().ok()?, if minutes.is_empty() { 0 } else { minutes.parse().ok()? });
    let seconds = hours * 3600 + minutes * 60;
    let is_offset = hours <= 14 && minutes % 15 == 0 && minutes < 60;
    FixedOffset::east_opt(if written.starts_with('-') { -seconds } else { seconds }).filter(|_| is_offset)
}

/// Whether a `t` parts the time at byte `at` from a date.
fn begins_after_date(text: &str, at: usize) -> bool {
    text.get(..at).and_then(|before| before.strip_suffix('t')).is_some_and(ends_with_digit)
}

/// Whether it is no part of a longer number.
fn is_alone(text: &str, place: &Range<usize>) -> bool {
    let from = if begins_after_date(text, place.start) { place.start } else { 0 };
    let before = text.get(..place.start).unwrap_or_default();
    let precedes = before.strip_suffix([':', '.', ',', '/']).is_some_and(ends_with_digit);
    let follows = text.get(place.end..).and_then(|rest| rest.strip_prefix([':', '.', '/']));
    let follows = follows.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let rest = text.get(from..).unwrap_or_default();
    is_token(rest, &(place.start - from..place.end - from)) && !precedes && !follows
}

#[cfg(test)]
mod tests;
