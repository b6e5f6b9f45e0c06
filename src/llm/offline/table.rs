//! Line items of simple tables: a description, then numbers.

use std::sync::LazyLock;

use regex::Regex;

use super::numbers;
use super::pattern::literal;
use super::text::fold;

/// Rows that are read.
const MAX_ROWS: usize = 200;

/// One line item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) description: String,
    pub(super) quantity: Option<f64>,
    pub(super) unit_price: Option<f64>,
    pub(super) total: Option<f64>,
}

static TIMES: LazyLock<Regex> = LazyLock::new(|| {
    literal(
        r"^\W*(\d{1,6})\s?(?:x|×|pcs|Stk\.?|Stück|pièces)\s+(.{2,120}?)\s*(?:[@|:,–-]|\bat\b|\bà\b|\bzu\b|\ba\b)?\s*((?:[$€£]|EUR|USD)?\s?\d[\d.,' ]*)(?:\s?(?:€|EUR|USD|£|each|pro Stück))?\s*(?:=?\s*((?:[$€£]\s?)?\d[\d.,']*)\s?(?:€|EUR|USD)?)?\s*$",
    )
});

/// Beginnings of lines that sum up.
const SUMS: [&str; 18] = [
    "total",
    "subtotal",
    "sub-total",
    "gesamt",
    "zwischensumme",
    "summe",
    "netto",
    "mwst",
    "vat",
    "tax",
    "tva",
    "iva",
    "shipping",
    "versand",
    "montant",
    "importe",
    "amount",
    "balance",
];

/// The line items in `text`.
pub(super) fn items(text: &str) -> Vec<Item> {
    text.lines().filter_map(item).take(MAX_ROWS).collect()
}

fn item(line: &str) -> Option<Item> {
    let line = line.trim().trim_matches('|').trim();
    let folded = fold(line);
    if line.len() > 300 || SUMS.iter().any(|sum| folded.starts_with(sum)) {
        return None;
    }
    times(line).or_else(|| columns(line))
}

/// `2 x Lamp @ 19.99`.
fn times(line: &str) -> Option<Item> {
    let captures = TIMES.captures(line)?;
    let number = |index: usize| captures.get(index).and_then(|found| numbers::parse(found.as_str(), true));
    let (quantity, unit_price) = (number(1)?, number(3)?);
    let description = captures.get(2)?.as_str().trim().to_owned();
    let total = number(4).unwrap_or_else(|| (quantity * unit_price * 100.0).round() / 100.0);
    Some(Item { description, quantity: Some(quantity), unit_price: Some(unit_price), total: Some(total) })
}

/// Cells separated by `|`, tabs or two spaces: a text, then two or three numbers.
fn columns(line: &str) -> Option<Item> {
    let cells: Vec<&str> = if line.contains('|') {
        line.split('|').map(str::trim).collect()
    } else {
        line.split(['\t']).flat_map(|part| part.split("  ")).map(str::trim).collect()
    };
    let cells: Vec<&str> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
    let digits = |cell: &&str| {
        let bare =
            cell.trim_matches(|c: char| "$€£ xX×".contains(c)).trim_end_matches("EUR").trim_end_matches("USD").trim();
        let numeric = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || ".,'".contains(c));
        if numeric { numbers::parse(bare, true) } else { None }
    };
    let at = cells
        .iter()
        .position(|cell| cell.chars().filter(|c| c.is_alphabetic()).count() >= 2 && digits(cell).is_none())?;
    let description = (*cells.get(at)?).to_owned();
    let values: Vec<f64> = cells.iter().skip(at + 1).filter_map(digits).collect();
    // Only the product tells which number is which.
    let [quantity, unit, .., total] = values.as_slice() else { return None };
    let is_product = (quantity * unit - total).abs() <= 0.011;
    is_product.then_some(Item { description, quantity: Some(*quantity), unit_price: Some(*unit), total: Some(*total) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_items_and_sums_are_not() {
        let text = "Item | Qty | Price | Total\n--- | --- | --- | ---\n| Desk lamp | 2 | $19.99 | $39.98 |\n3 x Cable @ 4.50\nChair  1  120,00  120,00\nTotal | 4 | 1 | 173.48";
        let items = items(text);
        let seen: Vec<_> = items.iter().map(|i| (i.description.as_str(), i.quantity, i.unit_price, i.total)).collect();
        assert_eq!(
            seen,
            [
                ("Desk lamp", Some(2.0), Some(19.99), Some(39.98)),
                ("Cable", Some(3.0), Some(4.5), Some(13.5)),
                ("Chair", Some(1.0), Some(120.0), Some(120.0)),
            ]
        );
    }
}
