//! Values in the places that a model quotes for them.
//!
//! A quote only says where to look. It has to stand in a text of the record, and the value in it; a model that quotes
//! what is not there changes nothing.

use std::collections::HashMap;

use crate::domain::evidence::{EvidenceState, Span};
use crate::domain::quotes::{FieldQuotes, QuoteOutcome};

use super::boundaries::is_token;
use super::search::{Found, MAX_SPANS, Search};

/// Quotes of one answer that are looked for.
const MAX_QUOTES: usize = 256;

/// Longest value that is looked for in quotes, in bytes. Quotes are shorter, and each would have to be compared with it.
pub(super) const MAX_VALUE_BYTES: usize = 4_096;

/// Letters from which on the quote of a judged value means all places that have it. A shorter one does not say which.
const LEAST_REPEATED: usize = 12;

/// The quotes of an answer, and what came of those that were looked for.
pub(super) struct Quotes<'a> {
    by_field: HashMap<&'a str, &'a [String]>,
    outcomes: Vec<QuoteOutcome>,
}

impl<'a> Quotes<'a> {
    /// No quote has been looked for yet.
    pub(super) fn new(quotes: &'a [FieldQuotes]) -> Self {
        let by_field = quotes.iter().map(|quoted| (quoted.field.as_str(), quoted.quotes.as_slice())).collect();
        Self { by_field, outcomes: Vec::new() }
    }

    /// What came of each quote that was looked for.
    pub(super) fn into_outcomes(self) -> Vec<QuoteOutcome> {
        self.outcomes
    }

    /// Where the first quote of this field that has the value has it. `look` finds the value in any texts.
    pub(super) fn find(
        &mut self,
        field: &str,
        search: &mut Search<'_>,
        look: impl Fn(&mut Search<'_>) -> Found,
    ) -> Option<Found> {
        for quote in self.next(field) {
            let Some(places) = search.quote(quote, |_, _| true) else {
                self.outcomes.push(QuoteOutcome::NotFound);
                continue;
            };
            let found = search.within(places, &look);
            if found.state.is_located() {
                self.outcomes.push(QuoteOutcome::Used);
                return Some(found);
            }
            self.outcomes.push(QuoteOutcome::WithoutValue);
        }
        None
    }

    /// A value that is judged, with the places of its quotes in the first source that has one. They are whole words.
    pub(super) fn judged(&mut self, field: &str, search: &mut Search<'_>) -> Found {
        let mut judged = Found::without_place(EvidenceState::Judged);
        for quote in self.next(field) {
            let found = search.quote(quote, is_token);
            let Some((source, places)) = found.as_ref().and_then(|found| search.source_of(found)) else {
                self.outcomes.push(QuoteOutcome::NotFound);
                continue;
            };
            if places.len() > 1 && quote.trim().chars().count() < LEAST_REPEATED {
                self.outcomes.push(QuoteOutcome::WithoutValue);
                continue;
            }
            self.outcomes.push(QuoteOutcome::Used);
            let name = judged.source.get_or_insert_with(|| source.name());
            if **name == *source.name() {
                judged.spans.extend(places.iter().map(|place| source.span(place)));
            }
        }
        in_order(&mut judged.spans);
        judged
    }

    fn next(&self, field: &str) -> impl Iterator<Item = &'a String> + use<'a> {
        let left = MAX_QUOTES.saturating_sub(self.outcomes.len());
        self.by_field.get(field).copied().unwrap_or_default().iter().take(left)
    }
}

fn in_order(spans: &mut Vec<Span>) {
    spans.sort_unstable_by_key(|span| (span.start, span.end));
    spans.dedup();
    spans.truncate(MAX_SPANS);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Locator, Source};
    use super::*;
    use crate::domain::evidence::Evidence;

    const TEXT: &str = "Größe 12, Menge 12. Total: 1.234,56 €, paid 1.234,56 €.\nOrder A-100-7, formerly A-100.";

    fn locate(text: &str, data: &Value, quotes: &[(&str, &str)]) -> Evidence {
        let quoted = |(field, quote): &(&str, &str)| FieldQuotes {
            field: (*field).to_owned(),
            quotes: quote.split('|').map(str::to_owned).collect(),
        };
        let quotes: Vec<_> = quotes.iter().map(quoted).collect();
        let sources = [Source { pointer: "/subject".into(), text: "Re: 12".into() }, source(text)];
        Locator::new(&json!({ "properties": { "mood": { "enum": ["bad"] } } })).locate(&sources, data, &quotes)
    }

    fn source(text: &str) -> Source<'_> {
        Source { pointer: "/body".into(), text: text.into() }
    }

    /// The state of the only field, what stands at its places in the body, and what came of the quotes.
    fn found<'t>(text: &'t str, data: &Value, quote: &str) -> (&'static str, Vec<&'t str>, Vec<&'static str>) {
        let evidence = locate(text, data, &[("/a", quote), ("/mood", quote)]);
        let field = &evidence.fields[0];
        let chars: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let spans = field.spans.iter().filter(|_| field.source.as_deref() == Some("/body"));
        let pieces = spans.map(|span| &text[chars[span.start as usize]..chars[span.end as usize]]).collect();
        (field.state.as_str(), pieces, evidence.quotes.iter().map(|outcome| outcome.as_str()).collect())
    }

    #[test]
    fn a_value_has_its_place_within_its_quote_though_it_stands_elsewhere_too() {
        for (data, quote, expected) in [
            (json!({ "a": 12 }), "Menge 12", ("exact", vec!["12"], vec!["used"])),
            (json!({ "a": "12" }), "menge   12", ("exact", vec!["12"], vec!["used"])),
            (json!({ "a": 1234.56 }), "paid 1.234,56 €", ("normalized", vec!["1.234,56"], vec!["used"])),
            (json!({ "a": "A-100" }), "formerly A-100.", ("exact", vec!["A-100"], vec!["used"])),
            (json!({ "a": 12 }), "Menge 99|Menge 12", ("exact", vec!["12"], vec!["not_found", "used"])),
        ] {
            assert_eq!(found(TEXT, &data, quote), expected, "{quote}");
        }
        let body = locate(TEXT, &json!({ "a": 12 }), &[("/a", "Menge 12")]);
        assert_eq!(body.fields[0].spans, [Span { start: 16, end: 18 }], "in code points of the whole text");
    }

    #[test]
    fn values_that_quote_the_same_words_have_the_same_place() {
        let quote = "ordered 12 lamps";
        let data = json!({ "ordered": 12, "came": 12, "broken": 3 });
        let quotes = [("/ordered", quote), ("/came", quote), ("/broken", quote)];
        let evidence = locate("I ordered 12 lamps, 12 came.", &data, &quotes);
        // The last field is the one that the schema lists and the answer leaves out.
        let found = evidence.fields.iter().take(3).map(|field| (field.state, field.spans.as_slice()));
        let there = (EvidenceState::Exact, &[Span { start: 10, end: 12 }][..]);
        assert_eq!(found.collect::<Vec<_>>(), [there, there, (EvidenceState::None, &[])]);
        assert_eq!(evidence.quotes, [QuoteOutcome::Used, QuoteOutcome::Used, QuoteOutcome::WithoutValue]);
    }

    #[test]
    fn a_quote_that_is_not_there_or_has_not_the_value_changes_nothing() {
        for (data, quote, outcome) in [
            (json!({ "a": 1234.56 }), "refund 1.234,56 €", "not_found"),
            (json!({ "a": 1234.56 }), "Menge 12", "without_value"),
            (json!({ "a": "A-100" }), "Order A-100", "without_value"),
            (json!({ "a": "4711" }), "Order 4711", "not_found"),
            (json!({ "a": "4711" }), "", "not_found"),
        ] {
            let (state, places, outcomes) = found(TEXT, &data, quote);
            assert_eq!(outcomes, [outcome], "{quote}");
            let evidence = locate(TEXT, &data, &[]);
            assert_eq!((state, places.len()), (evidence.fields[0].state.as_str(), evidence.fields[0].spans.len()));
        }
    }

    #[test]
    fn a_quote_that_stands_in_several_places_is_as_ambiguous_as_the_value() {
        let expected = ("ambiguous", vec!["1.234,56", "1.234,56"], vec!["used"]);
        assert_eq!(found(TEXT, &json!({ "a": 1234.56 }), "1.234,56 €"), expected);
    }

    #[test]
    fn a_value_that_is_judged_stays_so_and_has_the_places_of_its_quotes() {
        let quote = "paid 1.234,56 €|it never came|Menge 12";
        let expected = ("judged", vec!["Menge 12", "paid 1.234,56 €"], vec!["used", "not_found", "used"]);
        assert_eq!(found(TEXT, &json!({ "mood": "bad" }), quote), expected);
    }

    #[test]
    fn a_quote_of_a_judged_value_is_whole_words_and_says_which_ones() {
        let judged = |quote| found(TEXT, &json!({ "mood": "bad" }), quote);
        assert_eq!(judged("r"), ("judged", vec![], vec!["not_found"]));
        assert_eq!(judged("aid"), ("judged", vec![], vec!["not_found"]));
        assert_eq!(judged("paid"), ("judged", vec!["paid"], vec!["used"]));
        assert_eq!(judged("1.234,56 €"), ("judged", vec![], vec!["without_value"]));
        let thread = "It never came.\n> It never came.";
        let places = found(thread, &json!({ "mood": "bad" }), "It never came").1;
        assert_eq!(places, ["It never came"; 2], "a whole sentence means each of its places");
    }

    #[test]
    fn a_quote_is_read_as_the_whole_text_writes_numbers_and_dates() {
        let far = "and so on, ".repeat(200);
        let text = format!("3,5 kg, sent on 28/05/2026 {far} weight 2.750, due 05/06/2026, in all 9.125");
        for (data, quote, expected) in [
            (json!({ "a": 2750 }), "weight 2.750", ("normalized", vec!["2.750"], vec!["used"])),
            (json!({ "a": 2.75 }), "weight 2.750", ("none", vec![], vec!["without_value"])),
            (json!({ "a": "2026-06-05" }), "due 05/06/2026", ("normalized", vec!["05/06/2026"], vec!["used"])),
            (json!({ "a": "2026-05-06" }), "due 05/06/2026", ("none", vec![], vec!["without_value"])),
        ] {
            assert_eq!(found(&text, &data, quote), expected, "{data}");
        }
    }

    #[test]
    fn so_many_quotes_are_looked_for_and_no_more() {
        let evidence = locate("x", &json!({ "a": "x" }), &[("/a", &"y|".repeat(1000))]);
        assert_eq!((evidence.quotes.len(), evidence.fields[0].state), (MAX_QUOTES, EvidenceState::Exact));
        let long = "word ".repeat(MAX_VALUE_BYTES);
        let evidence = locate(&long, &json!({ "a": long }), &[("/a", "word")]);
        assert_eq!((evidence.quotes.len(), evidence.fields[0].state), (0, EvidenceState::Exact));
    }
}
