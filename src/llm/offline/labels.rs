//! `Label: value` lines, as in forms and invoices, and the form in which labels and properties are compared.

use std::ops::Range;

use super::text::name_words;

/// Lines that are looked at.
const MAX_LINES: usize = 2_000;

/// One `Label: value` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label<'a> {
    /// Its words in the form in which labels and properties are compared.
    pub(super) words: Vec<String>,
    /// The label as written.
    pub(super) name: &'a str,
    /// The value; empty if nothing was entered.
    pub(super) value: &'a str,
    /// Where the value is.
    pub(super) span: Range<usize>,
}

impl Label<'_> {
    /// Whether `word`, in the compared form, is in the label.
    pub(super) fn says(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }
}

/// Words of labels and properties that mean the same. The first of a row stands for all.
const SAME: [&str; 30] = [
    "number nr no num nummer numero id code",
    "date datum fecha",
    "total gesamt gesamtbetrag summe gesamtsumme amount betrag montant importe endbetrag rechnungsbetrag",
    "subtotal netto nettobetrag zwischensumme nettosumme net",
    "tax vat mwst ust umsatzsteuer tva iva",
    "vendor supplier seller lieferant verkaufer fournisseur vendeur proveedor vendedor from issuer merchant",
    "customer kunde client cliente buyer recipient kaufer acheteur comprador",
    "name namen nom nombre",
    "email mail courriel correo",
    "phone tel telefon telephone telefono mobile handy call",
    "address adresse anschrift direccion",
    "quantity qty menge anzahl quantite cantidad count",
    "price preis prix precio cost costs kostet coute cuesta",
    "due fallig falligkeit zahlbar payable echeance vencimiento",
    "order bestellung auftrag commande pedido",
    "invoice rechnung facture factura",
    "company firma unternehmen entreprise societe empresa organization organisation",
    "city stadt ort ville ciudad",
    "country land pays pais",
    "product produkt artikel produit producto item",
    "subject betreff objet sujet asunto",
    "title titel titre titulo",
    "birth birthday geburtstag geburtsdatum naissance nacimiento dob",
    "description beschreibung descripcion",
    "reference referenz ref referencia",
    "currency wahrung devise moneda",
    "priority prioritat priorite prioridad",
    "purchase po",
    "signature unterschrift signed signatur",
    "comment comments bemerkung kommentar commentaire comentario notes note",
];

/// Compounds that German and French write as one word or with `de`.
const COMPOUNDS: [(&str, &str); 14] = [
    ("rechnungsnummer", "invoice number"),
    ("rechnungsnr", "invoice number"),
    ("rechnungsdatum", "invoice date"),
    ("bestellnummer", "order number"),
    ("bestellnr", "order number"),
    ("auftragsnummer", "order number"),
    ("kundennummer", "customer number"),
    ("kundenname", "customer name"),
    ("bestelldatum", "order date"),
    ("falligkeitsdatum", "due date"),
    ("einzelpreis", "unit price"),
    ("vorname", "first name"),
    ("nachname", "last name"),
    ("telefonnummer", "phone number"),
];

/// Words of `name` in the form in which labels and properties are compared.
pub(super) fn canonical(name: &str) -> Vec<String> {
    let words = name_words(
        &name.replace("E-Mail", "email").replace("e-mail", "email").replace("E-mail", "email").replace("MwSt", "mwst"),
    );
    let compound = |word: &str| COMPOUNDS.iter().find(|(one, _)| *one == word).map(|(_, many)| *many);
    let words = words.iter().flat_map(|word| compound(word).unwrap_or(word).split(' '));
    let said = |word: &&str| !matches!(*word, "of" | "the" | "de" | "du" | "la" | "le" | "del" | "a" | "l");
    let words = words.filter(said).filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit()));
    known_phrases(words.map(one_for_all).collect())
}

/// What several words together mean: “bill to” is the customer, “total HT” the subtotal, and the date that a document
/// bears is called issue date, invoice date or just date.
fn known_phrases(mut words: Vec<String>) -> Vec<String> {
    let has = |words: &[String], wanted: &str| words.iter().any(|word| word == wanted);
    let is = |words: &[String], wanted: &[&str]| words.iter().map(String::as_str).eq(wanted.iter().copied());
    if words.last().is_some_and(|last| last == "to")
        && (has(&words, "bill") || has(&words, "sold") || has(&words, "invoice"))
    {
        return vec!["customer".to_owned()];
    }
    if is(&words, &["total", "ht"]) || is(&words, &["total", "subtotal"]) || is(&words, &["subtotal", "total"]) {
        return vec!["subtotal".to_owned()];
    }
    if is(&words, &["purchase"]) {
        return vec!["purchase".to_owned(), "order".to_owned()];
    }
    if is(&words, &["issued"]) || is(&words, &["issued", "on"]) {
        return vec!["date".to_owned()];
    }
    if has(&words, "date") {
        words.retain(|word| !matches!(word.as_str(), "issue" | "issued" | "invoice" | "document"));
    }
    if has(&words, "total") {
        words.retain(|word| !matches!(word.as_str(), "ttc" | "invoice"));
    }
    words.dedup();
    words
}

fn one_for_all(word: &str) -> String {
    let row = SAME.iter().find(|row| row.split(' ').any(|same| same == word));
    row.and_then(|row| row.split(' ').next()).unwrap_or(word).to_owned()
}

/// The labelled lines of `text`, empty entries included.
pub(super) fn labels(text: &str) -> Vec<Label<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut lines = text.split('\n').take(MAX_LINES).peekable();
    while let Some(line) = lines.next() {
        let start = at;
        at += line.len() + 1;
        let Some((name, value)) = split(line) else { continue };
        // “Bill to:” on a line of its own labels the next line.
        let below = lines.peek().map(|next| next.trim()).filter(|next| split(next).is_none());
        let (value, from) = match below {
            Some(next) if value.is_empty() => (next, at),
            _ => (value, start),
        };
        let words = canonical(name);
        let Some(offset) = text.get(from..).and_then(|rest| rest.find(value)) else { continue };
        if (1..=5).contains(&words.len()) {
            found.push(Label { words, name, value, span: from + offset..from + offset + value.len() });
        }
    }
    found
}

/// `- **Invoice no.:** INV-1` as (`Invoice no.`, `INV-1`).
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim().trim_start_matches(['-', '*', '•', '|', '>', ' ']);
    let (label, value) = line
        .split_once(':')
        .or_else(|| line.split_once('\t'))
        .or_else(|| line.split_once(" = "))
        .or_else(|| line.split_once("n° ").or_else(|| line.split_once("N° ")))
        .or_else(|| line.split_once("no. ").or_else(|| line.split_once("No. ")).or_else(|| line.split_once("Nr. ")))?;
    let label = label.trim_matches(|c: char| !c.is_alphanumeric() && c != ')');
    let value = value.trim().trim_start_matches('*').trim_end_matches('|').trim();
    let plausible = label.chars().next().is_some_and(char::is_alphabetic) && label.chars().count() <= 40;
    (plausible && !value.starts_with("//")).then_some((label, value))
}
