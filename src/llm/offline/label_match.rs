//! Which label names a property, and which typed value is a property's.
//!
//! A label gives its value to a property only if it names that property: all words that tell the property from others
//! must be in the label, and the label must not say something else besides.

use super::facts::Facts;
use super::field::Field;
use super::labels::{Label, canonical};

/// Words of a value up to which a line is an entry of a form rather than a sentence with a colon.
const ENTRY: usize = 8;

/// Words of property names that only say what kind of value it is. A label may leave them out.
const GENERIC: [&str; 4] = ["number", "date", "name", "total"];

/// Words of labels that narrow nothing down.
const FILLING: [&str; 16] = [
    "your", "my", "our", "please", "grand", "gross", "brutto", "full", "eur", "usd", "gbp", "chf", "in", "and", "due",
    "order",
];

/// The values of the labels that name `field`, those that name it exactly first.
pub(super) fn matching<'l>(labels: &'l [Label<'_>], field: &Field<'_>) -> Vec<&'l str> {
    let filled = || labels.iter().filter(|label| !label.value.is_empty());
    let exact = filled().filter(|label| field.names.iter().any(|name| same(&label.words, name)));
    let near =
        filled().filter(|label| field.names.iter().any(|name| !same(&label.words, name) && names(&label.words, name)));
    exact.chain(near).map(|label| label.value).collect()
}

/// The entry within whose value byte `at` lies, unless the entry could be `field`'s.
pub(super) fn is_entry_of_another(labels: &[Label<'_>], field: &Field<'_>, at: usize) -> bool {
    let short = |label: &&Label<'_>| label.span.contains(&at) && label.value.split_whitespace().count() <= ENTRY;
    let could_be = |label: &Label<'_>| {
        let generic =
            |word: &String| GENERIC.contains(&word.as_str()) || FILLING.contains(&word.as_str()) || word == "phone";
        field.names.iter().any(|name| label.words.iter().all(|word| name.contains(word) || generic(word)))
    };
    labels.iter().filter(short).any(|label| !could_be(label))
}

fn same(label: &[String], name: &[String]) -> bool {
    label.len() == name.len() && label.iter().all(|word| name.contains(word))
}

/// Whether the label has every word of the name that tells it from others, and none that tells another.
fn names(label: &[String], name: &[String]) -> bool {
    let telling = |word: &&String| !GENERIC.contains(&word.as_str());
    let mut needed = name.iter().filter(telling).peekable();
    let is_generic = needed.peek().is_none();
    let complete =
        needed.all(|word| label.contains(word)) && (!is_generic || name.iter().all(|word| label.contains(word)));
    complete && label.iter().all(|word| name.contains(word) || FILLING.contains(&word.as_str()))
}

/// Whether the words before a value, nearest last, name `field`: “due on”, “departure”, “total of”.
pub(super) fn named_before(before: &[String], field: &Field<'_>) -> bool {
    const LINKS: [&str; 26] = [
        "is", "was", "of", "on", "by", "at", "to", "the", "a", "for", "are", "am", "vom", "zum", "bis", "ist", "est",
        "es", "le", "el", "und", "and", "until", "from", "about", "been",
    ];
    let mut nearest = before.iter().rev().skip_while(|word| LINKS.contains(&word.as_str()));
    let window: Vec<String> = nearest.by_ref().take(3).map(|word| canonical(word)).collect::<Vec<_>>().concat();
    field.names.iter().any(|name| {
        let mut telling = name.iter().filter(|word| !GENERIC.contains(&word.as_str())).peekable();
        let nearest = |name: &[String]| window.first().is_some_and(|word| name.contains(word));
        let is_total = name.len() == 1 && name.first().is_some_and(|word| word == "total");
        (telling.peek().is_some() || is_total) && telling.all(|word| window.contains(word)) && nearest(name)
    })
}

/// The value among typed ones, with their places, that is `field`'s: the first that the words before it name, or the
/// only one if no other property is after this type.
pub(super) fn pick<T: PartialEq>(found: Vec<(usize, T)>, field: &Field<'_>, facts: &Facts<'_>) -> Option<T> {
    let named = found.iter().position(|(at, _)| named_before(&facts.words_before(*at), field));
    if let Some(named) = named {
        return found.into_iter().nth(named).map(|(_, value)| value);
    }
    let mut free = found.into_iter().filter(|(at, _)| !is_entry_of_another(facts.labels(), field, *at));
    let (_, first) = free.next().filter(|_| field.is_only)?;
    free.all(|(_, other)| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::llm::offline::labels::labels;
    use crate::llm::offline::text::name_words;

    fn field(name: &str) -> Field<'static> {
        static ANY: Value = Value::Null;
        Field::new(&ANY, name, &ANY, &[], true)
    }

    #[test]
    fn labels_are_matched_across_languages_and_best_first() {
        let text = "Rechnungsnummer: RE-77\nDate: 2026-01-02\n| Total due: | $12.00 |\nBill to:\nAcme Ltd\nhttps://example.com\nDue: 2026-01-03\nVAT 20 %: 2.00";
        let labels = labels(text);
        let first = |name: &str| matching(&labels, &field(name)).first().copied();
        assert_eq!(first("invoiceNumber"), Some("RE-77"));
        assert_eq!(first("invoice_date"), Some("2026-01-02"));
        assert_eq!(first("due_date"), Some("2026-01-03"));
        assert_eq!(first("customer_name"), Some("Acme Ltd"));
        assert_eq!(first("total"), Some("| $12.00"));
        assert_eq!(first("tax_amount"), Some("2.00"));
        for none in ["colour", "subtotal", "delivery_date", "order_number", "supplier_name"] {
            assert_eq!(first(none), None, "{none}");
        }
        assert_eq!(json!(labels.len()), 6);
    }

    #[test]
    fn words_before_a_value_name_it() {
        let before = |text: &str| name_words(text);
        assert!(named_before(&before("payment is due on"), &field("due_date")));
        assert!(named_before(&before("departure"), &field("departure_date")));
        assert!(named_before(&before("the total is"), &field("total")));
        assert!(!named_before(&before("departure"), &field("return_date")));
        assert!(!named_before(&before("total tax"), &field("total")));
        assert!(!named_before(&before("your letter of"), &field("document_date")));
    }
}
