//! One value, stage by stage: as it is, then folded, then in the other writings of what it is. A stage is tried in every
//! source before the next one.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Number;

use crate::domain::evidence::{EvidenceState, Span};
use crate::domain::json::Decimal;

use super::Source;
use super::amounts;
use super::budget::Budget;
use super::currencies;
use super::exact;
use super::folded_text::{FoldedText, fold};
use super::other_writings::kinds;
use super::place::Match;
use super::source_text::SourceText;
use super::standing::Standing;

/// Places of one value that are given; whoever reads them needs no more to see that there are many.
pub(super) const MAX_SPANS: usize = 8;

/// Letters of an abbreviation that may be a word in small letters.
const LONGEST_ABBREVIATION: usize = 3;

/// What was found of one value.
pub(super) struct Found {
    pub(super) state: EvidenceState,
    pub(super) source: Option<Arc<str>>,
    pub(super) spans: Vec<Span>,
}

impl Found {
    /// A value that stands nowhere, or is not looked for.
    pub(super) fn without_place(state: EvidenceState) -> Self {
        Self { state, source: None, spans: Vec::new() }
    }
}

/// The search of one answer's values in all sources.
pub(super) struct Search<'a> {
    sources: Vec<SourceText<'a>>,
    /// The quote that values have to stand in, if there is one.
    within: Option<QuotePlaces>,
    budget: Budget,
}

/// Where a quote stands.
pub(super) struct QuotePlaces {
    source: usize,
    places: Vec<Range<usize>>,
}

/// A source, and where in it a value has to stand.
struct Area<'s, 'a> {
    source: &'s SourceText<'a>,
    within: Option<&'s [Range<usize>]>,
}

impl Area<'_, '_> {
    fn has(&self, place: &Range<usize>) -> bool {
        let is_in = |part: &Range<usize>| part.start <= place.start && place.end <= part.end;
        self.within.is_none_or(|parts| parts.iter().any(is_in))
    }
}

impl<'a> Search<'a> {
    /// Nothing is searched yet.
    pub(super) fn new(sources: &'a [Source<'_>]) -> Self {
        Self { sources: sources.iter().map(SourceText::new).collect(), within: None, budget: Budget::new() }
    }

    /// Looks for a value where a quote stands. How numbers and dates are to be read there is said by the whole text.
    pub(super) fn within(&mut self, quote: QuotePlaces, look: impl Fn(&mut Self) -> Found) -> Found {
        self.within = Some(quote);
        let found = look(self);
        self.within = None;
        found
    }

    /// The source that has a quote, and its places there.
    pub(super) fn source_of<'q>(&self, quote: &'q QuotePlaces) -> Option<(&SourceText<'a>, &'q [Range<usize>])> {
        Some((self.sources.get(quote.source)?, &quote.places))
    }

    /// The first places that a quote has in the first source that has it, as it is or else folded: those places in a
    /// text that `is_right` accepts.
    pub(super) fn quote(&mut self, quote: &str, is_right: impl Fn(&str, &Range<usize>) -> bool) -> Option<QuotePlaces> {
        let (quote, folded) = (quote.trim(), fold(quote.trim()));
        let Self { sources, budget, .. } = self;
        let exact = sources.iter().enumerate().find_map(|(index, source)| {
            let places = exact::places(source.raw, quote, MAX_SPANS, budget, |place| is_right(source.raw, place));
            (!places.is_empty()).then_some(QuotePlaces { source: index, places })
        });
        exact.or_else(|| {
            sources.iter().enumerate().find_map(|(index, source)| {
                let mut texts = [Some(source.folded()), source.joined()].into_iter().flatten();
                let places = texts.find_map(|text| {
                    let places =
                        exact::places(&text.text, &folded, MAX_SPANS, budget, |place| is_right(&text.text, place));
                    let places: Vec<_> = places.iter().filter_map(|place| text.raw(place)).collect();
                    (!places.is_empty()).then_some(places)
                });
                Some(QuotePlaces { source: index, places: places? })
            })
        })
    }

    /// Looks for a text.
    pub(super) fn text(&mut self, value: &str) -> Found {
        let exact = self.stage(EvidenceState::Exact, |area, budget| {
            exact::find(area.source.raw, value, MAX_SPANS, budget, |place| area.has(place))
        });
        exact.or_else(|| self.in_other_writings(value)).unwrap_or_else(nowhere)
    }

    /// Looks for a number.
    pub(super) fn number(&mut self, number: &Number) -> Found {
        let text = number.as_str();
        let value = Decimal::of(text);
        let normalized = EvidenceState::Normalized;
        self.stage(EvidenceState::Exact, |area, budget| amounts::literal(area.source, text, &value, budget))
            .or_else(|| self.stage(normalized, |area, budget| amounts::equal(area.source, &value, budget)))
            .or_else(|| self.stage(normalized, |area, budget| amounts::percentage(area.source, &value, budget)))
            .unwrap_or_else(nowhere)
    }

    fn in_other_writings(&mut self, value: &str) -> Option<Found> {
        let (folded, most) = (fold(value), self.most());
        let wanted = Wanted { value, folded: &folded };
        // In small letters the codes of currencies are words as well: `try`.
        let kept = if currencies::is_code(value) { None } else { self.folded(&wanted) };
        kept.or_else(|| {
            kinds(value, &folded).into_iter().find_map(|kind| {
                self.stage(EvidenceState::Normalized, |area, budget| kind.find(area.source, most, budget))
            })
        })
    }

    /// Looks for a text whatever its letter case, white space and typography, and then also divided by ends of lines.
    fn folded(&mut self, wanted: &Wanted<'_>) -> Option<Found> {
        let kept =
            self.stage(EvidenceState::Normalized, |area, budget| wanted.places(area, area.source.folded(), budget));
        kept.or_else(|| {
            self.stage(EvidenceState::Normalized, |area, budget| {
                area.source.joined().map(|joined| wanted.places(area, joined, budget)).unwrap_or_default()
            })
        })
    }

    /// The first source in which `find` has places. In several places a value is ambiguous, and so it is in one that
    /// can be read in several ways. Where `find` could not look at everything there is nothing to say of the value.
    fn stage(
        &mut self,
        state: EvidenceState,
        find: impl Fn(&Area<'_, 'a>, &mut Budget) -> Vec<Match>,
    ) -> Option<Found> {
        let Self { sources, within, budget } = self;
        let is_searched = |index: usize| within.as_ref().is_none_or(|quote| quote.source == index);
        for (_, source) in sources.iter().enumerate().filter(|(index, _)| is_searched(*index)) {
            let area = Area { source, within: within.as_ref().map(|quote| quote.places.as_slice()) };
            let mut matches = find(&area, budget);
            if budget.take_cut() {
                return Some(Found::without_place(EvidenceState::Unsearched));
            }
            matches.retain(|found| area.has(&found.place));
            if matches.is_empty() {
                continue;
            }
            let is_clear = matches.len() == 1 && matches.iter().all(|found| found.is_sure);
            return Some(Found {
                state: if is_clear { state } else { EvidenceState::Ambiguous },
                source: Some(source.name()),
                spans: matches.iter().take(MAX_SPANS).map(|found| source.span(&found.place)).collect(),
            });
        }
        None
    }

    /// Places that a stage has to find that does not know where a value has to stand: those within a quote may come
    /// after many others.
    fn most(&self) -> usize {
        if self.within.is_some() { usize::MAX } else { MAX_SPANS }
    }
}

fn nowhere() -> Found {
    Found::without_place(EvidenceState::None)
}

/// A text that is looked for in folded texts.
struct Wanted<'v> {
    value: &'v str,
    folded: &'v str,
}

impl Wanted<'_> {
    /// Where a folded text has the value. As it is written, it has to be whole there as well: folding takes away the ends
    /// of lines and what kind of space or dash there is.
    fn places(&self, area: &Area<'_, '_>, folded: &FoldedText, budget: &mut Budget) -> Vec<Match> {
        let raw = area.source.raw;
        exact::matches(&folded.text, self.folded, MAX_SPANS, budget, |part, budget| {
            let place = folded.raw(&part).filter(|place| area.has(place))?;
            let written = raw.get(place.clone())?;
            let in_folded = exact::whole(&folded.text, &part, self.folded, budget)?;
            let standing = exact::whole(raw, &place, written, budget)?.max(in_folded);
            Some(Match { is_sure: standing == Standing::Alone && !self.is_other_word(written), place })
        })
    }

    /// Whether the value is an abbreviation, and what is written may be a word: `it` for `IT`.
    fn is_other_word(&self, written: &str) -> bool {
        let is_short = self.value.len() <= LONGEST_ABBREVIATION;
        let is_abbreviation = is_short && self.value.bytes().all(|byte| byte.is_ascii_uppercase());
        is_abbreviation && written.bytes().all(|byte| byte.is_ascii_lowercase())
    }
}
