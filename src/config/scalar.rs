//! What the text of a plain YAML scalar means as a number, by YAML 1.2's core schema (section 10.3.2).

use serde_json::Number;

use crate::domain::json;

/// Whether it is a number.
pub(super) fn is_number(text: &str) -> bool {
    to_i64(text).is_some() || to_f64(text).is_some()
}

/// The integer that it is, also in hexadecimal (`0x1F`) and octal (`0o17`).
pub(super) fn to_i64(text: &str) -> Option<i64> {
    let radix = |prefix, radix| text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok());
    text.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8))
}

/// The nearest double.
pub(super) fn to_f64(text: &str) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "the nearest is what was asked for")]
    if let Some(integer) = to_i64(text) {
        return Some(integer as f64);
    }
    match text.strip_prefix(['-', '+']).unwrap_or(text) {
        ".inf" | ".Inf" | ".INF" if text.starts_with('-') => return Some(f64::NEG_INFINITY),
        ".inf" | ".Inf" | ".INF" => return Some(f64::INFINITY),
        _ if matches!(text, ".nan" | ".NaN" | ".NAN") => return Some(f64::NAN),
        _ => {}
    }
    // Rust reads `inf` and `nan` as numbers too; YAML does not.
    let is_decimal = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    text.bytes().all(is_decimal).then(|| text.parse().ok()).flatten()
}

/// The same number in JSON's grammar, with the same digits. `None` for infinite ones, and for one that has more digits
/// than are read.
pub(super) fn to_json(text: &str) -> Option<Number> {
    if let Some(number) = json::number(text) {
        return Some(number);
    }
    if text.starts_with("0x") || text.starts_with("0o") {
        return to_i64(text).map(Number::from);
    }
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => unsigned.split_at(at),
        None => (unsigned, ""),
    };
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |digits: &str| if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    let whole = digits(whole.trim_start_matches('0'));
    let fraction = fraction.map_or_else(String::new, |fraction| format!(".{}", digits(fraction)));
    json::number(&format!("{sign}{whole}{fraction}{exponent}"))
}

/// Whether it is finite and yet has no form in JSON: it has too many digits.
pub(super) fn is_too_long(text: &str) -> bool {
    to_json(text).is_none() && text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_numbers_become_json_numbers_with_the_same_digits() {
        let cases = [
            ("0042", "42"),
            ("+1", "1"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("5.", "5.0"),
            ("1.e5", "1.0e5"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("-0", "-0"),
            ("1.10", "1.10"),
            ("1E5", "1E5"),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "18446744073709551616"),
            ("0.1234567890123456789", "0.1234567890123456789"),
            ("1e-400", "1e-400"),
            ("00", "0"),
            ("000.50", "0.50"),
        ];
        for (yaml, json) in cases {
            assert!(is_number(yaml), "{yaml}");
            assert_eq!(to_json(yaml).unwrap().as_str(), json);
        }
        for text in [
            "1_000",
            "0b11",
            "1:30",
            "e5",
            "x",
            "-",
            "+",
            ".",
            "infinity",
            "nan",
            "0xZ",
            "1e",
            "2026-01-31",
            "0xFFFFFFFFFFFFFFFFFF",
        ] {
            assert!(!is_number(text), "{text}");
        }
        for text in [".inf", "-.INF", ".nan"] {
            assert!(is_number(text) && to_json(text).is_none() && !is_too_long(text));
        }
        assert!(is_too_long("1e1000000000") && is_number("1e1000000000"));
    }
}
