use super::*;
use crate::evidence::folded_text::LineEndHyphen;

/// Each number as `values [currency] [%]`, its values with a question mark where they are not sure.
fn found(raw: &str) -> Vec<String> {
    let folded = FoldedText::new(raw, LineEndHyphen::Kept);
    let reading = |reading: &Reading, candidates: &[&str]| {
        let value = candidates.iter().find(|text| Decimal::of(text) == reading.value).unwrap_or(&"other");
        format!("{value}{}", if reading.is_sure { "" } else { "?" })
    };
    let candidates = [
        "1234.56", "-1234.56", "1234", "1.234", "12.5", "-12.5", "12", "49", "19", "5", "0.5", "7", "10", "4", "1",
        "234", "234.56", "4711", "2", "3",
    ];
    let numerals = numerals(&folded, raw).into_iter().map(|numeral| {
        let mut told: Vec<String> = numeral.readings.iter().map(|one| reading(one, &candidates)).collect();
        told.extend(numeral.currency.map(|currency| currency.code.to_owned()));
        told.extend(numeral.is_percent.then(|| "%".to_owned()));
        told.join(" ")
    });
    numerals.collect()
}

#[test]
fn numbers_are_found_with_sign_currency_and_percent_sign() {
    for (text, expected) in [
        ("1.234,56 €", "1234.56 EUR"),
        ("USD 1,234.56", "1234.56 USD"),
        ("$1,234.56", "1234.56 USD"),
        ("-$1,234.56", "-1234.56 USD"),
        ("EUR -12,50", "-12.5 EUR"),
        ("CHF 1'234.56", "1234.56 CHF"),
        ("1\u{202F}234,56", "1234.56"),
        ("Fr. 49.-", "49 CHF"),
        ("49,-- EUR", "49 EUR"),
        ("(12.50)", "12.5? -12.5?"),
        ("(12.50 €)", "12.5 -12.5? EUR"),
        ("(12)", "12"),
        ("007", "7?"),
        ("5 ft", "5 HUF"),
        ("−12,5", "-12.5"),
        ("12.50-", "12.5? -12.5"),
        ("19 %", "19 %"),
        ("19 Prozent", "19 %"),
        (".5", "0.5"),
        ("#4711", "4711"),
        ("12kg", "12"),
        ("7-day trial", "7"),
        ("１２，５", "12.5"),
        ("١٢٫٥", "12.5"),
        ("5개", "5"),
        ("12円", "12 JPY"),
    ] {
        assert_eq!(found(text), [expected], "{text}");
    }
}

#[test]
fn what_is_not_written_as_a_number_is_none() {
    for text in [
        "2026-03-12",
        "12.03.2026",
        "12/03/2026",
        "14:30",
        "A-100",
        "A100",
        "INV-7",
        "5 Mio.",
        "5k",
        "5 million",
        "5万",
        "10.0.0.1",
        "5²",
        "2½",
        "4711_a",
        "1-2-3",
        "12th",
        "030/1234567",
        "4711-a",
        "5e3",
        "20-4417",
        "0815",
        "77/B",
        "14h30",
        "14.30 Uhr",
        "9 Uhr",
        "+49 30 1234567",
        "DE89 3704 0044 0532 0130 00",
        "anna.77@example.com",
    ] {
        assert_eq!(found(text), [""; 0], "{text}");
    }
}

#[test]
fn a_mark_before_three_digits_is_decided_by_the_currency_or_by_other_numbers() {
    assert_eq!(found("1.234 pieces"), ["1234? 1.234?"]);
    assert_eq!(found("1.234 €"), ["1234 EUR"]);
    assert_eq!(found("KWD 1.234"), ["1234? 1.234? KWD"]);
    assert_eq!(found("1.234 ft"), ["1234? 1.234? HUF"], "which may be feet");
    assert_eq!(found("1.234 pieces, 12.5 h have passed"), ["1.234", "12.5"]);
    assert_eq!(found("1.234 pieces, 12,5 kg"), ["1234", "12.5"]);
    assert_eq!(found("1.234 pieces, 12.5 kg"), ["1.234", "12.5"]);
    assert_eq!(found("1.234 pieces, 12.5 kg, 12,5 kg"), ["1234? 1.234?", "12.5", "12.5"]);
}

#[test]
fn ranges_and_fractions_are_two_numbers_and_ordinary_spaces_may_part_them() {
    assert_eq!(found("10-12 days"), ["10", "12"]);
    assert_eq!(found("10–12 days"), ["10", "12"]);
    assert_eq!(found("rated 4/5"), ["4", "5"]);
    assert_eq!(found("4/5"), ["4?", "5?"]);
    assert_eq!(found("1 234,56"), ["1234.56?", "1?", "234.56?"]);
    assert_eq!(found("EUR 1 234,56"), ["1234.56 EUR", "1? EUR", "234.56?"]);
    assert_eq!(found("20-49"), ["other?", "49?"]);
    assert_eq!(found("1\n234,56"), ["1", "234.56"]);
    assert_eq!(found("2 lamps, 3 chairs"), ["2", "3"]);
}
