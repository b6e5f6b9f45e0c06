//! Strings, by what the property's name and format want.

use super::choose;
use super::facts::Facts;
use super::fill::Field;
use super::identifiers::{self, About};
use super::labels;
use super::lexicon::{DOCUMENTS, SENTIMENT, TOPICS, URGENCY};
use super::neutral::fits_string;
use super::text::{self, fold};
use super::{dates, names, numbers, prose};

/// Characters of free text where the schema sets no limit.
const FREE_TEXT: usize = 300;

/// What a string property is after.
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
    Whole,
    Topic,
    Document,
    Mood,
    Level,
    Amount,
    /// Only a labelled line can say.
    Plain,
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
    let table: [(&[&str], Want); 14] = [
        (&["email"], Want::Email),
        (&["url", "link", "website", "uri", "homepage"], Want::Url),
        (&["phone", "fax"], Want::Phone),
        (&["ip"], Want::Ip),
        (&["uuid", "guid"], Want::Uuid),
        (&["currency"], Want::Currency),
        (&["language", "lang", "locale"], Want::Language),
        (&["date", "deadline", "birth"], Want::Date),
        (&["summary", "abstract", "overview", "gist", "description", "reason", "issue", "problem"], Want::Summary),
        (&["subject", "headline"], Want::Subject),
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
    if is(&["company", "vendor", "employer", "business"]) || (name && field.under(&["company", "vendor", "merchant"])) {
        Want::Company
    } else if is(&["product", "model", "device"]) {
        Want::Product
    } else if is(&["person", "author", "sender", "contact", "signer"])
        || (name && !is(&["file", "user", "template"]))
        || is(&["customer"])
    {
        Want::Person
    } else if is(&["total", "price", "subtotal", "cost", "fee", "balance"]) {
        Want::Amount
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
    let kind = kinds.iter().find(|(words, _)| field.is(words) || field.under(words)).map(|(_, about)| *about);
    kind.or_else(|| (field.words.len() == 1 && field.is(&["reference"])).then_some(About::Unknown))
}

/// The text that `field` is after, and how sure that is.
pub(super) fn find(field: &Field<'_>, facts: &Facts<'_>) -> Option<(String, f64)> {
    let want = want(field);
    let fitting = |found: Vec<String>| found.into_iter().find(|text| fits_string(&field.node, text));
    let lines = labels::matching(facts.labels(), &field.words);
    let labelled = lines.into_iter().take(8).find_map(|line| fitting(read(want, line, field, facts, true)));
    if let Some(text) = labelled {
        return Some((text, 1.0));
    }
    let sure = match want {
        Want::Email | Want::Url | Want::Ip | Want::Uuid | Want::Currency | Want::Language | Want::Identifier(_) => 1.0,
        Want::Phone | Want::Person | Want::Company | Want::Date | Want::DateTime | Want::Amount | Want::Whole => 0.8,
        Want::Product | Want::Summary | Want::Subject | Want::Topic | Want::Document | Want::Mood | Want::Level => 0.6,
        Want::Plain => 0.7,
    };
    fitting(read(want, facts.raw(), field, facts, false))
        .or_else(|| token(field, facts))
        .map(|text| (text, sure))
        .or_else(|| {
            // “Undetermined” by ISO 639-2; where only two letters fit, a guess that counts nothing.
            let unknown = vec!["und".to_owned(), "en".to_owned()];
            fitting(unknown).filter(|_| want == Want::Language && !field.node.nullable).map(|text| (text, 0.0))
        })
}

/// What `text`, a labelled value or the whole message, says about `want`; best first.
fn read(want: Want, text: &str, field: &Field<'_>, facts: &Facts<'_>, labelled: bool) -> Vec<String> {
    match want {
        Want::Email => owned(identifiers::emails(text)),
        Want::Url => owned(identifiers::urls(text)),
        Want::Phone => owned(identifiers::phones(text)),
        Want::Ip => owned(identifiers::ips(text)),
        Want::Uuid => owned(identifiers::uuids(text)),
        Want::Date | Want::DateTime => read_dates(want, text, field, facts, labelled),
        Want::Currency => {
            let code = numbers::currency(text).or_else(|| Some(numbers::money(text).first()?.currency));
            code.map(str::to_owned).into_iter().collect()
        }
        Want::Language => {
            let language = facts.language();
            language.map(|language| language.written_for(&field.node, &field.words)).into_iter().collect()
        }
        Want::Identifier(about) => read_identifiers(about, text, labelled),
        Want::Mood => {
            SENTIMENT.get(choose::sentiment(facts.text).0).map(|mood| mood.name.to_owned()).into_iter().collect()
        }
        Want::Summary | Want::Subject if labelled => vec![prose::cut(text, longest(field))],
        Want::Company
        | Want::Product
        | Want::Person
        | Want::Whole
        | Want::Topic
        | Want::Document
        | Want::Level
        | Want::Amount
        | Want::Plain
            if labelled =>
        {
            vec![text.trim_end_matches(['.', ';', ',']).to_owned()]
        }
        Want::Company => owned(names::companies(text)),
        Want::Product => owned(names::products(text, facts.german())),
        Want::Person => owned(names::people(text)),
        Want::Summary => prose::summary(text, longest(field)).into_iter().collect(),
        Want::Subject => prose::summary(text, longest(field).min(80)).into_iter().collect(),
        Want::Whole => vec![prose::cut(text, field.node.count("maxLength").unwrap_or(usize::MAX))],
        Want::Topic => names_of(choose::spoken_of(facts.text, &TOPICS)),
        Want::Document => names_of(choose::spoken_of(facts.text, &DOCUMENTS)),
        Want::Level => {
            URGENCY.get(choose::urgency(facts.text).0).map(|level| level.name.to_owned()).into_iter().collect()
        }
        Want::Amount => owned(numbers::money(text).iter().filter_map(|money| text.get(money.span.clone())).collect()),
        Want::Plain => Vec::new(),
    }
}

fn longest(field: &Field<'_>) -> usize {
    field.node.count("maxLength").unwrap_or(FREE_TEXT)
}

fn owned(found: Vec<&str>) -> Vec<String> {
    found.into_iter().map(str::to_owned).collect()
}

fn names_of(weighed: Vec<(f64, &'static str)>) -> Vec<String> {
    weighed.into_iter().map(|(_, name)| name.to_owned()).collect()
}

fn read_identifiers(about: About, text: &str, labelled: bool) -> Vec<String> {
    let found = identifiers::identifiers(text);
    let of = |wanted: About| found.iter().filter(move |one| one.about == wanted).map(|one| one.value.to_owned());
    let mut values: Vec<String> = of(about).chain(of(About::Unknown)).collect();
    if labelled && values.is_empty() {
        let word = text.split_whitespace().next().unwrap_or_default().trim_matches(['#', '.', ',']);
        values.extend(word.chars().any(|c| c.is_ascii_digit()).then(|| word.to_owned()));
    }
    values
}

/// A date near the property's own words comes first; a property such as `due_date` accepts no other.
fn read_dates(want: Want, text: &str, field: &Field<'_>, facts: &Facts<'_>, labelled: bool) -> Vec<String> {
    let written = |date: &dates::Date| if want == Want::DateTime { date.to_date_time() } else { date.to_date() };
    if labelled {
        let day_first = facts.language().is_some_and(super::language::Language::day_first);
        return dates::dates(text, day_first).iter().map(written).collect();
    }
    let special = |word: &&String| {
        matches!(
            word.as_str(),
            "due" | "birth" | "start" | "end" | "expiry" | "expires" | "until" | "deadline" | "delivery" | "return"
        )
    };
    let words: Vec<&String> = field.words.iter().filter(special).collect();
    let near = |date: &&dates::Date| {
        let before = text.get(text::floor(text, date.at.saturating_sub(60))..date.at).map(fold).unwrap_or_default();
        words.iter().any(|word| before.contains(word.as_str()))
    };
    let near: Vec<String> = facts.dates().iter().filter(near).map(written).collect();
    if near.is_empty() && words.is_empty() { facts.dates().iter().map(written).collect() } else { near }
}

/// A word of the text that matches the schema's own pattern.
fn token(field: &Field<'_>, facts: &Facts<'_>) -> Option<String> {
    let pattern = super::pattern::of_schema(field.node.get("pattern")?.as_str()?)?;
    let words = facts.raw().split_whitespace().take(4_000);
    let bare = words.map(|word| word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '#'));
    let telling = |word: &&str| word.chars().any(|c| c.is_ascii_digit()) && pattern.is_match(word);
    bare.filter(telling).find(|word| fits_string(&field.node, word)).map(str::to_owned)
}
