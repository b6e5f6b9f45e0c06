//! One value, stage by stage: as it is, then folded, then in the other writings of what it is. A stage is tried in every
//! source before the next one.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Number;

use crate::domain::evidence::{EvidenceState, Span};
use crate::domain::json::Decimal;

use super::Source;
use super::amounts;
use super::boundaries::is_token;
use super::budget::Budget;
use super::currencies;
use super::exact;
use super::folded_text::{FoldedText, fold};
use super::other_writings::kinds;
use super::place::Match;
use super::source_text::SourceText;
use super::standing::Standing;
use super::whole_value;

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
    /// The part of each source that values have to stand in, in bytes; `None` for all of it.
    within: Option<Range<usize>>,
    budget: Budget,
}

impl<'a> Search<'a> {
    /// Nothing is searched yet.
    pub(super) fn new(sources: &'a [Source<'_>]) -> Self {
        Self { sources: sources.iter().map(SourceText::new).collect(), within: None, budget: Budget::new() }
    }

    /// The same for a part of short sources: what stands around it only says whether a value goes on there.
    pub(super) fn within(sources: &'a [Source<'_>], part: Range<usize>) -> Self {
        Self { within: Some(part), ..Self::new(sources) }
    }

    /// The first source that has a quote, as it is or else folded, and the first places there. The quote may begin and
    /// end within a word.
    pub(super) fn quote(&mut self, quote: &str) -> Option<(&SourceText<'a>, Vec<Range<usize>>)> {
        let (quote, folded) = (quote.trim(), fold(quote.trim()));
        let Self { sources, budget, .. } = self;
        let exact = sources.iter().find_map(|source| {
            let places = exact::places(source.raw, quote, MAX_SPANS, budget, |_| true);
            (!places.is_empty()).then_some((source, places))
        });
        exact.or_else(|| {
            sources.iter().find_map(|source| {
                let mut texts = [Some(source.folded()), source.joined()].into_iter().flatten();
                let places = texts.find_map(|text| {
                    let places = exact::places(&text.text, &folded, MAX_SPANS, budget, |_| true);
                    let places: Vec<_> = places.iter().filter_map(|place| text.raw(place)).collect();
                    (!places.is_empty()).then_some(places)
                });
                Some((source, places?))
            })
        })
    }

    /// Looks for a text.
    pub(super) fn text(&mut self, value: &str) -> Found {
        let most = self.most();
        let exact = self.stage(EvidenceState::Exact, |source, budget| exact::find(source.raw, value, most, budget));
        exact.or_else(|| self.in_other_writings(value)).unwrap_or_else(nowhere)
    }

    /// Looks for a number.
    pub(super) fn number(&mut self, number: &Number) -> Found {
        let text = number.as_str();
        let value = Decimal::of(text);
        self.stage(EvidenceState::Exact, |source, budget| amounts::literal(source, text, &value, budget))
            .or_else(|| self.stage(EvidenceState::Normalized, |source, budget| amounts::equal(source, &value, budget)))
            .or_else(|| {
                self.stage(EvidenceState::Normalized, |source, budget| amounts::percentage(source, &value, budget))
            })
            .unwrap_or_else(nowhere)
    }

    fn in_other_writings(&mut self, value: &str) -> Option<Found> {
        let (folded, most) = (fold(value), self.most());
        let wanted = Wanted { value, folded: &folded, most };
        // In small letters the codes of currencies are words as well: `try`.
        let kept = if currencies::is_code(value) { None } else { self.folded(&wanted) };
        kept.or_else(|| {
            kinds(value, &folded).into_iter().find_map(|kind| {
                self.stage(EvidenceState::Normalized, |source, budget| kind.find(source, most, budget))
            })
        })
    }

    /// Looks for a text whatever its letter case, white space and typography, and then also divided by ends of lines.
    fn folded(&mut self, wanted: &Wanted<'_>) -> Option<Found> {
        let kept =
            self.stage(EvidenceState::Normalized, |source, budget| wanted.places(source, source.folded(), budget));
        kept.or_else(|| {
            self.stage(EvidenceState::Normalized, |source, budget| {
                source.joined().map(|joined| wanted.places(source, joined, budget)).unwrap_or_default()
            })
        })
    }

    /// The first source in which `find` has places. In several places a value is ambiguous, and so it is in one that
    /// can be read in several ways. Where `find` could not look at everything there is nothing to say of the value.
    fn stage(
        &mut self,
        state: EvidenceState,
        find: impl Fn(&SourceText<'a>, &mut Budget) -> Vec<Match>,
    ) -> Option<Found> {
        for source in &self.sources {
            let mut matches = find(source, &mut self.budget);
            if self.budget.take_cut() {
                return Some(Found::without_place(EvidenceState::Unsearched));
            }
            if let Some(part) = &self.within {
                matches.retain(|Match { place, .. }| part.start <= place.start && place.end <= part.end);
            }
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

    /// Places that a stage has to find: of a part, those that stand in it may come after many others.
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
    most: usize,
}

impl Wanted<'_> {
    /// Where a folded text has the value. As it is written, it has to be whole there as well: folding takes away the ends
    /// of lines and what kind of space or dash there is.
    fn places(&self, source: &SourceText<'_>, folded: &FoldedText, budget: &mut Budget) -> Vec<Match> {
        let found = exact::find(&folded.text, self.folded, usize::MAX, budget).into_iter();
        let found = found.filter_map(|Match { place, is_sure }| {
            let place = folded.raw(&place).filter(|place| is_token(source.raw, place))?;
            let written = source.raw.get(place.clone())?;
            let standing = whole_value::standing(source.raw, &place, written);
            let is_sure = is_sure && standing == Standing::Alone && !self.is_other_word(written);
            (standing != Standing::Part).then_some(Match { place, is_sure })
        });
        found.take(self.most).collect()
    }

    /// Whether the value is an abbreviation, and what is written may be a word: `it` for `IT`.
    fn is_other_word(&self, written: &str) -> bool {
        let is_short = self.value.len() <= LONGEST_ABBREVIATION;
        let is_abbreviation = is_short && self.value.bytes().all(|byte| byte.is_ascii_uppercase());
        is_abbreviation && written.bytes().all(|byte| byte.is_ascii_lowercase())
    }
}
