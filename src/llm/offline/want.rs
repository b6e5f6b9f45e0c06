//! What a property is after, by its format and the words of its name.

use super::field::Field;
use super::identifiers::About;
use crate::schema::node::Kind;

/// What a property is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Email,
    Url,
    Phone,
    Ip,
    Uuid,
    Date,
    DateTime,
    Currency,
    Language,
    Identifier(About),
    Company,
    Product,
    Person,
    Summary,
    Subject,
    Title,
    Whole,
    Topic,
    Document,
    Mood,
    Level,
    Money,
    Percent,
    Rating,
    /// Only the property's own words beside it can say.
    Plain,
}

impl Want {
    /// The same for all wants whose values are of one type.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the wants that are named are the exceptions")]
    pub(super) fn class(self) -> Self {
        match self {
            Self::DateTime => Self::Date,
            other => other,
        }
    }
}

/// What `field` is after, by its format, then by the words of its name.
pub(super) fn want(field: &Field<'_>) -> Want {
    match field.node.text("format") {
        "email" | "idn-email" => return Want::Email,
        "uri" | "iri" | "uri-reference" => return Want::Url,
        "date" => return Want::Date,
        "date-time" => return Want::DateTime,
        "ipv4" | "ipv6" => return Want::Ip,
        "uuid" => return Want::Uuid,
        _ => {}
    }
    let is = |words: &[&str]| field.is(words);
    if matches!(field.node.kind(), Kind::Integer | Kind::Number) {
        return number(field);
    }
    let table: [(&[&str], Want); 14] = [
        (&["email"], Want::Email),
        (&["url", "link", "website", "uri", "homepage"], Want::Url),
        (&["phone", "fax"], Want::Phone),
        (&["ip"], Want::Ip),
        (&["uuid", "guid"], Want::Uuid),
        (&["currency"], Want::Currency),
        (&["language", "lang", "locale"], Want::Language),
        (&["date", "deadline", "birth"], Want::Date),
        (&["title", "headline"], Want::Title),
        (&["subject"], Want::Subject),
        (&["intent", "category", "topic", "purpose"], Want::Topic),
        (&["sentiment", "mood", "tone"], Want::Mood),
        (&["urgency", "priority", "severity"], Want::Level),
        (&["text", "message", "body", "content", "transcript"], Want::Whole),
    ];
    if let Some(about) = identified(field) {
        return Want::Identifier(about);
    }
    if let Some((_, want)) = table.iter().find(|(words, _)| is(words)) {
        return *want;
    }
    if is(&["document", "doc"]) && is(&["type", "kind", "class"]) {
        return Want::Document;
    }
    let name = is(&["name"]);
    let firm = ["company", "vendor", "merchant"];
    if is(&["company", "vendor", "employer", "business"])
        || (name && field.under(&firm))
        || (name && field.under(&["customer"]))
    {
        Want::Company
    } else if is(&["product", "model", "device"]) {
        Want::Product
    } else if is(&["person", "author", "sender", "contact", "signer"])
        || (name && !is(&["file", "user", "template"]))
        || is(&["customer"])
    {
        Want::Person
    } else if is(&MONEY) && !is(&["number", "reference"]) {
        Want::Money
    } else if is(&["summary", "abstract", "overview", "gist"]) || (is(&["description"]) && field.words.len() == 1) {
        Want::Summary
    } else {
        Want::Plain
    }
}

/// Words of properties that are amounts of money, in the form in which labels are compared.
const MONEY: [&str; 13] = [
    "total", "price", "subtotal", "tax", "fee", "balance", "charge", "refund", "budget", "salary", "deposit", "cost",
    "fare",
];

fn number(field: &Field<'_>) -> Want {
    if field.is(&["percent", "percentage", "rate", "discount"]) {
        Want::Percent
    } else if field.is(&MONEY) {
        Want::Money
    } else if field.is(&["rating", "stars", "score"]) {
        Want::Rating
    } else {
        Want::Plain
    }
}

/// Which identifier a name such as `order_id` or `invoiceNumber` is after.
fn identified(field: &Field<'_>) -> Option<About> {
    if !field.is(&["number", "reference"]) || field.is(&["phone"]) {
        return None;
    }
    let kinds: [(&[&str], About); 6] = [
        (&["order", "purchase"], About::Order),
        (&["invoice", "receipt", "bill"], About::Invoice),
        (&["ticket", "case", "request"], About::Ticket),
        (&["tracking", "shipment", "parcel"], About::Tracking),
        (&["customer", "account"], About::Customer),
        (&["contract", "policy"], About::Contract),
    ];
    let generic = field.words.len() == 1;
    let kind =
        kinds.iter().find(|(words, _)| field.is(words) || (generic && field.under(words))).map(|(_, about)| *about);
    kind.or_else(|| (generic && field.is(&["reference"])).then_some(About::Unknown))
}
