//! `Label: value` lines, as in forms and invoices, matched to property names.

use super::text::name_words;

/// Lines that are looked at.
const MAX_LINES: usize = 2_000;

/// One `Label: value` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label<'a> {
    words: Vec<String>,
    pub(super) value: &'a str,
}

/// Words of labels and properties that mean the same. The first of a row stands for all.
const SAME: [&str; 27] = [
    "number nr no num nummer numero id code",
    "date datum fecha",
    "total gesamt gesamtbetrag summe gesamtsumme amount betrag montant importe endbetrag",
    "subtotal netto nettobetrag zwischensumme net",
    "tax vat mwst ust umsatzsteuer tva iva",
    "vendor supplier seller lieferant verkaufer fournisseur vendeur proveedor vendedor from issuer merchant",
    "customer kunde client cliente buyer recipient kaufer acheteur comprador",
    "name namen nom nombre",
    "email mail courriel correo",
    "phone tel telefon telephone telefono mobile handy",
    "address adresse anschrift direccion",
    "quantity qty menge anzahl quantite cantidad count",
    "price preis prix precio",
    "due fallig falligkeit zahlbar echeance vencimiento",
    "order bestellung auftrag commande pedido",
    "invoice rechnung facture factura",
    "company firma unternehmen entreprise societe empresa organization organisation",
    "city stadt ort ville ciudad",
    "country land pays pais",
    "product produkt artikel produit producto item",
    "subject betreff objet sujet asunto title titel titre titulo",
    "birth birthday geburtstag geburtsdatum naissance nacimiento dob",
    "description beschreibung descripcion",
    "reference referenz ref referencia",
    "currency wahrung devise moneda",
    "priority prioritat priorite prioridad",
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
    let words = name_words(&name.replace("E-Mail", "email").replace("e-mail", "email").replace("E-mail", "email"));
    let compound = |word: &str| COMPOUNDS.iter().find(|(one, _)| *one == word).map(|(_, many)| *many);
    let words = words.iter().flat_map(|word| compound(word).unwrap_or(word).split(' '));
    words.filter(|word| !matches!(*word, "of" | "the" | "de" | "du" | "la" | "le" | "del")).map(one_for_all).collect()
}

fn one_for_all(word: &str) -> String {
    let row = SAME.iter().find(|row| row.split(' ').any(|same| same == word));
    row.and_then(|row| row.split(' ').next()).unwrap_or(word).to_owned()
}

/// The labelled lines of `text`.
pub(super) fn labels(text: &str) -> Vec<Label<'_>> {
    let mut found = Vec::new();
    let mut lines = text.lines().take(MAX_LINES).peekable();
    while let Some(line) = lines.next() {
        let Some((label, value)) = split(line) else { continue };
        // “Bill to:” on a line of its own labels the next line.
        let mut below = || lines.peek().map(|next| next.trim()).filter(|next| split(next).is_none());
        let value = if value.is_empty() { below().unwrap_or_default() } else { value };
        let words = canonical(label);
        if !value.is_empty() && (1..=5).contains(&words.len()) {
            found.push(Label { words, value });
        }
    }
    found
}

/// `- **Invoice no.:** INV-1` as (`Invoice no.`, `INV-1`).
fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim().trim_start_matches(['-', '*', '•', '|', '>', ' ']);
    let (label, value) = line.split_once(':').or_else(|| line.split_once('\t')).or_else(|| line.split_once(" = "))?;
    let label = label.trim_matches(|c: char| !c.is_alphanumeric() && c != ')');
    let value = value.trim().trim_start_matches('*').trim_end_matches('|').trim();
    let plausible = label.chars().next().is_some_and(char::is_alphabetic) && label.chars().count() <= 40;
    (plausible && !value.starts_with("//")).then_some((label, value))
}

/// The values of the labels that match a property's words, best match first.
pub(super) fn matching<'l>(labels: &'l [Label<'_>], property: &[String]) -> Vec<&'l str> {
    let mut scored: Vec<(f64, &str)> =
        labels.iter().filter_map(|label| Some((score(&label.words, property)?, label.value))).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().map(|(_, value)| value).collect()
}

/// Share of common words, if the label says no more than the property, or both end in the same word.
#[allow(clippy::cast_precision_loss, reason = "counts of a few words")]
fn score(label: &[String], property: &[String]) -> Option<f64> {
    let common = label.iter().filter(|word| property.contains(word)).count();
    let share = common as f64 / label.len().max(property.len()).max(1) as f64;
    let head = label.last().is_some() && label.last() == property.last();
    let within = common == label.len() || common == property.len();
    (common > 0 && (share > 0.99 || (within && share >= 0.33) || (head && share >= 0.5))).then_some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_matched_across_languages_and_best_first() {
        let text = "Rechnungsnummer: RE-77\nDate: 2026-01-02\n| Total due: | $12.00 |\nBill to:\nAcme Ltd\nhttps://example.com\nInvoice date: 2026-01-03";
        let labels = labels(text);
        let first = |name: &str| matching(&labels, &canonical(name)).first().copied();
        assert_eq!(first("invoiceNumber"), Some("RE-77"));
        assert_eq!(first("invoice_date"), Some("2026-01-03"));
        assert_eq!(first("bill_to"), Some("Acme Ltd"));
        assert_eq!(first("total"), Some("| $12.00"));
        assert_eq!(first("colour"), None);
    }
}
