//! The numbers of a text, each with its sign, currency or percent sign, and with everything that it may be worth.
//! What is a part of a date, a time, an identifier or a telephone number is none of them.

use std::ops::Range;

use crate::domain::json::Decimal;

use super::byte_search;
use super::currencies::Currency;
use super::folded_text::FoldedText;
use super::number_context::{After, Before};
use super::number_reading::{Written, read};

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
    /// Whether it is certain where it begins and ends: `1 234` may be two numbers.
    is_whole: bool,
}

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
            drafts.extend(draft(text, first.start..last.end, true));
            let parts = rest.iter().filter(|_| spaces.is_breakable);
            drafts.extend(parts.filter_map(|part| draft(text, part.clone(), false)));
        } else {
            drafts.extend(rest.iter().flat_map(|token| parts(text, token)).filter_map(|part| draft(text, part, true)));
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

/// The numbers of a token: `10-12` and `4/5` are two, dates, times and identifiers none.
fn parts(text: &str, token: &Range<usize>) -> Vec<Range<usize>> {
    let written = text.get(token.clone()).unwrap_or_default();
    let Some(at) = written.find(['-', '/', ':']) else { return vec![token.clone()] };
    let (first, second) = (written.get(..at).unwrap_or_default(), written.get(at + 1..).unwrap_or_default());
    let is_time = written.get(at..=at) == Some(":") && second.len() == 2;
    let is_code = first.len() > 1 && first.starts_with('0') && !first.contains(['.', ',']);
    if second.contains(['-', '/', ':']) || is_time || is_code {
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

fn draft(text: &str, digits: Range<usize>, is_whole: bool) -> Option<Draft> {
    let before = Before::new(text, digits.start)?;
    let after = After::new(text, digits.end)?;
    let mut written = read(text.get(digits.clone())?)?;
    if let (true, Written::Clear { value, decimal_mark }) = (before.is_fraction, &mut written) {
        if !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        (*value, *decimal_mark) = (format!("0.{value}"), Some('.'));
    }
    if let Written::Clear { decimal_mark, .. } = &mut written
        && after.is_day_or_time
    {
        *decimal_mark = None;
    }
    Some(Draft { written, before, after, digits, is_whole })
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
    /// The number, given the decimal mark of the text.
    fn decided(self, decimal_mark: Option<char>) -> Numeral {
        let Self { written, before, after, digits, is_whole } = self;
        let currency = before.currency.or(after.currency);
        let values = match written {
            Written::Clear { value, .. } => vec![(value, true)],
            Written::Unclear { grouped, .. } if currency.is_some_and(|currency| !currency.has_three_decimals()) => {
                vec![(grouped, true)]
            }
            Written::Unclear { grouped, fraction, mark } => match decimal_mark {
                Some(decimal) if decimal == mark => vec![(fraction, true)],
                Some(_) => vec![(grouped, true)],
                None => vec![(grouped, false), (fraction, false)],
            },
        };
        let mut readings = Vec::new();
        for (value, is_clear) in values {
            let is_sure = is_clear && is_whole;
            let mut add = |value: &str, is_sure: bool, place: Range<usize>| {
                readings.push(Reading { value: Decimal::of(value), is_sure, place });
            };
            let negative = || format!("-{value}");
            let place = before.number..digits.end;
            if before.is_negative {
                add(&negative(), is_sure, place);
            } else if after.is_minus {
                // `12.50-` owes something where books are kept; elsewhere the dash is only a dash.
                add(&value, false, place);
                add(&negative(), is_sure, before.number..digits.end + 1);
            } else {
                add(&value, is_sure, place);
                // Accountants write what is owed in parentheses; others write anything in them.
                if before.is_open && after.is_closed {
                    add(&negative(), is_sure, before.start - 1..after.end + 1);
                }
            }
        }
        Numeral { readings, currency, is_percent: after.is_percent, whole: before.start..after.end }
    }
}

#[cfg(test)]
mod tests;
