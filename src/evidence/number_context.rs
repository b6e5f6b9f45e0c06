//! What stands beside the digits of a number: sign, currency, percent sign, unit; and what makes them no number.

use super::boundaries::{is_word, joins};
use super::currencies::{self, Currency};
use super::digits::is_digit;

/// What follows a percentage.
const PERCENT: &[&str] =
    &["%", "percent", "per cent", "prozent", "pour cent", "por ciento", "per cento", "procent", "por cento"];

/// Units that are written without a space. Not `k` and `m`: `5k` is 5000, and `5m` may be five million.
pub(super) const UNITS: &[&str] = &[
    "x", "kg", "g", "mg", "lb", "lbs", "oz", "km", "cm", "mm", "l", "ml", "cl", "h", "hrs", "min", "s", "ms", "kb",
    "mb", "gb", "tb", "w", "kw", "kwh", "v", "mah", "hz", "mhz", "ghz", "px", "pcs", "stk",
];

/// Words that multiply a number: `5 million` is not 5.
const MULTIPLIERS: &[&str] = &[
    "k",
    "mn",
    "mln",
    "mio",
    "million",
    "millions",
    "millionen",
    "millon",
    "millones",
    "milioni",
    "milione",
    "miljoen",
    "milhão",
    "milhões",
    "millón",
    "milion",
    "miliony",
    "milionów",
    "bn",
    "billion",
    "billions",
    "billionen",
    "mrd",
    "milliarde",
    "milliarden",
    "milliard",
    "milliards",
    "miljard",
    "miliardi",
    "mld",
    "bilhões",
    "trillion",
    "trillions",
    "tsd",
    "tausend",
    "thousand",
    "thousands",
    "mille",
    "mil",
    "mila",
    "duizend",
    "tys",
    "hundred",
    "hundert",
    "dozen",
    "dutzend",
    "lakh",
    "crore",
    "млн",
    "тыс",
    "млрд",
];

/// Numerals that multiply the digits before them in Chinese, Japanese and Korean.
const EAST_ASIAN_MULTIPLIERS: &str = "十百千万萬億亿兆만억조천백";

/// Bytes of the longest of them.
const LONGEST_MULTIPLIER: usize = 12;

/// Letters and symbols that a currency's name has at most.
const MAX_NAME: usize = 8;

/// What stands before the digits.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Where sign and currency begin, else the digits.
    pub(super) start: usize,
    /// Where the number begins: its sign, its point, or its digits.
    pub(super) number: usize,
    /// The currency.
    pub(super) currency: Option<Currency>,
    /// Whether a minus sign stands there.
    pub(super) is_negative: bool,
    /// Whether a parenthesis opens there.
    pub(super) is_open: bool,
    /// Whether the digits are those of a fraction without its zero: `.5`.
    pub(super) is_fraction: bool,
}

/// What stands after the digits.
#[derive(Debug, Default)]
pub(super) struct After {
    /// Where currency or percent sign end, else the digits.
    pub(super) end: usize,
    /// The currency.
    pub(super) currency: Option<Currency>,
    /// Whether it is a percentage.
    pub(super) is_percent: bool,
    /// Whether a minus sign stands there.
    pub(super) is_minus: bool,
    /// Whether a parenthesis closes there.
    pub(super) is_closed: bool,
}

impl Before {
    /// What stands before byte `at`; `None` if digits there are no number.
    pub(super) fn new(text: &str, at: usize) -> Option<Self> {
        let mut before = Self { start: at, number: at, ..Self::default() };
        let mut rest = text.get(..at)?;
        if let Some(shorter) = rest.strip_suffix('.')
            && !shorter.ends_with(is_word)
        {
            before.is_fraction = true;
            before.move_to(shorter.len());
            rest = shorter;
        }
        rest = before.sign(rest);
        if let Some((currency, shorter)) = currency_at_end(rest) {
            before.currency = Some(currency);
            before.start = shorter.len();
            let is_negative = before.is_negative;
            rest = before.sign(shorter);
            before.is_negative |= is_negative;
        } else if before.number == at {
            // In `10-12` and `4/5` two numbers are beside each other.
            let shorter = rest.strip_suffix(['-', '/']).unwrap_or(rest);
            let is_divided = shorter.len() < rest.len();
            let is_within = if is_divided {
                shorter.ends_with(|c: char| c == '_' || (is_word(c) && !is_digit(c)))
            } else {
                rest.chars().next_back().is_some_and(|previous| previous == '_' || joins(previous, '0'))
            };
            if is_within {
                return None;
            }
        }
        before.is_open = rest.ends_with('(');
        Some(before)
    }

    /// Takes a minus sign from the end of the text before. A hyphen after a letter or digit is none.
    fn sign<'t>(&mut self, rest: &'t str) -> &'t str {
        match rest.strip_suffix('-') {
            Some(shorter) if !shorter.ends_with(is_word) && !shorter.ends_with('-') => {
                self.is_negative = true;
                self.move_to(shorter.len());
                shorter
            }
            _ => rest,
        }
    }

    fn move_to(&mut self, start: usize) {
        self.start = start;
        self.number = start;
    }
}

impl After {
    /// What stands after byte `at`; `None` if digits there are no number.
    pub(super) fn new(text: &str, at: usize) -> Option<Self> {
        let mut after = Self { end: at, ..Self::default() };
        let rest = text.get(at..)?;
        // `49,-` and `49.--` have no cents.
        let no_cents = [",--", ".--", ",-", ".-"].into_iter().find_map(|mark| rest.strip_prefix(mark));
        let rest = no_cents.unwrap_or_else(|| after.minus(rest));
        let spaced = rest.strip_prefix(' ').unwrap_or(rest);
        let word = leading_word(spaced);
        let may_be_percent = spaced.starts_with(['%', 'p']);
        if let Some(sign) = PERCENT.iter().find(|sign| may_be_percent && begins_with_word(spaced, sign)) {
            after.is_percent = true;
            after.end = text.len() - spaced.len() + sign.len();
        } else if let Some(currency) = currencies::find(word).or_else(|| currencies::find(first_char(word))) {
            after.currency = Some(currency);
            after.end = text.len() - spaced.len() + currency.name.len();
        } else if is_refused(rest, word) {
            return None;
        }
        after.is_closed = text.get(after.end..)?.starts_with(')');
        Some(after)
    }

    /// Takes a minus sign after the digits: one after which no word goes on.
    fn minus<'t>(&mut self, rest: &'t str) -> &'t str {
        match rest.strip_prefix('-') {
            Some(shorter) if !shorter.starts_with(|c: char| is_word(c) || c == '-') => {
                self.is_minus = true;
                shorter
            }
            _ => rest,
        }
    }
}

/// Whether the digits go on as a word, or the next word multiplies them.
fn is_refused(rest: &str, word: &str) -> bool {
    let Some(next) = rest.chars().next() else { return false };
    let letters = word.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let multiplies = || letters.len() <= LONGEST_MULTIPLIER && MULTIPLIERS.contains(&letters);
    if (!next.is_ascii() && EAST_ASIAN_MULTIPLIERS.contains(next)) || multiplies() {
        return true;
    }
    match next {
        '_' => true,
        // `7-day` is a number with its unit, `4711-a` is not.
        '-' => {
            let following = rest.get(1..).unwrap_or_default();
            following.starts_with(char::is_alphabetic)
                && following.chars().take_while(|c| c.is_alphabetic()).count() < 3
        }
        // `5kg`, but not `14h30`.
        next if joins('0', next) => {
            let goes_on = rest.get(letters.len()..).is_some_and(|rest| rest.starts_with(is_digit));
            goes_on || !UNITS.contains(&letters)
        }
        _ => false,
    }
}

/// The currency that a text ends with, and the text before it.
fn currency_at_end(text: &str) -> Option<(Currency, &str)> {
    let text = text.strip_suffix(' ').unwrap_or(text);
    let text = text.strip_suffix('.').filter(|text| text.ends_with(char::is_alphabetic)).unwrap_or(text);
    let last = text.chars().next_back()?;
    let name: usize = text.chars().rev().take(MAX_NAME).take_while(|c| is_of_name(*c)).map(char::len_utf8).sum();
    let (before, name) = text.split_at_checked(text.len() - name)?;
    if let Some(currency) = currencies::find(name).filter(|_| !before.ends_with(is_word)) {
        return Some((currency, before));
    }
    let (before, symbol) = text.split_at_checked(text.len() - last.len_utf8())?;
    let symbol = Some(symbol).filter(|_| !last.is_alphabetic());
    Some((currencies::find(symbol?)?, before))
}

/// Letters and currency symbols at the beginning.
fn leading_word(text: &str) -> &str {
    let length = text.chars().take_while(|c| is_of_name(*c)).map(char::len_utf8).sum();
    text.get(..length).unwrap_or_default()
}

/// The first character, if it is a symbol or of a script without spaces: what follows is another word.
fn first_char(word: &str) -> &str {
    let first = word.chars().next().filter(|c| !joins('0', *c));
    first.and_then(|first| word.get(..first.len_utf8())).unwrap_or_default()
}

fn is_of_name(c: char) -> bool {
    c.is_alphabetic() || (!c.is_ascii_punctuation() && "€£¥₹₩₺₽₴₪฿₫".contains(c)) || c == '$'
}

fn begins_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| word == "%" || !rest.starts_with(is_word))
}
