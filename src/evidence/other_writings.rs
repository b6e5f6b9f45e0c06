//! What a text of an answer may be, and so in which other writings it may stand in a source.

use std::ops::Range;
use std::slice;

use chrono::NaiveDate;

use super::amounts::Amount;
use super::budget::{AllOf, Budget};
use super::currencies::{CURRENCIES, Currency};
use super::dates::{self, Date};
use super::exact;
use super::identifiers::Identifier;
use super::moments::{Moment, moments};
use super::phones::{Phone, with_prefix};
use super::place::Match;
use super::source_text::SourceText;
use super::times::{self, Time};
use super::web_addresses::WebAddress;

/// Bytes that a value of these kinds may have.
const MAX_LENGTH: usize = 400;
/// What it costs to look at a date or time, in bytes of a text that is searched.
const LOOKED_AT: usize = 16;

/// One thing that a value may be.
#[derive(Debug)]
pub(super) enum Kind {
    /// A date, with the days that it may mean.
    Date(Vec<NaiveDate>),
    /// A time of day.
    Time(Time),
    /// A date with a time.
    Moment(Moment),
    /// The code of a currency.
    Currency(&'static str),
    /// A web address.
    Web(WebAddress),
    /// A telephone number.
    Phone(Phone),
    /// An identifier.
    Identifier(Identifier),
    /// A number, perhaps with a currency or a percent sign.
    Amount(Amount),
}

/// What a value may be, the likeliest first.
pub(super) fn kinds(value: &str, folded: &str) -> Vec<Kind> {
    if folded.len() > MAX_LENGTH {
        return Vec::new();
    }
    let has_digit = folded.contains(|c: char| c.is_ascii_digit());
    if !has_digit {
        let currency = CURRENCIES.iter().find(|currency| currency.code == value);
        let web = WebAddress::of(folded).map(Kind::Web);
        return currency.map(|currency| Kind::Currency(currency.code)).into_iter().chain(web).collect();
    }
    let is_plain = folded.bytes().all(|byte| byte.is_ascii_digit());
    let (dates, times) = (dates::dates(folded).found, if is_plain { Vec::new() } else { times::times(folded).found });
    if let Some(moment) = moment(folded, &dates, &times) {
        return vec![Kind::Moment(moment)];
    }
    if let Some(time) = only_time(folded, times) {
        return vec![Kind::Time(time)];
    }
    if let Some(web) = WebAddress::of(folded) {
        return vec![Kind::Web(web)];
    }
    let date = only_date(folded, dates).map(|date| date.days);
    if let (Some(days), false) = (&date, is_plain) {
        return vec![Kind::Date(days.clone())];
    }
    let amount = Amount::of(value);
    let mut kinds: Vec<Kind> = date.map(Kind::Date).into_iter().collect();
    // The marks of an amount are no separators.
    if amount.is_none() || is_plain {
        kinds.extend(Phone::of(folded).map(Kind::Phone));
        kinds.extend(Identifier::of(value, folded).map(Kind::Identifier));
    }
    kinds.extend(amount.map(Kind::Amount));
    kinds
}

/// The moment that a text is: a date with the time beside it, and nothing else.
fn moment(folded: &str, dates: &[Date], times: &[Time]) -> Option<Moment> {
    let date = dates.first().filter(|date| date.place.start == 0)?;
    let time = times.first().filter(|time| time.place.end == folded.len())?;
    let [day] = date.days.as_slice() else { return None };
    let moment = Moment { local: day.and_time(time.time), offset: time.offset };
    let is_all = |(place, _): &(Range<usize>, bool)| *place == (0..folded.len());
    moments(folded, slice::from_ref(date), slice::from_ref(time), moment).iter().any(is_all).then_some(moment)
}

/// The time that a text is, and nothing else.
fn only_time(folded: &str, times: Vec<Time>) -> Option<Time> {
    times.into_iter().find(|time| time.place.start == 0 && time.place.end + 1 >= folded.len())
}

/// The date that a text is, and nothing else.
fn only_date(folded: &str, dates: Vec<Date>) -> Option<Date> {
    dates.into_iter().find(|date| date.place == (0..folded.len()))
}

impl Kind {
    /// Where a source has the value, `most` places at most.
    pub(super) fn find(&self, source: &SourceText<'_>, most: usize, budget: &mut Budget) -> Vec<Match> {
        let text = source.folded().text.as_str();
        let places = match self {
            Self::Date(days) => find_date(days, source, budget),
            Self::Time(wanted) => find_time(wanted, source, budget),
            Self::Moment(moment) => {
                let (dates, times) = (looked_at(source.dates(), budget), looked_at(source.times(), budget));
                moments(text, dates, times, *moment)
            }
            Self::Currency(code) => find_currency(code, text, budget),
            Self::Web(address) => address.find(text, most, budget).into_iter().map(|place| (place, true)).collect(),
            Self::Phone(phone) => find_phone(phone, source, most, budget),
            Self::Identifier(identifier) => find_identifier(identifier, source, most, budget),
            Self::Amount(amount) => return amount.find(source, budget),
        };
        let matches = places
            .into_iter()
            .take(most)
            .filter_map(|(place, is_sure)| source.folded().raw(&place).map(|place| Match { place, is_sure }));
        matches.collect()
    }
}

/// A place in bytes of the folded text, and whether what stands there can be read in no other way.
type Place = (Range<usize>, bool);

/// All dates or times of a source, if they may be looked at. Where it may have more, the search is cut.
fn looked_at<'s, T>(all: &'s AllOf<T>, budget: &mut Budget) -> &'s [T] {
    if all.is_cut {
        budget.cut();
    }
    if budget.spend(all.found.len() * LOOKED_AT) { &all.found } else { &[] }
}

fn find_date(days: &[NaiveDate], source: &SourceText<'_>, budget: &mut Budget) -> Vec<Place> {
    let found = looked_at(source.dates(), budget).iter().filter(|date| date.days.iter().any(|day| days.contains(day)));
    found.map(|date| (date.place.clone(), date.days.len() == 1 && days.len() == 1)).collect()
}

fn find_time(wanted: &Time, source: &SourceText<'_>, budget: &mut Budget) -> Vec<Place> {
    let is_same = |time: &&Time| {
        let is_offset = wanted.offset.is_none() || time.offset.is_none() || wanted.offset == time.offset;
        time.time == wanted.time && is_offset
    };
    let found = looked_at(source.times(), budget).iter().filter(is_same);
    found.map(|time| (time.place.clone(), time.is_sure)).collect()
}

fn find_currency(code: &str, text: &str, budget: &mut Budget) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    for currency in CURRENCIES.iter().filter(|currency| currency.may_be(code)) {
        let is_symbol = !currency.name.contains(char::is_alphabetic);
        // The `$` of `R$` is no dollar.
        let is_right = |place: &Range<usize>| match is_symbol {
            true => text.get(..place.start).is_some_and(|before| !before.ends_with(char::is_alphabetic)),
            false => is_name(text, place) && (currency.is_money() || is_beside_number(text, place)),
        };
        let places = exact::places(text, currency.name, usize::MAX, budget, is_right);
        found.extend(places.into_iter().map(|place| (place, currency.is_only(code))));
    }
    // `us$` is not a dollar as well.
    found.sort_by_key(|(place, _)| (place.end, place.start));
    found.dedup_by(|second, first| second.0.end == first.0.end);
    found
}

impl Currency {
    /// Whether the name means the currency with this code and no other.
    fn is_only(self, code: &str) -> bool {
        self.code == code && !self.is_shared()
    }
}

/// Whether the name of a currency stands alone or beside digits: `12EUR`.
fn is_name(text: &str, place: &Range<usize>) -> bool {
    let (Some(before), Some(after)) = (text.get(..place.start), text.get(place.end..)) else { return false };
    !before.ends_with(char::is_alphabetic) && !after.starts_with(char::is_alphabetic)
}

/// Whether digits stand before or after a name that means money only there: `5 ft`, `Rs. 500`.
fn is_beside_number(text: &str, place: &Range<usize>) -> bool {
    let (Some(before), Some(after)) = (text.get(..place.start), text.get(place.end..)) else { return false };
    let is_digit = |c: char| c.is_ascii_digit();
    before.trim_end_matches([' ', '-', '.', ',']).ends_with(is_digit)
        || after.trim_start_matches('.').trim_start_matches(' ').starts_with(is_digit)
}

fn find_phone(phone: &Phone, source: &SourceText<'_>, most: usize, budget: &mut Budget) -> Vec<Place> {
    let text = source.folded().text.as_str();
    for writing in &phone.writings {
        let places = source.squeezed().find(&writing.digits, most, budget, |place| writing.is_at(text, place));
        if !places.is_empty() {
            return places.into_iter().map(|place| (with_prefix(text, place), true)).collect();
        }
    }
    Vec::new()
}

fn find_identifier(identifier: &Identifier, source: &SourceText<'_>, most: usize, budget: &mut Budget) -> Vec<Place> {
    let folded = source.folded();
    let is_right = |place: &Range<usize>| {
        let raw = folded.raw(place).and_then(|place| source.raw.get(place));
        raw.is_some_and(|raw| identifier.is_at(&folded.text, place, raw))
    };
    let places = source.squeezed().find(&identifier.squeezed, most, budget, is_right);
    places.into_iter().map(|place| (place, true)).collect()
}
