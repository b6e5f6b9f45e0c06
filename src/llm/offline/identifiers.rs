//! Addresses and identifiers that can be told by their form.

use std::sync::LazyLock;

use regex::Regex;

use super::pattern::literal;
use super::text::fold;

/// What an identifier stands for, as far as the text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Order,
    Invoice,
    Ticket,
    Tracking,
    Customer,
    Contract,
    Unknown,
}

/// An identifier such as `48213`, `A-1002` or `INV-2026-001`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifier<'a> {
    pub(super) about: About,
    /// As written, without the word or the `#` before it.
    pub(super) value: &'a str,
    at: usize,
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    literal(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,8}[A-Za-z]{2,24}")
});
static URL: LazyLock<Regex> =
    LazyLock::new(|| literal(r#"(?i)\b(?:https?://|www\.)[a-z0-9.-]{1,200}(?::\d{1,5})?(?:/[^\s<>"')\]]{0,500})?"#));
static PHONE: LazyLock<Regex> =
    LazyLock::new(|| literal(r"(?:\+|\b00|\(|\b)\d{1,4}(?:[ ()./-]{1,2}\d{1,8}){2,6}|\+\d{7,15}"));
static IPV4: LazyLock<Regex> = LazyLock::new(|| literal(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"));
static UUID: LazyLock<Regex> =
    LazyLock::new(|| literal(r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"));
static DATE_LIKE: LazyLock<Regex> = LazyLock::new(|| literal(r"^\d{4}-\d{2}-\d{2}|^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"));

/// A word that names the thing, connecting words, then the identifier.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    let thing = r"order|purchase order|po|bestell\w*|auftrag\w*|commande|pedido|orden|compra|invoice|receipt|bill|rechnung\w*|facture|factura|ticket|case|request|vorgang\w*|incident|tracking|shipment|parcel|sendung\w*|suivi|seguimiento|customer|kunden\w*|client|cliente|account|konto\w*|compte|cuenta|contract|vertrag\w*|contrat|contrato|policy|membership";
    let between = r"(?:\s*(?:\b(?:number|no|nr|num|nummer|numero|número|numéro|id|ref|reference|référence|code|is|was|ist|lautet|est|es)\b\.?|n°|nº|n\.º|[:#(]))*";
    literal(&format!(r"(?i)\b({thing}){between}\s*#?([a-z]{{0,6}}[-/]?\d[a-z0-9-]*[a-z0-9])"))
});
static HASHED: LazyLock<Regex> = LazyLock::new(|| literal(r"#([A-Za-z]{0,6}-?\d[A-Za-z0-9-]*)"));
static CODED: LazyLock<Regex> = LazyLock::new(|| literal(r"\b([A-Z]{1,6}-(?:[A-Z0-9]{1,6}-)?\d[A-Z0-9-]*)\b"));

/// The e-mail addresses in `text`.
pub(super) fn emails(text: &str) -> Vec<&str> {
    EMAIL.find_iter(text).map(|found| found.as_str()).collect()
}

/// The web addresses in `text`.
pub(super) fn urls(text: &str) -> Vec<&str> {
    URL.find_iter(text).map(|found| found.as_str().trim_end_matches(['.', ',', ';', '!', '?', ':'])).collect()
}

/// The telephone numbers in `text`: at least seven digits, in groups or after a plus.
pub(super) fn phones(text: &str) -> Vec<&str> {
    let found = PHONE.find_iter(text).map(|found| found.as_str().trim());
    found
        .filter(|phone| {
            let digits = phone.chars().filter(char::is_ascii_digit).count();
            let international = phone.starts_with(['+', '(']) || phone.starts_with('0');
            (7..=15).contains(&digits)
                && (international || digits >= 9)
                && !DATE_LIKE.is_match(phone)
                && phone.parse::<std::net::Ipv4Addr>().is_err()
        })
        .collect()
}

/// The IPv4 addresses in `text`.
pub(super) fn ips(text: &str) -> Vec<&str> {
    let found = IPV4.find_iter(text).map(|found| found.as_str());
    found.filter(|ip| ip.parse::<std::net::Ipv4Addr>().is_ok()).collect()
}

/// The UUIDs in `text`.
pub(super) fn uuids(text: &str) -> Vec<&str> {
    UUID.find_iter(text).map(|found| found.as_str()).collect()
}

/// The identifiers in `text` in their order, each once, those with a name before the others where they overlap.
pub(super) fn identifiers(text: &str) -> Vec<Identifier<'_>> {
    let mut found: Vec<Identifier<'_>> = Vec::new();
    let named = NAMED.captures_iter(text).filter_map(|c| Some((about(c.get(1)?.as_str()), c.get(2)?)));
    let hashed = HASHED.captures_iter(text).filter_map(|c| Some((About::Unknown, c.get(1)?)));
    let coded = CODED.captures_iter(text).filter_map(|c| Some((About::Unknown, c.get(1)?)));
    for (about, value) in named.chain(hashed).chain(coded) {
        let text = value.as_str();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let about = if about == About::Unknown { by_prefix(text) } else { about };
        if digits >= 3 && !DATE_LIKE.is_match(text) && !found.iter().any(|known| known.value == text) {
            found.push(Identifier { about, value: text, at: value.start() });
        }
    }
    found.sort_by_key(|identifier| identifier.at);
    found
}

fn about(word: &str) -> About {
    let word = fold(word);
    let starts = |starts: &[&str]| starts.iter().any(|start| word.starts_with(start));
    if starts(&["order", "purchase", "po", "bestell", "auftrag", "commande", "pedido", "orden", "compra"]) {
        About::Order
    } else if starts(&["invoice", "receipt", "bill", "rechnung", "factur"]) {
        About::Invoice
    } else if starts(&["ticket", "case", "request", "vorgang", "incident"]) {
        About::Ticket
    } else if starts(&["tracking", "shipment", "parcel", "sendung", "suivi", "seguimiento"]) {
        About::Tracking
    } else if starts(&["customer", "kunden", "client", "account", "konto", "compte", "cuenta", "member"]) {
        About::Customer
    } else {
        About::Contract
    }
}

fn by_prefix(value: &str) -> About {
    let letters: String = value.chars().take_while(char::is_ascii_alphabetic).collect();
    match letters.to_ascii_uppercase().as_str() {
        "INV" | "RE" | "RG" | "FAC" => About::Invoice,
        "TKT" | "CASE" | "REQ" | "INC" | "SR" => About::Ticket,
        "ORD" | "SO" | "PO" | "ORDER" => About::Order,
        _ => About::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_told_by_the_word_before_them() {
        for (text, about, value) in [
            ("my order 48213 is late", About::Order, "48213"),
            ("order number is #A-1002.", About::Order, "A-1002"),
            ("Bestellung Nr. 77120", About::Order, "77120"),
            ("Bestellnummer: DE-40211", About::Order, "DE-40211"),
            ("commande n° 55810", About::Order, "55810"),
            ("pedido número 90817", About::Order, "90817"),
            ("see INV-2026-001", About::Invoice, "INV-2026-001"),
            ("about #4711 again", About::Unknown, "4711"),
        ] {
            assert_eq!(identifiers(text).first().map(|i| (i.about, i.value)), Some((about, value)), "{text}");
        }
        assert_eq!(identifiers("order 2 lamps, order 2026-03-12, in order to"), []);
    }

    #[test]
    fn addresses_are_told_by_their_form() {
        assert_eq!(emails("mail a.b+c@example.co.uk."), ["a.b+c@example.co.uk"]);
        assert_eq!(
            urls("see https://example.com/a?b=1, or www.example.org."),
            ["https://example.com/a?b=1", "www.example.org"]
        );
        assert_eq!(
            phones("call +49 30 1234567 or (555) 010-9999, 12.03.2026, 10.0.0.1"),
            ["+49 30 1234567", "(555) 010-9999"]
        );
        assert_eq!(ips("from 10.0.0.1, not 999.1.1.1"), ["10.0.0.1"]);
        assert_eq!(uuids("id 6f1c2e9a-0b1d-4c3e-8f5a-123456789abc"), ["6f1c2e9a-0b1d-4c3e-8f5a-123456789abc"]);
    }
}
