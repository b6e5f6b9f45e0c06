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
use super::exact;
use super::folded_text::{FoldedText, fold};
use super::other_writings::kinds;
use super::place::Match;
use super::source_text::SourceText;

/// Places of one value that are given; whoever reads them needs no more to see that there are many.
pub(super) const MAX_SPANS: usize = 8;

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
        let exact = self.stage(EvidenceState::Exact, |source, budget| {
            let places = exact::find(source.raw, value, most, budget).into_iter();
            places.map(|place| Match { place, is_sure: true }).collect()
        });
        exact.or_else(|| self.in_other_writings(value)).unwrap_or_else(|| self.nothing())
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
            .unwrap_or_else(|| self.nothing())
    }

    fn in_other_writings(&mut self, value: &str) -> Option<Found> {
        let (folded, most) = (fold(value), self.most());
        let kept = self.stage(EvidenceState::Normalized, |source, budget| {
            folded_places(source, source.folded(), &folded, most, budget)
        });
        let joined = kept.or_else(|| {
            self.stage(EvidenceState::Normalized, |source, budget| {
                source.joined().map(|joined| folded_places(source, joined, &folded, most, budget)).unwrap_or_default()
            })
        });
        joined.or_else(|| {
            kinds(value, &folded).into_iter().find_map(|kind| {
                self.stage(EvidenceState::Normalized, |source, budget| kind.find(source, most, budget))
            })
        })
    }

    /// The first source in which `find` has places. In several places a value is ambiguous, and so it is in one that
    /// can be read in several ways.
    fn stage(
        &mut self,
        state: EvidenceState,
        find: impl Fn(&SourceText<'a>, &mut Budget) -> Vec<Match>,
    ) -> Option<Found> {
        for source in &self.sources {
            let mut matches = find(source, &mut self.budget);
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

    fn nothing(&self) -> Found {
        let is_searched = !self.budget.is_spent();
        Found::without_place(if is_searched { EvidenceState::None } else { EvidenceState::Unsearched })
    }
}

/// Where a folded text has a folded value. As it is written, the value has to be whole tokens as well: folding takes away
/// the ends of lines.
fn folded_places(
    source: &SourceText<'_>,
    folded: &FoldedText,
    value: &str,
    most: usize,
    budget: &mut Budget,
) -> Vec<Match> {
    let places = exact::find(&folded.text, value, usize::MAX, budget);
    let places = places.iter().filter_map(|place| folded.raw(place));
    let whole = places.filter(|place| is_token(source.raw, place)).take(most);
    whole.map(|place| Match { place, is_sure: true }).collect()
}
