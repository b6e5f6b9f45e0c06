//! The numbers of a text, each with its sign, currency or percent sign, and with everything that it may be worth.
//! What is a part of a date, a time, an identifier or a telephone number is none of them.

use std::ops::Range;

use crate::domain::json::Decimal;

use super::boundaries::is_word;
use super::byte_search;
use super::currencies::Currency;
use super::folded_text::FoldedText;
use super::number_context::{After, Before};
use super::number_reading::{Written, read};
use super::standing::Standing;
use super::whole_number;

/// A number in a text.
#[derive(Debug)]
pub(super) struct Numeral {
    /// What it may be worth.
    pub(super) readings: Vec<Reading>,
    /// The currency beside it.
    pub(super) currency: Option<Currency>,
    /// Whether a percent sign follows.
    pub(super) is_percent: bool,
    /// All of it with currency or percent sign, in bytes of the folded text.
    pub(super) whole: Range<usize>,
}

/// One thing that a number may be worth.
#[derive(Debug)]
pub(super) struct Reading {
    /// Its value.
    pub(super) value: Decimal,
    /// Whether the text leaves no other reading.
    pub(super) is_sure: bool,
    /// Where it stands, in bytes of the folded text: digits and sign.
    pub(super) place: Range<usize>,
}

/// A number whose marks may have two meanings until the whole text is read.
struct Draft {
    written: Written,
    before: Before,
    after: After,
    digits: Range<usize>,
    /// Whether it is certain that it is a number, and where it begins and ends: `1 234` may be two.
    is_sure: bool,
    /// Whether it has marks for decimals or thousands.
    has_marks: bool,
}

/// Digits with a zero in front that may still be a number: `05`, `007`.
const MAX_PADDED: usize = 3;

/// The numbers of a text. `raw` is what `folded` was made from.
pub(super) fn numerals(folded: &FoldedText, raw: &str) -> Vec<Numeral> {
    let text = folded.text.as_str();
    let tokens = tokens(text);
    let mut drafts = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        let spaces = Spaces::after(folded, raw, &tokens, index);
        let rest = tokens.get(index..=index + spaces.count).unwrap_or_default();
        if let [first, .., last] = rest {
            let is_divided = spaces.is_breakable && spaces.count == 1;
            drafts.extend(draft(folded, raw, first.start..last.end).map(|draft| draft.across_spaces(is_divided)));
            let parts = rest.iter().filter(|_| spaces.is_breakable);
            drafts.extend(parts.filter_map(|part| draft(folded, raw, part.clone())));
        } else {
            let parts = rest.iter().flat_map(|token| parts(text, token));
            drafts.extend(parts.filter_map(|part| draft(folded, raw, part)));
        }
        index += spaces.count + 1;
    }
    let decimal_mark = decimal_mark(&drafts);
    drafts.into_iter().map(|draft| draft.decided(decimal_mark)).collect()
}

/// Digits and what stands between them without a space.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| byte_search::first(rest, |byte| byte.is_ascii_digit())) {
        let start = at + found;
        let mut end = start;
        loop {
            let digits = bytes.get(end..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
            end += digits;
            let mut rest = text.get(end..).unwrap_or_default().chars();
            match (rest.next(), rest.next()) {
                (Some(mark), Some(next)) if digits > 0 && is_mark(mark) && next.is_ascii_digit() => {
                    end += mark.len_utf8();
                }
                _ => break,
            }
        }
        tokens.push(start..end);
        at = end;
    }
    tokens
}

fn is_mark(c: char) -> bool {
    matches!(c, '.' | ',' | '\'' | '٫' | '٬' | '-' | '/' | ':')
}

/// The numbers of a token: `10-12` and `4/5` may be two; with more marks it is a date or an identifier.
fn parts(text: &str, token: &Range<usize>) -> Vec<Range<usize>> {
    let written = text.get(token.clone()).unwrap_or_default();
    let Some(at) = written.find(['-', '/', ':']) else { return vec![token.clone()] };
    if written.get(at + 1..).unwrap_or_default().contains(['-', '/', ':']) {
        return Vec::new();
    }
    vec![token.start..token.start + at, token.start + at + 1..token.end]
}

/// Spaces that group the digits of one number: `1 234 567,89`.
struct Spaces {
    count: usize,
    /// Whether one of them is an ordinary space, which may as well part two numbers.
    is_breakable: bool,
}

impl Spaces {
    fn after(folded: &FoldedText, raw: &str, tokens: &[Range<usize>], index: usize) -> Self {
        let mut spaces = Self { count: 0, is_breakable: false };
        let text = |token: &Range<usize>| folded.text.get(token.clone()).unwrap_or_default();
        let Some(first) = tokens.get(index) else { return spaces };
        if first.len() > 3 || text(first).starts_with('0') || !text(first).bytes().all(|byte| byte.is_ascii_digit()) {
            return spaces;
        }
        for pair in tokens.get(index..).unwrap_or_default().windows(2) {
            let [left, right] = pair else { break };
            let gap = left.end..right.start;
            let space = folded.raw(&gap).filter(|_| folded.text.get(gap) == Some(" "));
            let space = space.and_then(|space| raw.get(space)).unwrap_or_default();
            let digits = text(right).bytes().take_while(u8::is_ascii_digit).count();
            let is_last = digits < right.len();
            let fraction = text(right).get(digits..).unwrap_or_default().strip_prefix(['.', ',']);
            let has_fraction = fraction.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
            let is_gap = space.chars().count() == 1 && !matches!(space, "\n" | "\r" | "\t");
            if digits != 3 || !is_gap || (is_last && !has_fraction) {
                break;
            }
            spaces.count += 1;
            spaces.is_breakable |= space == " ";
            if is_last {
                break;
            }
        }
        spaces
    }
}

fn draft(folded: &FoldedText, raw: &str, digits: Range<usize>) -> Option<Draft> {
    let text = folded.text.as_str();
    let before = Before::new(text, digits.start)?;
    let after = After::new(text, digits.end)?;
    let number = text.get(digits.clone())?;
    let mut written = read(number)?;
    let standing = whole_number::standing(raw, &folded.raw(&digits)?);
    let calendar = Calendar::of(number, text.get(digits.end..)?);
    if standing == Standing::Part || calendar == Calendar::Time || (is_code(number) && !before.is_fraction) {
        return None;
    }
    if let (true, Written::Clear { value, decimal_mark }) = (before.is_fraction, &mut written) {
        if !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        (*value, *decimal_mark) = (format!("0.{value}"), Some('.'));
    }
    if let Written::Clear { decimal_mark, .. } = &mut written
        && calendar == Calendar::Perhaps
    {
        *decimal_mark = None;
    }
    let is_sure = standing == Standing::Alone && calendar == Calendar::No && (before.is_fraction || !is_padded(number));
    let has_marks = number.contains(|c: char| !c.is_ascii_digit());
    Some(Draft { written, before, after, digits, is_sure, has_marks })
}

/// Whether digits are day and month, or hour and minute.
#[derive(PartialEq, Eq)]
enum Calendar {
    No,
    Perhaps,
    /// A time.
    Time,
}

impl Calendar {
    /// What `number` is when `after` follows it: `14.30 Uhr` is a time, `12.03.` may be a date.
    fn of(number: &str, after: &str) -> Self {
        let is_hour = |word: &str| after.strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_word));
        let (first, second) = number.split_once('.').unwrap_or_default();
        let pair = first.parse::<u32>().ok().zip(second.parse::<u32>().ok());
        let is_date =
            second.len() <= 2 && pair.is_some_and(|(day, month)| (1..=31).contains(&day) && (1..=12).contains(&month));
        let is_time = second.len() == 2 && pair.is_some_and(|(hour, minute)| hour < 24 && minute < 60);
        if is_hour(" uhr") || is_hour("uhr") {
            Self::Time
        } else if (is_time && is_hour(" h")) || (is_date && after.starts_with('.')) {
            Self::Perhaps
        } else {
            Self::No
        }
    }
}

/// Whether a zero stands before the other digits.
fn is_padded(number: &str) -> bool {
    number.starts_with('0') && number.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
}

/// Whether it is no number but a code, since so many digits have a zero in front.
fn is_code(number: &str) -> bool {
    is_padded(number) && number.bytes().take_while(u8::is_ascii_digit).count() > MAX_PADDED
}

/// The decimal mark of the text, if all numbers that show one have the same.
fn decimal_mark(drafts: &[Draft]) -> Option<char> {
    let mut marks = drafts.iter().filter_map(|draft| match &draft.written {
        Written::Clear { decimal_mark, .. } => *decimal_mark,
        Written::Unclear { .. } => None,
    });
    let first = marks.next()?;
    marks.all(|mark| mark == first).then_some(first)
}

impl Draft {
    /// The same for a number with spaces between its digits. Where only one ordinary space divides it, it may be two,
    /// unless a sign or currency before it holds it together.
    fn across_spaces(mut self, is_divided: bool) -> Self {
        let is_held = self.before.currency.is_some() || self.before.is_negative;
        self.is_sure &= !is_divided || is_held;
        self
    }

    /// The number, given the decimal mark of the text.
    fn decided(self, decimal_mark: Option<char>) -> Numeral {
        let Self { written, before, after, digits, is_sure: is_number, has_marks } = self;
        let currency = before.currency.or(after.currency);
        let is_money = currency.is_some_and(|currency| currency.is_money() && !currency.has_three_decimals());
        let values = match written {
            Written::Clear { value, .. } => vec![(value, true)],
            Written::Unclear { grouped, .. } if is_money => vec![(grouped, true)],
            Written::Unclear { grouped, fraction, mark } => match decimal_mark {
                Some(decimal) if decimal == mark => vec![(fraction, true)],
                Some(_) => vec![(grouped, true)],
                None => vec![(grouped, false), (fraction, false)],
            },
        };
        let mut readings = Vec::new();
        for (value, is_clear) in values {
            let is_sure = is_clear && is_number;
            let mut add = |value: &str, is_sure: bool, place: Range<usize>| {
                readings.push(Reading { value: Decimal::of(value), is_sure, place });
            };
            let negative = || format!("-{value}");
            let place = before.number..digits.end;
            // Accountants write what is owed in parentheses; others write anything in them, most of all whole numbers.
            let is_in_parentheses = before.is_open && after.is_closed && (has_marks || currency.is_some());
            if before.is_negative {
                add(&negative(), is_sure, place);
            } else if after.is_minus {
                // `12.50-` owes something where books are kept; elsewhere the dash is only a dash.
                add(&value, false, place);
                add(&negative(), is_sure, before.number..digits.end + 1);
            } else if is_in_parentheses {
                add(&value, is_sure && currency.is_some(), place);
                add(&negative(), false, before.start - 1..after.end + 1);
            } else {
                add(&value, is_sure, place);
            }
        }
        Numeral { readings, currency, is_percent: after.is_percent, whole: before.start..after.end }
    }
}

#[cfg(test)]
mod tests;
