//! What holds for any text: a place that is given has the value, and a value that the text does not have is not found.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{pieces, source};
use crate::domain::evidence::{EvidenceState, FieldEvidence};
use crate::evidence::Locator;
use crate::evidence::boundaries::is_word;
use crate::evidence::folded_text::fold;

const MONTHS: [&str; 12] = [
    "January",
    "février",
    "März",
    "abril",
    "maggio",
    "juni",
    "julho",
    "sierpnia",
    "September",
    "octubre",
    "novembre",
    "Dezember",
];

/// Words and marks of many scripts, right-to-left ones and pairs of surrogates among them.
const PROSE: &str = r#"([a-zß-öø-ÿ ,;]|[а-я ]|[α-ω ]|[א-ת ]|[ا-ي ]|[अ-ह ]|[ก-ฮ]|[가-힣 ]|[ぁ-んァ-ヶ一-龠]|e\x{301}|👩\x{200D}💻|🇩🇪|𝒳|["'()\n\x{200B}\x{AD}\x{202E}]){0,60}"#;

fn locate(text: &str, value: Value) -> FieldEvidence {
    let evidence = Locator::new(&json!({})).locate(&[source("/body", text)], &json!({ "value": value }), &[]);
    evidence.fields.into_iter().next().unwrap()
}

fn cuts(text: &str, field: &FieldEvidence) -> Vec<String> {
    pieces(&[source("/body", text)], field)
}

/// The letters and digits that are left of a text when nothing else counts.
fn essence(text: &str) -> String {
    fold(text).chars().filter(|c| is_word(*c)).collect()
}

/// An amount of cents in one of several writings.
fn amount(cents: u32, writing: usize) -> String {
    let (whole, rest) = (cents / 100, cents % 100);
    let grouped = |mark: &str| {
        let digits = whole.to_string();
        let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
        groups.collect::<Vec<_>>().join(mark)
    };
    match writing {
        0 => format!("{}.{rest:02}", grouped(",")),
        1 => format!("{},{rest:02}", grouped(".")),
        2 => format!("{},{rest:02}", grouped("\u{202F}")),
        3 => format!("{}.{rest:02}", grouped("'")),
        4 => format!("{whole},{rest:02}"),
        _ => format!("{whole}.{rest:02}").chars().map(|c| c.to_digit(10).map_or(c, arabic)).collect(),
    }
}

fn arabic(digit: u32) -> char {
    char::from_u32(0x660 + digit).unwrap()
}

/// A date in one of several writings that leave no doubt.
fn date((year, month, day): (u32, u32, u32), writing: usize) -> String {
    let name = MONTHS[month as usize - 1];
    match writing {
        0 => format!("{day:02}.{month:02}.{year}"),
        1 => format!("{day}. {name} {year}"),
        2 => format!("{day} {} {year}", name.to_uppercase()),
        3 => format!("{name} {day}, {year}"),
        4 => format!("{year}/{month:02}/{day:02}"),
        _ => format!("{year}年{month}月{day}日"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_place_of_a_text_has_the_letters_and_digits_of_the_value(
        before in PROSE, after in PROSE, value in r"[\PC&&[^\s]]{1,6}", changed in "\\PC{0,3}",
    ) {
        let text = format!("{before} {value}{changed}{after} {value}");
        let field = locate(&text, json!(value));
        for cut in cuts(&text, &field) {
            prop_assert_eq!(essence(&cut), essence(&value), "{:?}", field.state);
            prop_assert!(field.state != EvidenceState::Exact || cut == value);
        }
    }

    #[test]
    fn a_value_with_a_letter_that_the_text_lacks_is_not_found(before in PROSE, after in PROSE, value in "[a-z]{0,4}") {
        // The text has no capital Cherokee letters.
        let value = format!("{value}\u{13A0}");
        let field = locate(&format!("{before} {} {after}", &value[..value.len() - 3]), json!(value));
        prop_assert_eq!(field.state, EvidenceState::None);
    }

    #[test]
    fn a_word_is_not_found_within_a_longer_one(
        value in "[a-zß-öø-ÿ]{1,8}|[а-я]{1,8}|[א-ת]{1,8}|[0-9]{1,8}",
        before in "[a-z0-9]?", after in "[aeiou0-9]|\\x{301}|\\x{200B}[aeiou]",
    ) {
        prop_assert_eq!(locate(&format!("- {before}{value}{after} -"), json!(value)).state, EvidenceState::None);
    }

    #[test]
    fn digits_that_the_text_lacks_are_not_found_in_its_other_numbers(
        before in PROSE, after in PROSE, first in "[1-9][0-9]{0,11}", second in "[1-9][0-9]{0,4}",
        value in "[0-9]{1,12}", zeros in "0{1,6}",
    ) {
        let text = format!("{before} {first} apples and {second} pears {after}");
        if value != first && value != second {
            prop_assert_eq!(locate(&text, json!(value)).state, EvidenceState::None);
        }
        prop_assert_eq!(locate(&text, json!(format!("{zeros}{second}"))).state, EvidenceState::None);
    }

    #[test]
    fn an_amount_is_found_in_every_writing_and_no_other_amount_is(
        before in PROSE, cents in 1_u32..900_000_000, other in 1_u32..900_000_000, writing in 0_usize..6,
    ) {
        let written = amount(cents, writing);
        let text = format!("{before}: {written} ({before})");
        let value = |cents: u32| format!("{}.{:02}", cents / 100, cents % 100).parse::<serde_json::Number>().unwrap();
        let field = locate(&text, Value::Number(value(cents)));
        prop_assert_eq!(cuts(&text, &field), [written.as_str()]);
        prop_assert!(field.state.is_located() && field.state != EvidenceState::Ambiguous, "{:?}", field.state);
        if other != cents {
            prop_assert_eq!(locate(&text, Value::Number(value(other))).state, EvidenceState::None);
        }
    }

    #[test]
    fn a_date_is_found_in_every_writing_and_no_other_day_is(
        before in PROSE, day in (1970_u32..2069, 1_u32..=12, 1_u32..=28), other in 1_u32..=28, writing in 0_usize..6,
    ) {
        let written = date(day, writing);
        let text = format!("{before}: {written}, {before}");
        let (year, month, of_month) = day;
        let field = locate(&text, json!(format!("{year}-{month:02}-{of_month:02}")));
        prop_assert_eq!(cuts(&text, &field), [written.as_str()]);
        prop_assert_eq!(field.state, EvidenceState::Normalized);
        if other != of_month {
            let field = locate(&text, json!(format!("{year}-{month:02}-{other:02}")));
            prop_assert_eq!(field.state, EvidenceState::None);
        }
    }

    #[test]
    fn any_text_and_value_are_searched_without_a_panic(text in "\\PC{0,80}|[0-9.,:/ +()aptmh-]{0,80}", value in "\\PC{0,20}|[0-9.,:/ +()-]{0,20}") {
        let field = locate(&text, json!(value));
        prop_assert_eq!(field.state.is_located(), !field.spans.is_empty());
        let length = text.chars().count();
        prop_assert!(field.spans.iter().all(|span| span.start < span.end && span.end as usize <= length));
    }
}
